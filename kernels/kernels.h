/* kernels.h: the built-in kernels: their arguments, versions and checks.
 *
 * A job is one launch: numbers and arrays of the host, in the order of the
 * kernel's table. Segments are CSR: row i has the items offsets[i] up to
 * offsets[i + 1], and arrays of items begin at item offsets[0]. What
 * kernel_refuse() refuses, no version of the kernel is given. run() is the
 * CPU's version for the best instruction set of this machine; invalid()
 * compares a row of results with the same element text in float64 and with the
 * invariants. A device has its own version, launched in the steps of step().
 *
 * A further kernel: its elements in element.h, loops in loops.c, reference.c,
 * physics.cl and physics.cu, and a row in kernels.c. */
#ifndef KERNELS_H
#define KERNELS_H

#include "params.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* warpc refuses what needs more: LIMIT_KERNEL_INPUTS. */
enum { KERNEL_ARGS_MAX = 64 };

struct kernel_job {
    const struct kernel *kernel;
    struct kernel_params p;
    void *arg[KERNEL_ARGS_MAX];
};

/* How many elements an argument has. */
enum kernel_extent {
    KERNEL_ROW,     /* rows */
    KERNEL_OFFSETS, /* rows + 1 */
    KERNEL_COL,     /* cols */
    KERNEL_ITEM,    /* items */
    KERNEL_SQUARE,  /* rows x rows */
    KERNEL_CELL,    /* rows x cols */
    KERNEL_VALUE,   /* what the reduction leaves: rows x (1, cols or k) */
    KERNEL_PLACE,   /* columns of an argmax or top-k: rows x (0, 1 or k) */
    KERNEL_CHUNK    /* chunks of the segments, where there is a long one */
};

struct kernel_arg {
    const char *name;
    uint8_t extent; /* enum kernel_extent */
    uint8_t bytes;  /* of an element */
    bool out;
    bool real; /* float or double: filled with NaN before a launch */
    bool scratch; /* what steps leave for later ones: on devices only */
};

/* A launch on a device; false: there is no such step. */
struct kernel_step {
    const char *entry;
    uint32_t groups, group_size;
};

struct kernel {
    const char *name;
    const struct kernel_arg *args;
    uint32_t arg_count;
    /* What is wrong with the job's numbers or arrays, or NULL. */
    const char *(*refuse)(const struct kernel_job *job);
    void (*run)(const struct kernel_job *job);
    /* NULL, or why this row of the results cannot be right. */
    const char *(*invalid)(const struct kernel_job *job, uint32_t row);
    bool (*step)(const struct kernel_job *job, uint32_t number,
                 struct kernel_step *out);
    /* Of a kernel that a schema brings: texts of its own, with one entry. NULL:
     * physics. */
    const char *cl, *cu, *entry;
    /* For a cost model: of one result of the whole job. */
    uint32_t flops;
    void *owner;
};

extern const struct kernel kernel_gravity; /* px py mass | sx sy smass */
extern const struct kernel kernel_entropy; /* offsets counts */
extern const struct kernel kernel_evolve;  /* u_re u_im in_re in_im */
extern const struct kernel kernel_thermo;  /* offsets temperature energy */
extern const struct kernel *const kernels[];
extern const uint32_t kernel_count;

/* The built-in kernels as texts for devices, and as nvcc compiled them; where
 * it was not there at build time, the size is 0. */
extern const char kernels_cl[], kernels_cu[];
extern const unsigned char kernels_fatbin[];
extern const size_t kernels_fatbin_bytes;

/* Of an array on the host; 0 for what only devices have. */
uint64_t kernel_arg_bytes(const struct kernel_job *job, uint32_t arg);
uint64_t kernel_device_bytes(const struct kernel_job *job, uint32_t arg);
/* Everything that one launch moves. */
uint64_t kernel_bytes(const struct kernel_job *job);
/* A step() that launches the kernel's one entry over all rows. */
bool kernel_step_rows(const struct kernel_job *job, uint32_t number,
                      struct kernel_step *out);
const char *kernel_refuse(const struct kernel_job *job);
/* The same job on part of its rows, without a copy. false: this kernel's rows
 * do not stand alone. */
bool kernel_slice(const struct kernel_job *job, uint32_t from, uint32_t rows,
                  struct kernel_job *out);
/* The instruction set that run() uses: "avx512", "avx2", "base". */
const char *kernel_isa(void);
/* For tests and figures: the named set from here on. false: not here. */
bool kernel_isa_use(const char *name);

/* ---- float64, one row; reference.c ---- */

double kernel_gravity_reference(const struct kernel_job *job, uint32_t row,
                                uint32_t col);
double kernel_entropy_reference(const struct kernel_job *job, uint32_t row);
struct thermo_result {
    double f, u, s, c;
    double z, mean, lowest; /* sum of weights, mean gap, lowest level */
};
struct thermo_result kernel_thermo_reference(const struct kernel_job *job,
                                             uint32_t row);
/* A level's share, `item` counted from the row's first. */
double kernel_thermo_share(const struct kernel_job *job, uint32_t row,
                           uint32_t item, const struct thermo_result *result);
/* psi after the evolution: component d of state b. */
void kernel_evolve_reference(const struct kernel_job *job, uint32_t component,
                             uint32_t state, double *re, double *im);
double kernel_record_heat(double heat, double age, double half_life,
                          double hits);

/* ---- Hermitian matrices, float64; hermitian.c ---- */

/* H = V diag(e) V*, columns of V are the states. */
struct hermitian {
    uint32_t size;
    double *energy;  /* size, rising */
    double *re, *im; /* V, size x size, by rows */
};
enum hermitian_error {
    HERMITIAN_OK,
    HERMITIAN_NOT_FINITE,
    HERMITIAN_NOT_HERMITIAN,
    HERMITIAN_NO_MEMORY,
    HERMITIAN_NO_END,   /* the solver did not converge */
    HERMITIAN_NO_SOLVER /* LAPACKE was asked for and is not here */
};
enum hermitian_error hermitian_create(uint32_t size, const double *re,
                                      const double *im, struct hermitian *out);
/* ANY, which is hermitian_create(): LAPACKE for large matrices where it is
 * there, and rotations. */
enum hermitian_solver {
    HERMITIAN_ANY,
    HERMITIAN_JACOBI,
    HERMITIAN_LAPACKE
};
enum hermitian_error hermitian_create_by(enum hermitian_solver solver,
                                         uint32_t size, const double *re,
                                         const double *im,
                                         struct hermitian *out);
bool hermitian_has_lapacke(void);
void hermitian_destroy(struct hermitian *h);
/* exp(-i H t), for kernel_evolve; a caller keeps it for as long as H and t are
 * the same. false: out of memory. */
bool hermitian_evolution(const struct hermitian *h, double t, float *u_re,
                         float *u_im);

/* ---- heat over a graph, float64; heat.c ---- */

/* One implicit Euler step of dh/dt = -rate L h, L the graph's Laplacian given
 * by symmetric weights in CSR form. false: an argument is refused (NaN, a
 * negative weight, no symmetry) or there is no memory; heat is as it was. */
bool heat_step(uint32_t nodes, const uint32_t *offsets,
               const uint32_t *neighbours, const double *weights, double rate,
               double dt, double *heat);

#endif
