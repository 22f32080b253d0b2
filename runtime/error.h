/* error.h: the calling thread's last error as a sentence for people.
 *
 * The place that knows most sets the text; callers above pass the code on. */
#ifndef WARP_ERROR_H
#define WARP_ERROR_H

#include <warp/warp.h>

/* Sets the text and returns the code. */
int error_set(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));
/* The same for -errno of an os call on a path: ENOSPC, EDQUOT and EFBIG become
 * WARP_ENOSPC, ENOMEM WARP_ENOMEM, EROFS and EACCES WARP_EIO with a remedy … */
int error_os(int negative_errno, const char *what, const char *path)
    __attribute__((cold));
const char *error_text(void); /* of this thread; "" when there is none */

#endif
