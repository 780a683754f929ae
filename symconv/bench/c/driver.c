/* Times compiled functions in turns, by the processor time of this process.
 *
 * Every function is called through a volatile pointer and with two sets of arguments in turn, so that no compiler
 * can know it, inline it or move it out of the loop. Odd rounds go the other way round.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <time.h>

#define MOST 8 /* arguments of one function */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define A(n) ((void *)(intptr_t)a[n])
#define CALLS(number, types, ...)                               \
    case number:                                                \
        for (int64_t i = 0; i < calls; ++i) {                   \
            const int64_t *a = sets + (i & 1) * MOST;           \
            ((void (*) types)target)(__VA_ARGS__);              \
        }                                                       \
        break;

static void repeat(int64_t place, int64_t count, const int64_t *sets, int64_t calls)
{
    void (*volatile target)(void) = (void (*)(void))(intptr_t)place;
    switch (count) {
        CALLS(1, (void *), A(0))
        CALLS(2, (void *, void *), A(0), A(1))
        CALLS(3, (void *, void *, void *), A(0), A(1), A(2))
        CALLS(4, (void *, void *, void *, void *), A(0), A(1), A(2), A(3))
        CALLS(5, (void *, void *, void *, void *, void *), A(0), A(1), A(2), A(3), A(4))
        CALLS(6, (void *, void *, void *, void *, void *, void *), A(0), A(1), A(2), A(3), A(4), A(5))
    }
}

/* A function that does nothing: what it takes is what timing takes. */
void bench_nothing(void *unused)
{
    (void)unused;
}

/* numbers: functions, rounds, bytes to walk over before each sample (0: one call ahead of it instead, so that
 * caches are warm). seconds[round][function] is the mean of calls[function] calls. */
void bench_turns(const int64_t *numbers, const int64_t *places, const int64_t *counts, const int64_t *arguments,
                 const int64_t *calls, unsigned char *memory, double *seconds)
{
    const int64_t functions = numbers[0], rounds = numbers[1], bytes = numbers[2];
    for (int64_t round = 0; round < rounds; ++round) {
        for (int64_t turn = 0; turn < functions; ++turn) {
            const int64_t f = round % 2 ? functions - 1 - turn : turn;
            const int64_t *sets = arguments + f * 2 * MOST;
            for (int64_t i = 0; i < bytes; i += 64) {
                ++memory[i];
            }
            if (!bytes) {
                repeat(places[f], counts[f], sets, 1);
            }
            const double start = now();
            repeat(places[f], counts[f], sets, calls[f]);
            seconds[round * functions + f] = (now() - start) / (double)calls[f];
        }
    }
}
