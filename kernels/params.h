/* params.h: the numbers that go with one launch, the same bytes in C, OpenCL C
 * and CUDA. Arrays are arguments of their own, in the order of the kernel's
 * table (kernels.c). Reductions and modes are enums of plain ints here, so
 * that a .cl text needs nothing but this file and element.h. */
#ifndef KERNEL_PARAMS_H
#define KERNEL_PARAMS_H

struct kernel_params {
    unsigned int rows;  /* results: items, states, ensembles */
    unsigned int cols;  /* the other side of a pair; columns of a matrix */
    unsigned int items; /* elements of all segments */
    unsigned int mode;  /* the kernel's own */
    unsigned int reduce;
    unsigned int k; /* of KERNEL_TOP_K */
    float a;        /* the kernel's own constants */
    float b;
};

enum kernel_reduce {
    KERNEL_REDUCE_NONE, /* rows x cols values */
    KERNEL_SUM,
    KERNEL_MIN,
    KERNEL_MAX,
    KERNEL_ARGMAX,  /* value and column; the first of equal ones */
    KERNEL_SOFTMAX, /* rows x cols shares */
    KERNEL_TOP_K    /* k values and columns, the greatest first */
};

enum gravity_mode { GRAVITY_POTENTIAL, GRAVITY_FORCE, GRAVITY_FIELD };
enum entropy_mode { ENTROPY_BITS, ENTROPY_NORMALISED };

#define KERNEL_TOP_K_MAX 64
#define KERNEL_GROUP     64 /* threads that share a segment */

/* Entropy: a state of so many buckets is the work of one warp, of so many that
 * of one block; a larger one is cut into chunks, whose entropies are joined. */
#define KERNEL_WARP        32
#define KERNEL_WARP_ITEMS  1024
#define KERNEL_BLOCK       256
#define KERNEL_BLOCK_ITEMS 65536
#define KERNEL_CHUNK_ITEMS 16384

#endif
