/* `warp-bench space ARGUMENTS`: the exit status. */
#ifndef BENCH_SPACE_H
#define BENCH_SPACE_H

int space_main(int argc, char **argv);

#endif
