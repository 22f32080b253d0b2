/* planted.c: which known bug the simulated library has. */
#include "planted.h"

enum planted planted_bug;
const char *const planted_names[PLANTED_COUNT] = {
    "none",         "skip-sync", "skip-crc",
    "reorder-log",  "torn-ring", "early-checkpoint",
    "lost-forward", "half-move", "new-version"};
