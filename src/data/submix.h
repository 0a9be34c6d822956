/* submix.h - what a stem is made of: classes of instruments, programs of General MIDI. */
#ifndef DATA_SUBMIX_H
#define DATA_SUBMIX_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_submix {
    const char *stem;
    const char *const *classes; /* [n_classes] "piano", "Synth Lead" */
    size_t n_classes;
    uint64_t programs[2]; /* bit p % 64 of programs[p / 64]: General MIDI program p, from 0 */
} rv_submix;

/* Equal but for the case of letters, and where one has '_', spaces or other signs. */
bool rv_label_equal(const char *a, const char *b);

/* Whether the stem takes a piece of this class (and program; below 0: unknown). */
bool rv_submix_takes(const rv_submix *s, const char *label, int program);

#endif
