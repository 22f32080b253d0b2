/* schema ROUNDS WARPC SCHEMA... [--seed N]: broken schemas against warpc. Each
 * round takes one of the schemas, changes it at a few random places (drops,
 * doubles, swaps and overwrites pieces, from bytes to lines) and runs `warpc
 * check` on it: the answer must be clean or a message, in time, never a crash
 * or a bug of warpc's own. Prints its seed and leaves what broke it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

enum { TEXT_MAX = 1 << 18, SECONDS_MAX = 10 };

struct text {
    size_t bytes;
    char data[TEXT_MAX];
};

static struct random dice;

static size_t below(size_t count)
{
    return count == 0 ? 0 : (size_t)random_below(&dice, count);
}

static int read_text(const char *path, struct text *text)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    text->bytes = fread(text->data, 1, TEXT_MAX / 2, file);
    return fclose(file);
}

/* A piece of the text: some bytes, or the line that they lie in. */
static void choose(const struct text *text, size_t *from, size_t *bytes)
{
    *from = below(text->bytes);
    *bytes = 1 + below(below(8) == 0 ? 200 : 8);
    if (below(3) == 0) {
        while (*from > 0 && text->data[*from - 1] != '\n')
            --*from;
        const char *end = memchr(text->data + *from, '\n', text->bytes - *from);
        *bytes = end != NULL ? (size_t)(end - text->data) + 1 - *from
                             : text->bytes - *from;
    }
    if (*bytes > text->bytes - *from)
        *bytes = text->bytes - *from;
}

static void replace(struct text *text, size_t from, size_t bytes,
                    const char *by, size_t by_bytes)
{
    static char copy[TEXT_MAX];
    if (text->bytes - bytes + by_bytes > TEXT_MAX)
        return;
    memcpy(copy, by, by_bytes); /* by may lie in the text itself */
    memmove(text->data + from + by_bytes, text->data + from + bytes,
            text->bytes - from - bytes);
    memcpy(text->data + from, copy, by_bytes);
    text->bytes = text->bytes - bytes + by_bytes;
}

static void change(struct text *text)
{
    static const char *const words[] = {"do",
                                        "end",
                                        "defproduct",
                                        "%{",
                                        "}",
                                        "[",
                                        "::",
                                        ":",
                                        ",",
                                        "\"",
                                        "\"\"\"",
                                        "#",
                                        "\\",
                                        "@doc",
                                        "(",
                                        ")",
                                        "99999999999999999999",
                                        "-1",
                                        "0",
                                        "1e999",
                                        "ttl:",
                                        "key:",
                                        "persist:",
                                        "{",
                                        "\r\n",
                                        "1y2d",
                                        "\xff\xfe",
                                        "import \"a.warp\"",
                                        "=",
                                        "defkernel",
                                        "formula:"};
    size_t from, bytes, other, other_bytes;
    char noise[8];
    choose(text, &from, &bytes);
    choose(text, &other, &other_bytes);
    switch (below(5)) {
    case 0:
        replace(text, from, bytes, "", 0);
        break;
    case 1:
        replace(text, from, 0, text->data + other, other_bytes);
        break;
    case 2:
        replace(text, from, bytes, text->data + other, other_bytes);
        break;
    case 3: {
        const char *word = words[below(sizeof words / sizeof words[0])];
        replace(text, from, below(2) * bytes, word, strlen(word));
        break;
    }
    default:
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)random_next(&dice);
        replace(text, from, bytes, noise, 1 + below(sizeof noise));
    }
}

/* 0: clean or findings; else what went wrong was printed. */
static int check(const char *warpc, const char *path)
{
    int status = 0;
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
            dup2(null, 2) < 0)
            _exit(126);
        alarm(SECONDS_MAX);
        execl(warpc, warpc, "check", path, (char *)NULL);
        _exit(126);
    }
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("warpc takes more than %d s\n", SECONDS_MAX);
    else if (WIFSIGNALED(status))
        printf("warpc dies of signal %d\n", WTERMSIG(status));
    else
        printf("warpc ends with status %d\n", WEXITSTATUS(status));
    return -1;
}

int main(int argc, char **argv)
{
    static struct text text;
    uint64_t seed = (uint64_t)time(NULL);
    char path[64];
    if (argc > 5 && strcmp(argv[argc - 2], "--seed") == 0) {
        seed = strtoull(argv[argc - 1], NULL, 10);
        argc -= 2;
    }
    if (argc < 4)
        return 2;
    int rounds = atoi(argv[1]), schemas = argc - 3;
    dice = random_seeded(seed);
    printf("seed %llu\n", (unsigned long long)seed);
    snprintf(path, sizeof path, "/tmp/warp-fuzz-%d.warp", (int)getpid());
    for (int round = 0; round < rounds; round++) {
        if (read_text(argv[3 + round % schemas], &text) != 0)
            return 2;
        for (size_t n = round < schemas ? 0 : 1 + below(6); n > 0; n--)
            change(&text);
        FILE *file = fopen(path, "wb");
        if (file == NULL ||
            fwrite(text.data, 1, text.bytes, file) != text.bytes ||
            fclose(file) != 0)
            return 2;
        if (check(argv[2], path) != 0) {
            printf("round %d of %s; the text is left in %s\n", round,
                   argv[3 + round % schemas], path);
            return 1;
        }
    }
    unlink(path);
    printf("%d broken schemas: a message each, or clean\n", rounds);
    return 0;
}
