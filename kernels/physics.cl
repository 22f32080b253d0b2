/* physics.cl: the built-in kernels as OpenCL C 1.2. The build puts the files
 * that it includes in their places: a device gets one text. */
#include "params.h"

#define REAL                 float
#define ELEMENT(name)        name##_f32
#define ELEMENT_FN           static
#define REAL_RSQRT(x)        rsqrt(x)
#define REAL_LOG2(x)         log2(x)
#define REAL_LN(x)           log(x)
#define REAL_EXP(x)          exp(x)
#include "element.h"

#define KERNEL               __kernel
#define GLOBAL               __global
#define LOCAL                __local
#define LOCAL_ARRAY(what)    __local what
#define WIDE                 ulong
#define GROUP                ((uint)get_group_id(0))
#define LANE                 ((uint)get_local_id(0))
#define LANES                ((uint)get_local_size(0))
#define BARRIER()            barrier(CLK_LOCAL_MEM_FENCE)
#include "groups.h"
