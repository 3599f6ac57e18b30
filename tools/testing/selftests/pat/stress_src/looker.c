// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks types up while all others change the records: of frames that it holds
 * itself, so that it knows the answer.
 */
#include <errno.h>
#include <string.h>

#include "frames.h"
#include "oracle.h"

#define LOOKUPS 200

static const struct {
	unsigned int api;
	bool immune;		/* uncached or write-combining */
} holds[] = {
	{ PAT_TEST_IOREMAP_WT,	false },
	{ PAT_TEST_IOREMAP_WC,	true },
	{ PAT_TEST_IOREMAP_UC,	true },
};

#define HOLDS (sizeof(holds) / sizeof(holds[0]))

static void look_up(struct worker *w, unsigned int page, bool immune)
{
	struct pat_test_lookup lookup = { .pfn = frames_phys(page) / PAGE };

	if (!driver_do(PAT_TEST_LOOKUP, &lookup) || lookup.err)
		worker_failed(w, "PAT_TEST_LOOKUP: %s, %d", strerror(errno), lookup.err);
	else if (lookup.immune != immune)
		worker_failed(w, "page %u: a look-up finds it %simmune", page,
			      lookup.immune ? "" : "not ");
}

static void look_at_held(struct worker *w)
{
	unsigned int h = random_below(&w->random, HOLDS);
	unsigned int page = frames_own(w->number) + random_below(&w->random, OWN_PAGES);
	struct pat_test_map map = {
		.api = holds[h].api,
		.phys = frames_phys(page),
		.size = PAGE,
	};

	if (!driver_do(PAT_TEST_MAP, &map) || map.err) {
		if (errno != ENOMEM && map.err != PAT_TEST_NULL)
			worker_failed(w, "PAT_TEST_MAP: %s, %d", strerror(errno), map.err);
		return;
	}
	for (int i = 0; i < LOOKUPS && !w->shared->stop; i++)
		look_up(w, page, holds[h].immune);
	if (!driver_drop(PAT_TEST_UNMAP, map.handle))
		worker_failed(w, "PAT_TEST_UNMAP: %s", strerror(errno));
	/* Nobody has it: uncached-minus. */
	look_up(w, page, true);
}

static void look_at_any(struct worker *w)
{
	for (int i = 0; i < LOOKUPS && !w->shared->stop; i++) {
		struct pat_test_lookup lookup = {
			.pfn = random_one_in(&w->random, 2) ?
				random_below(&w->random, 1 << 18) :
				frames_phys(random_below(&w->random, HOT_PAGES)) / PAGE,
		};

		if (!driver_do(PAT_TEST_LOOKUP, &lookup))
			worker_failed(w, "PAT_TEST_LOOKUP: %s", strerror(errno));
	}
}

static void validate(struct worker *w)
{
	char said[160];

	if (!oracle_valid(said, sizeof(said), NULL))
		worker_failed(w, "pat_validate: %s", said);
}

static void operation(struct worker *w)
{
	switch (random_below(&w->random, 4)) {
	case 0:
		validate(w);
		break;
	case 1:
		look_at_any(w);
		break;
	default:
		look_at_held(w);
	}
}

void looker_run(struct worker *w)
{
	oracle_none(w);
	worker_repeat(w, operation);
}
