/* planted.h: known bugs, for the simulator to find, and what is smaller in it,
 * so that it comes to pass. They exist only in the library that tests/sim
 * builds for itself; in libwarp PLANTED is false and leaves nothing behind. */
#ifndef WARP_PLANTED_H
#define WARP_PLANTED_H

#ifdef WARP_SIMULATED
enum planted {
    PLANTED_none,
    PLANTED_skip_sync,        /* in the simulated kernel: a sync does nothing */
    PLANTED_skip_crc,         /* a record counts without its CRC */
    PLANTED_reorder_log,      /* a block is durable before those before it */
    PLANTED_torn_ring,        /* the tail is published before the body */
    PLANTED_early_checkpoint, /* the log is cut before the tiers hold it */
    PLANTED_lost_forward,     /* a replay does not tell homes who is away */
    PLANTED_half_move,        /* an arrive and its depart are no batch */
    PLANTED_new_version,      /* a record that moves forgets its version */
    PLANTED_COUNT
};
extern enum planted planted_bug;
extern const char *const planted_names[PLANTED_COUNT];
#define PLANTED(bug) (planted_bug == PLANTED_##bug)
/* Small rings never hold more than one long block: so a cut has several. */
#define PLANTED_SIZE(real, simulated) (simulated)
#else
#define PLANTED(bug)                  0
#define PLANTED_SIZE(real, simulated) (real)
#endif

#endif
