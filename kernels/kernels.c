/* kernels.c: the table of built-in kernels, what they refuse, how they are
 * launched on a device, and which instruction set the CPU's versions use. */
#include "kernels.h"
#include "loops.h"
#include "verify.h"

#include <math.h>
#include <string.h>

/* ---- instruction sets ---- */

static const struct {
    const struct kernel_loops *loops;
    bool (*here)(void);
} isas[] = {
#if KERNEL_X86
    {&kernel_loops_avx512, kernel_has_avx512},
    {&kernel_loops_avx2, kernel_has_avx2},
#endif
    {&kernel_loops_base, kernel_has_base},
};
enum { ISA_COUNT = sizeof isas / sizeof isas[0] };
/* Written by whoever comes first, always with the same value. */
static const struct kernel_loops *_Atomic chosen;

static const struct kernel_loops *loops(void)
{
    const struct kernel_loops *l = chosen;
    for (int i = 0; l == NULL && i < ISA_COUNT; i++)
        if (isas[i].here())
            chosen = l = isas[i].loops;
    return l;
}

const char *kernel_isa(void)
{
    return loops()->name;
}

bool kernel_isa_use(const char *name)
{
    for (int i = 0; i < ISA_COUNT; i++)
        if (strcmp(isas[i].loops->name, name) == 0 && isas[i].here()) {
            chosen = isas[i].loops;
            return true;
        }
    return false;
}

static void run_gravity(const struct kernel_job *job)
{
    loops()->gravity(job);
}

static void run_entropy(const struct kernel_job *job)
{
    loops()->entropy(job);
}

static void run_evolve(const struct kernel_job *job)
{
    loops()->evolve(job);
}

static void run_thermo(const struct kernel_job *job)
{
    loops()->thermo(job);
}

/* ---- sizes ---- */

static uint64_t elements(const struct kernel_params *p, uint8_t extent)
{
    uint64_t rows = p->rows, whole = rows * p->cols;
    switch ((enum kernel_extent)extent) {
    case KERNEL_ROW:
        return rows;
    case KERNEL_OFFSETS:
        return rows + 1;
    case KERNEL_COL:
        return p->cols;
    case KERNEL_ITEM:
        return p->items;
    case KERNEL_SQUARE:
        return rows * rows;
    case KERNEL_CELL:
        return whole;
    case KERNEL_VALUE:
        return p->reduce == KERNEL_REDUCE_NONE || p->reduce == KERNEL_SOFTMAX
                   ? whole
               : p->reduce == KERNEL_TOP_K ? rows * p->k
                                           : rows;
    case KERNEL_PLACE:
        return p->reduce == KERNEL_ARGMAX  ? rows
               : p->reduce == KERNEL_TOP_K ? rows * p->k
                                           : 0;
    case KERNEL_CHUNK: /* each segment begins with one of its own */
        return p->items > KERNEL_BLOCK_ITEMS
                   ? rows + p->items / KERNEL_CHUNK_ITEMS
                   : 0;
    }
    return 0;
}

uint64_t kernel_device_bytes(const struct kernel_job *job, uint32_t arg)
{
    const struct kernel_arg *a = &job->kernel->args[arg];
    return elements(&job->p, a->extent) * a->bytes;
}

uint64_t kernel_arg_bytes(const struct kernel_job *job, uint32_t arg)
{
    return job->kernel->args[arg].scratch ? 0 : kernel_device_bytes(job, arg);
}

uint64_t kernel_bytes(const struct kernel_job *job)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        bytes += kernel_arg_bytes(job, i);
    return bytes;
}

bool kernel_slice(const struct kernel_job *job, uint32_t from, uint32_t rows,
                  struct kernel_job *out)
{
    uint32_t first = 0;
    *out = *job;
    out->p.rows = rows;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        const struct kernel_arg *a = &job->kernel->args[i];
        uint64_t skip = elements(&job->p, a->extent) / job->p.rows * from;
        if (a->extent == KERNEL_SQUARE)
            return false;
        if (a->extent == KERNEL_OFFSETS) {
            const uint32_t *offsets = job->arg[i];
            first = offsets[from] - offsets[0];
            out->p.items = offsets[from + rows] - offsets[from];
            skip = from;
        } else if (a->extent == KERNEL_COL) {
            skip = 0;
        } else if (a->extent == KERNEL_ITEM) {
            skip = first; /* offsets stand before their items */
        }
        if (job->arg[i] && !a->scratch)
            out->arg[i] = (char *)job->arg[i] + skip * a->bytes;
    }
    return true;
}

/* ---- what is refused ---- */

const char *kernel_refuse(const struct kernel_job *job)
{
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        if (!job->arg[i] && kernel_arg_bytes(job, i) > 0)
            return "an array is missing";
    return job->kernel->refuse ? job->kernel->refuse(job) : NULL;
}

/* The greatest |value|, or NaN. */
static float greatest(const float *v, uint64_t count)
{
    float most = 0;
    for (uint64_t i = 0; i < count; i++) {
        float a = fabsf(v[i]);
        if (!(a <= 3e38f))
            return NAN;
        most = a > most ? a : most;
    }
    return most;
}

static bool is_mass(const float *v, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(v[i] == 0 || (v[i] >= 1e-18f && v[i] <= 1e18f)))
            return false;
    return true;
}

static const char *refuse_gravity(const struct kernel_job *job)
{
    const struct kernel_params *p = &job->p;
    if (!(p->a >= 1e-6f && p->a <= 1e18f))
        return "the softening lies between 1e-6 and 1e18";
    if (p->mode > GRAVITY_FIELD || p->reduce > KERNEL_TOP_K)
        return "no such mode or reduction";
    if (p->reduce == KERNEL_TOP_K &&
        (p->k < 1 || p->k > KERNEL_TOP_K_MAX || p->k > p->cols))
        return "k lies between 1 and 64, and is not more than the columns";
    if (p->cols == 0 && p->reduce != KERNEL_REDUCE_NONE &&
        p->reduce != KERNEL_SUM && p->rows > 0)
        return "without columns there is nothing to reduce";
    for (uint32_t i = 0; i < 5; i += i == 1 ? 2 : 1)
        if (!(greatest(job->arg[i], i < 3 ? p->rows : p->cols) <= 1e18f))
            return "a position is not finite, or beyond 1e18";
    if (!is_mass(job->arg[2], p->rows) || !is_mass(job->arg[5], p->cols))
        return "a mass is neither 0 nor between 1e-18 and 1e18";
    double most = (double)greatest(job->arg[5], p->cols), eps = (double)p->a;
    if (p->mode != GRAVITY_FIELD)
        most *= (double)greatest(job->arg[2], p->rows);
    if (most / (p->mode == GRAVITY_POTENTIAL ? eps : eps * eps) > 3e38 ||
        (p->reduce == KERNEL_SUM && most / eps * p->cols > 3e38))
        return "masses this great at this softening are beyond float32";
    return NULL;
}

static const char *refuse_segments(const struct kernel_job *job, bool empty)
{
    const uint32_t *offsets = job->arg[0];
    for (uint32_t i = 0; i < job->p.rows; i++) {
        if (offsets[i + 1] < offsets[i])
            return "the offsets fall";
        if (!empty && offsets[i + 1] == offsets[i])
            return "a segment is empty";
    }
    if (offsets[job->p.rows] - offsets[0] != job->p.items)
        return "the offsets do not end at the number of items";
    return NULL;
}

static const char *refuse_entropy(const struct kernel_job *job)
{
    if (job->p.mode > ENTROPY_NORMALISED)
        return "no such mode";
    return refuse_segments(job, true);
}

static const char *refuse_thermo(const struct kernel_job *job)
{
    const char *why = refuse_segments(job, false);
    const float *t = job->arg[1];
    for (uint32_t i = 0; !why && i < job->p.rows; i++)
        if (!(t[i] >= 1e-30f && t[i] <= 1e30f))
            why = "a temperature lies between 1e-30 and 1e30";
    if (!why && !(greatest(job->arg[2], job->p.items) <= 1e30f))
        why = "an energy is not finite, or beyond 1e30";
    return why;
}

static const char *refuse_evolve(const struct kernel_job *job)
{
    uint32_t size = job->p.rows, states = job->p.cols;
    const float *re = job->arg[2], *im = job->arg[3];
    for (uint32_t i = 0; i < 2; i++)
        if (!(greatest(job->arg[i], (uint64_t)size * size) <= 1.001f))
            return "the evolution is no unitary matrix";
    for (uint32_t b = 0; b < states; b++) {
        double norm = 0;
        for (uint32_t d = 0; d < size; d++) {
            size_t at = (size_t)d * states + b;
            norm += (double)re[at] * (double)re[at] +
                    (double)im[at] * (double)im[at];
        }
        if (!(fabs(norm - 1) <= 2e-6))
            return "a state is not normalised";
    }
    return NULL;
}

/* ---- launches ---- */

static uint32_t groups(uint64_t threads, uint32_t size)
{
    return (uint32_t)((threads + size - 1) / size);
}

bool kernel_step_rows(const struct kernel_job *job, uint32_t number,
                      struct kernel_step *out)
{
    *out =
        (struct kernel_step){job->kernel->entry, groups(job->p.rows, 64), 64};
    return number == 0;
}

static bool step_gravity(const struct kernel_job *job, uint32_t number,
                         struct kernel_step *out)
{
    if (job->p.reduce == KERNEL_REDUCE_NONE)
        *out = (struct kernel_step){
            "gravity_matrix", groups((uint64_t)job->p.rows * job->p.cols, 128),
            128};
    else
        *out =
            (struct kernel_step){"gravity_rows", groups(job->p.rows, 64), 64};
    return number == 0;
}

/* A launch for each kind of length that there is: a warp or a block for each
 * state, or first one for each chunk. */
static bool step_entropy(const struct kernel_job *job, uint32_t number,
                         struct kernel_step *out)
{
    const uint32_t *offsets = job->arg[0];
    uint32_t rows = job->p.rows, count = 0;
    bool warps = rows == 0, blocks = false, chunks = false;
    struct kernel_step steps[4];
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t n = offsets[i + 1] - offsets[i];
        warps |= n <= KERNEL_WARP_ITEMS;
        blocks |= n > KERNEL_WARP_ITEMS && n <= KERNEL_BLOCK_ITEMS;
        chunks |= n > KERNEL_BLOCK_ITEMS;
    }
    if (warps)
        steps[count++] = (struct kernel_step){"entropy", rows, KERNEL_WARP};
    if (blocks)
        steps[count++] = (struct kernel_step){"entropy", rows, KERNEL_BLOCK};
    if (chunks) {
        steps[count++] = (struct kernel_step){
            "entropy_parts", rows + job->p.items / KERNEL_CHUNK_ITEMS,
            KERNEL_BLOCK};
        steps[count++] =
            (struct kernel_step){"entropy_join", rows, KERNEL_BLOCK};
    }
    if (number < count)
        *out = steps[number];
    return number < count;
}

/* A group of threads for each segment. */
static bool step_thermo(const struct kernel_job *job, uint32_t number,
                        struct kernel_step *out)
{
    *out = (struct kernel_step){"thermo", job->p.rows, KERNEL_GROUP};
    return number == 0;
}

static bool step_evolve(const struct kernel_job *job, uint32_t number,
                        struct kernel_step *out)
{
    *out = (struct kernel_step){
        "evolve", groups((uint64_t)job->p.rows * job->p.cols, 128), 128};
    return number == 0;
}

/* ---- the table ---- */

#define IN(name, extent)                                                       \
    {                                                                          \
        name, extent, 4, false, true                                           \
    }
#define IDS(name, extent)                                                      \
    {                                                                          \
        name, extent, 4, false, false                                          \
    }
#define OUT(name, extent)                                                      \
    {                                                                          \
        name, extent, 4, true, true                                            \
    }

static const struct kernel_arg gravity_args[] = {
    IN("px", KERNEL_ROW),        IN("py", KERNEL_ROW),
    IN("mass", KERNEL_ROW),      IN("sx", KERNEL_COL),
    IN("sy", KERNEL_COL),        IN("smass", KERNEL_COL),
    OUT("values", KERNEL_VALUE), {"places", KERNEL_PLACE, 4, true, false},
};
static const struct kernel_arg entropy_args[] = {
    IDS("offsets", KERNEL_OFFSETS),
    IDS("counts", KERNEL_ITEM),
    OUT("entropy", KERNEL_ROW),
    {"totals", KERNEL_CHUNK, 8, .scratch = true},
    {"parts", KERNEL_CHUNK, 4, .scratch = true},
};
static const struct kernel_arg evolve_args[] = {
    IN("u_re", KERNEL_SQUARE),  IN("u_im", KERNEL_SQUARE),
    IN("in_re", KERNEL_CELL),   IN("in_im", KERNEL_CELL),
    OUT("out_re", KERNEL_CELL), OUT("out_im", KERNEL_CELL),
};
static const struct kernel_arg thermo_args[] = {
    IDS("offsets", KERNEL_OFFSETS), IN("temperature", KERNEL_ROW),
    IN("energy", KERNEL_ITEM),      OUT("share", KERNEL_ITEM),
    OUT("free", KERNEL_ROW),        OUT("inner", KERNEL_ROW),
    OUT("entropy", KERNEL_ROW),     OUT("heat_capacity", KERNEL_ROW),
};

#define ARGS(list) .args = list, .arg_count = sizeof list / sizeof list[0]
#define KERNEL(word)                                                           \
    const struct kernel kernel_##word = {.name = #word,                        \
                                         ARGS(word##_args),                    \
                                         .refuse = refuse_##word,              \
                                         .run = run_##word,                    \
                                         .invalid = verify_##word,             \
                                         .step = step_##word,                  \
                                         .flops = 12};
KERNEL(gravity)
KERNEL(entropy)
KERNEL(evolve)
KERNEL(thermo)

const struct kernel *const kernels[] = {&kernel_gravity, &kernel_entropy,
                                        &kernel_evolve, &kernel_thermo};
const uint32_t kernel_count = sizeof kernels / sizeof kernels[0];
