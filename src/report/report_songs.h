/* report_songs.h - which songs a report shows, and from which files. */
#ifndef REPORT_REPORT_SONGS_H
#define REPORT_REPORT_SONGS_H

#include "data/track_list.h"
#include "ravel/report.h"

/* Groups of lanes. From RV_GROUP_ESTIMATES on there is one for each folder of stems. */
enum { RV_GROUP_MIX, RV_GROUP_REFERENCE, RV_GROUP_ESTIMATES };

typedef struct rv_report_lane {
    char *stem;
    size_t group;
    rv_track_sources sources; /* summed */
} rv_report_lane;

typedef struct rv_report_song {
    char *name, *split;
    rv_report_lane *lanes; /* [n_lanes]: the mix, then by stem, estimates before references */
    size_t n_lanes;
} rv_report_song;

typedef struct rv_report_songs {
    char **groups; /* [n_groups] names */
    char **paths;  /* [n_groups] of the folders */
    size_t n_groups;
    rv_report_song *songs; /* [n], sorted by name */
    size_t n, left_out;    /* of more than max_songs, or of the references without estimates */
} rv_report_songs;

/* From zeros; after a failure rv_report_songs_fini() is still due. */
RV_NODISCARD rv_status rv_report_songs_find(rv_report_songs *out, const rv_report_options *opt,
                                            rv_error *err);
void rv_report_songs_fini(rv_report_songs *s);

/* For report_references.c. Texts are copied; sources are taken over, also on failure. */
RV_NODISCARD rv_status rv_report_add_lane(rv_report_song *s, const char *stem, size_t group,
                                          rv_track_sources *sources, rv_error *err);
RV_NODISCARD rv_status rv_report_add_song(rv_report_song **out, rv_report_songs *s,
                                          const char *name, const char *split, rv_error *err);
void rv_report_song_fini(rv_report_song *s);

/* The song of that name, or NULL. */
rv_report_song *rv_report_song_find(const rv_report_songs *s, const char *name);

/* The file opt->mix, or those of its folder, as lanes. */
RV_NODISCARD rv_status rv_report_add_mix(rv_report_songs *s, const char *mix, rv_error *err);

/* Stems of the data set as lanes. Where there are estimates, songs of one kind only go. */
RV_NODISCARD rv_status rv_report_add_references(rv_report_songs *s, const rv_report_options *opt,
                                                rv_error *err);

/* "drums" of "drums.wav", to free(); NULL: no audio file. */
RV_NODISCARD rv_status rv_report_stem_of(char **stem, const char *file, rv_error *err);
bool rv_report_is_mix(const char *stem);

#endif
