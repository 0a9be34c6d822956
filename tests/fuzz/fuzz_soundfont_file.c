/* fuzz_soundfont_file.c - any bytes as a soundfont: what it says of itself is one printable line.
 */
#include "data/soundfont_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_soundfont_info info;
    uint8_t *exact = malloc(size + (size == 0)); /* so that a sanitizer sees what is beyond */
    if (!exact)
        abort();
    memcpy(exact, data, size);
    rv_soundfont_info_read(&info, exact, size);
    free(exact);
    for (const char *c = info.copyright; *c; c++) {
        if (*c < ' ' || *c > '~' || *c == '|')
            abort();
    }
    if (strlen(info.copyright) >= RV_SHOWN || info.program[RV_GM_DRUMS] != info.drum_set[0])
        abort();
    return 0;
}
