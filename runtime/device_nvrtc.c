/* device_nvrtc.c: see device_nvrtc.h. */
#include "device_nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static bool find(struct device_nvrtc *rtc)
{
    static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12",
                                        "libnvrtc.so.11.2", "libnvrtc.so"};
    void *library = NULL;
    if (rtc->sought)
        return rtc->destroy != NULL;
    rtc->sought = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return false;
    *(void **)&rtc->create = dlsym(library, "nvrtcCreateProgram");
    *(void **)&rtc->compile = dlsym(library, "nvrtcCompileProgram");
    *(void **)&rtc->ptx_size = dlsym(library, "nvrtcGetPTXSize");
    *(void **)&rtc->ptx = dlsym(library, "nvrtcGetPTX");
    *(void **)&rtc->destroy = dlsym(library, "nvrtcDestroyProgram");
    if (!rtc->create || !rtc->compile || !rtc->ptx_size || !rtc->ptx)
        rtc->destroy = NULL;
    return rtc->destroy != NULL;
}

char *device_nvrtc_compile(struct device_nvrtc *rtc, const char *name,
                           const char *text, int major, int minor,
                           char why[DEVICE_TEXT_BYTES])
{
    char arch[48];
    const char *options[] = {arch, "--fmad=true"};
    void *program = NULL;
    size_t bytes = 0;
    char *ptx = NULL;
    if (!find(rtc)) {
        snprintf(why, DEVICE_TEXT_BYTES,
                 "the kernel %s has no CUDA binary: it was built without nvcc "
                 "and libnvrtc is not on this machine",
                 name);
        return NULL;
    }
    snprintf(arch, sizeof arch, "--gpu-architecture=compute_%d%d", major,
             minor);
    if (rtc->create(&program, text, "kernel.cu", 0, NULL, NULL) == 0 &&
        rtc->compile(program, 2, options) == 0 &&
        rtc->ptx_size(program, &bytes) == 0)
        ptx = malloc(bytes ? bytes : 1);
    if (ptx && rtc->ptx(program, ptx) != 0) {
        free(ptx);
        ptx = NULL;
    }
    if (program)
        rtc->destroy(&program);
    if (!ptx)
        snprintf(why, DEVICE_TEXT_BYTES, "NVRTC does not compile the kernel %s",
                 name);
    return ptx;
}
