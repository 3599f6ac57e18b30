/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams of random numbers, each a function of its seed alone (splitmix64).
 */
#ifndef PAT_STRESS_RANDOM_H
#define PAT_STRESS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to @n - 1. */
static inline unsigned int random_below(struct random *random, unsigned int n)
{
	return random_next(random) % n;
}

/* @low to @high. */
static inline unsigned int random_from(struct random *random, unsigned int low,
				       unsigned int high)
{
	return low + random_below(random, high - low + 1);
}

static inline bool random_one_in(struct random *random, unsigned int n)
{
	return !random_below(random, n);
}

/* The stream of one worker in one of its lives. */
static inline struct random random_stream(uint64_t seed, unsigned int worker,
					  unsigned int life)
{
	struct random random = { seed };

	random.state = random_next(&random) + worker;
	random.state = random_next(&random) + life;
	return random;
}

#endif
