// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of ram.c: the table of System RAM, and the types of its pages.
 */

#include <kunit/test.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include <asm/e820/types.h>
#include <asm/pat.h>

#include "pat_test.h"

static const unsigned long isa_end = ISA_END_ADDRESS >> PAGE_SHIFT;
static const unsigned long top = (unsigned long)(__PHYSICAL_MASK >> PAGE_SHIFT);

struct ram_walk {
	struct kunit	*test;
	unsigned long	end;		/* of the last range */
	unsigned int	ranges;
};

static void expect_run(struct kunit *test, unsigned long pfn, unsigned long nr,
		       enum pat_frames frames, unsigned long expected)
{
	unsigned long run = 0;

	KUNIT_EXPECT_EQ_MSG(test, pat_ram_run(pfn, nr, &run), frames,
			    "kind of frame %#lx", pfn);
	KUNIT_EXPECT_EQ_MSG(test, run, expected, "run from %#lx, at most %lu",
			    pfn, nr);
}

static int check_ram_range(unsigned long pfn, unsigned long nr, void *arg)
{
	struct ram_walk *walk = arg;
	struct kunit *test = walk->test;
	unsigned long end = pfn + nr;

	if (end <= isa_end)
		return 0;
	pfn = max(pfn, isa_end);
	nr = end - pfn;
	walk->ranges++;

	/* What lies between two ranges is reserved, up to the last frame. */
	if (pfn > walk->end) {
		unsigned long hole = pfn - walk->end;

		expect_run(test, walk->end, hole, PAT_FRAMES_RESERVED, hole);
		expect_run(test, walk->end, hole + 1, PAT_FRAMES_RESERVED, hole);
		expect_run(test, pfn - 1, 2, PAT_FRAMES_RESERVED, 1);
	}

	/* All of a range is one run, from wherever it is asked for. */
	expect_run(test, pfn, nr, PAT_FRAMES_RAM, nr);
	expect_run(test, pfn, 1, PAT_FRAMES_RAM, 1);
	expect_run(test, pfn + nr / 2, nr - nr / 2, PAT_FRAMES_RAM, nr - nr / 2);
	expect_run(test, end - 1, 1, PAT_FRAMES_RAM, 1);
	walk->end = end;
	return 0;
}

/* The table has what the resource tree calls System RAM, and nothing else. */
static void table_is_the_resource_tree(struct kunit *test)
{
	struct ram_walk walk = { .test = test, .end = isa_end };

	walk_system_ram_range(0, top, &walk, check_ram_range);
	KUNIT_EXPECT_GT(test, walk.ranges, 0);
	expect_run(test, walk.end, top - walk.end, PAT_FRAMES_RESERVED,
		   top - walk.end);
	/* A run ends with its range, however far the question goes. */
	expect_run(test, walk.end - 1, top - walk.end, PAT_FRAMES_RAM, 1);
	expect_run(test, walk.end, ULONG_MAX, PAT_FRAMES_RESERVED, ULONG_MAX);
}

/* The legacy users of /dev/mem map what is below 1 MiB as they like. */
static void below_one_mib_is_reserved(struct kunit *test)
{
	unsigned long pfn;

	for (pfn = 0; pfn < isa_end; pfn++)
		expect_run(test, pfn, isa_end - pfn, PAT_FRAMES_RESERVED,
			   isa_end - pfn);
}

static const enum page_cache_mode ram_types[] = { WB, WC, UCM, WT };

/* Each type, after each: page->flags has two bits for it and many others. */
static void types_and_other_flags(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 1);
	unsigned long pfn = page_to_pfn(page), before[2];
	int from, to;

	SetPagePrivate(page);
	before[0] = page[0].flags & ~PAGE_FLAGS_MEMTYPE;
	before[1] = page[1].flags & ~PAGE_FLAGS_MEMTYPE;
	for (from = 0; from < ARRAY_SIZE(ram_types); from++)
		for (to = 0; to < ARRAY_SIZE(ram_types); to++) {
			pat_ram_set_type(pfn, ram_types[from]);
			pat_ram_set_type(pfn + 1, ram_types[to]);
			pat_ram_set_type(pfn, ram_types[to]);
			pat_ram_set_type(pfn + 1, ram_types[from]);

			KUNIT_EXPECT_EQ(test, pat_ram_type(pfn), ram_types[to]);
			KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 1),
					ram_types[from]);
			KUNIT_EXPECT_EQ(test, page[0].flags & ~PAGE_FLAGS_MEMTYPE,
					before[0]);
			KUNIT_EXPECT_EQ(test, page[1].flags & ~PAGE_FLAGS_MEMTYPE,
					before[1]);
		}
	ClearPagePrivate(page);
	pat_ram_set_type(pfn, WB);
	pat_ram_set_type(pfn + 1, WB);
}

struct flipper {
	struct page	*page;
	unsigned long	turns, wrong;
};

/* Somebody who owns another flag of the page, and writes it atomically. */
static int flip_another_flag(void *arg)
{
	struct flipper *flipper = arg;

	while (!kthread_should_stop()) {
		SetPagePrivate(flipper->page);
		if (!PagePrivate(flipper->page))
			flipper->wrong++;
		ClearPagePrivate(flipper->page);
		if (PagePrivate(flipper->page))
			flipper->wrong++;
		WRITE_ONCE(flipper->turns, flipper->turns + 1);
		cond_resched();
	}
	return 0;
}

/* Somebody who owns the next page, and changes its type. */
static int flip_the_next_page(void *arg)
{
	struct flipper *flipper = arg;
	unsigned long pfn = page_to_pfn(flipper->page) + 1;

	while (!kthread_should_stop()) {
		enum page_cache_mode type =
			ram_types[flipper->turns % ARRAY_SIZE(ram_types)];

		pat_ram_set_type(pfn, type);
		if (pat_ram_type(pfn) != type)
			flipper->wrong++;
		WRITE_ONCE(flipper->turns, flipper->turns + 1);
		cond_resched();
	}
	pat_ram_set_type(pfn, WB);
	return 0;
}

#define FLIPS	20000

/* No update of the bits loses one of another flag, nor the other way round. */
static void types_beside_other_writers(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 1);
	struct flipper flags = { .page = page }, next = { .page = page };
	unsigned long pfn = page_to_pfn(page), turn, wrong = 0;
	unsigned long limit = jiffies + 20 * HZ;
	struct task_struct *tasks[2];

	tasks[0] = pat_test_start(test, flip_another_flag, &flags);
	tasks[1] = pat_test_start(test, flip_the_next_page, &next);
	for (turn = 0; turn < FLIPS || !READ_ONCE(flags.turns) ||
		       !READ_ONCE(next.turns); turn++) {
		enum page_cache_mode type = ram_types[turn % ARRAY_SIZE(ram_types)];

		pat_ram_set_type(pfn, type);
		if (pat_ram_type(pfn) != type)
			wrong++;
		cond_resched();
		if (time_after(jiffies, limit))
			break;
	}
	pat_test_stop(test, tasks[0]);
	pat_test_stop(test, tasks[1]);

	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, flags.wrong, 0);
	KUNIT_EXPECT_EQ(test, next.wrong, 0);
	KUNIT_EXPECT_GT(test, flags.turns, 0);
	KUNIT_EXPECT_GT(test, next.turns, 0);
	pat_ram_set_type(pfn, WB);
}

#ifdef CONFIG_MEMORY_HOTPLUG

#define MAX_RUNS	256

struct run {
	unsigned long	pfn, nr;
	enum pat_frames	frames;
};

/* The whole table, as somebody sees it who asks from frame 0 on. */
static unsigned int all_runs(struct kunit *test, struct run *runs)
{
	unsigned long pfn, run;
	unsigned int n = 0;

	for (pfn = 0; pfn < top && n < MAX_RUNS; pfn += run, n++) {
		runs[n].frames = pat_ram_run(pfn, top - pfn, &run);
		runs[n].pfn = pfn;
		runs[n].nr = run;
		KUNIT_ASSERT_GT(test, run, 0);
	}
	KUNIT_EXPECT_GE(test, pfn, top);
	return n;
}

/* The window's units as a string: '.' reserved, 'o' offline, 'R' RAM. */
static void draw_window(struct kunit *test, char *picture)
{
	unsigned long i = 0, run;

	memset(picture, 0, PAT_TEST_UNITS + 1);
	while (i < PAT_TEST_FRAMES) {
		enum pat_frames frames = pat_ram_run(pat_test_pfn(i),
						     PAT_TEST_FRAMES - i, &run);
		char c = frames == PAT_FRAMES_RESERVED ? '.' :
			 frames == PAT_FRAMES_OFFLINE ? 'o' : 'R';

		KUNIT_ASSERT_GT(test, run, 0);
		KUNIT_ASSERT_EQ(test, run % PAT_TEST_UNIT, 0);
		/* Two runs of one kind, one after the other, should be one. */
		if (i)
			KUNIT_EXPECT_NE_MSG(test, picture[i / PAT_TEST_UNIT - 1],
					    c, "unit %lu", i / PAT_TEST_UNIT);
		memset(picture + i / PAT_TEST_UNIT, c, run / PAT_TEST_UNIT);
		i += run;
	}
}

static void remove_window(void *unused)
{
	mem_hotplug_begin();
	pat_ram_remove(pat_test_byte(0), PFN_PHYS(PAT_TEST_FRAMES));
	mem_hotplug_done();
}

enum edit_op { ADD, REMOVE };

static int edit(enum edit_op op, unsigned int unit, unsigned int units)
{
	u64 start = pat_test_byte(unit * PAT_TEST_UNIT);
	u64 size = PFN_PHYS(units * PAT_TEST_UNIT);
	int err = 0;

	mem_hotplug_begin();
	if (op == ADD)
		err = pat_ram_add(start, size);
	else
		pat_ram_remove(start, size);
	mem_hotplug_done();
	return err;
}

struct edits {
	const char	*name;
	struct {
		enum edit_op	op;
		unsigned int	unit, units;
		const char	*after;
	} steps[8];
};

/* What hotplug does to the table, one picture a step. */
static const struct edits edits[] = {
	{ "come and go", {
		{ ADD, 2, 1, "..o....." }, { REMOVE, 2, 1, "........" } } },
	{ "the middle of a range goes", {
		{ ADD, 1, 5, ".ooooo.." }, { REMOVE, 3, 1, ".oo.oo.." },
		{ REMOVE, 1, 2, "....oo.." }, { REMOVE, 4, 2, "........" } } },
	{ "head and tail of a range go", {
		{ ADD, 1, 5, ".ooooo.." }, { REMOVE, 1, 1, "..oooo.." },
		{ REMOVE, 5, 1, "..ooo..." } } },
	{ "neighbours become one range", {
		{ ADD, 1, 1, ".o......" }, { ADD, 2, 1, ".oo....." },
		{ ADD, 0, 1, "ooo....." }, { REMOVE, 0, 3, "........" } } },
	{ "the gap between two is filled", {
		{ ADD, 1, 2, ".oo....." }, { ADD, 5, 2, ".oo..oo." },
		{ ADD, 3, 2, ".oooooo." }, { REMOVE, 1, 6, "........" } } },
	{ "what is added overlaps", {
		{ ADD, 1, 3, ".ooo...." }, { ADD, 2, 4, ".ooooo.." },
		{ ADD, 0, 8, "oooooooo" }, { ADD, 3, 1, "oooooooo" } } },
	{ "more is removed than there is", {
		{ ADD, 1, 1, ".o......" }, { ADD, 3, 1, ".o.o...." },
		{ ADD, 5, 1, ".o.o.o.." }, { REMOVE, 1, 3, ".....o.." },
		{ REMOVE, 0, 8, "........" } } },
	{ "nothing is removed", {
		{ REMOVE, 3, 2, "........" }, { ADD, 0, 1, "o......." },
		{ REMOVE, 1, 7, "o......." } } },
};
KUNIT_ARRAY_PARAM_DESC(edits, edits, name);

/* Memory comes and goes; all the rest of the table stays as it is. */
static void hotplug(struct kunit *test)
{
	const struct edits *table = test->param_value;
	struct run *before, *after;
	char picture[PAT_TEST_UNITS + 1];
	unsigned int nr, i;

	before = kunit_kcalloc(test, MAX_RUNS, sizeof(*before), GFP_KERNEL);
	after = kunit_kcalloc(test, MAX_RUNS, sizeof(*after), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_NOT_NULL(test, after);
	nr = all_runs(test, before);
	KUNIT_ASSERT_EQ(test, kunit_add_action(test, remove_window, NULL), 0);

	for (i = 0; i < ARRAY_SIZE(table->steps) && table->steps[i].after; i++) {
		KUNIT_EXPECT_EQ(test, edit(table->steps[i].op,
					   table->steps[i].unit,
					   table->steps[i].units), 0);
		draw_window(test, picture);
		KUNIT_EXPECT_STREQ_MSG(test, picture, table->steps[i].after,
				       "after step %u", i);
	}

	kunit_release_action(test, remove_window, NULL);
	KUNIT_EXPECT_EQ(test, all_runs(test, after), nr);
	KUNIT_EXPECT_MEMEQ(test, after, before, nr * sizeof(*after));
}

/* The edges of an added range, to the frame; and what it says of a type. */
static void added_memory_is_offline(struct kunit *test)
{
	unsigned long first = pat_test_pfn(2 * PAT_TEST_UNIT);
	unsigned long end = first + PAT_TEST_UNIT;

	KUNIT_ASSERT_EQ(test, kunit_add_action(test, remove_window, NULL), 0);
	KUNIT_ASSERT_EQ(test, edit(ADD, 2, 1), 0);
	expect_run(test, first - 1, 1, PAT_FRAMES_RESERVED, 1);
	expect_run(test, first - 1, 2, PAT_FRAMES_RESERVED, 1);
	expect_run(test, first, 1, PAT_FRAMES_OFFLINE, 1);
	expect_run(test, end - 1, 1, PAT_FRAMES_OFFLINE, 1);
	expect_run(test, end - 1, 2, PAT_FRAMES_OFFLINE, 1);
	expect_run(test, end, 1, PAT_FRAMES_RESERVED, 1);

	/* There are no struct pages to ask: it is write-back, untouched. */
	KUNIT_EXPECT_EQ(test, pat_lookup(first), WB);
	KUNIT_EXPECT_EQ(test, pat_lookup(end - 1), WB);
	KUNIT_EXPECT_EQ(test, pat_lookup(end), UCM);
}

struct reader {
	unsigned long	ram, held;
	unsigned long	turns, wrong;
};

static int read_table(void *arg)
{
	struct reader *reader = arg;
	unsigned long run;

	while (!kthread_should_stop()) {
		if (pat_ram_run(reader->ram, 2, &run) != PAT_FRAMES_RAM)
			reader->wrong++;
		if (pat_ram_run(reader->held, 1, &run) != PAT_FRAMES_OFFLINE ||
		    run != 1)
			reader->wrong++;
		WRITE_ONCE(reader->turns, reader->turns + 1);
		cond_resched();
	}
	return 0;
}

/* While others come and go, a range that stays is there all the time. */
static void look_ups_beside_hotplug(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 0);
	struct reader reader = {
		.ram	= page_to_pfn(page),
		.held	= pat_test_pfn(3 * PAT_TEST_UNIT),
	};
	unsigned long limit = jiffies + 20 * HZ;
	struct task_struct *task;
	unsigned int turn;

	KUNIT_ASSERT_EQ(test, kunit_add_action(test, remove_window, NULL), 0);
	KUNIT_ASSERT_EQ(test, edit(ADD, 3, 1), 0);
	task = pat_test_start(test, read_table, &reader);
	for (turn = 0; turn < 500 || READ_ONCE(reader.turns) < 100; turn++) {
		KUNIT_EXPECT_EQ(test, edit(ADD, turn % 3, 1), 0);
		KUNIT_EXPECT_EQ(test, edit(ADD, 4 + turn % 4, 1), 0);
		edit(REMOVE, (turn + 1) % 3, 1);
		edit(REMOVE, 4 + (turn + 1) % 4, 1);
		cond_resched();
		if (time_after(jiffies, limit))
			break;
	}
	pat_test_stop(test, task);
	KUNIT_EXPECT_EQ(test, reader.wrong, 0);
	KUNIT_EXPECT_GE(test, reader.turns, 100);
}
#endif /* CONFIG_MEMORY_HOTPLUG */

static struct kunit_case ram_cases[] = {
	KUNIT_CASE(table_is_the_resource_tree),
	KUNIT_CASE(below_one_mib_is_reserved),
	KUNIT_CASE(types_and_other_flags),
	KUNIT_CASE(types_beside_other_writers),
#ifdef CONFIG_MEMORY_HOTPLUG
	KUNIT_CASE_PARAM(hotplug, edits_gen_params),
	KUNIT_CASE(added_memory_is_offline),
	KUNIT_CASE_SLOW(look_ups_beside_hotplug),
#endif
	{}
};

static struct kunit_suite ram_suite = {
	.name		= "pat_ram",
	.init		= pat_test_init,
	.test_cases	= ram_cases,
};
kunit_test_suite(ram_suite);
