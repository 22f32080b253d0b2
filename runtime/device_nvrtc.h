/* device_nvrtc.h: CUDA C into PTX at run time, by NVIDIA's compiler library if
 * it can be loaded; beside device_cuda.c. */
#ifndef WARP_DEVICE_NVRTC_H
#define WARP_DEVICE_NVRTC_H

#include "device.h"

/* The library's calls; all zeros: it was not looked for yet. */
struct device_nvrtc {
    int (*create)(void **, const char *, const char *, int, const char *const *,
                  const char *const *);
    int (*compile)(void *, int, const char *const *);
    int (*ptx_size)(void *, size_t *);
    int (*ptx)(void *, char *);
    int (*log_size)(void *, size_t *);
    int (*log)(void *, char *);
    int (*arch_count)(int *), (*archs)(int *); /* NULL: an old library */
    int (*destroy)(void **);
    bool sought;
};

/* PTX that runs on this compute capability, for the caller to free; NULL: `why`
 * says what is missing, or what the compiler says about the kernel `name`. */
char *device_nvrtc_compile(struct device_nvrtc *rtc, const char *name,
                           const char *text, int major, int minor,
                           char why[DEVICE_TEXT_BYTES]);

#endif
