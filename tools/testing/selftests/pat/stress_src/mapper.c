// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that maps pages of the BAR through every file there is, and then
 * unmaps, moves, protects and revokes pieces of its mappings. It keeps a model
 * of what it has mapped and compares.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "frames.h"
#include "oracle.h"
#include "touch.h"

#define MAX_AREAS	12
#define MAX_PAGES	16	/* an area's */

/* Successive pages at successive addresses, from one mmap(). */
struct area {
	char *addr;
	unsigned int page;
	unsigned int nr;		/* 0: unused */
	enum source source;
	bool own;
	bool there[MAX_PAGES];		/* not zapped by us */
};

static struct area areas[MAX_AREAS];

static struct area *unused_area(void)
{
	for (int i = 0; i < MAX_AREAS; i++)
		if (!areas[i].nr)
			return &areas[i];
	return NULL;
}

static bool are_unused(unsigned int wanted)
{
	for (int i = 0; i < MAX_AREAS && wanted; i++)
		wanted -= !areas[i].nr;
	return !wanted;
}

static struct area *any_area(struct worker *w)
{
	struct area *area = &areas[random_below(&w->random, MAX_AREAS)];

	return area->nr ? area : NULL;
}

static void map(struct worker *w)
{
	struct area *area = unused_area();
	unsigned int room;

	if (!area)
		return;
	area->own = random_one_in(&w->random, 2);
	room = area->own ? OWN_PAGES : HOT_PAGES;
	area->source = random_below(&w->random, NR_SOURCES);
	area->nr = random_from(&w->random, 1, MAX_PAGES);
	area->page = random_below(&w->random, room - area->nr + 1);
	if (area->own)
		area->page += frames_own(w->number);
	area->addr = frames_map(&w->random, area->source, area->page, area->nr);
	if (area->addr == MAP_FAILED) {
		if (frames_may_fail(errno))
			worker_was_refused(w);
		else
			worker_failed(w, "mmap of page %u, source %u: %s",
				      area->page, area->source, strerror(errno));
		area->nr = 0;
		return;
	}
	memset(area->there, true, sizeof(area->there));
}

/* What is left of an area without the pages from @first on, @nr of them. */
static void cut(struct area *area, unsigned int first, unsigned int nr)
{
	unsigned int rest = area->nr - first - nr;
	struct area *upper;

	if (rest && first) {
		/* The caller has seen to it that there is one. */
		upper = unused_area();
		*upper = *area;
	} else {
		upper = area;
	}
	if (rest) {
		unsigned int skip = first + nr;

		upper->addr += skip * PAGE;
		upper->page += skip;
		memmove(upper->there, upper->there + skip, rest);
		upper->nr = rest;
		if (upper == area)
			return;
	}
	area->nr = first;
}

static void pick_piece(struct worker *w, const struct area *area,
		       unsigned int *first, unsigned int *nr)
{
	*first = random_below(&w->random, area->nr);
	*nr = random_from(&w->random, 1, area->nr - *first);
}

static void unmap(struct worker *w)
{
	struct area *area = any_area(w);
	unsigned int first, nr;

	if (!area || !are_unused(1))
		return;
	pick_piece(w, area, &first, &nr);
	if (!munmap(area->addr + first * PAGE, nr * PAGE))
		cut(area, first, nr);
	else if (errno != ENOMEM)
		worker_failed(w, "munmap: %s", strerror(errno));
}

static void unmap_all(struct worker *w)
{
	for (int i = 0; i < MAX_AREAS; i++) {
		if (areas[i].nr && munmap(areas[i].addr, areas[i].nr * PAGE))
			worker_failed(w, "munmap of all: %s", strerror(errno));
		areas[i].nr = 0;
	}
}

/* Moves a piece to another address. One that spans two VMAs is refused. */
static void move(struct worker *w)
{
	struct area *area = any_area(w), moved;
	unsigned int first, nr;
	char *to;

	if (!area || !are_unused(2))
		return;
	pick_piece(w, area, &first, &nr);
	to = mmap(NULL, nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return;
	moved = *area;
	moved.addr = mremap(area->addr + first * PAGE, nr * PAGE, nr * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (moved.addr == MAP_FAILED) {
		if (errno != EFAULT && errno != ENOMEM)
			worker_failed(w, "mremap: %s", strerror(errno));
		munmap(to, nr * PAGE);
		return;
	}
	moved.page += first;
	moved.nr = nr;
	memmove(moved.there, moved.there + first, nr);
	cut(area, first, nr);
	*unused_area() = moved;
}

static void protect(struct worker *w)
{
	struct area *area = any_area(w);
	unsigned int first, nr;

	if (!area)
		return;
	pick_piece(w, area, &first, &nr);
	if (mprotect(area->addr + first * PAGE, nr * PAGE,
		     random_one_in(&w->random, 2) ? PROT_READ : PROT_READ | PROT_WRITE) &&
	    errno != ENOMEM)
		worker_failed(w, "mprotect: %s", strerror(errno));
}

/* The driver takes pages away from this one VMA. */
static void zap_in_vma(struct worker *w)
{
	struct area *area = any_area(w);
	struct pat_test_zap zap = { .method = PAT_TEST_ZAP_VMA_PTES };
	unsigned int first, nr;

	if (!area || area->source != SOURCE_DRIVER)
		return;
	pick_piece(w, area, &first, &nr);
	zap.start = (uintptr_t)area->addr + first * PAGE;
	zap.size = nr * PAGE;
	if (driver_do(PAT_TEST_ZAP, &zap))
		memset(area->there + first, false, nr);
	else if (errno != EINVAL)		/* two VMAs */
		worker_failed(w, "zap_vma_ptes: %s", strerror(errno));
}

/* The driver takes hot pages away from everybody, or own pages from this one. */
static void zap_everywhere(struct worker *w)
{
	unsigned int nr = random_from(&w->random, 1, MAX_PAGES);
	unsigned int page = random_below(&w->random, HOT_PAGES - nr + 1);
	struct pat_test_zap zap = {
		.method = PAT_TEST_UNMAP_MAPPING_RANGE,
		.size = nr * PAGE,
	};

	if (random_one_in(&w->random, 2))
		page += frames_own(w->number);
	zap.start = frames_offset(SOURCE_DRIVER, page);
	if (!driver_do(PAT_TEST_ZAP, &zap)) {
		worker_failed(w, "unmap_mapping_range: %s", strerror(errno));
		return;
	}
	for (struct area *area = areas; area < areas + MAX_AREAS; area++)
		for (unsigned int i = 0; area->source == SOURCE_DRIVER && i < area->nr; i++)
			if (area->page + i >= page && area->page + i < page + nr)
				area->there[i] = false;
}

static void touch(struct worker *w)
{
	struct area *area = any_area(w);
	unsigned int i;

	if (!area)
		return;
	i = random_below(&w->random, area->nr);
	if (random_one_in(&w->random, 2))
		touch_read(area->addr + i * PAGE);
	else
		touch_write(area->addr + i * PAGE);
}

/* What others can take away: hot pages that the driver mapped. */
static void check_entries(struct worker *w)
{
	struct area *area = any_area(w);
	uint64_t gone;

	if (!area)
		return;
	gone = oracle_entries(w, area->addr, area->page, area->nr);
	for (unsigned int i = 0; i < area->nr; i++) {
		bool there = !(gone & (1ULL << i));

		if (there == area->there[i])
			continue;
		if (!there && !area->own && area->source == SOURCE_DRIVER)
			area->there[i] = false;
		else
			worker_failed(w, "page %u, source %u: the entry is %s",
				      area->page + i, area->source,
				      there ? "there" : "not there");
	}
}

static void check_records(struct worker *w)
{
	unsigned char mapped[OWN_PAGES] = {};

	for (int a = 0; a < MAX_AREAS; a++)
		for (unsigned int i = 0; areas[a].own && i < areas[a].nr; i++)
			mapped[areas[a].page - frames_own(w->number) + i] +=
							areas[a].there[i];
	oracle_exact(w, mapped);
}

static void operation(struct worker *w)
{
	/* Each as often as it stands here. */
	static void (*const operations[])(struct worker *w) = {
		map, map, map, map, map, map,
		unmap, unmap, unmap, unmap,
		move, move, move,
		protect, protect,
		zap_in_vma, zap_in_vma,
		zap_everywhere,
		touch, touch, touch,
		check_entries, check_entries,
		check_records,
	};

	if (random_one_in(&w->random, 200))
		unmap_all(w);
	else
		operations[random_below(&w->random, sizeof(operations) /
					sizeof(operations[0]))](w);
}

void mapper_run(struct worker *w)
{
	touch_prepare();
	oracle_none(w);
	worker_repeat(w, operation);
	unmap_all(w);
}
