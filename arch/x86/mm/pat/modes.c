// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAT modes: what the PAT MSR holds and which slot gives which cache mode.
 *
 * A page table entry picks one of eight slots with three bits; the MSR says
 * which memory type each slot stands for:
 *
 *	slot	PAT PCD PWT	full		four slots	no PAT
 *	  0	 0   0   0	WB		WB		WB
 *	  1	 0   0   1	WC		WC		WT
 *	  2	 0   1   0	UC-		UC-		UC-
 *	  3	 0   1   1	UC		UC		UC
 *	  4	 1   0   0	WB (spare)	WB		WB
 *	  5	 1   0   1	WP		WC		WT
 *	  6	 1   1   0	UC- (spare)	UC-		UC-
 *	  7	 1   1   1	WT		UC		UC
 *
 * full: slot 7 is WT so that an erratum which drops the PAT bit lands in slot
 * 3, UC: slow, but right.  The spare slots say what they say without the bit.
 *
 * four slots: Intel family 6 up to model 13 and family 15 up to model 6
 * ignore the PAT bit in some modes, so the upper half repeats the lower one.
 * WT and WP become UC-, which is what __cachemode2pte_tbl[] starts from.
 *
 * no PAT: what the CPU does with PCD and PWT alone, and its reset value.  WC
 * and WP become UC-.
 *
 * All of this is decided once on the boot CPU, before other CPUs run and
 * before the first mapping that is not write-back; pat_cpu_init() loads the
 * value on every CPU that comes up or resumes, in cache_cpu_init().
 */

#define pr_fmt(fmt) "x86/PAT: " fmt

#include <linux/cpufeature.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>

#include <asm/cacheinfo.h>
#include <asm/msr.h>
#include <asm/mtrr.h>
#include <asm/pat.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "pat_internal.h"
#include "../mm_internal.h"

static bool pat_off __ro_after_init = !IS_ENABLED(CONFIG_X86_PAT);
static u64 pat_msr __ro_after_init;

bool pat_debug __ro_after_init;

static void __init pat_turn_off(const char *why)
{
	if (pat_off)
		return;

	pat_off = true;
	memory_caching_control &= ~CACHE_PAT;
	pr_info("%s\n", why);
}

static int __init nopat_setup(char *unused)
{
	pat_turn_off("PAT support disabled via boot option.");
	return 0;
}
early_param("nopat", nopat_setup);

static int __init debugpat_setup(char *unused)
{
	pat_debug = true;
	return 1;
}
__setup("debugpat", debugpat_setup);

/**
 * pat_enabled - are memory types chosen by the PAT, and tracked?
 *
 * Context: any.  Does not change after the boot CPU's set-up.
 * Return: false with "nopat", without CONFIG_X86_PAT, without the CPU feature
 * and where firmware left the MSR zero.
 */
bool pat_enabled(void)
{
	return !pat_off;
}
EXPORT_SYMBOL_GPL(pat_enabled);

/**
 * pat_mode_name - the name of a memory type
 * @type: the type
 *
 * Context: any.
 * Return: what messages and pat_memtype_list call it; tools parse that.
 */
const char *pat_mode_name(enum page_cache_mode type)
{
	static const char * const names[] = {
		[_PAGE_CACHE_MODE_WB]		= "write-back",
		[_PAGE_CACHE_MODE_WC]		= "write-combining",
		[_PAGE_CACHE_MODE_UC_MINUS]	= "uncached-minus",
		[_PAGE_CACHE_MODE_UC]		= "uncached",
		[_PAGE_CACHE_MODE_WT]		= "write-through",
		[_PAGE_CACHE_MODE_WP]		= "write-protected",
	};

	return (unsigned int)type < ARRAY_SIZE(names) ? names[type] : "broken";
}

/**
 * pat_modes_slot - what does a slot of the PAT stand for?
 * @msr: value of the PAT MSR
 * @slot: 0 to 7
 *
 * Context: any.
 * Return: the memory type.
 */
enum page_cache_mode pat_modes_slot(u64 msr, unsigned int slot)
{
	switch ((msr >> (slot * 8)) & 7) {
	case X86_MEMTYPE_UC:
		return _PAGE_CACHE_MODE_UC;
	case X86_MEMTYPE_WC:
		return _PAGE_CACHE_MODE_WC;
	case X86_MEMTYPE_WT:
		return _PAGE_CACHE_MODE_WT;
	case X86_MEMTYPE_WP:
		return _PAGE_CACHE_MODE_WP;
	case X86_MEMTYPE_UC_MINUS:
		return _PAGE_CACHE_MODE_UC_MINUS;
	default:	/* WB, and the reserved encodings 2 and 3 */
		return _PAGE_CACHE_MODE_WB;
	}
}

/* Does the CPU ignore the PAT bit of some page table entries? */
static bool pat_modes_upper_half_broken(const struct cpuinfo_x86 *c)
{
	return c->x86_vendor == X86_VENDOR_INTEL &&
	       ((c->x86 == 6 && c->x86_model <= 13) ||
		(c->x86 == 15 && c->x86_model <= 6));
}

/**
 * pat_modes_choose - the MSR value for a CPU
 * @c: the boot CPU
 * @firmware: what firmware left in the MSR, 0 without PAT
 * @may_write: the kernel may load a value of its own
 *
 * Return: the value to load, or where @may_write is false, the one in force.
 */
u64 pat_modes_choose(const struct cpuinfo_x86 *c, u64 firmware, bool may_write)
{
	if (!firmware)
		return PAT_VALUE(WB, WT, UC_MINUS, UC, WB, WT, UC_MINUS, UC);
	if (!may_write)
		return firmware;
	if (pat_modes_upper_half_broken(c))
		return PAT_VALUE(WB, WC, UC_MINUS, UC, WB, WC, UC_MINUS, UC);
	return PAT_VALUE(WB, WC, UC_MINUS, UC, WB, WP, UC_MINUS, WT);
}

/*
 * Fill the translation tables from @msr.  From the highest slot down, so that
 * a type that several slots give is translated to the lowest of them.
 */
static void __init pat_modes_set_tables(u64 msr)
{
	static const char tags[][5] __initconst = {
		[_PAGE_CACHE_MODE_WB]		= "WB  ",
		[_PAGE_CACHE_MODE_WC]		= "WC  ",
		[_PAGE_CACHE_MODE_UC_MINUS]	= "UC- ",
		[_PAGE_CACHE_MODE_UC]		= "UC  ",
		[_PAGE_CACHE_MODE_WT]		= "WT  ",
		[_PAGE_CACHE_MODE_WP]		= "WP  ",
	};
	char line[8 * 4 + 1] = "";
	int slot;

	for (slot = 7; slot >= 0; slot--)
		update_cache_mode_entry(slot, pat_modes_slot(msr, slot));
	for (slot = 0; slot < 8; slot++)
		strlcat(line, tags[pat_modes_slot(msr, slot)], sizeof(line));
	pr_info("Configuration [0-7]: %s\n", line);
}

/**
 * pat_bp_init - decide about PAT on the boot CPU
 *
 * Chooses the MSR value, fills the translation tables and asks for
 * pat_cpu_init() on each CPU.  Xen PV refuses writes to the MSR, but the value
 * it has set knows all modes.
 *
 * Context: once, early on the boot CPU, after the command line was parsed.
 */
void __init pat_bp_init(void)
{
	bool may_write;
	u64 firmware = 0;

	if (!IS_ENABLED(CONFIG_X86_PAT))
		pr_info_once("PAT support disabled because CONFIG_X86_PAT is disabled in the kernel.\n");

	if (!cpu_feature_enabled(X86_FEATURE_PAT))
		pat_turn_off("PAT not supported by the CPU.");
	else
		rdmsrl(MSR_IA32_CR_PAT, firmware);
	if (!firmware)
		pat_turn_off("PAT support disabled by the firmware.");

	may_write = pat_enabled() && !cpu_feature_enabled(X86_FEATURE_XENPV);
	pat_msr = pat_modes_choose(&boot_cpu_data, firmware, may_write);
	if (may_write)
		memory_caching_control |= CACHE_PAT;
	pat_modes_set_tables(pat_msr);
}

/**
 * pat_cpu_init - load the PAT MSR on this CPU
 *
 * Context: caches off, interrupts off: from cache_cpu_init().
 */
void pat_cpu_init(void)
{
	/* The boot CPU uses PAT: there is no way back for a CPU without. */
	if (!boot_cpu_has(X86_FEATURE_PAT))
		panic("x86/PAT: PAT enabled, but not supported by secondary CPU\n");

	wrmsrl(MSR_IA32_CR_PAT, pat_msr);
	__flush_tlb_all();
}

/**
 * pgprot_writecombine - ask for a write-combining mapping
 * @prot: page protection with any memory type
 *
 * Return: @prot with its memory type replaced.
 */
pgprot_t pgprot_writecombine(pgprot_t prot)
{
	return pat_pgprot(prot, _PAGE_CACHE_MODE_WC);
}
EXPORT_SYMBOL_GPL(pgprot_writecombine);

/**
 * pgprot_writethrough - ask for a write-through mapping
 * @prot: page protection with any memory type
 *
 * Return: @prot with its memory type replaced.
 */
pgprot_t pgprot_writethrough(pgprot_t prot)
{
	return pat_pgprot(prot, _PAGE_CACHE_MODE_WT);
}
EXPORT_SYMBOL_GPL(pgprot_writethrough);
