/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for property tests: the same in every run, so that a failure can be seen again. */
#ifndef CAREEN_TESTS_RNG_H
#define CAREEN_TESTS_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 .. bound - 1; bound must not be 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    return rng_next(rng) % bound;
}

#endif
