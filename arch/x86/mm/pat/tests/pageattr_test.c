// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of pageattr.c: who may change the type of RAM, and cpa around it.
 *
 * Strong UC is not among them: it is refused with a warning, once.
 */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/set_memory.h>

#include <asm/pat.h>

#include "pat_test.h"

#define PAGES	4

struct claim {
	const char		*name;
	enum page_cache_mode	before[PAGES];
	enum page_cache_mode	want;
	int			result;
	enum page_cache_mode	found;
};

/* All pages or none: the offender may be anywhere, the last one included. */
static const struct claim claims[] = {
	{ "WC", { WB, WB, WB, WB }, WC, 0, WC },
	{ "UC-", { WB, WB, WB, WB }, UCM, 0, UCM },
	{ "WT", { WB, WB, WB, WB }, WT, 0, WT },
	{ "WB of what is write-back", { WB, WB, WB, WB }, WB, 0, WB },
	{ "the first is taken", { WC, WB, WB, WB }, UCM, -EBUSY, WC },
	{ "one between is taken", { WB, WB, WT, WB }, WC, -EBUSY, WT },
	{ "the last is taken", { WB, WB, WB, UCM }, WC, -EBUSY, UCM },
	{ "the last has the type already", { WB, WB, WB, WC }, WC, -EBUSY, WC },
	{ "two are taken, the first one is told", { WB, WT, WB, WC }, UCM, -EBUSY, WT },
	{ "WB of what is not", { WB, WB, WB, WC }, WB, -EBUSY, WC },
	{ "WP is not to be had", { WB, WB, WB, WB }, WP, -EINVAL, UCM },
	{ "WP, taken or not", { WC, WB, WB, WB }, WP, -EINVAL, UCM },
};
KUNIT_ARRAY_PARAM_DESC(claim, claims, name);

static void claim(struct kunit *test)
{
	const struct claim *c = test->param_value;
	unsigned long pfn = page_to_pfn(pat_test_pages(test, 3));
	enum page_cache_mode found = WP;
	int i;

	pat_test_expect_log(test, "RAM page .* cannot become");
	for (i = 0; i < PAGES; i++)
		pat_ram_set_type(pfn + 1 + i, c->before[i]);

	KUNIT_EXPECT_EQ(test, pat_cpa_reserve(pfn + 1, PAGES, c->want, &found,
					      claim), c->result);
	KUNIT_EXPECT_EQ(test, found, c->found);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, pat_ram_type(pfn + 1 + i),
				    c->result ? c->before[i] : c->want,
				    "page %d", i);
	/* The neighbours were not asked for. */
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn), WB);
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 1 + PAGES), WB);

	pat_cpa_unreserve(pfn + 1, PAGES);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 1 + i), WB);
}

/* A release takes what it is told to, not its neighbours. */
static void release_of_a_part(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(pat_test_pages(test, 2));
	enum page_cache_mode found;

	KUNIT_EXPECT_EQ(test, pat_cpa_reserve(pfn, 4, WC, &found, claim), 0);
	pat_cpa_unreserve(pfn + 1, 2);
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn), WC);
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 1), WB);
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 2), WB);
	KUNIT_EXPECT_EQ(test, pat_ram_type(pfn + 3), WC);
	pat_cpa_unreserve(pfn, 4);
}

/* What the page table entry of the direct map says. */
static enum page_cache_mode mapped_type(struct kunit *test, struct page *page)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)page_address(page), &level);
	pgprot_t prot;

	KUNIT_ASSERT_NOT_NULL(test, pte);
	prot = __pgprot(pte_flags(*pte));
	return pgprot2cachemode(level == PG_LEVEL_4K ? prot :
				pgprot_large_2_4k(prot));
}

static void expect_page(struct kunit *test, struct page *page,
			enum page_cache_mode type, const char *when)
{
	KUNIT_EXPECT_EQ_MSG(test, pat_ram_type(page_to_pfn(page)), type,
			    "bits, %s", when);
	KUNIT_EXPECT_EQ_MSG(test, pat_lookup(page_to_pfn(page)), type,
			    "look-up, %s", when);
	KUNIT_EXPECT_EQ_MSG(test, mapped_type(test, page), type,
			    "direct map, %s", when);
}

/* The bits, the look-up and the direct map agree after each change. */
static void set_memory_round_trip(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 1);
	unsigned long addr = (unsigned long)page_address(page);

	pat_test_expect_log(test, "RAM page .* cannot become");
	expect_page(test, page, WB, "fresh");
	KUNIT_EXPECT_EQ(test, set_memory_uc(addr, 2), 0);
	expect_page(test, page, UCM, "after set_memory_uc");
	expect_page(test, page + 1, UCM, "after set_memory_uc");

	/* Not from one type to another, but by way of write-back. */
	KUNIT_EXPECT_LT(test, set_memory_wc(addr + PAGE_SIZE, 1), 0);
	expect_page(test, page + 1, UCM, "after a set_memory_wc that fails");
	KUNIT_EXPECT_EQ(test, set_memory_wb(addr + PAGE_SIZE, 1), 0);
	expect_page(test, page, UCM, "the other one is write-back");
	expect_page(test, page + 1, WB, "after set_memory_wb");
	KUNIT_EXPECT_EQ(test, set_memory_wc(addr + PAGE_SIZE, 1), 0);
	expect_page(test, page + 1, WC, "after set_memory_wc");
	KUNIT_EXPECT_EQ(test, set_memory_wb(addr, 2), 0);
	expect_page(test, page, WB, "both are write-back");
	expect_page(test, page + 1, WB, "both are write-back");
}

/* An array of pages in which one is taken: none of them changes. */
static void array_all_or_none(struct kunit *test)
{
	struct page *page = pat_test_pages(test, 2);
	struct page *pages[] = { page, page + 2, page + 1, page + 3 };
	int i;

	pat_test_expect_log(test, "RAM page .* cannot become");
	KUNIT_EXPECT_EQ(test, set_pages_uc(page + 3, 1), 0);
	KUNIT_EXPECT_LT(test, set_pages_array_wc(pages, 4), 0);
	for (i = 0; i < 3; i++)
		expect_page(test, page + i, WB, "after a refusal");
	expect_page(test, page + 3, UCM, "the one in the way");

	KUNIT_EXPECT_EQ(test, set_pages_wb(page + 3, 1), 0);
	KUNIT_EXPECT_EQ(test, set_pages_array_wc(pages, 4), 0);
	for (i = 0; i < 4; i++)
		expect_page(test, page + i, WC, "claimed as an array");
	KUNIT_EXPECT_EQ(test, set_pages_array_wb(pages, 4), 0);
	for (i = 0; i < 4; i++)
		expect_page(test, page + i, WB, "released as an array");
}

/* An array in which no page follows the one before it in memory. */
static struct page **scattered(struct kunit *test, struct page *block,
			       unsigned int nr)
{
	struct page **pages = kunit_kcalloc(test, nr, sizeof(*pages), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < nr; i++)
		pages[i] = block + nr - 1 - i;
	return pages;
}

/*
 * A page that a process maps through its struct page cannot change, whether it
 * is alone, in the middle of a range, or late in an array; nor can the others.
 */
static void mapped_page_refuses(struct kunit *test)
{
	enum { ORDER = 9, NR = 1 << ORDER, MAPPED = 500 };
	struct page *block = pat_test_pages(test, ORDER);
	struct page **pages = scattered(test, block, NR);
	unsigned long addr = (unsigned long)page_address(block);
	struct page *mapped = pages[MAPPED];
	int i;

	pat_test_expect_log(test, "RAM page .* cannot become");
	atomic_inc(&mapped->_mapcount);
	KUNIT_EXPECT_EQ(test, set_pages_array_wc(pages, NR), -EBUSY);
	KUNIT_EXPECT_EQ(test, set_pages_array_uc(pages + MAPPED, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, set_memory_uc(addr, NR), -EBUSY);
	atomic_dec(&mapped->_mapcount);
	for (i = 0; i < NR; i++)
		expect_page(test, block + i, WB, "after refusals");

	KUNIT_EXPECT_EQ(test, set_pages_array_wc(pages, NR), 0);
	for (i = 0; i < NR; i++)
		expect_page(test, block + i, WC, "not mapped any more");

	/* The way back is refused as well. */
	atomic_inc(&mapped->_mapcount);
	KUNIT_EXPECT_EQ(test, set_pages_array_wb(pages, NR), -EBUSY);
	atomic_dec(&mapped->_mapcount);
	for (i = 0; i < NR; i++)
		expect_page(test, block + i, WC, "after a refusal");
	KUNIT_EXPECT_EQ(test, set_memory_wb(addr, NR), 0);
	for (i = 0; i < NR; i++)
		expect_page(test, block + i, WB, "at the end");
}

/* Of a large folio only the page that is mapped refuses, or all if all are. */
static void mapped_page_of_a_folio(struct kunit *test)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 2);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	page = folio_page(folio, 0);
	pat_test_expect_log(test, "RAM page .* cannot become");

	atomic_inc(&page[1]._mapcount);
	KUNIT_EXPECT_EQ(test, set_pages_uc(page + 1, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, set_pages_uc(page + 2, 1), 0);
	expect_page(test, page + 2, UCM, "beside a mapped one");
	KUNIT_EXPECT_EQ(test, set_pages_wb(page + 2, 1), 0);
	atomic_dec(&page[1]._mapcount);

	atomic_inc(&folio->_entire_mapcount);
	KUNIT_EXPECT_EQ(test, set_pages_uc(page + 2, 1), -EBUSY);
	atomic_dec(&folio->_entire_mapcount);
	expect_page(test, page + 2, WB, "of a mapped folio");
	folio_put(folio);
}

/* In transit, who maps a page gets UC-, at both ends and in an array, too. */
static void transit(struct kunit *test)
{
	struct page *block = pat_test_pages(test, 2);
	unsigned long pfn = page_to_pfn(block);
	struct page *pages[] = { block + 3, block };
	struct pat_cpa cpa = { .pages = pages, .nr = 2, .caller = transit };

	KUNIT_ASSERT_EQ(test, pat_cpa_begin(&cpa, WC), 0);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn), WC);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn), UCM);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn + 3), UCM);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn + 1), WB);
	KUNIT_EXPECT_EQ(test, cpa_set_direct_map(&cpa, WC), 0);
	pat_cpa_end(&cpa, WC, false);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn), WC);
	expect_page(test, block, WC, "after the transit");

	KUNIT_ASSERT_EQ(test, pat_cpa_begin(&cpa, WB), 0);
	KUNIT_EXPECT_EQ(test, pat_lookup(pfn), WC);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn), UCM);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn + 2), WB);
	/* As if the direct map could not be changed back. */
	pat_cpa_end(&cpa, WB, true);
	KUNIT_EXPECT_EQ(test, pat_cpa_map_type(pfn), WC);
	expect_page(test, block + 3, WC, "after a transit that failed");
	KUNIT_EXPECT_EQ(test, set_pages_array_wb(pages, 2), 0);
	expect_page(test, block + 3, WB, "at the end");
}

static struct kunit_case pageattr_cases[] = {
	KUNIT_CASE_PARAM(claim, claim_gen_params),
	KUNIT_CASE(release_of_a_part),
	KUNIT_CASE(set_memory_round_trip),
	KUNIT_CASE(array_all_or_none),
	KUNIT_CASE_SLOW(mapped_page_refuses),
	KUNIT_CASE(mapped_page_of_a_folio),
	KUNIT_CASE(transit),
	{}
};

static struct kunit_suite pageattr_suite = {
	.name		= "pat_pageattr",
	.init		= pat_test_init,
	.test_cases	= pageattr_cases,
};
kunit_test_suite(pageattr_suite);
