/* mixtures.h - the mixture of each song: its file, or the sum of its stems, also of those that are
 * not compared. */
#ifndef EVAL_MIXTURES_H
#define EVAL_MIXTURES_H

#include "data/track_read.h"

typedef struct rv_mixtures {
    const rv_track_cache *songs; /* those compared */
    rv_track_list *list;         /* NULL, or the same songs with all their stems */
    rv_track_cache *cache;       /* of list */
} rv_mixtures;

/* query: what `songs` were found with; borrowed for the call. */
RV_NODISCARD rv_status rv_mixtures_open(rv_mixtures *m, const rv_track_cache *songs,
                                        const rv_track_query *query, rv_error *err);
void rv_mixtures_close(rv_mixtures *m);

/* planes [channels][frames] of part->track, a song of `songs`; part->stem does not matter. */
RV_NODISCARD rv_status rv_mixtures_read(const rv_mixtures *m, const rv_track_part *part,
                                        float *const *planes, rv_error *err);

#endif
