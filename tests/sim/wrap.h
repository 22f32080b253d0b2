/* wrap.h: one line for a function that the linker sends here. */
#ifndef SIM_WRAP_H
#define SIM_WRAP_H

/* The real one is __real_NAME, the caller's is __wrap_NAME. */
#define WRAP(type, name, args)                                                 \
    type __real_##name args;                                                   \
    type __wrap_##name args;                                                   \
    type __wrap_##name args

#endif
