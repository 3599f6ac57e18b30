/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_REFERENCE_H
#define _PAT_MODEL_REFERENCE_H

/*
 * What the code under test has to say, worked out as naively as can be: an
 * array entry a frame, loops, no ranges that are split or merged.
 */

#include "toy.h"

#define REF_KERNEL	24	/* reservations and ioremaps at a time */

/* One reservation, or with an address one ioremap. */
struct ref_kernel {
	bool			used;
	unsigned long		frame, nr;
	enum page_cache_mode	type;
	struct vm_struct	area;		/* of an ioremap(), else without address */
};

extern struct ref_kernel ref_kernel[REF_KERNEL];
extern u8 ref_ram_type[TOY_FRAMES];
extern unsigned short ref_holds[TOY_FRAMES];
extern u8 ref_mapped[TOY_FRAMES];	/* through their struct pages */
extern bool ref_busy[TOY_FRAMES];	/* cpa is at them */
extern bool ref_kept[TOY_FRAMES];	/* freed, but not write-back */

void ref_hold(unsigned long frame, enum page_cache_mode type);
void ref_drop(unsigned long frame);
enum page_cache_mode ref_held_type(unsigned long frame);
enum page_cache_mode ref_lookup(unsigned long frame);

void ref_map_page(unsigned long frame);
void ref_unmap_page(unsigned long frame);

/* Does a mapping of @frame by a process need a record; one with a type? */
bool ref_recorded(unsigned long frame);
bool ref_typed(unsigned long frame);

/* What a type that is asked for means where MTRRs have a say. */
enum page_cache_mode ref_effective(unsigned long frame, unsigned long nr,
				   enum page_cache_mode want);
/* May one who asked for a type live with another? */
bool ref_serves(enum page_cache_mode want, enum page_cache_mode got);

int ref_map(unsigned long frame, unsigned long nr, enum page_cache_mode want,
	    u8 *types);
int ref_reserve(unsigned long frame, unsigned long nr,
		enum page_cache_mode want, bool exact, bool *records,
		enum page_cache_mode *granted);
/* An ioremap of these frames is unmapped, but CPUs may use it until a purge. */
void ref_retire(unsigned long frame, unsigned long nr,
		enum page_cache_mode type);
bool ref_lingers(unsigned long frame, enum page_cache_mode type);
void ref_purge_begin(void);
void ref_purge_end(void);

/* Compare everything with it; what is held beyond that goes to ->extra. */
void compare_all(void);
#define COMPARE_PARTS	8
void compare_part(unsigned int part);
void compare_mm(struct toy_mm *toy);
void compare_users(void);
void compare_aliases(void);
void compare_uncached(unsigned long frame);
void compare_cached(struct toy_mm *toy, int start, int end);
void compare_frames(unsigned long frame, unsigned long nr);

#endif /* _PAT_MODEL_REFERENCE_H */
