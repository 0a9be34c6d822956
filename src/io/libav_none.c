/* libav_none.c - stands for libav_read.c in a build without FFmpeg. */
#include "base/status.h"
#include "io/audio_source.h"

bool rv_libav_present(void)
{
    return false;
}

static rv_status missing(const char *path, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: not a file that libsndfile reads, and this Ravel was built without FFmpeg: "
                   "install libavformat-dev, libavcodec-dev, libavutil-dev and libswresample-dev "
                   "and build again for m4a, mp4 and video",
                   path);
}

rv_status rv_libav_open(audio_source **out, const char *path, int stream, const audio_claim *claim,
                        rv_error *err)
{
    (void)out;
    (void)stream;
    (void)claim;
    return missing(path, err);
}

int rv_libav_stream_count(const char *path, rv_error *err)
{
    (void)missing(path, err);
    return 0;
}
