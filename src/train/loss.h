/* loss.h - losses as graph builders.
 *
 * All take an estimate and a target [B,T,S C] (S stems of C audio channels, stem-major) and give
 * one number [1], smaller for a better estimate. Each channel of each stem is a signal of its own:
 * the reference packages see [B S C] mono signals. Failures poison the graph, as those of all
 * builders do. No loss or gradient is NaN for silence or for an estimate equal to its target. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include "core/ops.h"

/* loss_time.c: on samples ------------------------------------------------------------------- */

rv_node *rv_loss_l1(rv_node *estimate, rv_node *target);  /* mean |e - t| */
rv_node *rv_loss_mse(rv_node *estimate, rv_node *target); /* mean (e - t)^2 */

/* mean log(cosh(a (e - t))) / a, as auraloss.time.LogCoshLoss without its 1e-8; a > 0 */
rv_node *rv_loss_log_cosh(rv_node *estimate, rv_node *target, double a);

typedef enum rv_si_sdr_form {
    RV_SI_SDR_TORCHMETRICS, /* eps beside both energies and the projection: 0 dB for silence */
    RV_SI_SDR_ASTEROID,     /* eps in denominators and in the logarithm: 10 log10(eps) for it */
} rv_si_sdr_form;

typedef struct rv_si_sdr_options {
    rv_si_sdr_form form; /* default RV_SI_SDR_TORCHMETRICS */
    bool zero_mean;      /* take the means away first; default false (asteroid: true) */
    double eps;          /* default 2^-23 as torchmetrics in float (asteroid: 1e-8) */
} rv_si_sdr_options;

rv_si_sdr_options rv_si_sdr_defaults(void);
/* Negative scale-invariant SDR in dB, the mean over all signals. */
rv_node *rv_loss_si_sdr(rv_node *estimate, rv_node *target, const rv_si_sdr_options *options);

/* Negative SNR in dB, the mean over all signals; `least` > 0 is added to both mean squares. */
rv_node *rv_loss_snr(rv_node *estimate, rv_node *target, double least);

/* loss_stft.c: on Fourier transforms --------------------------------------------------------- */

/* Hann window of `window` samples in the middle of n_fft (0: all of it). Frames are centred, the
 * ends reflected, as torch.stft does: T > n_fft / 2. */
typedef struct rv_stft_size {
    size_t n_fft, hop, window;
} rv_stft_size;

enum { RV_MAX_RESOLUTIONS = 8 };

typedef enum rv_distance { RV_DISTANCE_L1, RV_DISTANCE_L2, RV_DISTANCE_COSINE } rv_distance;

typedef struct rv_mrstft_options {
    size_t n;                              /* resolutions, default 3 */
    rv_stft_size size[RV_MAX_RESOLUTIONS]; /* default 1024/120/600, 2048/240/1200, 512/50/240 */
    double w_sc;                           /* spectral convergence, default 1 */
    double w_log_mag, w_lin_mag;           /* log and linear magnitude, default 1 and 0 */
    double eps;                            /* least square of a magnitude, default 1e-8 */
    rv_distance distance;                  /* of magnitudes: L1 (default) or L2 (squares) */
    bool sum;         /* of magnitudes: the sum of all distances, not their mean */
    bool a_weighting; /* filter both signals first, see rv_loss_a_weighting() */
} rv_mrstft_options;

rv_mrstft_options rv_mrstft_defaults(void);
/* auraloss.freq.MultiResolutionSTFTLoss. sample_rate in Hz counts for the A-weighting only. */
rv_node *rv_loss_multi_resolution_stft(rv_node *estimate, rv_node *target, double sample_rate,
                                       const rv_mrstft_options *options);

/* Mean |difference| of real and imaginary parts. Default size 2048/512/2048. */
rv_node *rv_loss_complex_stft(rv_node *estimate, rv_node *target, const rv_stft_size *size);

/* loss_spectral.c, loss_mel.c: frames as tf.signal.stft(pad_end=True) makes them, uncentred -- */

typedef struct rv_spectral_options {
    size_t n;                         /* default 6 */
    size_t n_fft[RV_MAX_RESOLUTIONS]; /* powers of two; default 2048, 1024, ... 64; hop a quarter */
    rv_distance distance;             /* default L1; L2 is the mean square */
    double mag;                       /* weights; default 1 for mag, 0 for the others */
    double delta_time, delta_freq, cumsum_freq, logmag;
    double loudness; /* A-weighted, in dB, 250 frames a second */
} rv_spectral_options;

rv_spectral_options rv_spectral_defaults(void);
/* ddsp.losses.SpectralLoss. sample_rate counts for the loudness only (there: always 16000). */
rv_node *rv_loss_spectral(rv_node *estimate, rv_node *target, double sample_rate,
                          const rv_spectral_options *options);

typedef struct rv_mel_options {
    size_t n_fft;   /* a power of two, default 2048; hop a quarter */
    size_t bands;   /* default 64 */
    double lowest;  /* Hz, default 80 */
    double highest; /* Hz, default 0: half the sample rate */
    double eps;     /* least value before the logarithm, default 1e-5 */
    bool added;     /* eps is added before the logarithm, as DDSP-Demucs does; default false */
} rv_mel_options;

rv_mel_options rv_mel_defaults(void);
/* Mean |difference| of log mel spectra, as ddsp.spectral_ops.compute_logmel. */
rv_node *rv_loss_mel(rv_node *estimate, rv_node *target, double sample_rate,
                     const rv_mel_options *options);

/* loss_transport.c: where in frequency the energy lies. Frequencies in units of half the sample
 * rate, so results are in [0, 1]. Default size 2048/512/2048. ------------------------------- */

/* Mean |difference| of the spectral centroids of all frames. */
rv_node *rv_loss_centroid(rv_node *estimate, rv_node *target, const rv_stft_size *size);
/* |Difference| of the spectral centroids' means over time, the mean of all signals; frames as
 * tf.signal.stft(pad_end=True) makes them, of n_fft and hop alone. As DDSP-Demucs. */
rv_node *rv_loss_mean_centroid(rv_node *estimate, rv_node *target, const rv_stft_size *size);
/* Mean optimal-transport (Wasserstein-1) distance of all frames' normalised magnitudes. */
rv_node *rv_loss_transport(rv_node *estimate, rv_node *target, const rv_stft_size *size);

/* loss_crepe.c: what a trained network hears ------------------------------------------------- */

typedef struct rv_crepe_loss_options {
    size_t width;                /* of CREPE (models/crepe.h) */
    const float *const *weights; /* of its parameters, in the order of building; default none, which
                                    is an error */
    size_t layer;                /* that is compared, default the last: "classifier" */
    rv_distance distance;        /* L1 (default) or L2: the mean square */
} rv_crepe_loss_options;

rv_crepe_loss_options rv_crepe_loss_defaults(void);
/* ddsp.losses.PretrainedCREPEEmbeddingLoss. At 16000 Hz alone. */
rv_node *rv_loss_crepe(rv_node *estimate, rv_node *target, double sample_rate,
                       const rv_crepe_loss_options *options);

/* loss_weighting.c: A-weighting ---------------------------------------------------------------- */

enum { RV_A_WEIGHTING_TAPS = 101 };

/* Gain of IEC 61672's A-weighting at `frequency` Hz in dB, about 0 at 1 kHz; -80 at least. */
double rv_a_weighting_db(double frequency);
/* auraloss.perceptual.FIRFilter("aw"): a linear-phase fit to the bilinear transform of it. */
void rv_a_weighting_taps(double taps[RV_A_WEIGHTING_TAPS], double sample_rate);
/* Filter signals x [R,T]; the length stays. */
rv_node *rv_loss_a_weighting(rv_node *x, double sample_rate);

/* loss_build.c: a sum of terms from a configuration -------------------------------------------- */

typedef enum rv_loss_kind {
    RV_LOSS_L1,
    RV_LOSS_MSE,
    RV_LOSS_LOG_COSH,
    RV_LOSS_SI_SDR,
    RV_LOSS_SNR,
    RV_LOSS_MRSTFT,
    RV_LOSS_SPECTRAL,
    RV_LOSS_MEL,
    RV_LOSS_CENTROID,
    RV_LOSS_TRANSPORT,
    RV_LOSS_COMPLEX_STFT,
    RV_LOSS_MEAN_CENTROID,
    RV_LOSS_CREPE,
    RV_LOSS_KINDS,
} rv_loss_kind;

/* "l1", "mse", "log_cosh", "si_sdr", "snr", "mrstft", "spectral", "mel", "centroid", "transport",
 * "complex_stft", "mean_centroid", "crepe"; NULL beyond. And back: RV_LOSS_KINDS for an unknown
 * name. */
const char *rv_loss_name(rv_loss_kind kind);
rv_loss_kind rv_loss_find(const char *name);

enum { RV_MAX_LOSS_TERMS = 8, RV_MAX_LOSS_STEMS = 16 };

typedef struct rv_loss_term {
    rv_loss_kind kind;
    double weight;
    union {
        double sharpness;             /* LOG_COSH: a, default 1 */
        double least;                 /* SNR: added to mean squares, default 1e-3 */
        rv_si_sdr_options si_sdr;     /* SI_SDR */
        rv_mrstft_options mrstft;     /* MRSTFT */
        rv_spectral_options spectral; /* SPECTRAL */
        rv_mel_options mel;           /* MEL */
        rv_crepe_loss_options crepe;  /* CREPE */
        rv_stft_size stft;            /* CENTROID, TRANSPORT, COMPLEX_STFT, MEAN_CENTROID */
    } options;
} rv_loss_term;

/* Weight 1 and the defaults of the kind. */
rv_loss_term rv_loss_term_defaults(rv_loss_kind kind);

typedef struct rv_loss_config {
    size_t n; /* terms */
    rv_loss_term term[RV_MAX_LOSS_TERMS];
    double stem_weights[RV_MAX_LOSS_STEMS]; /* >= 0; all zero: all equal */
    struct rv_crepe_weights *crepe;         /* what terms borrow, of rv_loss_read(); or NULL */
} rv_loss_config;

/* sum over terms of weight * loss. With equal stem weights a loss sees all stems at once; else it
 * is the mean of the losses of single stems, weighted by the stem's share of all weights. */
rv_node *rv_loss_build(const rv_loss_config *config, rv_node *estimate, rv_node *target,
                       size_t stems, double sample_rate);

#endif
