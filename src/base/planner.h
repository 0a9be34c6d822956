/* planner.h - one lock for FFTW's planner, which is one for the whole process.
 *
 * FFTW may run plans in any number of threads at a time, but make and destroy them only in
 * one. All layers that plan hold this lock while they do. */
#ifndef BASE_PLANNER_H
#define BASE_PLANNER_H

void rv_planner_lock(void);
void rv_planner_unlock(void);

#endif
