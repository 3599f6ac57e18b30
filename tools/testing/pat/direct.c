// SPDX-License-Identifier: GPL-2.0-only
/*
 * The direct map of the toy machine: a type per frame, in large pages that have
 * to be split, which takes memory, before a part of one can have another type.
 * Below 1 MiB all are small, unless a regression wants it otherwise.
 */

#include "reference.h"

#define LARGE	4UL	/* frames of a large page */

u8 toy_direct[TOY_FRAMES];
static bool is_split[TOY_FRAMES / LARGE];

static int split(unsigned long frame)
{
	void *table = kzalloc(PAGE_SIZE, GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	kfree(table);
	is_split[frame / LARGE] = true;
	return 0;
}

static bool has_direct_map(unsigned long frame)
{
	return frame < TOY_LOW || toy_kind[frame] != TOY_RESERVED;
}

/* One page, or one large page; returns how many, or an error. */
static long change(unsigned long frame, unsigned long nr,
		   enum page_cache_mode type)
{
	int err;

	SHIM_CHECK(has_direct_map(frame));
	if (!is_split[frame / LARGE]) {
		if (toy_direct[frame] == type)
			return 1;
		if (frame % LARGE == 0 && nr >= LARGE) {
			memset(toy_direct + frame, type, LARGE);
			return LARGE;
		}
		err = split(frame);
		if (err)
			return err;
	}
	toy_direct[frame] = type;
	return 1;
}

int cpa_set_direct_map(const struct pat_cpa *cpa, enum page_cache_mode type)
{
	unsigned long first = PHYS_PFN(__pa(cpa->addr)), i;
	long done = 0;
	int err = 0;

	for (i = 0; i < cpa->nr && !err; i += done) {
		done = cpa->pages ? change(page_to_pfn(cpa->pages[i]), 1, type) :
				    change(first + i, cpa->nr - i, type);
		err = min(done, 0L);
	}
	/* Here caches and TLBs are flushed. */
	compare_aliases();
	for (i = 0; !err && type != _PAGE_CACHE_MODE_WB && i < cpa->nr; i++)
		compare_uncached(cpa->pages ? page_to_pfn(cpa->pages[i]) :
					      first + i);
	shim_preemption_point();
	return err;
}

/* An entry of the last level there is. */
pte_t *lookup_address(unsigned long addr, unsigned int *level)
{
	unsigned long frame = PHYS_PFN(__pa(addr));
	pgprot_t prot = pat_pgprot(__pgprot(_PAGE_PRESENT), toy_direct[frame]);
	static pte_t pte;

	SHIM_CHECK(has_direct_map(frame));
	*level = is_split[frame / LARGE] ? PG_LEVEL_4K : PG_LEVEL_2M;
	if (*level == PG_LEVEL_2M)
		prot = pgprot_4k_2_large(prot);
	pte = __pte(pgprot_val(prot));
	return &pte;
}

unsigned long page_level_size(unsigned int level)
{
	return (level == PG_LEVEL_2M ? LARGE : 1) << PAGE_SHIFT;
}

/* Small pages that are alike become a large one again. */
void toy_direct_collapse(unsigned long frame)
{
	unsigned long first = frame - frame % LARGE, i;

	for (i = first; i < first + LARGE; i++)
		if (ref_busy[i] || toy_direct[i] != toy_direct[first])
			return;
	is_split[frame / LARGE] = false;
}

void toy_direct_reset(void)
{
	memset(toy_direct, _PAGE_CACHE_MODE_WB, sizeof(toy_direct));
	memset(is_split, 0, sizeof(is_split));
	memset(is_split, true, TOY_LOW / LARGE);
}

void toy_free(unsigned long frame, unsigned int order)
{
	struct page *page = pfn_to_page(frame);
	unsigned long i, memtype = 0;

	for (i = 0; i < 1UL << order; i++) {
		SHIM_CHECK(atomic_read(&page[i]._mapcount) < 0);
		memtype |= page_memtype_flags(page + i);
	}
	SHIM_CHECK(pfnmap_block_is_typed(page, order) == !!memtype);
	if (!memtype)
		return;
	for (i = frame; i < frame + (1UL << order); i++)
		ref_kept[i] = true;
	pfnmap_keep_freed(page, order);
}

/* Only write-back pages, in every mapping, come to the allocator. */
void __free_pages(struct page *page, unsigned int order)
{
	unsigned long frame = page_to_pfn(page), end = frame + (1UL << order);

	SHIM_CHECK(!page->private && frame % (1UL << order) == 0);
	for (; frame < end; frame++) {
		SHIM_CHECK(ref_kept[frame]);
		ref_kept[frame] = false;
		ref_ram_type[frame] = _PAGE_CACHE_MODE_WB;
		SHIM_CHECK(pat_lookup(frame) == _PAGE_CACHE_MODE_WB);
		SHIM_CHECK(toy_direct[frame] == _PAGE_CACHE_MODE_WB);
	}
}
