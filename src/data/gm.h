/* gm.h - the sounds of General MIDI level 1, in the classes that Slakh2100's metadata has. */
#ifndef DATA_GM_H
#define DATA_GM_H

enum { RV_GM_DRUMS = 128, RV_GM_DRUM_CHANNEL = 9, RV_GM_PROGRAMS = 129 };

/* Of a program from 0 to 127, or RV_GM_DRUMS. */
const char *rv_gm_name(int program);
const char *rv_gm_class(int program); /* one text for a class: may be compared as a pointer */

/* Another program that can play the same part (a grand piano for a bright one), chosen by u in
 * [0, 1); the program itself where there is none. */
int rv_gm_substitute(int program, double u);

#endif
