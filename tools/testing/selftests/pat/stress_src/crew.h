/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crew: all workers, as processes. Each is in a process group of its own.
 */
#ifndef PAT_STRESS_CREW_H
#define PAT_STRESS_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "worker.h"

struct kind {
	const char *name;
	void (*run)(struct worker *w);
	unsigned int workers;
};

extern const struct kind kinds[];
extern const unsigned int nr_kinds;

/* False with errno. */
bool crew_start(uint64_t seed);

/* Buries the dead and gives each a successor; complains of a death not wanted. */
void crew_tend(void);

/* Kills one of them, chosen by @random. */
void crew_kill_any(struct random *random);

/* Ends them all, and what they have left behind. */
void crew_end(void);

/* Sums: over the workers of a kind, or all. */
uint64_t crew_operations(unsigned int kind);
uint64_t crew_refused(void);
unsigned int crew_lives(void);

/* How many failures there are; prints those of workers that had none before. */
unsigned int crew_report_failures(void);

#endif
