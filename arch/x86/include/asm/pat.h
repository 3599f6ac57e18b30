/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_PAT_H
#define _ASM_X86_PAT_H

/*
 * Memory types of physical memory: who may map what how.
 *
 * The model, the locks and the rooms that implement this are described at
 * the head of arch/x86/mm/pat.c; drivers use ioremap_*(), set_memory_*() and
 * remap_pfn_range(), which call in here.
 *
 * All physical ranges are [start, end) in bytes.
 */

#include <linux/types.h>
#include <asm/pgtable_types.h>

bool pat_enabled(void);
void pat_bp_init(void);
void pat_cpu_init(void);

bool x86_has_pat_wp(void);
enum page_cache_mode pgprot2cachemode(pgprot_t pgprot);

bool pat_pfn_immune_to_uc_mtrr(unsigned long pfn);

int memtype_reserve(u64 start, u64 end, enum page_cache_mode want,
		    enum page_cache_mode *granted);
int memtype_free(u64 start, u64 end);
int memtype_reserve_io(resource_size_t start, resource_size_t end,
		       enum page_cache_mode *type);
void memtype_free_io(resource_size_t start, resource_size_t end);

struct vm_struct;
int memtype_reserve_ioremap(struct vm_struct *area, enum page_cache_mode want,
			    enum page_cache_mode *granted);
void memtype_free_ioremap(struct vm_struct *area);

#ifdef CONFIG_X86_PAT
bool pat_range_is_reserved(u64 start, u64 end);
void pat_ram_init(void);
int pat_ram_add(u64 start, u64 size);
void pat_ram_remove(u64 start, u64 size);
#else
static inline bool pat_range_is_reserved(u64 start, u64 end) { return false; }
static inline void pat_ram_init(void) { }
static inline int pat_ram_add(u64 start, u64 size) { return 0; }
static inline void pat_ram_remove(u64 start, u64 size) { }
#endif

#endif /* _ASM_X86_PAT_H */
