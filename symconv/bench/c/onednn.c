/* oneDNN's C API, version 3, as one function of one pointer: a persistent primitive on memory in its own layout. */
#include <stdint.h>
#include <stdlib.h>

#include "oneapi/dnnl/dnnl.h"

#if DNNL_VERSION_MAJOR < 3
#error "oneDNN 3 or newer is needed"
#endif

#define TRY(call) do { if ((call) != dnnl_success) return NULL; } while (0)

enum { CORRELATE, SCATTER, WEIGHTS }; /* which of the arrays x (big), w, y (small) is computed: y, x, w */

typedef struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive, to_weights;
    dnnl_memory_t memory[3], other, plain[3]; /* x, w, y in the primitive's layout; another first input; as users have them */
    dnnl_exec_arg_t sets[2][3], weights_set[2];
    int result, turn;
} Operation;

static dnnl_status_t reorder(Operation *o, dnnl_memory_t from, dnnl_memory_t to, dnnl_primitive_t *kept)
{
    const_dnnl_memory_desc_t a, b;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t made;
    dnnl_memory_get_memory_desc(from, &a);
    dnnl_memory_get_memory_desc(to, &b);
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&description, a, o->engine, b, o->engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_create(&made, description);
    if (status != dnnl_success) return status;
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    status = dnnl_primitive_execute(made, o->stream, 2, arguments);
    dnnl_stream_wait(o->stream);
    if (kept) *kept = made;
    return status;
}

/* numbers: what to compute, layout of x and y (0 any, 1 channels first, 2 channels last), spatial axes, groups, then
 * the extents of x, w and y with their leading axes (w with its groups when there are several), strides, dilations,
 * zeros below, zeros above. */
static Operation *make(const int64_t *numbers, float *const *arrays, const float *other)
{
    Operation *o = calloc(1, sizeof *o);
    const int what = (int)numbers[0], layout = (int)numbers[1], axes = (int)numbers[2], groups = numbers[3] > 1;
    const int ranks[3] = {axes + 2, axes + 2 + groups, axes + 2};
    const dnnl_format_tag_t first[7] = {0, 0, 0, dnnl_abc, dnnl_abcd, dnnl_abcde, dnnl_abcdef};
    const dnnl_format_tag_t last[6] = {0, 0, 0, dnnl_acb, dnnl_acdb, dnnl_acdeb};
    const int64_t *at = numbers + 4;
    dnnl_dims_t extents[3], steps[4];
    dnnl_memory_desc_t wanted[3], users[3];
    /* Version 3.2 takes weights of another layout for equal when one channel is both first and last. */
    TRY(dnnl_set_primitive_cache_capacity(0));
    TRY(dnnl_engine_create(&o->engine, dnnl_cpu, 0));
    TRY(dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags));
    for (int t = 0; t < 3; ++t) {
        for (int i = 0; i < ranks[t]; ++i) extents[t][i] = *at++;
        TRY(dnnl_memory_desc_create_with_tag(&users[t], ranks[t], extents[t], dnnl_f32, first[ranks[t]]));
        const dnnl_format_tag_t tag = t == 1 || layout == 0 ? dnnl_format_tag_any
                                      : layout == 1 ? first[ranks[t]] : last[ranks[t]];
        TRY(dnnl_memory_desc_create_with_tag(&wanted[t], ranks[t], extents[t], dnnl_f32, tag));
        TRY(dnnl_memory_create(&o->plain[t], users[t], o->engine, arrays[t]));
    }
    for (int s = 0; s < 4; ++s) {
        for (int i = 0; i < axes; ++i) steps[s][i] = *at++ - (s == 1); /* a dilation of 1 is called 0 */
    }
    dnnl_primitive_desc_t forward, chosen;
    TRY(dnnl_convolution_forward_primitive_desc_create(&forward, o->engine,
        what == CORRELATE ? dnnl_forward_inference : dnnl_forward_training, dnnl_convolution_auto, wanted[0], wanted[1],
        NULL, wanted[2], steps[0], steps[1], steps[2], steps[3], NULL));
    chosen = forward;
    if (what == SCATTER) {
        TRY(dnnl_convolution_backward_data_primitive_desc_create(&chosen, o->engine, dnnl_convolution_direct, wanted[0],
            wanted[1], wanted[2], steps[0], steps[1], steps[2], steps[3], forward, NULL));
    } else if (what == WEIGHTS) {
        TRY(dnnl_convolution_backward_weights_primitive_desc_create(&chosen, o->engine, dnnl_convolution_direct,
            wanted[0], wanted[1], NULL, wanted[2], steps[0], steps[1], steps[2], steps[3], forward, NULL));
    }
    TRY(dnnl_primitive_create(&o->primitive, chosen));
    const dnnl_query_t queries[3][3] = {{dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
                                        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
                                        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    const int roles[3][3] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                             {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                             {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    o->result = what == CORRELATE ? 2 : what == SCATTER ? 0 : 1;
    const int alternates = (int)*at; /* the input that has another copy */
    for (int t = 0; t < 3; ++t) {
        const_dnnl_memory_desc_t description = dnnl_primitive_desc_query_md(chosen, queries[what][t], 0);
        TRY(dnnl_memory_create(&o->memory[t], description, o->engine, DNNL_MEMORY_ALLOCATE));
        if (t == alternates) {
            dnnl_memory_t given;
            TRY(dnnl_memory_create(&given, users[t], o->engine, (void *)other));
            TRY(dnnl_memory_create(&o->other, description, o->engine, DNNL_MEMORY_ALLOCATE));
            TRY(reorder(o, given, o->other, NULL));
        }
        if (t != o->result) {
            TRY(reorder(o, o->plain[t], o->memory[t], t == 1 ? &o->to_weights : NULL));
        }
        for (int s = 0; s < 2; ++s) {
            o->sets[s][t] = (dnnl_exec_arg_t){roles[what][t], s && t == alternates ? o->other : o->memory[t]};
        }
    }
    o->weights_set[0] = (dnnl_exec_arg_t){DNNL_ARG_FROM, o->plain[1]};
    o->weights_set[1] = (dnnl_exec_arg_t){DNNL_ARG_TO, o->memory[1]};
    return o;
}

/* handle[0] is what the functions below take, 0 when oneDNN has no such primitive. */
void onednn_make(const int64_t *numbers, float *x, float *w, float *y, const float *other, int64_t *handle)
{
    float *arrays[3] = {x, w, y};
    *handle = (int64_t)(intptr_t)make(numbers, arrays, other);
}

void onednn_run(void *operation)
{
    Operation *o = operation;
    o->turn = !o->turn;
    dnnl_primitive_execute(o->primitive, o->stream, 3, o->sets[!o->turn]);
}

/* Bring the weights from the user's layout into the primitive's. */
void onednn_prepare(void *operation)
{
    Operation *o = operation;
    dnnl_primitive_execute(o->to_weights, o->stream, 2, o->weights_set);
}

/* Run on the first set and write the result into the user's array. */
void onednn_result(void *operation)
{
    Operation *o = operation;
    dnnl_primitive_execute(o->primitive, o->stream, 3, o->sets[0]);
    dnnl_stream_wait(o->stream);
    reorder(o, o->memory[o->result], o->plain[o->result], NULL);
}

void onednn_free(void *operation)
{
    Operation *o = operation;
    for (int t = 0; t < 3; ++t) {
        dnnl_memory_destroy(o->memory[t]);
        dnnl_memory_destroy(o->plain[t]);
    }
    if (o->other) dnnl_memory_destroy(o->other);
    if (o->to_weights) dnnl_primitive_destroy(o->to_weights);
    dnnl_primitive_destroy(o->primitive);
    dnnl_stream_destroy(o->stream);
    dnnl_engine_destroy(o->engine);
    free(o);
}

void onednn_version(int64_t *version)
{
    version[0] = dnnl_version()->major;
    version[1] = dnnl_version()->minor;
}
