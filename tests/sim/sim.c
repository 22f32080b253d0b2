/* sim.c: chance, the digest, and what may happen at an event. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

SIM_STATE struct sim_plan sim_plan;
SIM_STATE uint64_t sim_faults_hit[FAULT_KINDS];
SIM_STATE uint64_t sim_events, sim_fault_seen;
SIM_STATE bool sim_traces, sim_overtaken;
SIM_STATE uint8_t *sim_noted;
SIM_STATE static bool held;

SIM_STATE static uint64_t state, digest;
SIM_STATE static uint32_t mark;
SIM_STATE static uint64_t since_mark, faults_left, fault_wait;

/* ---- variables of the program, by the names that the linker gives ---- */

extern char __data_start[], _end[], __start_sim_state[], __stop_sim_state[];
SIM_STATE static char *kept;

/* By hand, and unseen by the address sanitizer: between variables there are
 * its zones, too. */
__attribute__((no_sanitize("address", "undefined"))) static void
copy_words(char *to, const char *from, size_t bytes)
{
    typedef uint64_t word __attribute__((may_alias, aligned(1)));
    size_t i = 0;
    for (; i + sizeof(word) <= bytes; i += sizeof(word))
        *(volatile word *)(to + i) = *(const word *)(from + i);
    for (; i < bytes; i++)
        *(volatile char *)(to + i) = from[i];
}

static void copy_but_ours(char *to, const char *from)
{
    size_t ours = (size_t)(__start_sim_state - __data_start);
    size_t behind = (size_t)(__stop_sim_state - __data_start);
    copy_words(to, from, ours);
    copy_words(to + behind, from + behind,
               (size_t)(_end - __data_start) - behind);
}

void sim_variables_keep(void)
{
    kept = sim_own((size_t)(_end - __data_start));
    copy_but_ours(kept, __data_start);
}

void sim_variables_reset(void)
{
    copy_but_ours(__data_start, kept);
}

uint64_t sim_random(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void sim_salt(uint64_t salt)
{
    state ^= salt * UINT64_C(0xbf58476d1ce4e5b9);
}

uint32_t sim_below(uint32_t n)
{
    return n ? (uint32_t)(sim_random() % n) : 0;
}

bool sim_one_in(uint32_t n)
{
    return n && sim_random() % n == 0;
}

void sim_seed(uint64_t seed)
{
    state = seed;
    sim_random();
    state ^= seed * UINT64_C(0xd6e8feb86659fd93);
    digest = UINT64_C(0xcbf29ce484222325);
}

void sim_mix(uint64_t a, uint64_t b)
{
    digest = (digest ^ a) * UINT64_C(0x100000001b3);
    digest = (digest ^ digest >> 29 ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
}

void sim_mix_bytes(const void *bytes, size_t count)
{
    const unsigned char *b = bytes;
    uint64_t h = count;
    for (; count >= 8; count -= 8, b += 8) {
        uint64_t w;
        __builtin_memcpy(&w, b, 8);
        h = (h ^ w) * UINT64_C(0x9fb21c651e98df25);
        h ^= h >> 32;
    }
    for (; count > 0; count--)
        h = (h ^ *b++) * UINT64_C(0x100000001b3);
    sim_mix(h, 1);
}

uint64_t sim_digest(void)
{
    return digest;
}

void sim_trace(const char *format, ...)
{
    va_list arguments;
    if (!sim_traces)
        return;
    va_start(arguments, format);
    fprintf(stderr, "%8llu %2d ", (unsigned long long)sim_events,
            sim_inside() ? sim_thread() : -1);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void sim_finding(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "  finding: ");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    fflush(NULL);
    _Exit(1);
}

void sim_life_begin(void)
{
    mark = 0;
    since_mark = 0;
    faults_left = sim_plan.fault_times;
    fault_wait = sim_plan.fault_after;
    sim_fault_seen = 0;
    sim_overtaken = held = false;
}

void sim_hold(bool h)
{
    held = h;
}

void sim_mark(uint32_t m)
{
    mark = m;
    since_mark = 0;
    sim_mix(m, 7);
}

bool sim_changes(enum sim_call call, bool power)
{
    switch (call) {
    case SIM_SYNC:
    case SIM_SYNC_DIR:
        return power;
    case SIM_OPEN:
    case SIM_WRITE:
    case SIM_SIZE:
    case SIM_ALLOCATE:
    case SIM_RENAME:
    case SIM_UNLINK:
    case SIM_LINK:
    case SIM_MKDIR:
    case SIM_STORE:
        return true;
    default:
        return false;
    }
}

void sim_event(enum sim_call call, uint64_t a, uint64_t b)
{
    if (!sim_inside())
        return;
    sim_events++;
    if (sim_noted && sim_events < SIM_NOTED_MAX)
        sim_noted[sim_events] = (uint8_t)call;
    sim_mix(call + ((uint64_t)sim_thread() << 8), a ^ b << 20);
    if (sim_traces && call != SIM_LOCK && call != SIM_CLOCK)
        sim_trace("call %d %llx %llx", (int)call, (unsigned long long)a,
                  (unsigned long long)b);
    if (sim_plan.events_max-- == 0)
        sim_finding("the store hangs: too many events in one life");
    bool dies = sim_plan.crash_overtaken && sim_overtaken && sim_one_in(20);
    if (sim_plan.crash_mark && mark + 1 >= sim_plan.crash_mark &&
        (sim_plan.crash_call == SIM_CALLS || sim_plan.crash_call == call) &&
        since_mark++ >= sim_plan.crash_events)
        dies = true;
    if (sim_plan.die_at && sim_events >= sim_plan.die_at)
        dies = true;
    if (sim_plan.die_faulted && sim_fault_seen > 0 && sim_changes(call, true))
        dies = true;
    if (dies && !held)
        sim_die();
    sim_pass(100 + sim_below(2000));
    if (sim_one_in(sim_plan.back_one_in))
        sim_files_back();
    if (sim_one_in(sim_plan.switch_one_in))
        sim_switch();
}

bool sim_fails(enum sim_fault fault)
{
    if (!sim_inside() || held || faults_left == 0 || fault != sim_plan.fault)
        return false;
    if (fault_wait > 0) {
        fault_wait--;
        return false;
    }
    faults_left--;
    sim_faults_hit[fault]++;
    sim_fault_seen++;
    sim_trace("fault %d", (int)fault);
    return true;
}
