/* What an author writes by hand: the nested loops of a textbook, with constant extents.
 *
 * The compiler gets as macros: N samples, G groups, C and F channels of a group in the big array x and the small
 * array y, Z Y X the extents of x, OZ OY OX those of y, KZ KY KX the kernel, S* strides, D* dilations, P* zeros
 * before the first element.
 */
#define EACH_PRODUCT                                                                                     \
    for (int n = 0; n < N; ++n) for (int g = 0; g < G; ++g) for (int f = 0; f < F; ++f)                  \
    for (int i = 0; i < OZ; ++i) for (int j = 0; j < OY; ++j) for (int k = 0; k < OX; ++k)               \
    for (int c = 0; c < C; ++c)                                                                          \
    for (int p = 0; p < KZ; ++p) for (int q = 0; q < KY; ++q) for (int r = 0; r < KX; ++r)               \
        if (INSIDE(i * SZ + p * DZ - PZ, Z) && INSIDE(j * SY + q * DY - PY, Y) && INSIDE(k * SX + r * DX - PX, X))
#define INSIDE(at, extent) (0 <= (at) && (at) < (extent))
#define AT_X ((((n * G + g) * C + c) * Z + i * SZ + p * DZ - PZ) * Y + j * SY + q * DY - PY) * X + k * SX + r * DX - PX
#define AT_W (((((g * F + f) * C + c) * KZ + p) * KY + q) * KX + r)
#define AT_Y ((((n * G + g) * F + f) * OZ + i) * OY + j) * OX + k

void naive_correlate(const float *restrict x, const float *restrict w, float *restrict y)
{
    for (int at = 0; at < N * G * F * OZ * OY * OX; ++at) y[at] = 0;
    EACH_PRODUCT y[AT_Y] += x[AT_X] * w[AT_W];
}

void naive_scatter(const float *restrict y, const float *restrict w, float *restrict x)
{
    for (int at = 0; at < N * G * C * Z * Y * X; ++at) x[at] = 0;
    EACH_PRODUCT x[AT_X] += y[AT_Y] * w[AT_W];
}

void naive_weights(const float *restrict x, const float *restrict y, float *restrict w)
{
    for (int at = 0; at < G * F * C * KZ * KY * KX; ++at) w[at] = 0;
    EACH_PRODUCT w[AT_W] += x[AT_X] * y[AT_Y];
}
