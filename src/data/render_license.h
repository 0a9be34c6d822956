/* render_license.h - under which terms known soundfonts are: their sounds are in the data set. */
#ifndef DATA_RENDER_LICENSE_H
#define DATA_RENDER_LICENSE_H

/* By the name of the file, links followed; of others what they say themselves, or "unknown: ..." if
 * that is nothing. */
const char *rv_soundfont_license(const char *path, const char *own);

#endif
