/* tfrecord_audio.h - the audio in the records of a shard, as if each record were an audio stream:
 * channel 0 is audio/inputs, channel 1 audio/targets (data/shards.h). */
#ifndef IO_TFRECORD_AUDIO_H
#define IO_TFRECORD_AUDIO_H

#include "io/audio_source.h"

/* Whether the name is that of a shard: FILE.tfrecord, or FILE.tfrecord-00000-of-00010. */
bool rv_tfrecord_is(const char *path);

/* `stream` counts the records. Errors name file, record and key. */
rv_status rv_tfrecord_audio_open(audio_source **out, const char *path, int stream, rv_error *err);

#endif
