// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the code under test say what the reference says?
 *
 * Always: every frame that is mapped, or may be in a TLB, is recorded for that
 * page of that process.  At rest, with no zap in flight and no work to do,
 * nothing else is.
 *
 * A page of RAM has one type in its struct page, in the direct map and in every
 * page table entry; while cpa is at it, no two that differ, but for UC-.
 */

#include "ops.h"
#include "reference.h"

static bool at_rest(void)
{
	return !toy_zaps_any() && !shim_work_pending() && !shim_work_running();
}

static void check_record(const struct toy_mm *toy, const struct pat_map *map)
{
	unsigned long pfn = pat_map_pfn(map), nr = pat_map_pages(map), i;

	SHIM_CHECK(map->vma.vm_mm == &toy->mm);
	SHIM_CHECK(map->holder == PAT_HOLDER_USER);
	SHIM_CHECK(map->vma.vm_start >= TOY_ADDR(0));
	SHIM_CHECK(map->vma.vm_end <= TOY_ADDR(TOY_PAGES));
	SHIM_CHECK(pfn < TOY_FRAMES && nr <= TOY_FRAMES - pfn);
	for (i = pfn; i < pfn + nr; i++)
		SHIM_CHECK(map->ram == (toy_kind[i] != TOY_RESERVED) &&
			   (toy_kind[i] != TOY_REMOVED || !at_rest()));
}

static unsigned long last_below(const struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct pat_map, by_addr)->by_addr_last : 0;
}

/* The tree by address knows how far each subtree reaches. */
static void check_tree(const struct pat_map *map)
{
	unsigned long last = max(map->vma.vm_end - 1,
				 max(last_below(map->by_addr.rb_left),
				     last_below(map->by_addr.rb_right)));

	SHIM_CHECK(map->by_addr_last == last);
}

/* "A record never straddles two VMAs." */
static void check_vma_of(struct toy_mm *toy, const struct pat_map *map)
{
	struct toy_vma *area = toy_find(toy, TOY_PAGE(map->vma.vm_start));

	SHIM_CHECK(area && area->vma.vm_end >= map->vma.vm_end);
	SHIM_CHECK(area->vma.vm_flags & VM_PAT);
}

static bool is_recorded(struct toy_mm *toy, int page, int frame)
{
	struct pat_map *map;

	for (map = pat_record_first(&toy->mm, TOY_ADDR(page), TOY_ADDR(page + 1));
	     map;
	     map = pat_record_next(map, TOY_ADDR(page), TOY_ADDR(page + 1)))
		if (pat_map_pfn(map) + page - TOY_PAGE(map->vma.vm_start) == frame)
			return true;
	return false;
}

/* What may be in a TLB is recorded, also when a zap has just dropped records. */
void compare_cached(struct toy_mm *toy, int start, int end)
{
	void (*preempt)(void) = shim_preempt;
	int page, i;

	shim_preempt = NULL;
	pat_records_lock();
	for (page = start; page < end; page++)
		for (i = 0; i < toy->cached[page].nr; i++) {
			int frame = toy->cached[page].frames[i];

			SHIM_CHECK(!ref_recorded(frame) ||
				   is_recorded(toy, page, frame));
		}
	pat_records_unlock();
	shim_preempt = preempt;
}

/* Has it a type at rest, or none to keep, as in the ISA range? */
static bool is_ram(int frame)
{
	return frame != TOY_NONE && toy_kind[frame] != TOY_REMOVED &&
	       !ref_typed(frame);
}

static void adopt_extras(struct toy_mm *toy, int page, struct toy_bag *bag)
{
	struct toy_bag *old = &toy->extra[page];
	int i;

	SHIM_CHECK(!bag->nr || !at_rest());
	if (!bag->nr && !old->nr)
		return;
	for (i = 0; i < old->nr; i++)
		if (ref_typed(old->frames[i]))
			ref_drop(old->frames[i]);
	for (i = 0; i < bag->nr; i++)
		if (ref_typed(bag->frames[i]))
			ref_hold(bag->frames[i],
				 pat_reserved_type(bag->frames[i]));
	*old = *bag;
}

/* Where others run in between, nothing is compared until all are done. */
void compare_mm(struct toy_mm *toy)
{
	static struct toy_bag got[TOY_PAGES];
	void (*preempt)(void) = shim_preempt;
	struct pat_map *map;
	int page, i;

	if (ops_racing())
		return;
	for (page = 0; page < TOY_PAGES; page++)
		got[page].nr = 0;

	shim_preempt = NULL;
	pat_records_lock();
	for (map = pat_record_first(&toy->mm, 0, ULONG_MAX); map;
	     map = pat_record_next(map, 0, ULONG_MAX)) {
		check_record(toy, map);
		check_tree(map);
		if (at_rest())
			check_vma_of(toy, map);
		page = TOY_PAGE(map->vma.vm_start);
		for (i = 0; i < pat_map_pages(map); i++)
			toy_bag_put(&got[page + i], pat_map_pfn(map) + i, 0);
	}
	pat_records_unlock();
	shim_preempt = preempt;

	for (page = 0; page < TOY_PAGES; page++) {
		const struct toy_bag *cached = &toy->cached[page];
		struct toy_pte pte = toy_pte(toy, page);

		for (i = 0; i < cached->nr; i++)
			SHIM_CHECK(!ref_recorded(cached->frames[i]) ||
				   toy_bag_has(&got[page], cached->frames[i]));
		if (pte.frame != TOY_NONE && pte.special &&
		    ref_recorded(pte.frame)) {
			SHIM_CHECK(toy_bag_take(&got[page], pte.frame));
			SHIM_CHECK(!ref_typed(pte.frame) ||
				   pat_reserved_type(pte.frame) == pte.type);
		}
		if (is_ram(pte.frame))
			SHIM_CHECK(pte.type == ref_lookup(pte.frame));
		/* The record of what was copied may stay, or be trimmed. */
		if (toy->cow[page] != TOY_NONE)
			toy_bag_take(&got[page], toy->cow[page]);
		adopt_extras(toy, page, &got[page]);
	}
}

static u8 seen[TOY_FRAMES];	/* types, a bit each, with which CPUs use it */

static void see(const struct toy_mm *toy, int page)
{
	const struct toy_bag *cached = &toy->cached[page];
	struct toy_pte pte = toy_pte(toy, page);
	int i;

	if (pte.frame != TOY_NONE && pte.reachable)
		seen[pte.frame] |= BIT(pte.type);
	for (i = 0; i < cached->nr; i++)
		seen[cached->frames[i]] |= BIT(cached->types[i]);
}

/*
 * No CPU can use a page of RAM with two types now, unless one of them is UC-,
 * which is coherent with each of the others.
 */
void compare_aliases(void)
{
	u8 types;
	int i;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < TOY_MMS * TOY_PAGES; i++)
		if (toy_mms[i / TOY_PAGES])
			see(toy_mms[i / TOY_PAGES], i % TOY_PAGES);
	for (i = 0; i < TOY_FRAMES; i++) {
		if (toy_kind[i] != TOY_RAM && toy_kind[i] != TOY_OFFLINE)
			continue;
		seen[i] |= BIT(toy_direct[i]);
		types = seen[i] & ~BIT(_PAGE_CACHE_MODE_UC_MINUS);
		SHIM_CHECK(!(types & (types - 1)));
	}
}

/* After that: nothing can come into a cache that was flushed. */
void compare_uncached(unsigned long frame)
{
	SHIM_CHECK(toy_kind[frame] != TOY_RAM ||
		   !(seen[frame] & BIT(_PAGE_CACHE_MODE_WB)));
}

/* Every entry of RAM, of all processes, says what the page says. */
void compare_users(void)
{
	struct toy_pte pte;
	int i, page;

	if (ops_racing())
		return;
	for (i = 0; i < TOY_MMS; i++)
		for (page = 0; toy_mms[i] && page < TOY_PAGES; page++) {
			pte = toy_pte(toy_mms[i], page);
			if (is_ram(pte.frame))
				SHIM_CHECK(pte.type == ref_lookup(pte.frame));
		}
}

/* What cpa does not give is UC- in the direct map. */
static enum page_cache_mode direct_type(enum page_cache_mode type)
{
	return type == _PAGE_CACHE_MODE_UC || type == _PAGE_CACHE_MODE_WP ?
		_PAGE_CACHE_MODE_UC_MINUS : type;
}

/* The direct map at rest: RAM as it says, low memory as it is held. */
static void compare_direct(unsigned long frame)
{
	if (toy_kind[frame] == TOY_RAM || toy_kind[frame] == TOY_OFFLINE)
		SHIM_CHECK(toy_direct[frame] == ref_lookup(frame));
	else if (frame < TOY_LOW && ref_holds[frame])
		SHIM_CHECK(toy_direct[frame] ==
			   direct_type(ref_held_type(frame)));
	else if (frame < TOY_LOW && at_rest())
		SHIM_CHECK(toy_direct[frame] == _PAGE_CACHE_MODE_WB);
	/* Is nothing in transit any more? */
	if (toy_kind[frame] == TOY_RAM)
		SHIM_CHECK(pat_cpa_map_type(frame) == ref_ram_type[frame]);
}

static struct ref_kernel *find_kernel(const struct pat_record_info *info,
				      u64 seen)
{
	int i;

	for (i = 0; i < REF_KERNEL; i++) {
		struct ref_kernel *k = &ref_kernel[i];

		if (k->used && !(seen & BIT(i)) && k->frame == info->pfn &&
		    k->nr == info->pages && k->type == info->type &&
		    (unsigned long)k->area.addr ==
		    (info->holder == PAT_HOLDER_KERNEL ? info->start : 0))
			return k;
	}
	return NULL;
}

/* What debugfs shows is what the reference counts. */
static void compare_list(void)
{
	static unsigned short holds[TOY_FRAMES];
	unsigned long count, i, frame;
	struct pat_record_info *infos;
	unsigned int saved = shim_fail_at;
	u64 seen = 0;

	shim_fail_at = 0;
	infos = pat_records_snapshot(false, &count);
	shim_fail_at = saved;
	SHIM_CHECK(infos);

	memset(holds, 0, sizeof(holds));
	for (i = 0; i < count; i++) {
		const struct pat_record_info *info = &infos[i];

		SHIM_CHECK(!i || infos[i - 1].pfn <= info->pfn);
		SHIM_CHECK(info->pages && info->pfn + info->pages <= TOY_FRAMES);
		for (frame = info->pfn; frame < info->pfn + info->pages; frame++) {
			SHIM_CHECK(info->type == ref_held_type(frame));
			holds[frame]++;
		}
		if (info->holder != PAT_HOLDER_USER) {
			struct ref_kernel *k = find_kernel(info, seen);

			SHIM_CHECK(k);
			seen |= BIT(k - ref_kernel);
		}
	}
	for (i = 0; i < REF_KERNEL; i++)
		SHIM_CHECK(!ref_kernel[i].used || seen & BIT(i));
	SHIM_CHECK(!memcmp(holds, ref_holds, sizeof(holds)));
	kvfree(infos);
}

static void compare_types(unsigned long frame, unsigned long end)
{
	for (; frame < end; frame++) {
		SHIM_CHECK(pat_lookup(frame) == ref_lookup(frame));
		compare_direct(frame);
	}
}

/* The quick check, of what an operation was about. */
void compare_frames(unsigned long frame, unsigned long nr)
{
	if (at_rest() && !ops_racing())
		compare_types(frame, frame + nr);
}

static enum pat_frames kind_of(unsigned long frame)
{
	return toy_kind[frame] == TOY_REMOVED ? PAT_FRAMES_RESERVED :
						(enum pat_frames)toy_kind[frame];
}

/* The table of RAM, asked with ranges of each length. */
static void compare_ram(void)
{
	unsigned long frame, run, expect;

	for (frame = 0; frame < TOY_FRAMES; frame += expect) {
		for (expect = 1; frame + expect < TOY_FRAMES; expect++)
			if (kind_of(frame + expect) != kind_of(frame))
				break;
		SHIM_CHECK(pat_ram_run(frame, TOY_FRAMES - frame, &run) ==
			   kind_of(frame));
		SHIM_CHECK(run == expect);
		SHIM_CHECK(pat_ram_run(frame + expect - 1, 1, &run) ==
			   kind_of(frame) && run == 1);
	}
}

/* What debugfs shows of RAM that is not write-back. */
static void compare_typed(void)
{
	unsigned long frame, next = 0, nr = 0, count = 0;
	enum page_cache_mode type, expect;

	for (frame = 0; frame < TOY_FRAMES; frame++) {
		if (frame == next + nr) {
			next = frame;
			if (!pat_ram_typed_next(&next, &nr, &type)) {
				next = TOY_FRAMES;
				nr = 0;
			}
		}
		expect = toy_kind[frame] == TOY_RAM ? pat_lookup(frame) :
						      _PAGE_CACHE_MODE_WB;
		count += expect != _PAGE_CACHE_MODE_WB;
		SHIM_CHECK(expect == (frame < next ? _PAGE_CACHE_MODE_WB : type));
	}
	SHIM_CHECK(count == pat_ram_typed_count());
}

/* All but the types of frames that nobody maps: of those one part in PARTS. */
void compare_part(unsigned int part)
{
	struct pat_verdict verdict;
	int i;

	for (i = 0; i < TOY_MMS; i++)
		if (toy_mms[i])
			compare_mm(toy_mms[i]);
	compare_list();
	compare_ram();
	if (at_rest() && !ops_racing())
		compare_typed();
	compare_types(part * TOY_FRAMES / COMPARE_PARTS,
		      (part + 1) * TOY_FRAMES / COMPARE_PARTS);
	pat_validate(&verdict);
	if (verdict.broken)
		shim_fail("pat_validate", (int)verdict.pfn, verdict.broken);
	pat_validate_ram(&verdict);
	if (verdict.broken)
		shim_fail("pat_validate_ram", (int)verdict.pfn, verdict.broken);
}

void compare_all(void)
{
	compare_part(0);
	compare_types(0, TOY_FRAMES);
}
