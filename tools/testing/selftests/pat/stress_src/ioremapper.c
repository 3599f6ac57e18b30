// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that maps and reserves pages of the BAR for the kernel.
 */
#include <errno.h>
#include <string.h>

#include "frames.h"
#include "oracle.h"

#define MAX_MAPS	20
#define MAX_PAGES	8

static struct kernel_map {
	unsigned int handle;		/* 0: unused */
	unsigned int page;
	unsigned int nr;
	bool own;
	int type;
} maps[MAX_MAPS];

/* May an API fail so? There is a conflict, or no memory. */
static bool may_fail(int err)
{
	return err == PAT_TEST_NULL || err == -EBUSY || err == -EINVAL ||
	       err == -ENOMEM;
}

static void map(struct worker *w, struct kernel_map *map)
{
	struct pat_test_map req = {
		.api = random_below(&w->random, PAT_TEST_NR_MAP_APIS),
		.type = random_below(&w->random, PAT_TEST_WT + 1),
	};

	map->own = random_one_in(&w->random, 2);
	map->nr = random_from(&w->random, 1, MAX_PAGES);
	map->page = random_below(&w->random, HOT_PAGES - map->nr + 1);
	if (map->own)
		map->page += frames_own(w->number);
	req.phys = frames_phys(map->page);
	req.size = map->nr * PAGE;
	if (!driver_do(PAT_TEST_MAP, &req)) {
		if (errno != ENOMEM)
			worker_failed(w, "PAT_TEST_MAP: %s", strerror(errno));
		return;
	}
	if (req.err) {
		if (may_fail(req.err))
			worker_was_refused(w);
		else
			worker_failed(w, "API %u: error %d", req.api, req.err);
		return;
	}
	map->handle = req.handle;
	map->type = req.got;
	if (req.got < 0 && req.got != PAT_TEST_NO_ADDRESS)
		worker_failed(w, "API %u on page %u: a mapping of type %d",
			      req.api, map->page, req.got);
}

static void unmap(struct worker *w, struct kernel_map *map)
{
	if (!driver_drop(PAT_TEST_UNMAP, map->handle))
		worker_failed(w, "PAT_TEST_UNMAP: %s", strerror(errno));
	map->handle = 0;
}

static void check_records(struct worker *w)
{
	unsigned char mapped[OWN_PAGES] = {};

	for (int m = 0; m < MAX_MAPS; m++)
		for (unsigned int i = 0; maps[m].handle && maps[m].own && i < maps[m].nr; i++)
			mapped[maps[m].page - frames_own(w->number) + i]++;
	oracle_exact(w, mapped);
}

static void operation(struct worker *w)
{
	struct kernel_map *any = &maps[random_below(&w->random, MAX_MAPS)];

	if (random_one_in(&w->random, 20))
		check_records(w);
	else if (!any->handle)
		map(w, any);
	else if (any->type >= 0 && random_one_in(&w->random, 3))
		oracle_held(w, any->page, any->nr, any->type);
	else
		unmap(w, any);
}

void ioremapper_run(struct worker *w)
{
	oracle_none(w);
	worker_repeat(w, operation);
	for (int m = 0; m < MAX_MAPS; m++)
		if (maps[m].handle)
			unmap(w, &maps[m]);
}
