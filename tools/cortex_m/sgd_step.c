/* Training on a microcontroller: forward, gradients and update of one layer, with kernels emitted by
 *
 *     symconv emit --input 8x8 --kernel 3x3 --channels 2 --filters 4 --stride 2 --pad 1 --bias --target c
 *
 * A layer learns the weights of another one from what that one gives. main returns 0 when the loss fell to a
 * thousandth within 300 steps.
 */
#include "conv2d_n1c2i8x8_f4k3x3_s2p1_bias.h"

#define FORWARD conv2d_n1c2i8x8_f4k3x3_s2p1_bias_forward
#define GRAD_W conv2d_n1c2i8x8_f4k3x3_s2p1_bias_grad_w
#define GRAD_B conv2d_n1c2i8x8_f4k3x3_s2p1_bias_grad_b

static float x[2 * 8 * 8], w[4 * 2 * 3 * 3], b[4], y[4 * 4 * 4], dy[4 * 4 * 4], dw[4 * 2 * 3 * 3], db[4];
static float right_w[4 * 2 * 3 * 3], right_b[4], right_y[4 * 4 * 4];

static float drawn(void) /* from -1 to 1 */
{
    static unsigned long state = 1;
    state = (state * 1664525ul + 1013904223ul) & 0xFFFFFFFFul;
    return (float)((int)(state >> 16) - 32768) / 32768.0f;
}

static void draw(float *a, int size)
{
    for (int i = 0; i < size; ++i) {
        a[i] = drawn();
    }
}

static float step(float rate)
{
    float loss = 0.0f;
    draw(x, 2 * 8 * 8);
    FORWARD(x, right_w, right_b, right_y);
    FORWARD(x, w, b, y);
    for (int i = 0; i < 4 * 4 * 4; ++i) {
        dy[i] = y[i] - right_y[i];
        loss += 0.5f * dy[i] * dy[i];
    }
    GRAD_W(x, dy, dw);
    GRAD_B(dy, db);
    for (int i = 0; i < 4 * 2 * 3 * 3; ++i) {
        w[i] -= rate * dw[i];
    }
    for (int i = 0; i < 4; ++i) {
        b[i] -= rate * db[i];
    }
    return loss;
}

int main(void)
{
    draw(right_w, 4 * 2 * 3 * 3);
    draw(right_b, 4);
    const float first = step(0.05f);
    float last = first;
    for (int i = 0; i < 300; ++i) {
        last = step(0.05f);
    }
    const float goal = 0.001f * first;
    return last < goal ? 0 : 1;
}
