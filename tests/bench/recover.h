/* `warp-bench recover ARGUMENTS`: the exit status. */
#ifndef BENCH_RECOVER_H
#define BENCH_RECOVER_H

int recover_main(int argc, char **argv);

#endif
