/* audio_order.h - the order of the channels in Ogg files.
 *
 * WAV, FLAC and FFmpeg put the channels of 5.1 as L R C LFE Ls Rs; Vorbis and Opus in Ogg as
 * L C R Ls Rs LFE, and code the last one as a bass channel (Vorbis I specification 4.3.9, RFC 7845
 * 5.1.1.2). libsndfile passes either through as it is. Ravel's order is that of WAV. */
#ifndef IO_AUDIO_ORDER_H
#define IO_AUDIO_ORDER_H

#include <stddef.h>

/* x [frames, channels] in place; only 3 and 5 to 8 channels change. */
void rv_order_from_vorbis(float *x, size_t frames, int channels);
void rv_order_to_vorbis(float *x, size_t frames, int channels);

#endif
