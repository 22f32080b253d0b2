/* Written by warpc from schema.warp. Do not edit: change the schema. */
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
typedef uchar uint8_t;
typedef ushort uint16_t;
typedef uint uint32_t;
typedef ulong uint64_t;
typedef char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
#define INT64_C(x) x##L
#define UINT64_C(x) x##UL
#define WARP_FN static
#define WARP_GLOBAL __global
#define WARP_AS_WRITTEN _Pragma("OPENCL FP_CONTRACT OFF")
#define WARP_KERNEL __kernel
#define WARP_ROW ((uint32_t)get_global_id(0))
#define sqrtf sqrt
#define expf exp
#define logf log
#define log2f log2
#define powf pow
#define sinf sin
#define cosf cos
#define fabsf fabs
#define fminf fmin
#define fmaxf fmax
#define floorf floor
#define fmodf fmod
#undef UINT8_MAX
#define UINT8_MAX 255
#undef UINT16_MAX
#define UINT16_MAX 65535
#undef UINT32_MAX
#define UINT32_MAX UINT64_C(4294967295)
#undef UINT64_MAX
#define UINT64_MAX UINT64_C(18446744073709551615)
#undef INT8_MIN
#define INT8_MIN (-128)
#undef INT8_MAX
#define INT8_MAX 127
#undef INT16_MIN
#define INT16_MIN (-32768)
#undef INT16_MAX
#define INT16_MAX 32767
#undef INT32_MIN
#define INT32_MIN (-INT64_C(2147483648))
#undef INT32_MAX
#define INT32_MAX INT64_C(2147483647)
#undef INT64_MAX
#define INT64_MAX INT64_C(9223372036854775807)
#undef INT64_MIN
#define INT64_MIN (-INT64_MAX - 1)
struct warp_params {
    uint32_t rows, cols, items, mode, reduce, k;
    float a, b;
};

/* Row.flag */
WARP_FN bool k_row_6_e_(bool in0_, float in1_, float in2_)
{
    WARP_AS_WRITTEN
    return (in0_ && (in1_ > in2_));
}
WARP_FN void k_row_6_r_(WARP_GLOBAL const uint8_t *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL uint8_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (uint8_t)k_row_6_e_(in0_[row_] != 0, in1_[row_], in2_[row_]);
}
WARP_KERNEL void k_row_6(WARP_GLOBAL const uint8_t *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL uint8_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_6_r_(in0_, in1_, in2_, out_, row_, p_.cols);
}
/* Row.warm */
WARP_FN float k_row_7_e_(float in0_, float in1_)
{
    WARP_AS_WRITTEN
    const float half_l_ = (in0_ * 0.5f);
    (void)half_l_;
    return (expf((0.0f - half_l_)) + in1_);
}
WARP_FN void k_row_7_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)k_row_7_e_(in0_[row_], in1_[row_]);
}
WARP_KERNEL void k_row_7(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_7_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.pull */
WARP_FN float k_row_8_e_(float in0_, float in1_, float in2_, float in3_, float in4_)
{
    const float dx_l_ = (in0_ - in1_);
    (void)dx_l_;
    const float dy_l_ = (in2_ - in3_);
    (void)dy_l_;
    return (in4_ * (1.0f / sqrtf((((dx_l_ * dx_l_) + (dy_l_ * dy_l_)) + 0.01f))));
}
WARP_FN void k_row_8_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL const float *in3_, WARP_GLOBAL const float *in4_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    float acc_ = 0;
    uint32_t n_ = 0;
    for (uint32_t j_ = 0; j_ < cols_; j_++) {
        const float v_ = k_row_8_e_(in0_[row_], in1_[j_], in2_[row_], in3_[j_], in4_[j_]);
        acc_ = n_ == 0 || v_ > acc_ || acc_ != acc_ ? v_ : acc_;
        n_++;
    }
    out_[row_] = (float)acc_;
}
WARP_KERNEL void k_row_8(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL const float *in3_, WARP_GLOBAL const float *in4_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_8_r_(in0_, in1_, in2_, in3_, in4_, out_, row_, p_.cols);
}
/* Row.best */
WARP_FN float k_row_9_e_(float in0_, float in1_)
{
    return (0.0f - fabsf((in0_ - in1_)));
}
WARP_FN void k_row_9_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL uint32_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    float best_ = 0;
    uint32_t acc_ = 0, n_ = 0;
    for (uint32_t j_ = 0; j_ < cols_; j_++) {
        const float v_ = k_row_9_e_(in0_[row_], in1_[j_]);
        if (n_ == 0 || v_ > best_ || (best_ != best_ && v_ == v_)) {
            best_ = v_;
            acc_ = n_;
        }
        n_++;
    }
    out_[row_] = (uint32_t)acc_;
}
WARP_KERNEL void k_row_9(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL uint32_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_9_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.near */
WARP_FN float k_row_10_e_(float in0_, float in1_, float in2_)
{
    return ((in0_ * in1_) - in2_);
}
WARP_FN void k_row_10_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    float best_[3];
    uint32_t n_ = 0;
    for (uint32_t i_ = 0; i_ < 3; i_++)
        best_[i_] = 0;
    for (uint32_t j_ = 0; j_ < cols_; j_++) {
        const float v_ = k_row_10_e_(in0_[row_], in1_[j_], in2_[j_]);
        uint32_t at_ = n_ < 3 ? n_ : 2;
        if (n_ == 3 && (v_ != v_ || best_[2] >= v_))
            continue;
        for (; at_ > 0 && v_ == v_ &&
               !(best_[at_ - 1] >= v_); at_--)
            best_[at_] = best_[at_ - 1];
        best_[at_] = v_;
        n_ += n_ < 3;
    }
    for (uint32_t i_ = 0; i_ < 3; i_++)
        out_[row_ * 3 + i_] = best_[i_];
}
WARP_KERNEL void k_row_10(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_10_r_(in0_, in1_, in2_, out_, row_, p_.cols);
}
/* Row.soft */
WARP_FN float k_row_11_e_(float in0_, float in1_)
{
    return (in0_ * in1_);
}
WARP_FN void k_row_11_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    float most_ = 0, z_ = 0, acc_ = 0;
    uint32_t n_ = 0;
    for (uint32_t j_ = 0; j_ < cols_; j_++) {
        const float v_ = k_row_11_e_(in0_[row_], in1_[j_]);
        most_ = n_ == 0 || v_ > most_ ? v_ : most_;
        n_++;
    }
    for (uint32_t j_ = 0; j_ < cols_; j_++) {
        const float v_ = k_row_11_e_(in0_[row_], in1_[j_]);
        const float w_ = expf(v_ - most_);
        z_ += w_;
        acc_ += w_ * v_;
    }
    acc_ = n_ == 0 ? 0 : acc_ / z_;
    out_[row_] = (float)acc_;
}
WARP_KERNEL void k_row_11(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_11_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.total */
WARP_FN float k_row_12_e_(float in0_, float in1_)
{
    return (in0_ * in1_);
}
WARP_FN void k_row_12_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const uint32_t *offsets_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    float acc_ = 0;
    float lost_ = 0;
    for (uint32_t j_ = offsets_[row_] - offsets_[0];
         j_ < offsets_[row_ + 1] - offsets_[0]; j_++) {
        const float v_ = k_row_12_e_(in0_[j_], in1_[row_]);
        const float y_ = v_ - lost_, t_ = acc_ + y_;
        lost_ = t_ - t_ == 0 ? (t_ - acc_) - y_ : 0;
        acc_ = t_;
    }
    out_[row_] = (float)acc_;
}
WARP_KERNEL void k_row_12(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const uint32_t *offsets_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        k_row_12_r_(in0_, in1_, offsets_, out_, row_, p_.cols);
}
