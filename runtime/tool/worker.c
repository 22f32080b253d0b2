/* worker.c: the program of a worker process; libwarp starts it, nobody else.
 * What it does stands in ../worker.h. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc == 2) {
        int status = worker_serve(argv[1]);
#ifdef WARP_COVERAGE
        exit(status); /* which writes the counters */
#else
        _Exit(status); /* its lanes may be inside a driver: no tidying up */
#endif
    }
    fputs("warp-worker: libwarp starts this program for work on a device\n",
          stderr);
    return 2;
}
