/* replay CORPUS [ROUNDS [SEED]]: a target without libFuzzer: all files of its
 * corpus, then ROUNDS inputs that chance makes of them. Prints its seed and,
 * when a signal ends it, leaves the input in a file that it names; the same
 * seed does the same again. */
#include "fuzz.h"

#include "random.h"

#pragma weak LLVMFuzzerInitialize

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16, FILES_MAX = 1000, SECONDS_MAX = 30 };

struct input {
    uint8_t *data;
    size_t bytes;
};
static struct input corpus[FILES_MAX];
static unsigned count;
static struct random dice;
static const uint8_t *volatile now_data;
static volatile size_t now_bytes;
static char left[64];

/* Only calls that a signal's handler may make. */
static void on_signal(int number)
{
    int fd = open(left, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd >= 0 &&
        write(fd, (const void *)now_data, now_bytes) == (ssize_t)now_bytes) {
        static const char text[] = "a signal; the input is left in ";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        (void)!write(STDERR_FILENO, left, strlen(left));
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void load(const char *dir)
{
    struct dirent **names;
    char path[600];
    int n = scandir(dir, &names, NULL, alphasort);
    for (int i = 0; i < n && count < FILES_MAX; i++) {
        FILE *in;
        snprintf(path, sizeof path, "%s/%.200s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && (in = fopen(path, "rb")) != NULL) {
            uint8_t *data = malloc(INPUT_MAX);
            if (data == NULL)
                exit(2);
            corpus[count++] =
                (struct input){data, fread(data, 1, INPUT_MAX, in)};
            fclose(in);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void run(const uint8_t *data, size_t bytes)
{
    /* A block of its own: a sanitizer sees a read behind its end. */
    uint8_t *own = malloc(bytes ? bytes : 1);
    if (own == NULL)
        exit(2);
    memcpy(own, data, bytes);
    now_data = data;
    now_bytes = bytes;
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(own, bytes);
    free(own);
}

/* Some of its bytes changed, cut, doubled, or a piece of another put in. */
static size_t change(uint8_t *to, size_t bytes)
{
    const struct input *other = &corpus[random_below(&dice, count)];
    size_t at = bytes ? random_below(&dice, bytes) : 0;
    size_t from = other->bytes ? random_below(&dice, other->bytes) : 0;
    size_t n = other->bytes - from < 64 ? other->bytes - from : 64;
    n = n ? 1 + random_below(&dice, n) : 0;
    switch (random_below(&dice, 6)) {
    case 0:
        return at;
    case 1:
        if (bytes + n > INPUT_MAX)
            return bytes;
        memmove(to + at + n, to + at, bytes - at);
        memcpy(to + at, other->data + from, n);
        return bytes + n;
    case 2:
        n = n < bytes - at ? n : bytes - at;
        memmove(to + at, to + at + n, bytes - at - n);
        return bytes - n;
    case 3:
        if (bytes)
            to[at] = (uint8_t)(to[at] + random_below(&dice, 2) * 2 - 1);
        return bytes;
    case 4:
        if (bytes)
            to[at] ^= (uint8_t)(1u << random_below(&dice, 8));
        return bytes;
    default:
        if (bytes)
            to[at] = (uint8_t)random_next(&dice);
        return bytes;
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[INPUT_MAX];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM};
    unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    uint64_t seed =
        argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
    if (argc < 2)
        return 2;
    load(argv[1]);
    if (count == 0) {
        printf("%s: there is no input\n", argv[1]);
        return 2;
    }
    snprintf(left, sizeof left, "/tmp/warp-fuzz-%d", (int)getpid());
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], on_signal);
    printf("seed %llu, %u inputs, %u more\n", (unsigned long long)seed, count,
           rounds);
    fflush(stdout);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    dice = random_seeded(seed);
    for (unsigned i = 0; i < count; i++)
        run(corpus[i].data, corpus[i].bytes);
    for (unsigned i = 0; i < rounds; i++) {
        const struct input *base = &corpus[random_below(&dice, count)];
        size_t bytes = base->bytes;
        memcpy(data, base->data, bytes);
        for (uint64_t n = 1 + random_below(&dice, 4); n > 0; n--)
            bytes = change(data, bytes);
        run(data, bytes);
    }
    return 0;
}
