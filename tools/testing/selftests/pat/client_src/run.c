// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* Without a holder nobody knows whose the next one is. */
static bool continues(const struct run *a, const struct run *b)
{
	return a->end == b->start && a->type == b->type &&
	       a->holder[0] && !strcmp(a->holder, b->holder);
}

void runs_add(struct runs *to, uint64_t start, uint64_t end, int type,
	      const char *holder)
{
	struct run run = { .start = start, .end = end, .type = type };

	snprintf(run.holder, sizeof(run.holder), "%s", holder);
	if (to->nr && continues(&to->runs[to->nr - 1], &run)) {
		to->runs[to->nr - 1].end = end;
		return;
	}
	if (!(to->nr & (to->nr - 1))) {
		to->runs = realloc(to->runs, (to->nr ? 2 * to->nr : 1) *
					     sizeof(run));
		if (!to->runs)
			abort();
	}
	to->runs[to->nr++] = run;
}

static int compare(const void *left, const void *right)
{
	const struct run *a = left, *b = right;
	int holders;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	holders = strcmp(a->holder, b->holder);
	return holders ? holders : a->type - b->type;
}

/* Joins the first run that continues @run and was not joined yet. */
static bool join_next(struct runs *runs, struct run *run)
{
	for (struct run *next = run + 1; next < runs->runs + runs->nr; next++) {
		if (next->start > run->end)
			return false;
		if (next->start == next->end || !continues(run, next))
			continue;
		run->end = next->end;
		next->end = next->start;
		return true;
	}
	return false;
}

void runs_sort(struct runs *runs)
{
	size_t kept = 0;

	qsort(runs->runs, runs->nr, sizeof(*runs->runs), compare);
	for (size_t i = 0; i < runs->nr; i++) {
		if (runs->runs[i].start == runs->runs[i].end)
			continue;
		while (join_next(runs, &runs->runs[i]))
			;
		runs->runs[kept++] = runs->runs[i];
	}
	runs->nr = kept;
}

void runs_free(struct runs *runs)
{
	free(runs->runs);
	*runs = (struct runs){};
}
