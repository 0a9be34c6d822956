/* registration.h - the order in which the reference's modules register their parameters.
 *
 * That is the order of a state dict, and the only thing that says which is which in weights
 * quantised by DiffQ. Our graphs make parameters in the order of computing, which differs. */
#ifndef MODELS_REGISTRATION_H
#define MODELS_REGISTRATION_H

#include <stdbool.h>

/* Does name `a` come before (< 0) or behind (> 0) name `b`? */
int rv_registration_compare(const char *a, const char *b);

/* Are all parts of the name known? The order of others would be a guess. */
bool rv_registration_knows(const char *name);

#endif
