/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A worker is a process that repeats operations of one kind until it is told to
 * stop, or is killed and gets a successor. What it does is decided by its
 * stream of random numbers alone: by the master seed, its number, and how many
 * lives it has had.
 */
#ifndef PAT_STRESS_WORKER_H
#define PAT_STRESS_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "random.h"

#define MAX_WORKERS	16

/* What a worker and the supervisor both see. */
struct slot {
	volatile pid_t pid;		/* 0: not running */
	unsigned int lives;
	bool killed;			/* by the supervisor */
	volatile uint64_t operations;
	volatile uint64_t refused;	/* requests that met a conflict */
	volatile unsigned int failures;
	char first_failure[200];
};

struct shared {
	volatile bool stop;
	struct slot slots[MAX_WORKERS];
};

struct worker {
	unsigned int number;
	struct random random;
	struct slot *slot;
	struct shared *shared;
};

static inline void worker_did(struct worker *w)
{
	w->slot->operations++;
}

/* A request of this worker was refused, as it may be. */
static inline void worker_was_refused(struct worker *w)
{
	w->slot->refused++;
}

/* Notes a failure; the worker may go on. */
void worker_failed(struct worker *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Runs one operation after the other until the run is over. */
void worker_repeat(struct worker *w, void (*operation)(struct worker *w));

/* The kinds of workers, each of them does not return before the run is over. */
void mapper_run(struct worker *w);
void forker_run(struct worker *w);
void ioremapper_run(struct worker *w);
void ram_run(struct worker *w);
void looker_run(struct worker *w);
void fuzzer_run(struct worker *w);
void memory_run(struct worker *w);

/* What a forker executes in its child. */
#define FORKER_EXECUTED "executed-by-a-forker"
int forker_executed(void);

#endif
