/* physics.cu: the built-in kernels as CUDA C. nvcc makes a fatbin of it; the
 * host code is the driver API's, see the runtime's device_cuda.c. */
#include "params.h"

#define REAL              float
#define ELEMENT(name)     name##_f32
#define ELEMENT_FN        static __device__ __forceinline__
#define REAL_RSQRT(x)     rsqrtf(x)
#define REAL_LOG2(x)      log2f(x)
#define REAL_LN(x)        logf(x)
#define REAL_EXP(x)       expf(x)
#include "element.h"

#define KERNEL            extern "C" __global__
#define GLOBAL
#define LOCAL
#define LOCAL_ARRAY(what) __shared__ what
#define WIDE              unsigned long long
#define GROUP             blockIdx.x
#define LANE              threadIdx.x
#define LANES             blockDim.x
#define BARRIER()         __syncthreads()
#include "groups.h"
