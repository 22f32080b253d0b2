/* fuzz.h: what the targets share. A target is a file with one function that
 * takes any bytes; run by libFuzzer (tests/fuzz/run) or, over its corpus and
 * what chance makes of it, by replay.c.
 *
 * A target of files makes them once through the runtime itself, and reads its
 * input as changes of them. Its checksums are constant (checksum.c), so that
 * every change gets past them. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Before the first input, and before there are threads: only then a child may
 * be forked. Not every target has it. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A directory of this process, gone at its end; in memory where that is to be
 * had. Subdirectories are made by name. */
const char *fuzz_dir(const char *name);
void fuzz_empty(const char *dir); /* what lies in it is removed */
/* What is not our subject must work: says what failed and ends. */
void fuzz_need(int good, const char *what);
/* What goes to stdout and stderr by stdio is dropped from now on. */
void fuzz_quiet(void);
/* Runs fn in a child that ends without closing anything, as if killed; from
 * LLVMFuzzerInitialize() alone. */
void fuzz_killed(void (*fn)(const char *dir), const char *dir);

/* Files of a directory and those below it, as they are now. */
struct fuzz_files;
struct fuzz_files *fuzz_files_load(const char *dir);
/* The files with an input's changes into a directory that is emptied first.
 *
 * INPUT: changes, each u24 place, u8 what, then by `what`:
 *   0xxxx yyy  yyy + 1 bytes that are written there, xxxx bytes further on
 *   1.....00   the file ends there
 *   1.....01   the file is missing
 *   1.....10   u24 place: the page of 4 KiB around it is written there
 *   1.....11   u24 place: its 64 bytes are written there
 * A place is a number of 16 bytes that are not all zeros, over all files. */
void fuzz_files_write(const struct fuzz_files *files, const uint8_t *data,
                      size_t size, const char *dir);

#endif
