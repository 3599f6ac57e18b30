// SPDX-License-Identifier: GPL-2.0-only
/* What the regressions share. */

#include "regression.h"
#include "../report.h"

static struct regression *regressions;

void regression_add(struct regression *regression)
{
	struct regression **link = &regressions;

	while (*link && strcmp((*link)->name, regression->name) < 0)
		link = &(*link)->next;
	regression->next = *link;
	*link = regression;
}

void regressions_run(void)
{
	const struct regression *r;
	int count = 0;

	for (r = regressions; r; r = r->next, count++) {
		long live = shim_live;

		snprintf(report_again, sizeof(report_again), "in regressions/%s.c",
			 r->name);
		report_watchdog();
		r->run();
		compare_all();
		ops_shut_down();
		SHIM_CHECK(shim_live == live);
	}
	printf("model: %d regressions: none is back\n", count);
}

struct toy_vma *map_pages(int slot, int start, int end, unsigned long frame,
			  enum page_cache_mode type)
{
	struct toy_mm *toy = toy_mms[slot] ?: toy_new(slot);
	struct toy_vma *area = toy_find(toy, start);

	down_write(&toy->mm.mmap_lock);
	if (!area)
		area = toy_mmap(toy, start, end);
	SHIM_CHECK(!toy_remap(toy, area, start, frame, end - start, type,
			      TOY_PAGES));
	up_write(&toy->mm.mmap_lock);
	return area;
}

void zap_pages(int slot, int start, int end)
{
	struct toy_mm *toy = toy_mms[slot];

	toy_zap_end(toy_zap_begin(toy, toy_find(toy, start), start, end));
}

void zap_without_memory(int slot, int start, int end)
{
	unsigned long failures = shim_failures;

	shim_fail_at = 1;
	shim_fail_length = 100;
	zap_pages(slot, start, end);
	shim_fail_at = 0;
	SHIM_CHECK(shim_failures > failures);
}

void run_worker(void)
{
	int i;

	for (i = 0; shim_work_pending(); i++) {
		SHIM_CHECK(i < 10);
		shim_run_work();
	}
}
