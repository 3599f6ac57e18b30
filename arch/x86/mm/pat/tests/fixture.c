// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of all rooms share: see pat_test.h.
 */

#include <kunit/test-bug.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <asm/pat.h>
#include <asm/processor.h>

#include "pat_test.h"

unsigned long pat_test_pfn(unsigned long i)
{
	unsigned int bits = min_t(unsigned int, boot_cpu_data.x86_phys_bits,
				  PAGE_SHIFT + BITS_PER_LONG - 1);

	return (1UL << (bits - PAGE_SHIFT)) - PAT_TEST_FRAMES + i;
}

u64 pat_test_byte(unsigned long i)
{
	return PFN_PHYS(pat_test_pfn(i));
}

static bool in_window(const struct pat_record_info *info)
{
	return info->pfn < pat_test_pfn(PAT_TEST_FRAMES) &&
	       info->pfn + info->pages > pat_test_pfn(0);
}

/* How many records are there in the window?  @first receives one of them. */
static unsigned long window_records(struct kunit *test,
				    struct pat_record_info *first)
{
	unsigned long count = 0, found = 0, i;
	struct pat_record_info *infos = pat_records_snapshot(false, &count);

	KUNIT_EXPECT_NOT_NULL(test, infos);
	for (i = 0; infos && i < count; i++) {
		if (!in_window(&infos[i]))
			continue;
		if (!found++)
			*first = infos[i];
	}
	kvfree(infos);
	return found;
}

/* Every invariant holds. */
void pat_test_valid(struct kunit *test, const char *when)
{
	struct pat_verdict verdict;

	pat_validate(&verdict);
	KUNIT_EXPECT_NULL_MSG(test, verdict.broken, "%s, frame %#lx: %s", when,
			      verdict.pfn, verdict.broken);
}

/* And the window is empty, too. */
static void expect_clean(struct kunit *test, const char *when)
{
	struct pat_record_info first = {};

	pat_test_valid(test, when);
	KUNIT_EXPECT_EQ_MSG(test, window_records(test, &first), 0,
			    "%s: a record of %lu frames at %#lx", when,
			    first.pages, first.pfn);
}

/* Take away what a failed test has left, so that the next has a chance. */
static void sweep_window(struct kunit *test)
{
	struct pat_record_info first;

	while (window_records(test, &first)) {
		struct pat_map *map;

		pat_records_lock();
		map = pat_record_find(first.pfn, first.pages);
		if (map)
			pat_record_unlink(map);
		pat_records_unlock();
		if (!map)
			break;
		map->next = NULL;
		pat_map_free_chain(map);
	}
}

static void check_at_end(void *data)
{
	struct kunit *test = data;

	expect_clean(test, "left behind");
	sweep_window(test);
}

/* A suite's init: its tests may use the window, and have to leave it empty. */
int pat_test_init(struct kunit *test)
{
	unsigned long run;

	if (!pat_enabled())
		kunit_skip(test, "the PAT is off");
	if (pat_ram_run(pat_test_pfn(0), PAT_TEST_FRAMES, &run) !=
			PAT_FRAMES_RESERVED || run != PAT_TEST_FRAMES)
		kunit_skip(test, "there is memory at the top of the physical address space");

	expect_clean(test, "found");
	return kunit_add_action(test, check_at_end, test);
}

static void log_done(void *unused)
{
	pr_info("pat-selftest: done\n");
}

/* Tell who judges the log that this test provokes lines that match @regex. */
void pat_test_expect_log(struct kunit *test, const char *regex)
{
	pr_info("pat-selftest: expect: %s\n", regex);
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, log_done, NULL), 0);
}

/* The test is over: nothing may be recorded for its address space. */
static void check_and_drop_mm(void *data)
{
	struct pat_map *map, *gone = NULL;
	struct mm_struct *mm = data;

	KUNIT_EXPECT_FALSE_MSG(kunit_get_current_test(), pat_records_any(mm),
			       "records left in an address space");
	pat_records_lock();
	while ((map = pat_record_first(mm, 0, ULONG_MAX))) {
		pat_record_unlink(map);
		map->next = gone;
		gone = map;
	}
	pat_records_unlock();
	pat_map_free_chain(gone);
	mmput(mm);
}

/* An address space without VMAs, which nobody runs in. */
struct mm_struct *pat_test_mm(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, check_and_drop_mm,
							mm), 0);
	return mm;
}

struct test_pages {
	struct page	*page;
	unsigned int	order;
};

/* Pages go back to the allocator as write-back ones. */
static void check_and_free_pages(void *data)
{
	struct test_pages *pages = data;
	unsigned long pfn = page_to_pfn(pages->page), i;

	for (i = 0; i < 1UL << pages->order; i++) {
		KUNIT_EXPECT_EQ_MSG(kunit_get_current_test(),
				    pat_ram_type(pfn + i), WB,
				    "page %lu of the test's", i);
		pat_ram_set_type(pfn + i, WB);
	}
	__free_pages(pages->page, pages->order);
}

/* 1 << @order pages, one after the other, below the end of lowmem. */
struct page *pat_test_pages(struct kunit *test, unsigned int order)
{
	struct test_pages *pages = kunit_kzalloc(test, sizeof(*pages),
						 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	pages->page = alloc_pages(GFP_KERNEL, order);
	pages->order = order;
	KUNIT_ASSERT_NOT_NULL(test, pages->page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							check_and_free_pages,
							pages), 0);
	return pages->page;
}

KUNIT_DEFINE_ACTION_WRAPPER(stop_thread, kthread_stop, struct task_struct *);

/* Run @fn, which returns when kthread_should_stop(), beside the test. */
struct task_struct *pat_test_start(struct kunit *test, int (*fn)(void *),
				   void *arg)
{
	struct task_struct *task = kthread_run(fn, arg, "pat_test");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_thread,
							task), 0);
	return task;
}

void pat_test_stop(struct kunit *test, struct task_struct *task)
{
	kunit_release_action(test, stop_thread, task);
}
