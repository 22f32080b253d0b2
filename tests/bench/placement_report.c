/* Results of `warp-bench placement` as a table, as JSON, as an SVG. */
#include "placement_report.h"

#include <math.h>
#include <stdio.h>

void placement_report_head(const struct placement_trace *t, bool moves)
{
    printf("%s: %zu requests, %u objects, %.0f bytes in all\n", t->name,
           t->count, t->objects, (double)t->footprint);
    printf("%5s  %-8s %7s %7s %9s %6s %6s %6s %7s %6s %6s %8s%s\n", "cap %",
           "policy", "miss", "late", "mean us", "G", "late G", "A", "regret",
           "slow", "moves", "ns/req", moves ? "   cost us bound G" : "");
}

void placement_report_rows(const struct placement_result *results,
                           unsigned count, bool moves)
{
    for (unsigned i = 0; i < count; i++) {
        const struct placement_result *r = &results[i];
        printf("%5g  %-8s %7.4f %7.4f %9.3f %6.3f %6.3f %6.3f %7.2f %6.3f "
               "%6.2f %8.0f",
               r->capacity_pct, r->name, r->miss_ratio, r->late_miss_ratio,
               r->latency_us, r->gap_closed, r->late_gap_closed, r->accuracy,
               fmin(r->regret, 9999), r->slow_ratio, r->moves,
               r->ns_per_request);
        if (moves)
            printf(" %9.3f %7.3f", r->cost_us, r->bound_gap);
        putchar('\n');
    }
}

void placement_report_cost(const struct placement_cost *c)
{
    printf("engine at %g %%: hit %.0f ns (p99 %.0f), decision %.0f ns (p99 "
           "%.0f), learning %.0f ns per request, %.1f bytes per object, "
           "%llu switches\n",
           c->capacity_pct, c->hit_ns, c->hit_p99_ns, c->decision_ns,
           c->decision_p99_ns, c->learning_ns, c->state_bytes,
           (unsigned long long)c->switches);
}

void placement_report_store(const struct placement_trace *t,
                            const struct placement_store_result results[2])
{
    printf("%s: %zu gets of %u records, %.1f MB of memory\n", t->name,
           t->count, t->objects, (double)results[0].budget_bytes / 1e6);
    printf("%-8s %-11s %8s %8s %7s %8s %7s %7s %7s %7s %8s\n", "policy",
           "decides", "mean us", "late us", "of lru", "cpu us", "of lru",
           "cold", "hit us", "miss us", "tier MB");
    for (int i = 0; i < 2; i++) {
        const struct placement_store_result *r = &results[i];
        printf("%-8s %-11s %8.3f %8.3f %7.3f %8.3f %7.3f %7.4f %7.3f %7.3f "
               "%8.2f\n",
               r->name, r->expert, r->mean_us, r->late_us,
               r->mean_us / results[0].mean_us, r->cpu_us,
               r->cpu_us / results[0].cpu_us, r->cold_ratio, r->hit_us,
               r->miss_us, (double)r->tier_bytes / 1e6);
    }
}

static int end(FILE *file)
{
    int bad = ferror(file);
    return fclose(file) != 0 || bad ? -1 : 0;
}

/* A name as JSON or XML text: what either would read otherwise becomes _. */
static void put_name(FILE *file, const char *name)
{
    for (; *name; name++)
        fputc((unsigned char)*name < ' ' || *name == '"' || *name == '\\' ||
                      *name == '<' || *name == '&'
                  ? '_'
                  : *name,
              file);
}

int placement_report_json(const char *path, const struct placement_trace *t,
                          const struct placement_result *results,
                          unsigned count)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fputs("{\"trace\":\"", file);
    put_name(file, t->name);
    fprintf(file,
            "\",\"requests\":%zu,\"objects\":%u,\"footprint_bytes\":%.0f,"
            "\"policies\":[",
            t->count, t->objects, (double)t->footprint);
    for (unsigned i = 0; i < count; i++) {
        const struct placement_result *r = &results[i];
        fprintf(file,
                "%s\n{\"name\":\"%s\",\"capacity_pct\":%g,\"miss_ratio\":%.6f,"
                "\"latency_us\":%.6f,\"gap_closed\":%.6f,\"accuracy\":%.6f,"
                "\"regret\":%.4f,\"moves\":%.6f,\"ns_per_request\":%.1f,"
                "\"slow_ratio\":%.6f,\"late_miss_ratio\":%.6f,"
                "\"late_latency_us\":%.6f,\"late_gap_closed\":%.6f,"
                "\"cost_us\":%.6f,\"bound_gap\":%.6f}",
                i > 0 ? "," : "", r->name, r->capacity_pct, r->miss_ratio,
                r->latency_us, r->gap_closed, r->accuracy, r->regret,
                r->moves, r->ns_per_request, r->slow_ratio,
                r->late_miss_ratio, r->late_latency_us, r->late_gap_closed,
                r->cost_us, r->bound_gap);
    }
    fputs("\n]}\n", file);
    return end(file);
}

enum { WIDE = 640, HIGH = 400, LEFT = 56, TOP = 32, RIGHT = 120, BOTTOM = 40 };

static double x_of(unsigned i, unsigned capacities)
{
    double width = WIDE - LEFT - RIGHT;
    return capacities > 1 ? LEFT + width * i / (capacities - 1)
                          : LEFT + width / 2;
}

static double y_of(double miss)
{
    return TOP + (HIGH - TOP - BOTTOM) * (1 - miss);
}

static void axes(FILE *file, const struct placement_result *results,
                 unsigned capacities, unsigned each)
{
    for (int tenth = 0; tenth <= 10; tenth += 2)
        fprintf(file,
                "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#ddd'/>"
                "<text x='%d' y='%.1f' text-anchor='end'>%.1f</text>\n",
                LEFT, WIDE - RIGHT, y_of(tenth / 10.0), y_of(tenth / 10.0),
                LEFT - 6, y_of(tenth / 10.0) + 4, tenth / 10.0);
    for (unsigned i = 0; i < capacities; i++)
        fprintf(file,
                "<text x='%.1f' y='%d' text-anchor='middle'>%g %%</text>\n",
                x_of(i, capacities), HIGH - BOTTOM + 18,
                results[i * each].capacity_pct);
}

int placement_report_plot(const char *path, const struct placement_trace *t,
                          const struct placement_result *results,
                          unsigned count, unsigned each)
{
    unsigned capacities = count / each;
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
            "font-family='sans-serif' font-size='12'>\n"
            "<rect width='%d' height='%d' fill='white'/>\n"
            "<text x='%d' y='20'>miss ratio by capacity: ",
            WIDE, HIGH, WIDE, HIGH, LEFT);
    put_name(file, t->name);
    fputs("</text>\n", file);
    axes(file, results, capacities, each);
    for (unsigned p = 0; p < each; p++) {
        unsigned hue = 360 * p / each;
        fprintf(file,
                "<polyline fill='none' stroke='hsl(%u,70%%,42%%)' "
                "stroke-width='1.5' points='", hue);
        for (unsigned i = 0; i < capacities; i++)
            fprintf(file, "%.1f,%.1f ", x_of(i, capacities),
                    y_of(results[i * each + p].miss_ratio));
        fprintf(file,
                "'/>\n<text x='%d' y='%u' fill='hsl(%u,70%%,42%%)'>%s</text>"
                "\n", WIDE - RIGHT + 16, TOP + 12 + 18 * p, hue,
                results[p].name);
    }
    fputs("</svg>\n", file);
    return end(file);
}
