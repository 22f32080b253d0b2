/* store_where.c: on which CPUs a store's own threads run, and from which NUMA
 * node the memory of its shards comes. */
#include <check.h>
#include <dirent.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "db.h"
#include "store_scene.h"

/* One line "name" of a task's status or comm. */
static void read_task(const char *task, const char *file, const char *key,
                      char *to, size_t bytes)
{
    char path[300], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", task, file);
    FILE *f = fopen(path, "r");
    to[0] = '\0';
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *value = line + strlen(key);
            snprintf(to, bytes, "%s", value + strspn(value, " \t"));
            break;
        }
    }
    if (f)
        fclose(f);
}

/* Threads of the store that may run on these CPUs and no others; *all: those
 * of the store. */
static int threads_on(const char *cpus, int *all)
{
    char name[64], on[300];
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    *all = 0;
    for (struct dirent *e; tasks && (e = readdir(tasks));) {
        read_task(e->d_name, "comm", "", name, sizeof name);
        if (e->d_name[0] == '.' || strncmp(name, "warp-", 5) != 0)
            continue;
        read_task(e->d_name, "status", "Cpus_allowed_list:", on, sizeof on);
        ++*all;
        count += strcmp(on, cpus) == 0;
    }
    closedir(tasks);
    return count;
}

/* The last CPU that this process may use. */
static void last_cpu(char *to, size_t bytes)
{
    cpu_set_t set;
    int last = 0;
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    for (int i = 0; i < CPU_SETSIZE; i++)
        last = CPU_ISSET((size_t)i, &set) ? i : last;
    snprintf(to, bytes, "%d", last);
}

START_TEST(its_threads_run_where_they_are_told_to)
{
    char cpu[16], before[300], now_on[300], self[16];
    int all;
    snprintf(self, sizeof self, "%d", getpid());
    read_task(self, "status", "Cpus_allowed_list:", before, sizeof before);
    last_cpu(cpu, sizeof cpu);
    scene_close();
    options.background_cpus = cpu;
    scene_open();
    int on = threads_on(cpu, &all);
    ck_assert_int_ge(all, 3); /* the log's two and the keeper */
    ck_assert_int_eq(on, all);
    read_task(self, "status", "Cpus_allowed_list:", now_on, sizeof now_on);
    ck_assert_str_eq(now_on, before);
    struct sample_thing thing = {.id = 1};
    ck_ok(put(&thing, 0));
    ck_ok(warp_checkpoint(store));
}
END_TEST

START_TEST(a_list_of_cpus_is_checked)
{
    static const char *const none[] = {"",   "x",   "0,", "3-1", " 0", "0 ",
                                       "-1", "0--", "0,,0"};
    struct warp_db *db = NULL;
    scene_close();
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        options.background_cpus = none[i];
        ck_code(warp_open(store_path, &sample_schema, &options, &db),
                WARP_EINVAL, "give numbers and ranges");
    }
    options.background_cpus = "0-1023";
    ck_code(warp_open(store_path, &sample_schema, &options, &db), WARP_EINVAL,
            "may not use CPU");
    options.background_cpus = "99999999999999999999";
    ck_code(warp_open(store_path, &sample_schema, &options, &db), WARP_EINVAL,
            "may not use CPU 1024");
    options.background_cpus = NULL;
    scene_open();
}
END_TEST

/* -1: the kernel does not tell. */
static int policy_at(const void *at, unsigned long *nodes)
{
    int mode = -1;
    unsigned long words[16] = {0};
    if (syscall(SYS_get_mempolicy, &mode, words, 1024ul, at, MPOL_F_ADDR) != 0)
        return -1;
    *nodes = words[0];
    return mode;
}

START_TEST(shards_lie_on_nodes_in_turn)
{
    unsigned long nodes, seen = 0;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    os_node_prefer(page, 4096, 0);
    bool known = policy_at(page, &nodes) == MPOL_PREFERRED;
    munmap(page, 4096);
    scene_close();
    options.numa = true;
    scene_open();
    for (uint64_t id = 1; id <= 500; id++) {
        struct sample_thing thing = {.id = id};
        ck_ok(put(&thing, 0));
    }
    if (!known) /* a container may forbid it: then nothing has changed */
        return;
    for (uint32_t i = 0; i < store->shard_count; i++) {
        struct shard *s = &store->shards[i];
        unsigned long of_index = 0, of_rows = 0;
        ck_assert_int_eq(policy_at((void *)(uintptr_t)s->index.slots,
                                   &of_index), MPOL_PREFERRED);
        ck_assert_ptr_nonnull(s->heap.fresh);
        ck_assert_int_eq(policy_at(s->heap.fresh - 1, &of_rows),
                         MPOL_PREFERRED);
        ck_assert_uint_eq(of_index, of_rows);
        ck_assert_int_eq(__builtin_popcountl(of_rows), 1);
        seen |= of_rows;
    }
    ck_assert_int_eq((uint32_t)__builtin_popcountl(seen),
                     os_node_count() < store->shard_count
                         ? os_node_count() : store->shard_count);
    options.numa = false;
    scene_reopen();
    ck_assert_int_eq(policy_at((void *)(uintptr_t)store->shards[0].index.slots,
                               &nodes), MPOL_DEFAULT);
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_add_test(tcase, its_threads_run_where_they_are_told_to);
    tcase_add_test(tcase, a_list_of_cpus_is_checked);
    tcase_add_test(tcase, shards_lie_on_nodes_in_turn);
}

int main(void)
{
    return run_suite("store_where", fill);
}
