/* device_nvrtc.c: see device_nvrtc.h. */
#include "device_nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARCHS_MAX = 64 };

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
    *(void **)&rtc->log_size = dlsym(library, "nvrtcGetProgramLogSize");
    *(void **)&rtc->log = dlsym(library, "nvrtcGetProgramLog");
    *(void **)&rtc->arch_count = dlsym(library, "nvrtcGetNumSupportedArchs");
    *(void **)&rtc->archs = dlsym(library, "nvrtcGetSupportedArchs");
    *(void **)&rtc->destroy = dlsym(library, "nvrtcDestroyProgram");
    if (!rtc->create || !rtc->compile || !rtc->ptx_size || !rtc->ptx ||
        !rtc->log_size || !rtc->log)
        rtc->destroy = NULL;
    return rtc->destroy != NULL;
}

/* A library older than the GPU does not know it; PTX for an older one runs
 * there. */
static int known_arch(const struct device_nvrtc *rtc, int wanted)
{
    int archs[ARCHS_MAX], count = 0, best = 0;
    if (!rtc->arch_count || !rtc->archs || rtc->arch_count(&count) != 0 ||
        count > ARCHS_MAX || rtc->archs(archs) != 0)
        return wanted;
    for (int i = 0; i < count; i++)
        if (archs[i] <= wanted && archs[i] > best)
            best = archs[i];
    return best ? best : wanted;
}

static void say_why(const struct device_nvrtc *rtc, void *program,
                    const char *name, char why[DEVICE_TEXT_BYTES])
{
    size_t bytes = 0;
    char *log = NULL;
    if (program && rtc->log_size(program, &bytes) == 0 && bytes > 0 &&
        (log = calloc(1, bytes + 1)) && rtc->log(program, log) != 0)
        log[0] = '\0';
    snprintf(why, DEVICE_TEXT_BYTES,
             "NVRTC does not compile the kernel %s: %.180s", name,
             log ? log : "");
    free(log);
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
    snprintf(arch, sizeof arch, "--gpu-architecture=compute_%d",
             known_arch(rtc, 10 * major + minor));
    if (rtc->create(&program, text, "kernel.cu", 0, NULL, NULL) == 0 &&
        rtc->compile(program, 2, options) == 0 &&
        rtc->ptx_size(program, &bytes) == 0)
        ptx = malloc(bytes ? bytes : 1);
    if (ptx && rtc->ptx(program, ptx) != 0) {
        free(ptx);
        ptx = NULL;
    }
    if (!ptx)
        say_why(rtc, program, name, why);
    if (program)
        rtc->destroy(&program);
    return ptx;
}
