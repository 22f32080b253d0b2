/* Results of `warp-bench placement` as a table, as JSON, as an SVG. */
#ifndef BENCH_PLACEMENT_REPORT_H
#define BENCH_PLACEMENT_REPORT_H

#include "placement.h"
#include "placement_store.h"

/** moves: with what they cost, too. */
void placement_report_head(const struct placement_trace *trace, bool moves);
void placement_report_rows(const struct placement_result *results,
                           unsigned count, bool moves);
void placement_report_cost(const struct placement_cost *cost);
/** -1 when the file cannot be written. */
int placement_report_json(const char *path, const struct placement_trace *trace,
                          const struct placement_result *results,
                          unsigned count);
/** Miss ratio by capacity, a line for each of the `each` policies. */
int placement_report_plot(const char *path, const struct placement_trace *trace,
                          const struct placement_result *results,
                          unsigned count, unsigned each);

/** What a real store did, each beside LRU. */
void placement_report_store(const struct placement_trace *trace,
                            const struct placement_store_result results[2]);

#endif
