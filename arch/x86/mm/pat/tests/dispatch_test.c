// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of pat.c: from a byte range to the room that knows, and the contract of
 * memtype_reserve() and its kin.
 */

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <asm/e820/types.h>
#include <asm/pat.h>

#include "pat_test.h"

struct door {
	const char	*name;
	u64		start, end;
	bool		valid;
	unsigned long	pfn, nr;
};

/* Bytes become whole frames; what is empty or runs backwards is no range. */
static const struct door doors[] = {
	{ "one byte", 0x5000, 0x5001, true, 5, 1 },
	{ "one page", 0x5000, 0x6000, true, 5, 1 },
	{ "the last byte of a page", 0x5fff, 0x6000, true, 5, 1 },
	{ "two bytes in two pages", 0x5fff, 0x6001, true, 5, 2 },
	{ "not aligned at either end", 0x5800, 0x7800, true, 5, 3 },
	{ "frame 0", 0, 1, true, 0, 1 },
	{ "empty", 0x5000, 0x5000, false },
	{ "empty, not aligned", 0x5800, 0x5800, false },
	{ "backwards", 0x6000, 0x5000, false },
	{ "backwards inside a page", 0x5800, 0x5700, false },
#ifdef CONFIG_X86_64
	{ "a decoy address", 0x8000000000005000, 0x8000000000007000, true, 5, 2 },
	{ "the last frame there is", __PHYSICAL_MASK & PAGE_MASK,
	  __PHYSICAL_MASK + 1ULL, true, __PHYSICAL_MASK >> PAGE_SHIFT, 1 },
	{ "beyond the last frame", __PHYSICAL_MASK & PAGE_MASK,
	  __PHYSICAL_MASK + 0x1001ULL, false },
	{ "beyond the last byte of 64 bits", 0xfffffffffffff000, 0x1000, false },
#endif
};
KUNIT_ARRAY_PARAM_DESC(door, doors, name);

static void range_to_frames(struct kunit *test)
{
	const struct door *door = test->param_value;
	unsigned long pfn = 0, nr = 0;

	KUNIT_ASSERT_EQ(test, pat_range_to_frames(door->start, door->end, &pfn,
						  &nr), door->valid);
	if (!door->valid)
		return;
	KUNIT_EXPECT_EQ(test, pfn, door->pfn);
	KUNIT_EXPECT_EQ(test, nr, door->nr);
}

static int reserve(unsigned long i, unsigned long nr, enum page_cache_mode want,
		   enum page_cache_mode *granted)
{
	return memtype_reserve(pat_test_byte(i), pat_test_byte(i + nr), want,
			       granted);
}

static int release(unsigned long i, unsigned long nr)
{
	return memtype_free(pat_test_byte(i), pat_test_byte(i + nr));
}

static enum page_cache_mode effective(enum page_cache_mode want)
{
	return pat_effective_want(pat_test_pfn(0), 1, want);
}

/* Ranges that are none get -EINVAL, and leave no record. */
static void no_range(struct kunit *test)
{
	u64 at = pat_test_byte(8);
	enum page_cache_mode granted;

	pat_test_expect_log(test, "no such range");
	KUNIT_EXPECT_EQ(test, memtype_reserve(at, at, WC, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_reserve(at, at, WC, &granted), -EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_reserve(at + 1, at, WC, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_reserve(at, at - PAGE_SIZE, UCM, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_free(at, at), -EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_free(at, at - PAGE_SIZE), -EINVAL);
}

/* Any range counts as the whole pages that it touches. */
static void whole_pages(struct kunit *test)
{
	u64 at = pat_test_byte(8);

	KUNIT_EXPECT_EQ(test, memtype_reserve(at + 0x800, at + PAGE_SIZE + 1, WC,
					      NULL), 0);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(7)), UCM);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(8)), WC);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(9)), WC);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(10)), UCM);
	KUNIT_EXPECT_EQ(test, memtype_free(at + 0x800, at + PAGE_SIZE + 1), 0);
}

/*
 * Each type in force by each type wanted: who insists (granted is NULL) gets
 * exactly that or -EBUSY, who does not gets what is in force.
 */
static void insist_or_take(struct kunit *test)
{
	enum page_cache_mode there, want, granted;

	pat_test_expect_log(test, "conflicting memory types");
	for (there = WB; there <= WP; there++) {
		granted = -1;
		KUNIT_EXPECT_EQ(test, reserve(20, 4, there, &granted), 0);
		KUNIT_EXPECT_EQ(test, granted, effective(there));
		for (want = WB; want <= WP; want++) {
			int expected = effective(want) == effective(there) ?
				       0 : -EBUSY;

			KUNIT_EXPECT_EQ_MSG(test, reserve(21, 5, want, NULL),
					    expected, "%s over %s",
					    pat_mode_name(want),
					    pat_mode_name(there));
			KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(25)),
					expected ? UCM : effective(want));
			if (!expected)
				KUNIT_EXPECT_EQ(test, release(21, 5), 0);

			granted = -1;
			KUNIT_EXPECT_EQ(test, reserve(21, 5, want, &granted), 0);
			KUNIT_EXPECT_EQ(test, granted, effective(there));
			KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(25)),
					effective(there));
			KUNIT_EXPECT_EQ(test, release(21, 5), 0);
		}
		KUNIT_EXPECT_EQ(test, release(20, 4), 0);
	}
}

/* As many releases as reservations, of the same range; one more is an error. */
static void many_times(struct kunit *test)
{
	int i;

	pat_test_expect_log(test, "freeing invalid memtype");
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, reserve(30, 2, WT, NULL), 0);
	KUNIT_EXPECT_EQ(test, release(30, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, release(31, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, release(29, 3), -EINVAL);
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(31)), WT);
		KUNIT_EXPECT_EQ(test, release(30, 2), 0);
	}
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(31)), UCM);
	KUNIT_EXPECT_EQ(test, release(30, 2), -EINVAL);
}

/* RAM belongs to one owner at a time, and not all types are to be had. */
static void ram(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(pat_test_pages(test, 1));
	u64 start = PFN_PHYS(pfn), end = PFN_PHYS(pfn + 2);
	enum page_cache_mode granted;

	pat_test_expect_log(test, "RAM page .* cannot become");
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, WP, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, WP, &granted), -EINVAL);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn), WB);

	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, WC, &granted), 0);
	KUNIT_EXPECT_EQ(test, granted, WC);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn), WC);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn + 1), WC);

	/* Not even with the same type, nor by somebody who takes any. */
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, WC, NULL), -EBUSY);
	granted = WB;
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, UCM, &granted), -EBUSY);
	KUNIT_EXPECT_EQ(test, granted, WC);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn + 1), WC);

	KUNIT_EXPECT_EQ(test, memtype_free(start, end), 0);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn), WB);
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, UCM, NULL), 0);
	KUNIT_EXPECT_EQ(test, memtype_free(start, end), 0);
}

/* The frame after the RAM that @pfn is in. */
static unsigned long end_of_ram(unsigned long pfn)
{
	unsigned long run;

	pat_ram_run(pfn, ULONG_MAX - pfn, &run);
	return pfn + run;
}

/* A range that is partly RAM is -EINVAL, from either side, and in the middle. */
static void partly_ram(struct kunit *test)
{
	unsigned long end = end_of_ram(page_to_pfn(pat_test_pages(test, 0)));
	unsigned long isa_end = ISA_END_ADDRESS >> PAGE_SHIFT;
	enum page_cache_mode last = pat_ram_type(end - 1);
	enum page_cache_mode after = pat_lookup(end), granted;
	const struct {
		unsigned long	from, to;
	} ranges[] = {
		{ end - 1, end + 1 }, { end - 3, end + 3 },
		{ isa_end - 1, isa_end + 1 }, { 0, isa_end + 1 },
		{ 0, pat_test_pfn(0) },
	};
	int i;

	pat_test_expect_log(test, "is partly RAM");
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		u64 from = PFN_PHYS(ranges[i].from), to = PFN_PHYS(ranges[i].to);

		KUNIT_EXPECT_EQ_MSG(test, memtype_reserve(from, to, UCM, NULL),
				    -EINVAL, "frames %#lx to %#lx",
				    ranges[i].from, ranges[i].to);
		KUNIT_EXPECT_EQ(test, memtype_reserve(from, to, WC, &granted),
				-EINVAL);
	}
	KUNIT_EXPECT_EQ(test, pat_ram_type(end - 1), last);
	KUNIT_EXPECT_EQ(test, pat_lookup(end), after);
}

/* The legacy ISA range is write-back for everybody, and not recorded. */
static void isa_range(struct kunit *test)
{
	enum page_cache_mode granted = WP;

	KUNIT_EXPECT_EQ(test, memtype_reserve(ISA_START_ADDRESS, ISA_END_ADDRESS,
					      WC, &granted), 0);
	KUNIT_EXPECT_EQ(test, granted, WB);
	KUNIT_EXPECT_EQ(test, memtype_reserve(ISA_START_ADDRESS,
					      ISA_START_ADDRESS + 1, UC, NULL), 0);
	KUNIT_EXPECT_EQ(test, pat_lookup(ISA_START_ADDRESS >> PAGE_SHIFT), WB);
	KUNIT_EXPECT_EQ(test, memtype_free(ISA_START_ADDRESS, ISA_END_ADDRESS), 0);
	/* There is no record that could be missing. */
	KUNIT_EXPECT_EQ(test, memtype_free(ISA_START_ADDRESS, ISA_END_ADDRESS), 0);
}

struct io_case {
	const char		*name;
	enum page_cache_mode	there, want;
	int			result;
};

/* Which type in force serves for which wanted one: never a more cached one. */
static const struct io_case io_cases[] = {
	{ "the same", WC, WC, 0 },
	{ "WC is there, UC- wanted", WC, UCM, 0 },
	{ "UC- is there, WC wanted", UCM, WC, 0 },
	{ "UC is there, WC wanted", UC, WC, 0 },
	{ "WB is there, WC wanted", WB, WC, -EBUSY },
	{ "WB is there, UC- wanted", WB, UCM, -EBUSY },
	{ "WB is there, WT wanted", WB, WT, -EBUSY },
	{ "WC is there, WT wanted", WC, WT, -EBUSY },
	{ "UC- is there, WB wanted", UCM, WB, 0 },
};
KUNIT_ARRAY_PARAM_DESC(io_case, io_cases, name);

static void reserve_io(struct kunit *test)
{
	const struct io_case *c = test->param_value;
	u64 start = pat_test_byte(40), end = pat_test_byte(44);
	enum page_cache_mode type = c->want;

	if (c->there == WB && effective(WB) != WB)
		kunit_skip(test, "an MTRR covers the top of the physical address space");

	if (c->result)
		pat_test_expect_log(test, "conflicting memory types");
	KUNIT_EXPECT_EQ(test, memtype_reserve(start, end, c->there, NULL), 0);
	KUNIT_EXPECT_EQ(test, memtype_reserve_io(start, end, &type), c->result);
	KUNIT_EXPECT_EQ(test, type, c->result ? c->want : c->there);
	KUNIT_EXPECT_EQ(test, memtype_free(start, end), 0);
	/* If it failed it left nothing, else it holds the range alone now. */
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(40)),
			c->result ? UCM : c->there);
	if (!c->result)
		memtype_free_io(start, end);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(43)), UCM);
}

/* Two mappings of one range: each holds its type, and is released alone. */
static void ioremap_records(struct kunit *test)
{
	u64 start = pat_test_byte(50), end = pat_test_byte(54);
	struct vm_struct one = {
		.addr = (void *)VMALLOC_START + 16 * PAGE_SIZE,
		.size = end - start,
		.flags = VM_IOREMAP | VM_NO_GUARD,
		.phys_addr = start,
		.caller = test,
	}, two = one;
	enum page_cache_mode granted;

	two.addr += 2 * PAGE_SIZE;
	pat_test_expect_log(test, "freeing invalid memtype");
	KUNIT_EXPECT_EQ(test, memtype_reserve_ioremap(&one, WC, &granted), 0);
	KUNIT_EXPECT_EQ(test, granted, WC);
	KUNIT_EXPECT_EQ(test, memtype_reserve_ioremap(&two, UCM, &granted), 0);
	KUNIT_EXPECT_EQ(test, granted, WC);
	KUNIT_EXPECT_PTR_NE(test, one.memtype, two.memtype);

	/* Neither is a reservation without an address. */
	KUNIT_EXPECT_EQ(test, memtype_free(start, end), -EINVAL);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(50)), WC);

	memtype_free_ioremap(&one);
	KUNIT_EXPECT_PTR_EQ(test, one.memtype, NULL);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(50)), WC);
	pat_test_valid(test, "one is left");
	memtype_free_ioremap(&two);
	KUNIT_EXPECT_EQ(test, pat_lookup(pat_test_pfn(50)), UCM);
}

/* KVM: UC, UC- and WC in the page tables win over any MTRR. */
static void immune_to_mtrr(struct kunit *test)
{
	static const bool immune[] = {
		[WB] = false, [WC] = true, [UCM] = true, [UC] = true,
		[WT] = false, [WP] = false,
	};
	unsigned long pfn = page_to_pfn(pat_test_pages(test, 0));
	enum page_cache_mode type, granted;

	for (type = WB; type <= WP; type++) {
		KUNIT_EXPECT_EQ(test, reserve(60, 1, type, &granted), 0);
		KUNIT_EXPECT_EQ_MSG(test, pat_pfn_immune_to_uc_mtrr(pat_test_pfn(60)),
				    immune[granted], "%s", pat_mode_name(granted));
		KUNIT_EXPECT_EQ(test, release(60, 1), 0);
	}
	KUNIT_EXPECT_TRUE(test, pat_pfn_immune_to_uc_mtrr(pat_test_pfn(60)));
	KUNIT_EXPECT_FALSE(test, pat_pfn_immune_to_uc_mtrr(pfn));
	KUNIT_EXPECT_FALSE(test, pat_pfn_immune_to_uc_mtrr(ISA_START_ADDRESS >>
							   PAGE_SHIFT));
}

/* ioremap() spares itself the resource tree where this says yes. */
static void certainly_reserved(struct kunit *test)
{
	u64 ram = page_to_phys(pat_test_pages(test, 0));

	KUNIT_EXPECT_TRUE(test, pat_range_is_reserved(pat_test_byte(0),
						      pat_test_byte(0) + 1));
	KUNIT_EXPECT_TRUE(test, pat_range_is_reserved(pat_test_byte(0) + 5,
						      pat_test_byte(64)));
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(pat_test_byte(0),
						       pat_test_byte(0)));
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(ram, ram + 1));
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(0, ram + 1));
	/* Who knows what is there? */
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(PAGE_SIZE, 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(ISA_START_ADDRESS,
						       ISA_END_ADDRESS));
	KUNIT_EXPECT_FALSE(test, pat_range_is_reserved(ram, pat_test_byte(1)));
}

static struct kunit_case dispatch_cases[] = {
	KUNIT_CASE_PARAM(range_to_frames, door_gen_params),
	KUNIT_CASE(no_range),
	KUNIT_CASE(whole_pages),
	KUNIT_CASE(insist_or_take),
	KUNIT_CASE(many_times),
	KUNIT_CASE(ram),
	KUNIT_CASE(partly_ram),
	KUNIT_CASE(isa_range),
	KUNIT_CASE_PARAM(reserve_io, io_case_gen_params),
	KUNIT_CASE(ioremap_records),
	KUNIT_CASE(immune_to_mtrr),
	KUNIT_CASE(certainly_reserved),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name		= "pat_dispatch",
	.init		= pat_test_init,
	.test_cases	= dispatch_cases,
};
kunit_test_suite(dispatch_suite);
