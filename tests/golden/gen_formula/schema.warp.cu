/* Written by warpc from schema.warp. Do not edit: change the schema. */
#define uint8_t unsigned char
#define uint16_t unsigned short
#define uint32_t unsigned int
#define uint64_t unsigned long long
#define int8_t signed char
#define int16_t short
#define int32_t int
#define int64_t long long
#undef INT64_C
#undef UINT64_C
#define INT64_C(x) x##LL
#define UINT64_C(x) x##ULL
#define WARP_FN static __device__
#define WARP_GLOBAL
#define WARP_AS_WRITTEN
#define WARP_KERNEL extern "C" __global__
#define WARP_ROW (blockIdx.x * blockDim.x + threadIdx.x)
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

static __device__ int64_t div_i_(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}
static __device__ int64_t mod_i_(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}
static __device__ int64_t abs_i_(int64_t a)
{
    return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}
static __device__ int64_t min_i_(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static __device__ int64_t max_i_(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
static __device__ float clamp_f32_(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}
static __device__ bool eq_u_(uint64_t a, uint64_t b)
{
    return a == b;
}
static __device__ bool lt_i_(int64_t a, int64_t b)
{
    return a < b;
}
static __device__ bool lt_u_(uint64_t a, uint64_t b)
{
    return a < b;
}
static __device__ bool le_u_(uint64_t a, uint64_t b)
{
    return a <= b;
}
/* Row.score */
WARP_FN float f_row_7_e_(float in0_, float in1_)
{
    WARP_AS_WRITTEN
    return (log2f((1.0f + in0_)) * in1_);
}
WARP_FN void f_row_7_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)f_row_7_e_(in0_[row_], in1_[row_]);
}
WARP_KERNEL void f_row_7(WARP_GLOBAL const float *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_7_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.wide */
WARP_FN double f_row_8_e_(double in0_, float in1_, float in2_)
{
    WARP_AS_WRITTEN
    return ((pow(in0_, 2.0) + sqrt((double)in1_)) - ((1.0 / sqrt((double)in2_)) / 3.0));
}
WARP_FN void f_row_8_r_(WARP_GLOBAL const double *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL double *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (double)f_row_8_e_(in0_[row_], in1_[row_], in2_[row_]);
}
WARP_KERNEL void f_row_8(WARP_GLOBAL const double *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL double *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_8_r_(in0_, in1_, in2_, out_, row_, p_.cols);
}
/* Row.ratio */
WARP_FN int64_t f_row_9_e_(int64_t in0_, uint32_t in1_)
{
    WARP_AS_WRITTEN
    return (int64_t)div_i_(in0_, (int64_t)in1_);
}
WARP_FN void f_row_9_r_(WARP_GLOBAL const int64_t *in0_, WARP_GLOBAL const uint32_t *in1_, WARP_GLOBAL int64_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (int64_t)f_row_9_e_(in0_[row_], in1_[row_]);
}
WARP_KERNEL void f_row_9(WARP_GLOBAL const int64_t *in0_, WARP_GLOBAL const uint32_t *in1_, WARP_GLOBAL int64_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_9_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.rest */
WARP_FN int64_t f_row_10_e_(int64_t in0_)
{
    WARP_AS_WRITTEN
    return (int64_t)((uint64_t)(int64_t)((uint64_t)(int64_t)mod_i_(in0_, (int64_t)INT64_C(7)) + (uint64_t)(int64_t)abs_i_(in0_)) - (uint64_t)(int64_t)((uint64_t)(int64_t)min_i_(in0_, (int64_t)INT64_C(5)) * (uint64_t)(int64_t)max_i_(in0_, (int64_t)INT64_C(2))));
}
WARP_FN void f_row_10_r_(WARP_GLOBAL const int64_t *in0_, WARP_GLOBAL int64_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (int64_t)f_row_10_e_(in0_[row_]);
}
WARP_KERNEL void f_row_10(WARP_GLOBAL const int64_t *in0_, WARP_GLOBAL int64_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_10_r_(in0_, out_, row_, p_.cols);
}
/* Row.level */
WARP_FN float f_row_11_e_(float in0_)
{
    WARP_AS_WRITTEN
    return clamp_f32_(floorf(in0_), 0.0f, 10.0f);
}
WARP_FN void f_row_11_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)f_row_11_e_(in0_[row_]);
}
WARP_KERNEL void f_row_11(WARP_GLOBAL const float *in0_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_11_r_(in0_, out_, row_, p_.cols);
}
/* Row.pick */
WARP_FN float f_row_12_e_(bool in0_, float in1_, float in2_, uint32_t in3_)
{
    WARP_AS_WRITTEN
    return (((in0_ && (in1_ > in2_)) || (!((float)in3_ == 0.0f))) ? in1_ : (-in2_));
}
WARP_FN void f_row_12_r_(WARP_GLOBAL const uint8_t *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL const uint32_t *in3_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)f_row_12_e_(in0_[row_] != 0, in1_[row_], in2_[row_], in3_[row_]);
}
WARP_KERNEL void f_row_12(WARP_GLOBAL const uint8_t *in0_, WARP_GLOBAL const float *in1_, WARP_GLOBAL const float *in2_, WARP_GLOBAL const uint32_t *in3_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_12_r_(in0_, in1_, in2_, in3_, out_, row_, p_.cols);
}
/* Row.wave */
WARP_FN double f_row_13_e_(double in0_)
{
    WARP_AS_WRITTEN
    return (((sin(in0_) * cos(in0_)) + exp(in0_)) + log(in0_));
}
WARP_FN void f_row_13_r_(WARP_GLOBAL const double *in0_, WARP_GLOBAL double *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (double)f_row_13_e_(in0_[row_]);
}
WARP_KERNEL void f_row_13(WARP_GLOBAL const double *in0_, WARP_GLOBAL double *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_13_r_(in0_, out_, row_, p_.cols);
}
/* Row.twice */
WARP_FN float f_row_14_e_(float in0_)
{
    WARP_AS_WRITTEN
    return (in0_ * 2.0f);
}
WARP_FN void f_row_14_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)f_row_14_e_(in0_[row_]);
}
WARP_KERNEL void f_row_14(WARP_GLOBAL const float *in0_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_14_r_(in0_, out_, row_, p_.cols);
}
/* Row.far */
WARP_FN int64_t f_row_15_e_(uint32_t in0_, int32_t in1_)
{
    WARP_AS_WRITTEN
    return (int64_t)((uint64_t)(int64_t)((uint64_t)(int64_t)in0_ * (uint64_t)(int64_t)in0_) - (uint64_t)(int64_t)in1_);
}
WARP_FN void f_row_15_r_(WARP_GLOBAL const uint32_t *in0_, WARP_GLOBAL const int32_t *in1_, WARP_GLOBAL int64_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (int64_t)f_row_15_e_(in0_[row_], in1_[row_]);
}
WARP_KERNEL void f_row_15(WARP_GLOBAL const uint32_t *in0_, WARP_GLOBAL const int32_t *in1_, WARP_GLOBAL int64_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_15_r_(in0_, in1_, out_, row_, p_.cols);
}
/* Row.odd */
WARP_FN bool f_row_18_e_(uint32_t in0_, uint8_t in1_, bool in2_)
{
    WARP_AS_WRITTEN
    return (((((le_u_((uint32_t)UINT64_C(0), in0_) && lt_i_((int32_t)INT64_C(255), (int32_t)in1_)) || (!eq_u_(in0_, in0_))) || lt_i_((int32_t)in1_, (int32_t)INT64_C(300))) || eq_u_(in2_, in2_)) || lt_u_(in0_, (uint32_t)UINT64_C(0)));
}
WARP_FN void f_row_18_r_(WARP_GLOBAL const uint32_t *in0_, WARP_GLOBAL const uint8_t *in1_, WARP_GLOBAL const uint8_t *in2_, WARP_GLOBAL uint8_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (uint8_t)f_row_18_e_(in0_[row_], in1_[row_], in2_[row_] != 0);
}
WARP_KERNEL void f_row_18(WARP_GLOBAL const uint32_t *in0_, WARP_GLOBAL const uint8_t *in1_, WARP_GLOBAL const uint8_t *in2_, WARP_GLOBAL uint8_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_18_r_(in0_, in1_, in2_, out_, row_, p_.cols);
}
/* Row.least */
WARP_FN int8_t f_row_19_e_(void)
{
    WARP_AS_WRITTEN
    return (int8_t)(int32_t)(0 - (uint64_t)(int32_t)INT64_C(128));
}
WARP_FN void f_row_19_r_(WARP_GLOBAL int8_t *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (int8_t)f_row_19_e_();
}
WARP_KERNEL void f_row_19(WARP_GLOBAL int8_t *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_19_r_(out_, row_, p_.cols);
}
/* Row.named */
WARP_FN float f_row_20_e_(float in0_, uint8_t in1_)
{
    WARP_AS_WRITTEN
    const float int_l_ = (in0_ * 2.0f);
    (void)int_l_;
    const float int__l_ = int_l_;
    (void)int__l_;
    const float NULL_l_ = (int__l_ + 1.0f);
    (void)NULL_l_;
    const float sqrtf_l_ = NULL_l_;
    (void)sqrtf_l_;
    return (((float)in1_ > 255.0f) ? 1.0f : fabsf((int__l_ + sqrtf_l_)));
}
WARP_FN void f_row_20_r_(WARP_GLOBAL const float *in0_, WARP_GLOBAL const uint8_t *in1_, WARP_GLOBAL float *out_, uint32_t row_, uint32_t cols_)
{
    (void)row_, (void)cols_;
    out_[row_] = (float)f_row_20_e_(in0_[row_], in1_[row_]);
}
WARP_KERNEL void f_row_20(WARP_GLOBAL const float *in0_, WARP_GLOBAL const uint8_t *in1_, WARP_GLOBAL float *out_, struct warp_params p_)
{
    const uint32_t row_ = WARP_ROW;
    if (row_ < p_.rows)
        f_row_20_r_(in0_, in1_, out_, row_, p_.cols);
}
