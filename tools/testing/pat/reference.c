// SPDX-License-Identifier: GPL-2.0-only
/* The naive model of who may map what how: see reference.h. */

#include "ops.h"
#include "reference.h"

struct ref_kernel ref_kernel[REF_KERNEL];
u8 ref_ram_type[TOY_FRAMES];
unsigned short ref_holds[TOY_FRAMES];
u8 ref_mapped[TOY_FRAMES];
bool ref_busy[TOY_FRAMES];
bool ref_kept[TOY_FRAMES];
static u8 held_type[TOY_FRAMES];

/* Types of which translations may linger, a bit each. */
static u8 stale[TOY_FRAMES];		/* the next purge will flush them */
static u8 stale_purging[TOY_FRAMES];	/* one that has begun will */

/* May a CPU still use an unmapped translation with another type? */
bool ref_lingers(unsigned long frame, enum page_cache_mode type)
{
	return (stale[frame] | stale_purging[frame]) & ~BIT(type);
}

void ref_hold(unsigned long frame, enum page_cache_mode type)
{
	SHIM_CHECK(frame < TOY_FRAMES && toy_kind[frame] == TOY_RESERVED);
	/* With others in between, the reference hears of a release late. */
	SHIM_CHECK(!ref_holds[frame] || held_type[frame] == type ||
		   ops_racing());
	SHIM_CHECK(!ref_lingers(frame, type));
	ref_holds[frame]++;
	held_type[frame] = type;
}

void ref_drop(unsigned long frame)
{
	SHIM_CHECK(ref_holds[frame] > 0);
	ref_holds[frame]--;
}

void ref_map_page(unsigned long frame)
{
	ref_mapped[frame]++;
	atomic_inc(&pfn_to_page(frame)->_mapcount);
}

void ref_unmap_page(unsigned long frame)
{
	SHIM_CHECK(ref_mapped[frame] > 0);
	ref_mapped[frame]--;
	atomic_dec(&pfn_to_page(frame)->_mapcount);
}

enum page_cache_mode ref_held_type(unsigned long frame)
{
	return ref_holds[frame] ? held_type[frame] : _PAGE_CACHE_MODE_UC_MINUS;
}

enum page_cache_mode ref_lookup(unsigned long frame)
{
	if (toy_isa(frame) || toy_kind[frame] == TOY_OFFLINE)
		return _PAGE_CACHE_MODE_WB;
	if (toy_kind[frame] == TOY_RAM)
		return ref_ram_type[frame];
	if (toy_kind[frame] == TOY_REMOVED)
		return _PAGE_CACHE_MODE_UC_MINUS;
	return ref_held_type(frame);
}

bool ref_recorded(unsigned long frame)
{
	return !toy_isa(frame);
}

bool ref_typed(unsigned long frame)
{
	return !toy_isa(frame) && toy_kind[frame] == TOY_RESERVED;
}

/* The one type with which frames of a range are held; false if it is not one. */
static bool one_type(unsigned long frame, unsigned long nr, bool *any,
		     enum page_cache_mode *type)
{
	unsigned long i;

	*any = false;
	for (i = frame; i < frame + nr; i++) {
		if (!ref_holds[i])
			continue;
		if (*any && *type != held_type[i])
			return false;
		*any = true;
		*type = held_type[i];
	}
	return true;
}

enum page_cache_mode ref_effective(unsigned long frame, unsigned long nr,
				   enum page_cache_mode want)
{
	unsigned long i;

	if (want != _PAGE_CACHE_MODE_WB)
		return want;
	for (i = frame; i < frame + nr; i++)
		if (toy_mtrr_uncached(i))
			return _PAGE_CACHE_MODE_UC_MINUS;
	return want;
}

bool ref_serves(enum page_cache_mode want, enum page_cache_mode got)
{
	if (got == _PAGE_CACHE_MODE_WB)
		return want != _PAGE_CACHE_MODE_UC_MINUS &&
		       want != _PAGE_CACHE_MODE_WC &&
		       want != _PAGE_CACHE_MODE_WT;
	if (got == _PAGE_CACHE_MODE_WC)
		return want != _PAGE_CACHE_MODE_WT;
	return true;
}

/* Frames from @frame on that a mapping of a process treats alike. */
static unsigned long alike(unsigned long frame, unsigned long end)
{
	unsigned long i = frame + 1;

	while (i < end && toy_isa(i) == toy_isa(frame) &&
	       toy_kind[i] == toy_kind[frame])
		i++;
	return i - frame;
}

/* What remap_pfn_range() has to return, and the type of each page then. */
int ref_map(unsigned long frame, unsigned long nr, enum page_cache_mode want,
	    u8 *types)
{
	unsigned long i, j, run;

	for (i = 0; i < nr; i += run) {
		enum page_cache_mode type, held = 0;
		unsigned long at = frame + i;
		bool any;

		run = alike(at, frame + nr);
		if (ref_typed(at)) {
			if (!one_type(at, run, &any, &held))
				return -EINVAL;
			type = any ? held : ref_effective(at, run, want);
			if (!ref_serves(want, type))
				return -EINVAL;
			for (j = 0; j < run; j++)
				types[i + j] = type;
		} else {
			for (j = 0; j < run; j++)
				types[i + j] = ref_lookup(at + j);
		}
	}
	return 0;
}

/*
 * What memtype_reserve() has to return.  @records: whether it makes a record;
 * if not, RAM pages have become @granted, or there is nothing to do.
 */
int ref_reserve(unsigned long frame, unsigned long nr,
		enum page_cache_mode want, bool exact, bool *records,
		enum page_cache_mode *granted)
{
	enum page_cache_mode held = 0;
	unsigned long i, isa = 0;
	bool any;

	*records = false;
	for (i = frame; i < frame + nr; i++)
		isa += toy_isa(i);
	if (isa == nr) {
		*granted = _PAGE_CACHE_MODE_WB;
		return 0;
	}
	for (i = frame; i < frame + nr; i++)
		if (toy_kind[i] != toy_kind[frame])
			return -EINVAL;

	*granted = want;
	switch (toy_kind[frame]) {
	case TOY_OFFLINE:
		return want == _PAGE_CACHE_MODE_WB ? 0 : -EINVAL;
	case TOY_RAM:
		if (want == _PAGE_CACHE_MODE_WP)
			return -EINVAL;
		for (i = frame; i < frame + nr; i++)
			if (ref_ram_type[i] != _PAGE_CACHE_MODE_WB ||
			    (ref_mapped[i] && want != _PAGE_CACHE_MODE_WB))
				return -EBUSY;
		return 0;
	}

	*records = true;
	want = ref_effective(frame, nr, want);
	if (!one_type(frame, nr, &any, &held))
		return -EBUSY;
	if (any && exact && held != want)
		return -EBUSY;
	*granted = any ? held : want;
	return 0;
}

void ref_retire(unsigned long frame, unsigned long nr,
		enum page_cache_mode type)
{
	for (; nr; nr--, frame++)
		stale[frame] |= BIT(type);
}

void ref_purge_begin(void)
{
	int i;

	for (i = 0; i < TOY_FRAMES; i++)
		stale_purging[i] |= stale[i];
	memset(stale, 0, sizeof(stale));
}

void ref_purge_end(void)
{
	memset(stale_purging, 0, sizeof(stale_purging));
}
