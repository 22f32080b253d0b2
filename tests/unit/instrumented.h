/* instrumented.h: what a sanitizer makes slow and large. */
#ifndef UNIT_INSTRUMENTED_H
#define UNIT_INSTRUMENTED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

#endif
