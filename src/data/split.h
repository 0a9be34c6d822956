/* split.h - which songs are trained on, and which validated on: never the same. */
#ifndef DATA_SPLIT_H
#define DATA_SPLIT_H

#include "data/layout.h"

/* Keeps the songs of l that are in the split that the query asks for, and frees the others. Only
 * an empty one that is not allowed is an error. */
RV_NODISCARD rv_status rv_split_choose(rv_song_list *l, const rv_layout *layout,
                                       const rv_track_query *q, rv_error *err);

#endif
