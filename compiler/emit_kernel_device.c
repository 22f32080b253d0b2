/* Kernels -> FILESTEM.warp.cl and FILESTEM.warp.cu: what makes the common text
 * OpenCL C 1.2 or CUDA C, the functions, and an entry for each kernel: a thread
 * for each row. */
#include "emit_kernel.h"

static const char head_cl[] =
    "#ifdef cl_khr_fp64\n"
    "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
    "#endif\n"
    "typedef uchar uint8_t;\ntypedef ushort uint16_t;\n"
    "typedef uint uint32_t;\ntypedef ulong uint64_t;\n"
    "typedef char int8_t;\ntypedef short int16_t;\n"
    "typedef int int32_t;\ntypedef long int64_t;\n"
    "#define INT64_C(x) x##L\n#define UINT64_C(x) x##UL\n"
    "#define WARP_FN static\n#define WARP_GLOBAL __global\n"
    "#define WARP_AS_WRITTEN _Pragma(\"OPENCL FP_CONTRACT OFF\")\n"
    "#define WARP_KERNEL __kernel\n#define WARP_ROW "
    "((uint32_t)get_global_id(0))\n"
    "#define sqrtf sqrt\n#define expf exp\n#define logf log\n"
    "#define log2f log2\n#define powf pow\n#define sinf sin\n"
    "#define cosf cos\n#define fabsf fabs\n#define fminf fmin\n"
    "#define fmaxf fmax\n#define floorf floor\n#define fmodf fmod\n";

static const char head_cu[] =
    "#define uint8_t unsigned char\n#define uint16_t unsigned short\n"
    "#define uint32_t unsigned int\n#define uint64_t unsigned long long\n"
    "#define int8_t signed char\n#define int16_t short\n"
    "#define int32_t int\n#define int64_t long long\n"
    "#undef INT64_C\n#undef UINT64_C\n"
    "#define INT64_C(x) x##LL\n#define UINT64_C(x) x##ULL\n"
    "#define WARP_FN static __device__\n#define WARP_GLOBAL\n"
    "#define WARP_AS_WRITTEN\n"
    "#define WARP_KERNEL extern \"C\" __global__\n"
    "#define WARP_ROW (blockIdx.x * blockDim.x + threadIdx.x)\n";

static const char head_both[] =
    "#undef UINT8_MAX\n#define UINT8_MAX 255\n"
    "#undef UINT16_MAX\n#define UINT16_MAX 65535\n"
    "#undef UINT32_MAX\n#define UINT32_MAX UINT64_C(4294967295)\n"
    "#undef UINT64_MAX\n"
    "#define UINT64_MAX UINT64_C(18446744073709551615)\n"
    "#undef INT8_MIN\n#define INT8_MIN (-128)\n"
    "#undef INT8_MAX\n#define INT8_MAX 127\n"
    "#undef INT16_MIN\n#define INT16_MIN (-32768)\n"
    "#undef INT16_MAX\n#define INT16_MAX 32767\n"
    "#undef INT32_MIN\n#define INT32_MIN (-INT64_C(2147483648))\n"
    "#undef INT32_MAX\n#define INT32_MAX INT64_C(2147483647)\n"
    "#undef INT64_MAX\n#define INT64_MAX INT64_C(9223372036854775807)\n"
    "#undef INT64_MIN\n#define INT64_MIN (-INT64_MAX - 1)\n"
    "struct warp_params {\n    uint32_t rows, cols, items, mode, reduce, k;\n"
    "    float a, b;\n};\n\n";

static void put_entry(struct text *out, const struct kernel_text *k)
{
    const char *p = k->product->c_name;
    text_format(out, "WARP_KERNEL void %s_%u(", p, k->field->index);
    emit_kernel_list(out, k, LIST_PARAMETERS);
    text_format(out,
                "WARP_GLOBAL %s *out_, struct warp_params p_)\n{\n"
                "    const uint32_t row_ = WARP_ROW;\n"
                "    if (row_ < p_.rows)\n        %s_%u_r_(",
                k->out, p, k->field->index);
    emit_kernel_list(out, k, LIST_NAMES);
    text_put(out, "out_, row_, p_.cols);\n}\n");
}

static void put_file(const struct emit *emit, struct text *out,
                     const char *head, const char *prefix)
{
    struct kernel_text k;
    struct text functions;
    struct expr_writer w = {.out = &functions};
    text_init(&functions, emit->arena, 8192);
    for (uint32_t i = 0; i < emit->file->product_count; i++) {
        const struct model_product *p = emit->file->products[i];
        for (uint32_t j = 0; j < p->field_count; j++) {
            if (!kernel_text_read(p, &p->fields[j], &k) || k.raw)
                continue;
            emit_kernel_functions(&w, &k);
            put_entry(&functions, &k);
        }
    }
    text_put(out, "/* Written by warpc from ");
    text_comment_safe(out, emit->file->base);
    text_put3(out, ". Do not edit: change the schema. */\n", head, head_both);
    emit_expr_helpers(out, w.used, prefix);
    text_bytes(out, functions.at, functions.size);
}

void emit_kernel_cl(const struct emit *emit, struct text *out)
{
    put_file(emit, out, head_cl, "static ");
}

void emit_kernel_cu(const struct emit *emit, struct text *out)
{
    put_file(emit, out, head_cu, "static __device__ ");
}
