/* kv_plot.c: results -> one SVG page of horizontal bars, a block for each
 * workload, number of threads and size; within a block the longest bar is the
 * fastest engine. Nothing but this file is needed to draw it. */
#include <stdio.h>

#include "kv.h"

enum { WIDTH = 760, LEFT = 110, BAR = 18, GAP = 34, ROOM = 470 };

static bool same_block(const struct kv_result *a, const struct kv_result *b)
{
    return a->workload == b->workload && a->threads == b->threads &&
           a->records == b->records && a->value_bytes == b->value_bytes;
}

static int draw_block(FILE *file, const struct kv_plan *plan,
                      const struct kv_result *block, size_t count, int y)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = block[i].ops_per_s > most ? block[i].ops_per_s : most;
    fprintf(file,
            "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s: %s; %u thread%s, "
            "%llu records, %zu bytes, %s</text>\n",
            y, block->workload->name, block->workload->about, block->threads,
            block->threads == 1 ? "" : "s",
            (unsigned long long)block->records, block->value_bytes,
            plan->durability == KV_POWER_LOSS ? "power_loss" : "process_crash");
    for (size_t i = 0; i < count; i++) {
        const struct kv_result *r = &block[i];
        int top = y + 8 + (int)i * BAR;
        double bar = most > 0 ? r->ops_per_s / most * ROOM : 0;
        fprintf(file,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
                "fill=\"%s\"/><text x=\"%.1f\" y=\"%d\">%.0f K/s, p99 %.1f "
                "us</text>\n",
                LEFT - 8, top + 13, r->engine->name, LEFT, top, bar, BAR - 3,
                r->engine == plan->engines[0] ? "#2a6f97" : "#a9b4bd",
                LEFT + bar + 6, top + 13, r->ops_per_s / 1e3, r->p99_us);
    }
    return y + 8 + (int)count * BAR + GAP;
}

int kv_plot(const struct kv_plan *plan, const struct kv_result *results,
            size_t count)
{
    if (plan->plot_path == NULL)
        return 0;
    FILE *file = fopen(plan->plot_path, "w");
    if (file == NULL) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->plot_path);
        return -1;
    }
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++)
        blocks += i == 0 || !same_block(&results[i - 1], &results[i]);
    int height = 24 + (int)count * BAR + (int)blocks * (8 + GAP), y = 24;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"white\"/>\n",
            WIDTH, height, WIDTH, height);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (!same_block(&results[from], &results[to]))
                break;
        y = draw_block(file, plan, results + from, to - from, y);
    }
    fputs("</svg>\n", file);
    bool bad = ferror(file) != 0;
    if (fclose(file) != 0 || bad) {
        fprintf(stderr, "warp-bench: cannot write %s\n", plan->plot_path);
        return -1;
    }
    return 0;
}
