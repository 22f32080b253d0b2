/* error.c: codes to texts, and the last error of each thread. */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_text[1024];

int error_set(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last_text, sizeof last_text, format, args);
    va_end(args);
    return code;
}

static int code_of(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return WARP_ENOSPC;
    case ENOMEM:
        return WARP_ENOMEM;
    case EINVAL:
    case ENAMETOOLONG:
        return WARP_EINVAL;
    case ENOENT:
        return WARP_ENOSTORE;
    default:
        return WARP_EIO;
    }
}

int error_os(int negative_errno, const char *what, const char *path)
{
    int number = -negative_errno;
    const char *remedy = "";
    if (number == EACCES || number == EPERM)
        remedy = " (check owner and permissions)";
    else if (number == EROFS)
        remedy = " (mounted read-only: open with read_only)";
    else if (number == ENOSPC || number == EDQUOT)
        remedy = " (free some space; writing resumes by itself)";
    else if (number == EMFILE || number == ENFILE)
        remedy = " (raise the limit of open files)";
    char text[128];
    return error_set(code_of(number), "%s %s: %s%s", what, path,
                     strerror_r(number, text, sizeof text), remedy);
}

const char *error_text(void)
{
    return last_text;
}

const char *warp_strerror(int code)
{
    switch (code) {
#define X(name, number, text)                                                 \
    case number:                                                              \
        return text;
#include "errors.def"
#undef X
    default:
        return "unknown code";
    }
}

const char *warp_errmsg(const struct warp_db *db)
{
    (void)db;
    return last_text;
}
