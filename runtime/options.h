/* options.h: what a program asks of a store. */
#ifndef WARP_OPTIONS_H
#define WARP_OPTIONS_H

#include "os.h"

#include <warp/warp.h>

/* given, NULL: nothing is asked, with defaults for what is 0. WARP_EINVAL. */
int options_resolve(const struct warp_options *given, struct warp_options *o);
/* Where the store's own threads run. WARP_EINVAL. */
int options_cpus(const struct warp_options *o, struct os_cpus *cpus);

#endif
