// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of reserved.c: the records, who may be one, and who finds them.
 */

#include <kunit/test.h>
#include <linux/device/driver.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/pat.h>

#include "pat_test.h"

/* A record of window frames, neither linked nor held by anybody. */
static struct pat_map *new_record(struct kunit *test, unsigned long i,
				  unsigned long nr)
{
	struct pat_map *map = pat_map_alloc(pat_test_pfn(i), nr, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->holder = PAT_HOLDER_RANGE;
	return map;
}

/* The same at page @page of an address space. */
static struct pat_map *new_mapping(struct kunit *test, struct mm_struct *mm,
				   unsigned long page, unsigned long i,
				   unsigned long nr)
{
	struct pat_map *map = new_record(test, i, nr);

	map->holder = PAT_HOLDER_USER;
	map->vma.vm_mm = mm;
	map->vma.vm_start = page << PAGE_SHIFT;
	map->vma.vm_end = (page + nr) << PAGE_SHIFT;
	return map;
}

static void link(struct pat_map *map, enum page_cache_mode type)
{
	map->vma.vm_page_prot = pat_pgprot(__pgprot(0), type);
	pat_records_lock();
	pat_record_link(map);
	pat_records_unlock();
}

static struct pat_map *held(struct kunit *test, unsigned long i,
			    unsigned long nr, enum page_cache_mode type)
{
	struct pat_map *map = new_record(test, i, nr);

	link(map, type);
	return map;
}

static int admit(struct pat_map *map, enum page_cache_mode want,
		 enum pat_match match)
{
	int err;

	pat_records_lock();
	err = pat_record_admit(map, want, want, match);
	pat_records_unlock();
	return err;
}

static void move_ends(struct pat_map *map, unsigned long start,
		      unsigned long end)
{
	pat_records_lock();
	pat_record_move_ends(map, start, end);
	pat_records_unlock();
}

static void split(struct pat_map *map, struct pat_map *upper,
		  unsigned long addr)
{
	pat_records_lock();
	pat_record_split(map, upper, addr);
	pat_records_unlock();
}

/* How many records of @mm touch its pages [@page, @end)? */
static unsigned int touching(struct mm_struct *mm, unsigned long page,
			     unsigned long end)
{
	struct pat_map *map;
	unsigned int n = 0;

	page <<= PAGE_SHIFT;
	end <<= PAGE_SHIFT;
	pat_records_lock();
	for (map = pat_record_first(mm, page, end); map;
	     map = pat_record_next(map, page, end))
		n++;
	pat_records_unlock();
	return n;
}

static void drop(struct pat_map *map)
{
	pat_records_lock();
	pat_record_unlink(map);
	pat_records_unlock();
	map->next = NULL;
	pat_map_free_chain(map);
}

/* Each window frame from @i on has the type that a letter of @types says. */
static void expect_types(struct kunit *test, unsigned long i, const char *types,
			 const char *when)
{
	static const char letters[] = {
		[WB] = 'B', [WC] = 'C', [UCM] = '-', [UC] = 'U', [WT] = 'T',
		[WP] = 'P',
	};
	unsigned long n;

	for (n = 0; types[n]; n++)
		KUNIT_EXPECT_EQ_MSG(test,
				    letters[pat_reserved_type(pat_test_pfn(i + n))],
				    types[n], "%s: window frame %lu of %s", when,
				    i + n, types);
}

static void expect_range(struct kunit *test, const struct pat_map *map,
			 unsigned long i, unsigned long nr)
{
	KUNIT_EXPECT_EQ(test, pat_map_pfn(map), pat_test_pfn(i));
	KUNIT_EXPECT_EQ(test, pat_map_pages(map), nr);
}

/* The first frame, the last one, and both neighbours, for each type. */
static void look_up_edges(struct kunit *test)
{
	enum page_cache_mode type;

	expect_types(test, 0, "----", "nothing is recorded");
	for (type = WB; type <= WP; type++) {
		struct pat_map *one = held(test, 10, 1, type);
		struct pat_map *many = held(test, 100, 1000, type);

		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(9)), UCM);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(10)), type);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(11)), UCM);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(99)), UCM);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(100)), type);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(600)), type);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(1099)), type);
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(1100)), UCM);
		drop(many);
		drop(one);
	}
}

struct admission {
	const char		*name;
	struct {
		unsigned long		i, nr;
		enum page_cache_mode	type;
	} there[4];
	unsigned long		i, nr;
	enum page_cache_mode	want;
	int			exact, any;	/* results */
	enum page_cache_mode	any_type;
};

/*
 * The rule, case by case: with PAT_MATCH_EXACT all that overlap must have the
 * type wanted; with PAT_MATCH_ANY they must have one type among themselves.
 */
static const struct admission admissions[] = {
	{ "nobody is there", {}, 20, 4, WC, 0, 0, WC },
	{ "the same, agreeing", { { 20, 4, WC } }, 20, 4, WC, 0, 0, WC },
	{ "the same, another type", { { 20, 4, WC } }, 20, 4, WB, -EBUSY, 0, WC },
	{ "ends where another begins", { { 24, 4, WC } }, 20, 4, WB, 0, 0, WB },
	{ "begins where another ends", { { 16, 4, WC } }, 20, 4, WB, 0, 0, WB },
	{ "between two others", { { 16, 4, WC }, { 24, 4, UC } }, 20, 4, WB, 0, 0, WB },
	{ "overlaps at the first frame", { { 17, 4, WT } }, 20, 4, WC, -EBUSY, 0, WT },
	{ "overlaps at the last frame", { { 23, 4, WT } }, 20, 4, WC, -EBUSY, 0, WT },
	{ "inside another", { { 10, 40, UC } }, 20, 4, UCM, -EBUSY, 0, UC },
	{ "around another", { { 21, 1, UCM } }, 20, 4, UC, -EBUSY, 0, UCM },
	{ "around two that agree", { { 20, 1, WC }, { 22, 1, WC } }, 20, 4, WC, 0, 0, WC },
	{ "around two that agree on another type", { { 20, 1, WC }, { 22, 1, WC } },
	  20, 4, WB, -EBUSY, 0, WC },
	{ "around two that disagree", { { 20, 1, WC }, { 23, 1, WB } },
	  20, 4, WC, -EBUSY, -EBUSY },
	{ "around two that disagree, the last one agrees", { { 20, 1, WC }, { 23, 1, WB } },
	  20, 4, WB, -EBUSY, -EBUSY },
	{ "the fourth is the odd one", { { 20, 1, WC }, { 21, 1, WC }, { 22, 1, WC }, { 23, 1, WT } },
	  20, 4, WC, -EBUSY, -EBUSY },
	{ "nested ones agree", { { 10, 40, WP }, { 21, 2, WP } }, 20, 4, WP, 0, 0, WP },
};
KUNIT_ARRAY_PARAM_DESC(admission, admissions, name);

static void try_admission(struct kunit *test, const struct admission *a,
			  enum pat_match match, int expected,
			  enum page_cache_mode expected_type)
{
	struct pat_map *map = new_record(test, a->i, a->nr);
	enum page_cache_mode before[64];
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = pat_reserved_type(pat_test_pfn(i));

	KUNIT_EXPECT_EQ(test, admit(map, a->want, match), expected);
	if (expected) {
		/* A refusal changes nothing, and the record is not linked. */
		for (i = 0; i < ARRAY_SIZE(before); i++)
			KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(i)),
					before[i]);
		pat_map_free_chain(map);
		return;
	}
	KUNIT_EXPECT_EQ(test, pat_map_type(map), expected_type);
	for (i = 0; i < ARRAY_SIZE(before); i++)
		KUNIT_EXPECT_EQ(test, pat_reserved_type(pat_test_pfn(i)),
				i - a->i < a->nr ? expected_type : before[i]);
	drop(map);
}

static void admission(struct kunit *test)
{
	const struct admission *a = test->param_value;
	struct pat_map *there[ARRAY_SIZE(a->there)] = {};
	int i;

	pat_test_expect_log(test, "conflicting memory types");
	for (i = 0; i < ARRAY_SIZE(there) && a->there[i].nr; i++)
		there[i] = held(test, a->there[i].i, a->there[i].nr,
				a->there[i].type);
	try_admission(test, a, PAT_MATCH_EXACT, a->exact, a->want);
	try_admission(test, a, PAT_MATCH_ANY, a->any, a->any_type);
	for (i = 0; i < ARRAY_SIZE(there) && there[i]; i++)
		drop(there[i]);
}

/* RAM records carry no type, so they have no say about their neighbours'. */
static void ram_records_have_no_say(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 0);
	struct pat_map *ram = pat_map_alloc(page_to_pfn(page), 1, GFP_KERNEL);
	struct pat_map *map = pat_map_alloc(page_to_pfn(page), 1, GFP_KERNEL);
	struct pat_record_info *infos;
	unsigned long count, i;

	KUNIT_ASSERT_NOT_NULL(test, ram);
	KUNIT_ASSERT_NOT_NULL(test, map);
	ram->ram = true;
	map->ram = true;
	link(ram, WB);
	KUNIT_EXPECT_EQ(test, admit(map, WC, PAT_MATCH_EXACT), 0);

	/* Nor are they listed. */
	infos = pat_records_snapshot(false, &count);
	KUNIT_EXPECT_NOT_NULL(test, infos);
	for (i = 0; infos && i < count; i++)
		KUNIT_EXPECT_NE(test, infos[i].pfn, page_to_pfn(page));
	kvfree(infos);
	drop(map);
	drop(ram);
}

#define MANY	200

/* One range many times: each record counts, and the last one holds the type. */
static void identical_ranges(struct kunit *test)
{
	struct pat_map **maps = kunit_kcalloc(test, MANY, sizeof(*maps),
					      GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, maps);
	for (i = 0; i < MANY; i++) {
		maps[i] = new_record(test, 40, 3);
		KUNIT_EXPECT_EQ(test, admit(maps[i], WT, PAT_MATCH_EXACT), 0);
	}
	/* Neither in the order in which they came, nor in the reverse one. */
	for (i = 0; i < MANY; i++) {
		expect_types(test, 39, "-TTT-", "some are left");
		drop(maps[(i * 7) % MANY]);
	}
	expect_types(test, 39, "-----", "none is left");
}

/* Inner and outer records: who goes takes only what nobody else holds. */
static void nested_ranges(struct kunit *test)
{
	struct pat_map *outer = held(test, 50, 9, WC);
	struct pat_map *inner = held(test, 53, 3, WC);
	struct pat_map *inmost = held(test, 54, 1, WC);

	expect_types(test, 49, "-CCCCCCCCC-", "three");
	drop(outer);
	expect_types(test, 49, "----CCC----", "two");
	drop(inner);
	expect_types(test, 49, "-----C-----", "one");
	drop(inmost);
	expect_types(test, 49, "-----------", "none");
}

/* The types of neighbours do not run into each other. */
static void adjacent_ranges(struct kunit *test)
{
	struct pat_map *maps[6];
	enum page_cache_mode type;

	for (type = WB; type <= WP; type++) {
		maps[type] = new_record(test, 60 + 2 * type, 2);
		KUNIT_EXPECT_EQ(test, admit(maps[type], type, PAT_MATCH_EXACT),
				0);
	}
	expect_types(test, 59, "-BBCC--UUTTPP-", "all");
	for (type = WB; type <= WP; type += 2)
		drop(maps[type]);
	expect_types(test, 59, "---CC--UU--PP-", "every second one");
	for (type = WC; type <= WP; type += 2)
		drop(maps[type]);
}

/* Frames keep their addresses when the ends of a record move. */
static void moving_ends(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_mapping(test, mm, 100, 70, 8);
	unsigned long start = map->vma.vm_start;

	link(map, WC);
	expect_types(test, 69, "-CCCCCCCC---", "whole");
	move_ends(map, start + 2 * PAGE_SIZE, start + 8 * PAGE_SIZE);
	expect_types(test, 69, "---CCCCCC---", "without its head");
	expect_range(test, map, 72, 6);
	move_ends(map, start + 2 * PAGE_SIZE, start + 5 * PAGE_SIZE);
	expect_types(test, 69, "---CCC------", "without its tail");
	expect_range(test, map, 72, 3);
	move_ends(map, start + 2 * PAGE_SIZE, start + 10 * PAGE_SIZE);
	expect_types(test, 69, "---CCCCCCCC-", "extended");
	expect_range(test, map, 72, 8);
	KUNIT_EXPECT_EQ(test, touching(mm, 100, 102), 0);
	KUNIT_EXPECT_EQ(test, touching(mm, 102, 103), 1);
	KUNIT_EXPECT_EQ(test, touching(mm, 109, 110), 1);
	KUNIT_EXPECT_EQ(test, touching(mm, 110, 200), 0);
	move_ends(map, start + 4 * PAGE_SIZE, start + 5 * PAGE_SIZE);
	expect_types(test, 69, "-----C------", "both at once");
	expect_range(test, map, 74, 1);
	move_ends(map, map->vma.vm_start, map->vma.vm_end);
	expect_range(test, map, 74, 1);
	pat_test_valid(test, "at the end");
	drop(map);
}

/* A split makes two of one, by frame and by address, and loses no frame. */
static void splitting(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_mapping(test, mm, 200, 80, 6);
	struct pat_map *upper = pat_map_alloc(0, 1, GFP_KERNEL);
	struct pat_map *last = pat_map_alloc(0, 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, upper);
	KUNIT_ASSERT_NOT_NULL(test, last);
	map->stamp = 77;
	map->pid = 4711;
	map->caller = splitting;
	strscpy(map->comm, "somebody", sizeof(map->comm));
	link(map, UC);
	split(map, upper, 202UL << PAGE_SHIFT);
	split(upper, last, 205UL << PAGE_SHIFT);

	expect_types(test, 79, "-UUUUUU-", "split");
	expect_range(test, map, 80, 2);
	expect_range(test, upper, 82, 3);
	expect_range(test, last, 85, 1);
	KUNIT_EXPECT_EQ(test, touching(mm, 200, 206), 3);
	KUNIT_EXPECT_EQ(test, touching(mm, 201, 203), 2);
	KUNIT_EXPECT_EQ(test, touching(mm, 204, 205), 1);
	/* What the whole said, both halves say. */
	KUNIT_EXPECT_EQ(test, last->stamp, 77);
	KUNIT_EXPECT_EQ(test, last->pid, 4711);
	KUNIT_EXPECT_PTR_EQ(test, last->caller, (const void *)splitting);
	KUNIT_EXPECT_STREQ(test, last->comm, "somebody");
	KUNIT_EXPECT_EQ(test, last->holder, PAT_HOLDER_USER);
	KUNIT_EXPECT_PTR_EQ(test, last->vma.vm_mm, mm);
	pat_test_valid(test, "split");
	drop(upper);
	expect_types(test, 79, "-UU---U-", "without the middle");
	drop(map);
	drop(last);
}

static void mark_inexact(struct pat_map *map)
{
	pat_records_lock();
	pat_record_mark_inexact(map);
	pat_records_unlock();
}

static struct pat_map *first_inexact(void)
{
	struct pat_map *map;

	pat_records_lock();
	map = pat_record_inexact();
	pat_records_unlock();
	return map;
}

/* Inexact records are found, the one that has waited longest first. */
static void inexact_is_found(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *a = new_mapping(test, mm, 300, 90, 10);
	struct pat_map *b = new_mapping(test, mm, 320, 100, 10);

	link(a, WC);
	link(b, WC);
	KUNIT_EXPECT_NULL(test, first_inexact());
	KUNIT_EXPECT_TRUE(test, pat_record_is_exact(a));

	mark_inexact(b);
	mark_inexact(a);
	KUNIT_EXPECT_FALSE(test, pat_record_is_exact(a));
	KUNIT_EXPECT_PTR_EQ(test, first_inexact(), b);
	/* Once more: it goes to the end. */
	mark_inexact(b);
	KUNIT_EXPECT_PTR_EQ(test, first_inexact(), a);
	pat_test_valid(test, "inexact");

	pat_records_lock();
	pat_record_mark_exact(a);
	pat_records_unlock();
	KUNIT_EXPECT_TRUE(test, pat_record_is_exact(a));
	KUNIT_EXPECT_PTR_EQ(test, first_inexact(), b);
	drop(a);
	drop(b);
	KUNIT_EXPECT_NULL(test, first_inexact());
}

/* What is not sure of a record is not sure of its parts and copies. */
static void inexact_is_inherited(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_mapping(test, mm, 300, 90, 10);
	struct pat_map *copy = new_mapping(test, mm, 400, 90, 10);
	struct pat_map *upper = pat_map_alloc(0, 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, upper);
	link(map, WC);
	mark_inexact(map);
	move_ends(map, 301UL << PAGE_SHIFT, 309UL << PAGE_SHIFT);
	KUNIT_EXPECT_FALSE(test, pat_record_is_exact(map));
	split(map, upper, 305UL << PAGE_SHIFT);
	KUNIT_EXPECT_FALSE(test, pat_record_is_exact(map));
	KUNIT_EXPECT_FALSE(test, pat_record_is_exact(upper));

	pat_records_lock();
	pat_record_inherit(copy, map);
	pat_record_link(copy);
	pat_records_unlock();
	KUNIT_EXPECT_FALSE(test, pat_record_is_exact(copy));
	pat_test_valid(test, "inherited");
	drop(map);
	drop(upper);
	drop(copy);
	KUNIT_EXPECT_NULL(test, first_inexact());
}

static int watch_any(void *arg)
{
	struct mm_struct *mm = arg;
	long missed = 0;

	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 1000; i++)
			missed += !pat_records_any(mm);
		cond_resched();
	}
	return min(missed, 1000L);
}

/*
 * exit_mmap() asks without a lock whether there are records, while another CPU
 * changes the ends of the only one.
 */
static void any_beside_moving_ends(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_mapping(test, mm, 300, 90, 10);
	struct task_struct *task;
	unsigned int turn;

	link(map, WC);
	task = kthread_run(watch_any, mm, "pat_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (turn = 0; turn < 50000; turn++) {
		move_ends(map, 300UL << PAGE_SHIFT,
			  (309UL + turn % 2) << PAGE_SHIFT);
		if (!(turn % 1024))
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(task), 0);
	pat_test_valid(test, "moved");
	drop(map);
}

/* A record of an ioremap() at page @page of the test's address space. */
static struct pat_map *new_ioremap(struct kunit *test, struct mm_struct *mm,
				   unsigned long i, unsigned long nr)
{
	struct pat_map *map = new_mapping(test, mm, 5000 + i, i, nr);

	map->holder = PAT_HOLDER_KERNEL;
	map->vma.vm_mm = &init_mm;
	return map;
}

static void retire(struct pat_map *map)
{
	pat_records_lock();
	pat_record_retire(map);
	pat_records_unlock();
}

/* Take what is purged, and free it.  (A worker does so, too, a second later.) */
static void reap(struct kunit *test)
{
	struct pat_map *map, *chain = NULL;

	pat_records_lock();
	while ((map = pat_map_recycle(3, 5))) {
		KUNIT_EXPECT_EQ(test, pat_map_pfn(map), 3);
		KUNIT_EXPECT_EQ(test, pat_map_pages(map), 5);
		KUNIT_EXPECT_EQ(test, map->vma.vm_start, 0);
		KUNIT_EXPECT_EQ(test, pat_map_type(map), WB);
		KUNIT_EXPECT_EQ(test, map->holder, PAT_HOLDER_RANGE);
		KUNIT_EXPECT_TRUE(test, pat_record_is_exact(map));
		map->next = chain;
		chain = map;
	}
	pat_records_unlock();
	pat_map_free_chain(chain);
}

/* What an unmapped translation may still show keeps other types away. */
static void stale_records(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_ioremap(test, mm, 120, 8);
	struct pat_map *other = new_record(test, 126, 4);
	struct pat_map *same = new_record(test, 120, 8);

	link(map, WC);
	retire(map);
	pat_test_valid(test, "stale");
	/* Nobody holds the type, nothing is found. */
	expect_types(test, 119, "----------", "stale");
	KUNIT_EXPECT_EQ(test, touching(mm, 5120, 5128), 0);

	KUNIT_EXPECT_EQ(test, admit(other, UC, PAT_MATCH_ANY), PAT_ADMIT_STALE);
	KUNIT_EXPECT_EQ(test, admit(other, UC, PAT_MATCH_EXACT), PAT_ADMIT_STALE);
	expect_types(test, 119, "------------", "refused");
	KUNIT_EXPECT_EQ(test, admit(same, WC, PAT_MATCH_EXACT), 0);
	drop(same);

	/* It is in the way for as long as it takes, and not longer. */
	reap(test);
	KUNIT_EXPECT_EQ(test, admit(other, UC, PAT_MATCH_ANY), PAT_ADMIT_STALE);
	vm_unmap_aliases();
	KUNIT_EXPECT_EQ(test, admit(other, UC, PAT_MATCH_ANY), 0);
	expect_types(test, 125, "-UUUU-", "purged");
	drop(other);
	reap(test);
	pat_test_valid(test, "reaped");
}

/* A purge that began before a record was retired does not count for it. */
static void stale_needs_a_later_purge(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *early = new_ioremap(test, mm, 140, 2);
	struct pat_map *late = new_ioremap(test, mm, 142, 2);
	struct pat_map *map = new_record(test, 140, 2);

	link(early, WT);
	link(late, WT);
	retire(early);
	vm_unmap_aliases();
	retire(late);
	KUNIT_EXPECT_EQ(test, admit(map, WC, PAT_MATCH_EXACT), 0);
	drop(map);
	map = new_record(test, 142, 2);
	KUNIT_EXPECT_EQ(test, admit(map, WC, PAT_MATCH_EXACT), PAT_ADMIT_STALE);
	vm_unmap_aliases();
	KUNIT_EXPECT_EQ(test, admit(map, WC, PAT_MATCH_EXACT), 0);
	drop(map);
	reap(test);
}

struct uniform_case {
	const char		*name;
	/* two records of window frames [first, first + nr); 0: none */
	unsigned long		first, nr;
	enum page_cache_mode	type;
	unsigned long		first2, nr2;
	enum page_cache_mode	type2;
	/* asked: [160, 168) */
	bool			uniform;
	enum page_cache_mode	found;
};

static const struct uniform_case uniform_cases[] = {
	{ "nothing", .uniform = true, .found = UCM },
	{ "all", 160, 8, WC, .uniform = true, .found = WC },
	{ "more than all", 150, 40, WT, .uniform = true, .found = WT },
	{ "two halves", 160, 4, WC, 164, 4, WC, .uniform = true, .found = WC },
	{ "two that overlap", 160, 6, WC, 162, 6, WC, .uniform = true, .found = WC },
	{ "one in the other", 150, 40, WC, 163, 1, WC, .uniform = true, .found = WC },
	{ "head missing", 161, 7, WC, .uniform = false, .found = UCM },
	{ "tail missing", 160, 7, WC, .uniform = false, .found = WC },
	{ "a gap", 160, 3, WC, 164, 4, WC, .uniform = false, .found = WC },
	{ "two types", 160, 4, WC, 164, 4, WT, .uniform = false, .found = WC },
	{ "a gap that has the type by itself", 160, 3, UCM, 164, 2, UCM, .uniform = true, .found = UCM },
	{ "another type after a gap", 160, 3, UCM, 164, 2, WC, .uniform = false, .found = UCM },
	{ "another type at the very end", 167, 9, WC, .uniform = false, .found = UCM },
	{ "neighbours", 152, 8, WC, 168, 8, WC, .uniform = true, .found = UCM },
};
KUNIT_ARRAY_PARAM_DESC(uniform_case, uniform_cases, name);

/* A huge page can be mapped where all its frames have one type. */
static void uniform(struct kunit *test)
{
	const struct uniform_case *c = test->param_value;
	struct pat_map *a = c->nr ? held(test, c->first, c->nr, c->type) : NULL;
	struct pat_map *b = c->nr2 ? held(test, c->first2, c->nr2, c->type2) : NULL;
	enum page_cache_mode found;

	KUNIT_EXPECT_EQ(test, pat_reserved_uniform(pat_test_pfn(160), 8, &found),
			c->uniform);
	KUNIT_EXPECT_EQ(test, found, c->found);
	if (a)
		drop(a);
	if (b)
		drop(b);
}

static struct pat_map *find_range(unsigned long i, unsigned long nr)
{
	struct pat_map *map;

	pat_records_lock();
	map = pat_record_find(pat_test_pfn(i), nr);
	pat_records_unlock();
	return map;
}

/* A reservation is found by exactly its range, and nothing else is. */
static void find_range_is_exact(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *user = new_mapping(test, mm, 400, 120, 4);
	struct pat_map *range = held(test, 110, 4, WC);
	struct pat_map *longer = held(test, 110, 5, WC);
	struct pat_map *again;

	link(user, WC);
	KUNIT_EXPECT_PTR_EQ(test, find_range(110, 4), range);
	KUNIT_EXPECT_PTR_EQ(test, find_range(110, 5), longer);
	KUNIT_EXPECT_NULL(test, find_range(110, 3));
	KUNIT_EXPECT_NULL(test, find_range(110, 6));
	KUNIT_EXPECT_NULL(test, find_range(109, 5));
	KUNIT_EXPECT_NULL(test, find_range(111, 3));
	KUNIT_EXPECT_NULL(test, find_range(111, 4));
	/* Mappings are found by their address. */
	KUNIT_EXPECT_NULL(test, find_range(120, 4));

	/* Of two equal ones, one goes and one is still found. */
	again = held(test, 110, 4, WC);
	KUNIT_EXPECT_NOT_NULL(test, find_range(110, 4));
	drop(range);
	KUNIT_EXPECT_PTR_EQ(test, find_range(110, 4), again);
	drop(again);
	KUNIT_EXPECT_NULL(test, find_range(110, 4));
	drop(longer);
	drop(user);
}

/* Addresses are a mm's own: equal ones of another mm are somebody else's. */
static void address_spaces_are_apart(struct kunit *test)
{
	struct mm_struct *one = pat_test_mm(test), *two = pat_test_mm(test);
	struct pat_map *a = new_mapping(test, one, 500, 130, 4);
	struct pat_map *b = new_mapping(test, two, 502, 130, 4);

	KUNIT_EXPECT_FALSE(test, pat_records_any(one));
	link(a, WC);
	KUNIT_EXPECT_TRUE(test, pat_records_any(one));
	KUNIT_EXPECT_FALSE(test, pat_records_any(two));
	link(b, WC);
	KUNIT_EXPECT_EQ(test, touching(one, 0, 500), 0);
	KUNIT_EXPECT_EQ(test, touching(one, 0, 501), 1);
	KUNIT_EXPECT_EQ(test, touching(one, 503, 504), 1);
	KUNIT_EXPECT_EQ(test, touching(one, 504, 600), 0);
	KUNIT_EXPECT_EQ(test, touching(two, 500, 502), 0);
	KUNIT_EXPECT_EQ(test, touching(two, 505, 600), 1);
	drop(a);
	KUNIT_EXPECT_FALSE(test, pat_records_any(one));
	KUNIT_EXPECT_EQ(test, touching(two, 0, 600), 1);
	drop(b);
}

/* The list is in the order of the frames, and says all of each record. */
static void snapshot(struct kunit *test)
{
	static const struct {
		unsigned long		i, nr;
		enum page_cache_mode	type;
	} ranges[] = {	/* not in their order */
		{ 170, 1, WC }, { 140, 9, UC }, { 150, 2, WB }, { 145, 1, UC },
		{ 160, 3, WT }, { 155, 4, WP },
	};
	static const unsigned long sorted[] = { 140, 145, 150, 155, 160, 170 };
	struct pat_map *maps[ARRAY_SIZE(ranges)];
	unsigned long count = 0, previous = 0, n, at = 0;
	struct pat_record_info *infos;
	int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		maps[i] = new_record(test, ranges[i].i, ranges[i].nr);
		maps[i]->caller = &ranges[i];
		link(maps[i], ranges[i].type);
	}

	infos = pat_records_snapshot(false, &count);
	KUNIT_EXPECT_NOT_NULL(test, infos);
	for (n = 0; infos && n < count; n++) {
		const struct pat_record_info *info = &infos[n];

		KUNIT_EXPECT_GE(test, info->pfn, previous);
		previous = info->pfn;
		if (info->pfn < pat_test_pfn(0))
			continue;
		KUNIT_ASSERT_LT(test, at, ARRAY_SIZE(sorted));
		KUNIT_EXPECT_EQ(test, info->pfn, pat_test_pfn(sorted[at++]));
		for (i = 0; i < ARRAY_SIZE(ranges); i++)
			if (info->caller == &ranges[i])
				break;
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(ranges));
		KUNIT_EXPECT_EQ(test, info->pfn, pat_test_pfn(ranges[i].i));
		KUNIT_EXPECT_EQ(test, info->pages, ranges[i].nr);
		KUNIT_EXPECT_EQ(test, info->type, ranges[i].type);
		KUNIT_EXPECT_EQ(test, info->holder, PAT_HOLDER_RANGE);
	}
	KUNIT_EXPECT_EQ(test, at, ARRAY_SIZE(sorted));
	kvfree(infos);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		drop(maps[i]);
}

/* A process mapping is its mm's owner's, who need not have made it: fork. */
static void snapshot_names_the_owner(struct kunit *test)
{
	struct mm_struct *mm = pat_test_mm(test);
	struct pat_map *map = new_mapping(test, mm, 600, 180, 2);
	const struct pat_record_info *last;
	struct pat_record_info *infos;
	unsigned long count = 0;

	map->pid = 4711;
	strscpy(map->comm, "parent", sizeof(map->comm));
	link(map, WC);
	infos = pat_records_snapshot(false, &count);
	KUNIT_EXPECT_NOT_NULL(test, infos);
	if (infos && count) {
		last = &infos[count - 1];	/* nothing is above the window */
		KUNIT_EXPECT_EQ(test, last->pfn, pat_test_pfn(180));
		KUNIT_EXPECT_EQ(test, last->holder, PAT_HOLDER_USER);
		KUNIT_EXPECT_EQ(test, last->start, 600UL << PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, last->end, 602UL << PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, last->pid, IS_ENABLED(CONFIG_MEMCG) ?
				current->pid : 4711);
		KUNIT_EXPECT_STREQ(test, last->comm, IS_ENABLED(CONFIG_MEMCG) ?
				   current->comm : "parent");
	}
	kvfree(infos);
	drop(map);
}

/* Records that the breakers may break; all is well with them before. */
struct patient {
	struct pat_map	*outer;		/* window frames [10, 20), UC */
	struct pat_map	*inner;		/* in it, [15, 16), UC */
	struct pat_map	*mapping;	/* frames [200, 204), in an mm */
};

static void break_type(struct patient *p)
{
	p->inner->vma.vm_page_prot = pat_pgprot(__pgprot(0), WC);
}

static void break_reach_up(struct patient *p)
{
	p->inner->vma.shared.rb_subtree_last++;
}

static void break_reach_down(struct patient *p)
{
	p->outer->vma.shared.rb_subtree_last--;
}

/* The end stays, so each subtree reaches as far as it did. */
static void break_order(struct patient *p)
{
	p->outer->vma.vm_pgoff += 7;
	p->outer->vma.vm_start += 7 * PAGE_SIZE;
}

static void break_empty(struct patient *p)
{
	p->inner->vma.vm_end = p->inner->vma.vm_start;
}

static void break_alignment(struct patient *p)
{
	p->inner->vma.vm_end += 1;
}

static void break_foreign_mm(struct patient *p)
{
	p->mapping->vma.vm_mm = &init_mm;
}

static void break_homeless(struct patient *p)
{
	p->mapping->vma.vm_mm = NULL;
}

static void break_holder(struct patient *p)
{
	p->outer->holder = PAT_HOLDER_KERNEL;
}

static void break_exactness(struct patient *p)
{
	p->mapping->holder = PAT_HOLDER_KERNEL;
	p->mapping->vma.vm_mm = &init_mm;
}

static void break_ram(struct patient *p)
{
	p->mapping->ram = true;
}

struct breaker {
	const char	*name;
	void		(*breaks)(struct patient *p);
	const char	*says;
};

static const struct breaker breakers[] = {
	{ "types that disagree", break_type, "records of one frame agree on its type" },
	{ "a subtree that ends before it says", break_reach_up,
	  "the frame tree knows how far each subtree reaches" },
	{ "a subtree that goes on", break_reach_down,
	  "the frame tree knows how far each subtree reaches" },
	{ "frames out of order", break_order, "the frame tree is ordered" },
	{ "no page", break_empty, "a record covers whole pages, at least one" },
	{ "a part of a page", break_alignment, "a record covers whole pages, at least one" },
	{ "linked in another mm", break_foreign_mm, "a record is of its holder's mm, and linked there" },
	{ "a mapping without an mm", break_homeless, "a record is of its holder's mm, and linked there" },
	{ "a holder without an address", break_holder, "a record is of its holder's mm, and linked there" },
	{ "a kernel mapping that is inexact", break_exactness,
	  "only a process mapping's record can be inexact" },
	{ "reserved frames called RAM", break_ram,
	  "a record's frames are all RAM or all reserved, as it says" },
};
KUNIT_ARRAY_PARAM_DESC(breaker, breakers, name);

/* The fields that breakers change, without the links. */
static void copy_fields(struct pat_map *to, const struct pat_map *from)
{
	to->vma.vm_start = from->vma.vm_start;
	to->vma.vm_end = from->vma.vm_end;
	to->vma.vm_pgoff = from->vma.vm_pgoff;
	to->vma.vm_mm = from->vma.vm_mm;
	to->vma.vm_page_prot = from->vma.vm_page_prot;
	to->vma.shared.rb_subtree_last = from->vma.shared.rb_subtree_last;
	to->holder = from->holder;
	to->ram = from->ram;
}

/* The validator notices each thing that can be wrong, and says which it is. */
static void validator_fails(struct kunit *test)
{
	const struct breaker *breaker = test->param_value;
	struct patient p = {
		.outer	 = held(test, 10, 10, UC),
		.inner	 = held(test, 15, 1, UC),
		.mapping = new_mapping(test, pat_test_mm(test), 700, 200, 4),
	};
	struct pat_map *maps[] = { p.outer, p.inner, p.mapping };
	struct pat_verdict verdict;
	struct pat_map *sound;
	int i;

	link(p.mapping, WB);
	mark_inexact(p.mapping);
	sound = kunit_kcalloc(test, ARRAY_SIZE(maps), sizeof(*sound),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sound);
	pat_test_valid(test, "before");

	for (i = 0; i < ARRAY_SIZE(maps); i++)
		copy_fields(&sound[i], maps[i]);
	breaker->breaks(&p);
	pat_validate(&verdict);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		copy_fields(maps[i], &sound[i]);

	KUNIT_EXPECT_STREQ(test, verdict.broken ?: "nothing", breaker->says);
	pat_test_valid(test, "after");
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		drop(maps[i]);
}

/* A record of RAM that says it is none, and one that is half of each. */
static void validator_knows_ram(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 0);
	unsigned long pfn = page_to_pfn(page), run;
	struct pat_map *map = pat_map_alloc(pfn, 1, GFP_KERNEL);
	struct pat_map *both;
	struct pat_verdict verdict;

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->ram = true;
	link(map, WB);
	pat_test_valid(test, "RAM");
	map->ram = false;
	pat_validate(&verdict);
	map->ram = true;
	KUNIT_EXPECT_STREQ(test, verdict.broken ?: "nothing",
			   "a record's frames are all RAM or all reserved, as it says");
	KUNIT_EXPECT_EQ(test, verdict.pfn, pfn);
	drop(map);

	KUNIT_EXPECT_EQ(test, pat_ram_run(pfn, ULONG_MAX - pfn, &run),
			PAT_FRAMES_RAM);
	both = pat_map_alloc(pfn + run - 1, 2, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, both);
	both->ram = true;
	link(both, WB);
	pat_validate(&verdict);
	drop(both);
	KUNIT_EXPECT_STREQ(test, verdict.broken ?: "nothing",
			   "a record's frames are all RAM or all reserved, as it says");
	KUNIT_EXPECT_EQ(test, verdict.pfn, pfn + run - 1);
}

/* The validator counts all records, and only those. */
static void validator_counts(struct kunit *test)
{
	struct pat_verdict before, with;
	struct pat_map *maps[5];
	int i;

	wait_for_device_probe();	/* drivers make records, too */
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		maps[i] = new_record(test, 210, 1);
	pat_validate(&before);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		link(maps[i], WB);
	pat_validate(&with);
	for (i = 0; i < ARRAY_SIZE(maps); i++)
		drop(maps[i]);
	KUNIT_EXPECT_EQ(test, with.records - before.records, ARRAY_SIZE(maps));
}

/*
 * The random test: records against an array that says, naively, how many
 * records of each type there are on each frame.
 */

#define FUZZ_FRAMES	64
#define FUZZ_PAGES	128	/* of the address space */
#define FUZZ_LIVE	40
#define FUZZ_OPS	20000

static unsigned long fuzz_seed;
module_param(fuzz_seed, ulong, 0444);
MODULE_PARM_DESC(fuzz_seed, "seed of the random test, 0 for any");

struct fuzz_record {
	struct pat_map		*map;
	unsigned long		first, nr;	/* window frames */
	unsigned long		page;		/* address, if it has one */
	enum page_cache_mode	type;
	bool			mapped;
};

struct fuzz {
	struct kunit		*test;
	struct rnd_state	rnd;
	struct mm_struct	*mm;
	struct fuzz_record	live[FUZZ_LIVE];
	unsigned int		nr_live;
	unsigned int		held[FUZZ_FRAMES][WP + 1];
	unsigned long		refused, admitted, moved, split;
};

static unsigned long fuzz_below(struct fuzz *f, unsigned long end)
{
	return prandom_u32_state(&f->rnd) % end;
}

static void fuzz_hold(struct fuzz *f, unsigned long first, unsigned long nr,
		      enum page_cache_mode type, int count)
{
	while (nr--)
		f->held[first++][type] += count;
}

/* The set of types on [first, first + nr) as bits. */
static unsigned int fuzz_types(struct fuzz *f, unsigned long first,
			       unsigned long nr)
{
	enum page_cache_mode type;
	unsigned int types = 0;

	for (; nr--; first++)
		for (type = WB; type <= WP; type++)
			if (f->held[first][type])
				types |= BIT(type);
	return types;
}

static bool fuzz_admit(struct fuzz *f)
{
	enum pat_match match = fuzz_below(f, 2) ? PAT_MATCH_EXACT : PAT_MATCH_ANY;
	enum page_cache_mode want = fuzz_below(f, 2) ? WC : fuzz_below(f, WP + 1);
	struct fuzz_record *new = &f->live[f->nr_live];
	unsigned int types;
	int err, expected;

	if (f->nr_live == FUZZ_LIVE)
		return true;
	new->first = fuzz_below(f, FUZZ_FRAMES);
	new->nr = 1 + fuzz_below(f, min(FUZZ_FRAMES - new->first, 12UL));
	new->page = 16 + fuzz_below(f, FUZZ_PAGES);
	new->mapped = fuzz_below(f, 2);
	new->type = want;
	new->map = new->mapped ?
		new_mapping(f->test, f->mm, new->page, new->first, new->nr) :
		new_record(f->test, new->first, new->nr);

	types = fuzz_types(f, new->first, new->nr);
	if (match == PAT_MATCH_EXACT)
		types |= BIT(want);
	expected = hweight32(types) > 1 ? -EBUSY : 0;
	if (types)
		new->type = __ffs(types);

	err = admit(new->map, want, match);
	if (err) {
		pat_map_free_chain(new->map);
		f->refused++;
		return err == expected;
	}
	f->nr_live++;
	f->admitted++;
	fuzz_hold(f, new->first, new->nr, new->type, 1);
	return !expected && pat_map_type(new->map) == new->type;
}

static bool fuzz_drop(struct fuzz *f)
{
	struct fuzz_record *record;

	if (!f->nr_live)
		return true;
	record = &f->live[fuzz_below(f, f->nr_live)];
	fuzz_hold(f, record->first, record->nr, record->type, -1);
	drop(record->map);
	*record = f->live[--f->nr_live];
	return true;
}

static unsigned long fuzz_addr(const struct fuzz_record *record,
			       unsigned long page)
{
	return (record->mapped ? record->page + page :
		(record->map->vma.vm_start >> PAGE_SHIFT) + page) << PAGE_SHIFT;
}

/* New ends, by up to four frames beyond the old end if nobody minds. */
static bool fuzz_move_ends(struct fuzz *f)
{
	struct fuzz_record *record;
	unsigned long skip, nr, more;

	if (!f->nr_live)
		return true;
	record = &f->live[fuzz_below(f, f->nr_live)];
	more = fuzz_below(f, min(FUZZ_FRAMES - record->first - record->nr, 4UL) + 1);
	skip = fuzz_below(f, record->nr);
	nr = 1 + fuzz_below(f, record->nr + more - skip);
	if (fuzz_types(f, record->first + skip, nr) & ~BIT(record->type))
		return true;

	move_ends(record->map, fuzz_addr(record, skip),
		  fuzz_addr(record, skip + nr));
	fuzz_hold(f, record->first, record->nr, record->type, -1);
	record->first += skip;
	record->page += skip;
	record->nr = nr;
	fuzz_hold(f, record->first, record->nr, record->type, 1);
	f->moved++;
	return true;
}

static bool fuzz_split(struct fuzz *f)
{
	struct fuzz_record *record, *upper = &f->live[f->nr_live];
	unsigned long low;

	if (!f->nr_live || f->nr_live == FUZZ_LIVE)
		return true;
	record = &f->live[fuzz_below(f, f->nr_live)];
	if (record->nr < 2)
		return true;
	low = 1 + fuzz_below(f, record->nr - 1);

	*upper = *record;
	upper->map = pat_map_alloc(0, 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(f->test, upper->map);
	split(record->map, upper->map, fuzz_addr(record, low));
	upper->first += low;
	upper->page += low;
	upper->nr -= low;
	record->nr = low;
	f->nr_live++;
	f->split++;
	return true;
}

/* What is found by range: by exactly the range of a reservation. */
static bool fuzz_find(struct fuzz *f)
{
	unsigned long first = fuzz_below(f, FUZZ_FRAMES);
	unsigned long nr = 1 + fuzz_below(f, 12);
	struct pat_map *found = find_range(first, nr);
	unsigned int i;

	for (i = 0; i < f->nr_live; i++)
		if (!f->live[i].mapped && f->live[i].first == first &&
		    f->live[i].nr == nr && (!found || found == f->live[i].map))
			return found;
	return !found;
}

/* What is found by address: all that touches a range, and once. */
static bool fuzz_touching(struct fuzz *f)
{
	unsigned long page = fuzz_below(f, FUZZ_PAGES + 32);
	unsigned long end = page + 1 + fuzz_below(f, 32);
	unsigned int i, expected = 0;

	for (i = 0; i < f->nr_live; i++)
		if (f->live[i].mapped && f->live[i].page < end &&
		    f->live[i].page + f->live[i].nr > page)
			expected++;
	return touching(f->mm, page, end) == expected;
}

static bool fuzz_look_up(struct fuzz *f, unsigned long i)
{
	unsigned int types = fuzz_types(f, i, 1);

	return pat_reserved_type(pat_test_pfn(i)) == (types ? __ffs(types) : UCM);
}

static bool fuzz_look_up_all(struct fuzz *f)
{
	unsigned long i;

	for (i = 0; i < FUZZ_FRAMES; i++)
		if (!fuzz_look_up(f, i))
			return false;
	return true;
}

static bool fuzz_one(struct fuzz *f)
{
	switch (fuzz_below(f, 16)) {
	case 0 ... 5:
		return fuzz_admit(f);
	case 6 ... 8:
		return fuzz_drop(f);
	case 9 ... 10:
		return fuzz_move_ends(f);
	case 11:
		return fuzz_split(f);
	case 12:
		return fuzz_find(f);
	case 13:
		return fuzz_touching(f);
	default:
		return fuzz_look_up(f, fuzz_below(f, FUZZ_FRAMES));
	}
}

/* Whatever happens in whatever order, records say what the array says. */
static void random_operations(struct kunit *test)
{
	struct fuzz *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned long seed = fuzz_seed ?: get_random_u32(), op;
	struct pat_verdict verdict = {};

	KUNIT_ASSERT_NOT_NULL(test, f);
	pat_test_expect_log(test, "conflicting memory types");
	kunit_info(test, "%s.fuzz_seed=%lu\n", KBUILD_MODNAME, seed);
	prandom_seed_state(&f->rnd, seed);
	f->test = test;
	f->mm = pat_test_mm(test);

	for (op = 1; op <= FUZZ_OPS; op++) {
		bool good = fuzz_one(f);

		if (good && op % 16 == 0)
			good = fuzz_look_up_all(f);
		if (good && op % 100 == 0) {
			pat_validate(&verdict);
			good = !verdict.broken;
		}
		if (!good) {
			KUNIT_FAIL(test, "operation %lu, seed %lu, validator: %s",
				   op, seed, verdict.broken ?: "content");
			break;
		}
		cond_resched();
	}

	while (f->nr_live)
		fuzz_drop(f);
	/* Most of it must have been done, not been declined. */
	KUNIT_EXPECT_GT(test, f->admitted, FUZZ_OPS / 20);
	KUNIT_EXPECT_GT(test, f->refused, FUZZ_OPS / 100);
	KUNIT_EXPECT_GT(test, f->moved, FUZZ_OPS / 100);
	KUNIT_EXPECT_GT(test, f->split, FUZZ_OPS / 100);
}

struct watch {
	unsigned long	pfn;
	unsigned int	types;		/* that may be seen, as bits */
	unsigned long	looks, wrong;
};

static int watch_frames(void *arg)
{
	struct watch *watch;
	unsigned int n = 0;

	while (!kthread_should_stop()) {
		for (watch = arg; watch->types; watch++) {
			if (!(BIT(pat_reserved_type(watch->pfn)) & watch->types))
				watch->wrong++;
			WRITE_ONCE(watch->looks, watch->looks + 1);
		}
		if (!(++n % 64))
			cond_resched();
	}
	return 0;
}

/* One round of what goes on around the frames that are watched. */
static void bustle(struct kunit *test, struct pat_map *mover, unsigned int turn)
{
	unsigned long start = mover->vma.vm_start;
	struct pat_map *maps[4], *upper;
	int i;

	/* Come and go beside the held frame, over it, and where nobody is. */
	maps[0] = held(test, 1000 + turn % 7, 1, UC);
	maps[1] = held(test, 1016 + turn % 7, 3, WT);
	maps[2] = held(test, 1008, 1 + turn % 6, WC);
	maps[3] = held(test, 1040 + turn % 4, 8, WB);

	/* Move ends, split, join, over a frame that stays held throughout. */
	upper = pat_map_alloc(0, 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, upper);
	move_ends(mover, start, start + (2 + turn % 9) * PAGE_SIZE);
	move_ends(mover, start, start + 10 * PAGE_SIZE);
	split(mover, upper, start + (1 + turn % 9) * PAGE_SIZE);
	move_ends(mover, start, start + 10 * PAGE_SIZE);
	drop(upper);

	for (i = 0; i < ARRAY_SIZE(maps); i++)
		drop(maps[(i + turn) % ARRAY_SIZE(maps)]);
}

/*
 * Whoever looks a frame up that is held all the time sees its type, whatever is
 * done to the records around it: each change is one step for look-ups.
 */
static void look_ups_beside_writers(struct kunit *test)
{
	struct watch *watches = kunit_kcalloc(test, 2 * 6, sizeof(*watches),
					      GFP_KERNEL);
	struct pat_map *keeper = held(test, 1008, 5, WC);
	struct pat_map *mover = held(test, 1060, 10, WP);
	unsigned long limit = jiffies + 30 * HZ;
	struct task_struct *tasks[2];
	unsigned int turn;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, watches);
	for (i = 0; i < 2; i++) {
		struct watch *watch = watches + 6 * i;

		watch[0].pfn = pat_test_pfn(1010);	/* always held WC */
		watch[0].types = BIT(WC);
		watch[1].pfn = pat_test_pfn(1060);	/* always held WP */
		watch[1].types = BIT(WP);
		watch[2].pfn = pat_test_pfn(1061);	/* also while it is split */
		watch[2].types = BIT(WP);
		watch[3].pfn = pat_test_pfn(1043);	/* comes and goes */
		watch[3].types = BIT(WB) | BIT(UCM);
		watch[4].pfn = pat_test_pfn(1099);	/* never held */
		watch[4].types = BIT(UCM);
		tasks[i] = pat_test_start(test, watch_frames, watch);
	}

	for (turn = 0; turn < 5000 || READ_ONCE(watches[4].looks) < 1000 ||
		       READ_ONCE(watches[10].looks) < 1000; turn++) {
		bustle(test, mover, turn);
		cond_resched();
		if (time_after(jiffies, limit))
			break;
	}
	for (i = 0; i < 2; i++)
		pat_test_stop(test, tasks[i]);
	for (i = 0; i < 12; i++)
		KUNIT_EXPECT_EQ_MSG(test, watches[i].wrong, 0,
				    "reader %d, frame %d of %lu looks", i / 6,
				    i % 6, watches[i].looks);
	for (i = 4; i < 12; i += 6)
		KUNIT_EXPECT_GE(test, watches[i].looks, 1000);
	drop(mover);
	drop(keeper);
}

static struct kunit_case reserved_cases[] = {
	KUNIT_CASE(look_up_edges),
	KUNIT_CASE_PARAM(admission, admission_gen_params),
	KUNIT_CASE(ram_records_have_no_say),
	KUNIT_CASE(identical_ranges),
	KUNIT_CASE(nested_ranges),
	KUNIT_CASE(adjacent_ranges),
	KUNIT_CASE(moving_ends),
	KUNIT_CASE(splitting),
	KUNIT_CASE(inexact_is_found),
	KUNIT_CASE(inexact_is_inherited),
	KUNIT_CASE(stale_records),
	KUNIT_CASE(stale_needs_a_later_purge),
	KUNIT_CASE_PARAM(uniform, uniform_case_gen_params),
	KUNIT_CASE(find_range_is_exact),
	KUNIT_CASE(address_spaces_are_apart),
	KUNIT_CASE(snapshot),
	KUNIT_CASE(snapshot_names_the_owner),
	KUNIT_CASE_PARAM(validator_fails, breaker_gen_params),
	KUNIT_CASE(validator_knows_ram),
	KUNIT_CASE(validator_counts),
	KUNIT_CASE_SLOW(any_beside_moving_ends),
	KUNIT_CASE_SLOW(random_operations),
	KUNIT_CASE_SLOW(look_ups_beside_writers),
	{}
};

static struct kunit_suite reserved_suite = {
	.name		= "pat_reserved",
	.init		= pat_test_init,
	.test_cases	= reserved_cases,
};
kunit_test_suite(reserved_suite);
