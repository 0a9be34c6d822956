/* fft.h - FFTW (Frigo and Johnson 2005) in the precision of the engine: FFT(plan),
 * FFT(execute_dft_r2c), ... FFTW's planner is not safe in threads: a lock guards it. */
#ifndef CORE_FFT_H
#define CORE_FFT_H

#include <fftw3.h>

#ifdef RV_DOUBLE
#    define FFT(name) fftw_##name
#else
#    define FFT(name) fftwf_##name
#endif

#endif
