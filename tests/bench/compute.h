/* compute.h: warp-bench compute: kernels against the reference, and how long
 * they take next to a plain scalar float64 loop. */
#ifndef BENCH_COMPUTE_H
#define BENCH_COMPUTE_H

#include "device.h"

#include <stdio.h>

int compute_main(int argc, char **argv);

/* compute_time.c: prints figures, into json too if it is not NULL. 0, or 1
 * when a launch failed. */
int compute_time(struct device *device, FILE *json);

/* compute_hot.c: gets and sets beside kernels. */
int compute_hot(FILE *json);

#endif
