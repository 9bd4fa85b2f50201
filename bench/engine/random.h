/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that are the same everywhere for one seed (SplitMix64, Steele et al., 2014). */
#ifndef CAREEN_BENCH_RANDOM_H
#define CAREEN_BENCH_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    return mix(random->state++);
}

static inline double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

static inline uint32_t random_below(struct random *random, uint32_t count)
{
    return (uint32_t)(random_unit(random) * count);
}

static inline uint32_t random_range(struct random *random, uint32_t low, uint32_t high)
{
    return low + random_below(random, high - low + 1);
}

/* Below count, small numbers more often: the density falls with the skew (1: even; 3: the first
 * tenth has nearly half of the draws). */
static inline uint32_t random_skewed(struct random *random, uint32_t count, double skew)
{
    return (uint32_t)(pow(random_unit(random), skew) * count);
}

#endif
