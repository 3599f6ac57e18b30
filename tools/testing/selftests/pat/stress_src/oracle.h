/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be true at any moment, whatever all the others do.
 */
#ifndef PAT_STRESS_ORACLE_H
#define PAT_STRESS_ORACLE_H

#include "worker.h"

/* pat_validate finds nothing broken; @records, if not NULL, receives how many there are. */
bool oracle_valid(char *said, int room, unsigned long *records);

/*
 * The records of a worker's own pages are exactly its mappings: @mapped[i] of
 * them of page i. More than that is given some time, since what a predecessor
 * of this worker held goes when its last bit of memory does; fewer are not.
 */
void oracle_exact(struct worker *w, const unsigned char *mapped);

/* Waits until nobody holds the worker's own pages. */
void oracle_none(struct worker *w);

/*
 * The page table entries of @nr pages at @addr map the BAR's pages from @page
 * on, and have the one type that all records of the frame have. Entries that
 * are not there are reported in @gone, one bit a page, and left to the caller.
 */
uint64_t oracle_entries(struct worker *w, const char *addr, unsigned int page,
			unsigned int nr);

/* All records of the BAR's pages from @page on are of @type, at least one each. */
void oracle_held(struct worker *w, unsigned int page, unsigned int nr, int type);

#endif
