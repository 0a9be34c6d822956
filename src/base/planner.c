/* planner.c - the only state that the library shares between its objects: FFTW's own. */
#include "base/planner.h"

#include <pthread.h>

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

void rv_planner_lock(void)
{
    pthread_mutex_lock(&planner);
}

void rv_planner_unlock(void)
{
    pthread_mutex_unlock(&planner);
}
