/* `warp-bench compiler ARGUMENTS`: the exit status. */
#ifndef BENCH_COMPILER_BENCH_H
#define BENCH_COMPILER_BENCH_H

int compiler_main(int argc, char **argv);

#endif
