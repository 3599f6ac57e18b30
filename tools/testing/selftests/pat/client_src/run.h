/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of frames that are mapped with one type by one holder.
 */
#ifndef PAT_CLIENT_RUN_H
#define PAT_CLIENT_RUN_H

#include <stddef.h>
#include <stdint.h>

/* Frames [start, end) in bytes. */
struct run {
	uint64_t start;
	uint64_t end;
	int type;		/* enum pat_test_type */
	char holder[64];
};

struct runs {
	size_t nr;
	struct run *runs;
};

/* A piece is added; one that continues the one before it makes that longer. */
void runs_add(struct runs *to, uint64_t start, uint64_t end, int type,
	      const char *holder);

/* In the order of frames, those that continue one another as one. */
void runs_sort(struct runs *runs);

void runs_free(struct runs *runs);

#endif
