/* Folders that a measurement makes for itself, counts and removes. */
#ifndef BENCH_FOLDER_H
#define BENCH_FOLDER_H

#include <stddef.h>

enum { FOLDER_PATH_BYTES = 4096 };

/** A fresh folder below `base`; NULL: $TMPDIR, else /var/tmp. 0, or -1 with
 *  the reason on standard error. */
int folder_make(const char *base, char path[FOLDER_PATH_BYTES]);
/** Where stores are made when nobody says: $TMPDIR, else /var/tmp. */
const char *folder_base(void);
/** What its files take on the disk. */
double folder_bytes(const char *path);
/** The bytes in its files. */
double folder_text_bytes(const char *path);
/** With everything in it. */
void folder_remove(const char *path);

#endif
