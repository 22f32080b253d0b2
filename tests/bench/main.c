/* warp-bench: the first argument names what is measured; one row in the table
 * for each. Numbers in the manual come from here and from nowhere else. */
#include <stdio.h>
#include <string.h>

#include "compiler_bench.h"
#include "compute.h"
#include "kv.h"
#include "overhead.h"
#include "placement.h"
#include "recover.h"
#include "space.h"

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"compiler", "warpc's speed and the size of what it writes",
     compiler_main},
    {"compute", "kernels on the CPU and on devices", compute_main},
    {"kv", "key-value work on Warp and its peers", kv_main},
    {"overhead", "generated calls against calls by hand; annotations",
     overhead_main},
    {"placement", "what a fast tier keeps, on traces", placement_main},
    {"recover", "the open after kill -9, and memory for a record",
     recover_main},
    {"scale", "Warp on more and more threads, and what they wait for",
     scale_main},
    {"space", "disk bytes of a record of text, and write amplification",
     space_main},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static void print_help(FILE *file)
{
    fputs("  warp-bench kv --engines warp,lmdb --workloads load,a,c\n"
          "  warp-bench compute --device opencl --check\n"
          "  warp-bench placement --trace web.csv.xz --capacity 1,10\n"
          "  warp-bench kv --help\n\n",
          file);
    for (unsigned i = 0; i < SUBCOMMANDS; i++)
        fprintf(file, "  %-12s %s\n", subcommands[i].name,
                subcommands[i].about);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    for (unsigned i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "warp-bench: no subcommand called %s\n", argv[1]);
    print_help(stderr);
    return 2;
}
