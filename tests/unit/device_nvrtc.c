/* CUDA C into PTX by a library that is not here: dlopen() and dlsym() find this
 * file's calls in its place. What each of them may say, which architecture is
 * asked for, and a device that takes what comes out. */
#include "kernel_jobs.h"

#include "device.h"
#include "device_nvrtc.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 8 };

/* ---- the library ---- */

static struct program {
    char text[64];
    char arch[64];
    bool failed;
} program;

static bool absent;
static const char *missing; /* a call that it does not have */
static int open_programs, call_count, failing_call;
static int known[8], known_count;

static int call(void)
{
    return ++call_count == failing_call ? 4 : 0;
}

static int create(void **out, const char *text, const char *name, int headers,
                  const char *const *sources, const char *const *names)
{
    (void)sources, (void)names;
    ck_assert_str_eq(name, "kernel.cu");
    ck_assert_int_eq(headers, 0);
    if (call() != 0)
        return 4;
    memset(&program, 0, sizeof program);
    snprintf(program.text, sizeof program.text, "%s", text);
    *out = &program;
    open_programs++;
    return 0;
}

static int compile(void *p, int count, const char *const *options)
{
    ck_assert_ptr_eq(p, &program);
    for (int i = 0; i < count; i++)
        if (strncmp(options[i], "--gpu-architecture=", 19) == 0)
            snprintf(program.arch, sizeof program.arch, "%s", options[i] + 19);
    program.failed = strstr(program.text, "nonsense") != NULL;
    return program.failed ? 6 : call();
}

static int ptx_size(void *p, size_t *bytes)
{
    ck_assert_ptr_eq(p, &program);
    *bytes = strlen(program.text) + strlen(program.arch) + 5;
    return call();
}

static int ptx(void *p, char *to)
{
    ck_assert_ptr_eq(p, &program);
    sprintf(to, "// %s\n%s", program.arch, program.text);
    return call();
}

static int log_size(void *p, size_t *bytes)
{
    ck_assert_ptr_eq(p, &program);
    *bytes = program.failed ? 34 : 1;
    return call();
}

static int log_text(void *p, char *to)
{
    ck_assert_ptr_eq(p, &program);
    strcpy(to, program.failed ? "kernel.cu(1): error: nonsense :-(" : "");
    return call();
}

static int arch_count(int *count)
{
    *count = known_count;
    return call();
}

static int archs(int *to)
{
    memcpy(to, known, (size_t)known_count * sizeof *known);
    return call();
}

static int destroy(void **p)
{
    ck_assert_ptr_eq(*p, &program);
    open_programs--;
    *p = NULL;
    return 0;
}

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);

static char library;

void *__wrap_dlopen(const char *name, int flags)
{
    if (!name || strncmp(name, "libnvrtc", 8) != 0)
        return __real_dlopen(name, flags);
    /* Not the newest version: others are looked for. */
    return absent || strcmp(name, "libnvrtc.so.12") != 0 ? NULL : &library;
}

void *__wrap_dlsym(void *at, const char *name)
{
    static const struct {
        const char *name;
        void (*call)(void);
    } rows[] = {{"nvrtcCreateProgram", (void (*)(void))create},
                {"nvrtcCompileProgram", (void (*)(void))compile},
                {"nvrtcGetPTXSize", (void (*)(void))ptx_size},
                {"nvrtcGetPTX", (void (*)(void))ptx},
                {"nvrtcGetProgramLogSize", (void (*)(void))log_size},
                {"nvrtcGetProgramLog", (void (*)(void))log_text},
                {"nvrtcGetNumSupportedArchs", (void (*)(void))arch_count},
                {"nvrtcGetSupportedArchs", (void (*)(void))archs},
                {"nvrtcDestroyProgram", (void (*)(void))destroy}};
    if (at != &library)
        return __real_dlsym(at, name);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0 &&
            (!missing || strcmp(missing, name) != 0))
            return *(void *const *)&rows[i].call;
    return NULL;
}

/* ---- the tests ---- */

static struct device_nvrtc rtc;
static char why[DEVICE_TEXT_BYTES];

static void set_up(void)
{
    static const int three[] = {75, 80, 90};
    memset(&rtc, 0, sizeof rtc);
    memset(why, 0, sizeof why);
    memcpy(known, three, sizeof three);
    known_count = 3;
    absent = false;
    missing = NULL;
    call_count = failing_call = 0;
}

static void tear_down(void)
{
    ck_assert_int_eq(open_programs, 0);
}

static char *compile_for(int major, int minor)
{
    return device_nvrtc_compile(&rtc, "sums", "the text", major, minor, why);
}

static void must_be_for(int major, int minor, const char *arch)
{
    char wanted[80];
    char *got = compile_for(major, minor);
    ck_assert_msg(got != NULL, "%s", why);
    snprintf(wanted, sizeof wanted, "// %s\nthe text", arch);
    ck_assert_str_eq(got, wanted);
    free(got);
}

START_TEST(for_the_device_or_the_newest_that_is_known)
{
    must_be_for(9, 0, "compute_90");
    must_be_for(8, 0, "compute_80");
    must_be_for(8, 9, "compute_80");
    must_be_for(12, 0, "compute_90");
    must_be_for(7, 0, "compute_70"); /* the compiler will say that it cannot */
    known_count = 0;
    must_be_for(8, 6, "compute_86");
    memset(&rtc, 0, sizeof rtc);
    missing = "nvrtcGetSupportedArchs";
    must_be_for(12, 0, "compute_120");
}
END_TEST

START_TEST(what_is_not_there_is_told)
{
    static const char *const needed[] = {
        "nvrtcCreateProgram",     "nvrtcCompileProgram",
        "nvrtcGetPTXSize",        "nvrtcGetPTX",
        "nvrtcGetProgramLogSize", "nvrtcGetProgramLog",
        "nvrtcDestroyProgram"};
    absent = true;
    for (int again = 0; again < 2; again++) {
        ck_assert_ptr_null(compile_for(9, 0));
        ck_assert(strstr(why, "sums") && strstr(why, "libnvrtc is not"));
        absent = false; /* it is looked for once */
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        memset(&rtc, 0, sizeof rtc);
        missing = needed[i];
        ck_assert_ptr_null(compile_for(9, 0));
    }
}
END_TEST

START_TEST(what_the_compiler_says_is_told)
{
    ck_assert_ptr_null(
        device_nvrtc_compile(&rtc, "sums", "nonsense", 9, 0, why));
    ck_assert_str_eq(why, "NVRTC does not compile the kernel sums: "
                          "kernel.cu(1): error: nonsense :-(");
}
END_TEST

START_TEST(each_call_may_fail)
{
    must_be_for(9, 0, "compute_90");
    const int calls = call_count;
    ck_assert_int_eq(calls, 6);
    for (int fails = 1; fails <= CALLS; fails++) {
        call_count = 0;
        failing_call = fails;
        why[0] = '\0';
        char *got = compile_for(9, 0);
        /* Without the list of architectures the device's own is asked for. */
        ck_assert_msg((got != NULL) == (fails <= 2 || fails > calls), "%d",
                      fails);
        ck_assert((got != NULL) == (why[0] == '\0'));
        free(got);
        ck_assert_int_eq(open_programs, 0);
    }
    for (int fails = 4; fails <= 5; fails++) { /* the log's own calls */
        call_count = 0;
        failing_call = fails;
        ck_assert_ptr_null(
            device_nvrtc_compile(&rtc, "sums", "nonsense", 9, 0, why));
        ck_assert(strstr(why, "sums"));
    }
}
END_TEST

START_TEST(a_device_takes_what_comes_out)
{
    struct device *device;
    struct kernel kernel = kernel_entropy;
    struct kernel_job job = entropy_job(3, 9, 0, SHAPE_RANDOM, 1);
    ck_assert_int_eq(device_rows[DEVICE_CUDA]->open(&device, why), DEVICE_OK);
    job.kernel = &kernel;
    kernel.cu = "nonsense";
    ck_assert_int_eq(device_run(device, &job), DEVICE_KERNEL);
    ck_assert(strstr(device->why[0], "error: nonsense"));
    kernel.cu = "the text";
    ck_assert_int_eq(device_run(device, &job), DEVICE_OK);
    ck_assert_int_eq(open_programs, 0);
    check_rows(&job, "stand-in");
    call_count = 0;
    ck_assert_int_eq(device_run(device, &job), DEVICE_OK);
    ck_assert_int_eq(call_count, 0); /* it is loaded */
    job_free(&job);
    device->row->close(&device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device_nvrtc");
    TCase *tc = tcase_create("nvrtc");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, for_the_device_or_the_newest_that_is_known);
    tcase_add_test(tc, what_is_not_there_is_told);
    tcase_add_test(tc, what_the_compiler_says_is_told);
    tcase_add_test(tc, each_call_may_fail);
    tcase_add_test(tc, a_device_takes_what_comes_out);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
