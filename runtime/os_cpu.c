/* os_cpu.c: where threads run and where memory lies, behind os.h. */
#include "os.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CPUS_MAX = 1024, WORD_BITS = 64, NODE_WORDS = 16 };
_Static_assert(sizeof(cpu_set_t) == sizeof(((struct os_cpus *)0)->bits),
               "as the kernel has it");

/* A number, and what follows it; over the last one as that. */
static const char *number(const char *at, uint32_t *n)
{
    if (*at < '0' || *at > '9')
        return NULL;
    for (*n = 0; *at >= '0' && *at <= '9'; at++)
        *n = *n < CPUS_MAX ? *n * 10 + (uint32_t)(*at - '0') : CPUS_MAX;
    return at;
}

int os_cpus_parse(const char *list, struct os_cpus *cpus, uint32_t *bad)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) != 0)
        return -errno;
    memset(cpus, 0, sizeof *cpus);
    for (const char *at = list;; at++) {
        uint32_t from = 0, to;
        at = number(at, &from);
        to = from;
        if (at && *at == '-')
            at = number(at + 1, &to);
        if (!at || to < from || (*at != ',' && *at != '\0'))
            return -EINVAL;
        for (*bad = from; *bad <= to; ++*bad) {
            if (*bad >= CPUS_MAX || !CPU_ISSET(*bad, &usable))
                return -ENODEV;
            cpus->bits[*bad / WORD_BITS] |= UINT64_C(1) << *bad % WORD_BITS;
            cpus->some = true;
        }
        if (*at == '\0')
            return 0;
    }
}

void os_thread_run_on(const struct os_thread *t, const struct os_cpus *cpus)
{
    cpu_set_t set;
    memcpy(&set, cpus->bits, sizeof set);
    if (!cpus->some)
        return;
    pthread_setaffinity_np((pthread_t)t->handle, sizeof set, &set);
}

/* The nodes that the process may use; where nobody tells, the first. */
static void usable_nodes(unsigned long nodes[NODE_WORDS])
{
    memset(nodes, 0, NODE_WORDS * sizeof *nodes);
    if (syscall(SYS_get_mempolicy, NULL, nodes,
                NODE_WORDS * 8 * sizeof *nodes, NULL,
                MPOL_F_MEMS_ALLOWED) != 0)
        nodes[0] = 1;
}

uint32_t os_node_count(void)
{
    unsigned long nodes[NODE_WORDS];
    uint32_t count = 0;
    usable_nodes(nodes);
    for (int i = 0; i < NODE_WORDS; i++)
        count += (uint32_t)__builtin_popcountl(nodes[i]);
    return count ? count : 1;
}

void os_node_prefer(void *at, size_t bytes, uint32_t n)
{
    unsigned long nodes[NODE_WORDS];
    uint32_t word = 0;
    n %= os_node_count();
    usable_nodes(nodes);
    /* All but the n-th go. */
    while (word < NODE_WORDS - 1 &&
           n >= (uint32_t)__builtin_popcountl(nodes[word])) {
        n -= (uint32_t)__builtin_popcountl(nodes[word]);
        nodes[word++] = 0;
    }
    for (; n > 0; n--)
        nodes[word] &= nodes[word] - 1;
    nodes[word] &= -nodes[word];
    while (++word < NODE_WORDS)
        nodes[word] = 0;
    syscall(SYS_mbind, at, bytes, MPOL_PREFERRED, nodes,
            NODE_WORDS * 8 * sizeof *nodes, 0);
}
