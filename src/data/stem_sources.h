/* stem_sources.h - which pieces of a song make up each stem. */
#ifndef DATA_STEM_SOURCES_H
#define DATA_STEM_SOURCES_H

#include "data/layout.h"

/* `track` gets its sources, taken from the song's. *lacks: the first stem without any, or NULL. */
RV_NODISCARD rv_status rv_stem_sources(rv_track *track, const char **lacks, rv_song *song,
                                       const rv_layout *layout, const rv_wanted *wanted,
                                       rv_error *err);

/* Two stems that would both take the rest are an error. */
RV_NODISCARD rv_status rv_stem_sources_check(const rv_layout *layout, const rv_wanted *wanted,
                                             rv_error *err);

#endif
