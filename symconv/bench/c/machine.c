/* What one core can do at best: multiply-adds on registers, and reading memory from front to back. */
#include <stdint.h>

typedef float vector4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float vector8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float vector16 __attribute__((vector_size(64), aligned(4), may_alias));

/* Twelve sums that do not wait for each other: more than latency times units of today's cores. They start from
 * different values, or a compiler would find that one of them is enough. */
#define START(V, k) *(const V *)(values + (k))
#define MULTIPLY_ADDS(V)                                                                             \
    void bench_multiply_adds_##V(const int64_t *times, const float *values, float *result)           \
    {                                                                                                \
        const V a = START(V, 0), b = START(V, 16);                                                   \
        V s0 = START(V, 1), s1 = START(V, 2), s2 = START(V, 3), s3 = START(V, 4), s4 = START(V, 5),  \
          s5 = START(V, 6), s6 = START(V, 7), s7 = START(V, 8), s8 = START(V, 9), s9 = START(V, 10), \
          sa = START(V, 11), sb = START(V, 12);                                                      \
        for (int64_t i = 0; i < *times; ++i) {                                                       \
            s0 = s0 * a + b; s1 = s1 * a + b; s2 = s2 * a + b; s3 = s3 * a + b;                      \
            s4 = s4 * a + b; s5 = s5 * a + b; s6 = s6 * a + b; s7 = s7 * a + b;                      \
            s8 = s8 * a + b; s9 = s9 * a + b; sa = sa * a + b; sb = sb * a + b;                      \
        }                                                                                            \
        *(V *)result = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + sa + sb;                    \
    }
MULTIPLY_ADDS(vector4)
MULTIPLY_ADDS(vector8)
MULTIPLY_ADDS(vector16)

/* Add up `*count` floats, a multiple of 128. */
void bench_read(const int64_t *count, const float *values, float *result)
{
    vector16 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    for (int64_t i = 0; i < *count; i += 128) {
        const vector16 *v = (const vector16 *)(values + i);
        s0 += v[0]; s1 += v[1]; s2 += v[2]; s3 += v[3]; s4 += v[4]; s5 += v[5]; s6 += v[6]; s7 += v[7];
    }
    *(vector16 *)result = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
}
