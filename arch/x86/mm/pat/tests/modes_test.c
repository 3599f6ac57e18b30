// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of modes.c: the PAT MSR, its slots, and the tables made from them.
 */

#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>

#include <asm/msr.h>
#include <asm/pat.h>
#include <asm/processor.h>

#include "pat_test.h"

/* Each encoding of a slot, the reserved ones too, in each slot. */
static void slot_encodings(struct kunit *test)
{
	static const enum page_cache_mode types[8] = {
		[0] = UC, [1] = WC, [2] = WB, [3] = WB,
		[4] = WT, [5] = WP, [6] = WB, [7] = UCM,
	};
	unsigned int slot;
	u64 code;

	for (slot = 0; slot < 8; slot++)
		for (code = 0; code < 8; code++) {
			u64 msr = code << (slot * 8);

			/* The upper five bits of a slot are not its type. */
			KUNIT_EXPECT_EQ_MSG(test, pat_modes_slot(msr, slot),
					    types[code], "code %llu in slot %u",
					    code, slot);
			KUNIT_EXPECT_EQ(test,
					pat_modes_slot(msr | 0xf8f8f8f8f8f8f8f8,
						       slot), types[code]);
		}
}

#define FULL	PAT_VALUE(WB, WC, UC_MINUS, UC, WB, WP, UC_MINUS, WT)
#define FOUR	PAT_VALUE(WB, WC, UC_MINUS, UC, WB, WC, UC_MINUS, UC)
#define NO_PAT	PAT_VALUE(WB, WT, UC_MINUS, UC, WB, WT, UC_MINUS, UC)
#define RESET	0x0007040600070406ULL
#define OTHER	0x0000010500070406ULL

struct choice {
	const char	*name;
	u8		vendor, family, model;
	bool		may_write;
	u64		firmware;
	u64		expected;
};

/*
 * Family and model decide for Intel only, up to the last CPU with the erratum;
 * firmware without PAT, and a hypervisor that has set the MSR itself, decide
 * before that.
 */
static const struct choice choices[] = {
	{ "Pentium Pro", X86_VENDOR_INTEL, 6, 0, true, RESET, FOUR },
	{ "Pentium II", X86_VENDOR_INTEL, 6, 3, true, RESET, FOUR },
	{ "Pentium III", X86_VENDOR_INTEL, 6, 7, true, RESET, FOUR },
	{ "Pentium M, last with the erratum", X86_VENDOR_INTEL, 6, 13, true, RESET, FOUR },
	{ "Core, first without", X86_VENDOR_INTEL, 6, 14, true, RESET, FULL },
	{ "Core 2", X86_VENDOR_INTEL, 6, 15, true, RESET, FULL },
	{ "Skylake", X86_VENDOR_INTEL, 6, 0x5e, true, RESET, FULL },
	{ "Pentium 4", X86_VENDOR_INTEL, 15, 0, true, RESET, FOUR },
	{ "Pentium 4, last with the erratum", X86_VENDOR_INTEL, 15, 6, true, RESET, FOUR },
	{ "family 15, first without", X86_VENDOR_INTEL, 15, 7, true, RESET, FULL },
	{ "Pentium, an older family", X86_VENDOR_INTEL, 5, 2, true, RESET, FULL },
	{ "family 19, a newer one", X86_VENDOR_INTEL, 19, 1, true, RESET, FULL },
	{ "Athlon, family 6 of AMD", X86_VENDOR_AMD, 6, 4, true, RESET, FULL },
	{ "Opteron, family 15 of AMD", X86_VENDOR_AMD, 15, 5, true, RESET, FULL },
	{ "Zen", X86_VENDOR_AMD, 23, 1, true, RESET, FULL },
	{ "C7, family 6 of Centaur", X86_VENDOR_CENTAUR, 6, 10, true, RESET, FULL },
	{ "no PAT", X86_VENDOR_INTEL, 6, 0x5e, false, 0, NO_PAT },
	{ "no PAT on a CPU with the erratum", X86_VENDOR_INTEL, 6, 8, false, 0, NO_PAT },
	{ "no PAT, though the MSR could be written", X86_VENDOR_AMD, 23, 1, true, 0, NO_PAT },
	{ "nopat, reset value", X86_VENDOR_INTEL, 6, 0x5e, false, RESET, RESET },
	{ "nopat on a CPU with the erratum", X86_VENDOR_INTEL, 6, 8, false, RESET, RESET },
	{ "a hypervisor's value", X86_VENDOR_INTEL, 6, 0x5e, false, OTHER, OTHER },
};
KUNIT_ARRAY_PARAM_DESC(choice, choices, name);

/* The value for the MSR follows from CPU, firmware, and who may write. */
static void choose(struct kunit *test)
{
	const struct choice *choice = test->param_value;
	struct cpuinfo_x86 c = {
		.x86_vendor	= choice->vendor,
		.x86		= choice->family,
		.x86_model	= choice->model,
	};

	KUNIT_EXPECT_EQ(test, pat_modes_choose(&c, choice->firmware,
					       choice->may_write),
			choice->expected);
}

/* Tools parse the names; what is no type at all must not be read beyond. */
static void names(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, pat_mode_name(WB), "write-back");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(WC), "write-combining");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(UCM), "uncached-minus");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(UC), "uncached");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(WT), "write-through");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(WP), "write-protected");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(WP + 1), "broken");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(_PAGE_CACHE_MODE_NUM), "broken");
	KUNIT_EXPECT_STREQ(test, pat_mode_name(-1), "broken");
}

/* The bits with which a 4 KiB page table entry picks @slot. */
static unsigned long slot_bits(unsigned int slot)
{
	return (slot & 1 ? _PAGE_PWT : 0) | (slot & 2 ? _PAGE_PCD : 0) |
	       (slot & 4 ? _PAGE_PAT : 0);
}

/* The lowest slot of @msr that gives @type, 8 if none does. */
static unsigned int slot_of(u64 msr, enum page_cache_mode type)
{
	unsigned int slot = 0;

	while (slot < 8 && pat_modes_slot(msr, slot) != type)
		slot++;
	return slot;
}

/* Page table bits mean to the kernel what they mean to the CPU. */
static void tables_agree_with_the_msr(struct kunit *test)
{
	enum page_cache_mode type;
	unsigned int slot;
	u64 msr;

	if (!pat_enabled())
		kunit_skip(test, "the PAT is off");
	rdmsrl(MSR_IA32_CR_PAT, msr);

	for (slot = 0; slot < 8; slot++)
		KUNIT_EXPECT_EQ_MSG(test,
				    pgprot2cachemode(__pgprot(slot_bits(slot))),
				    pat_modes_slot(msr, slot), "slot %u", slot);

	/* A type without a slot becomes UC-: never more cached than asked. */
	for (type = WB; type <= WP; type++) {
		slot = slot_of(msr, type);
		if (slot == 8)
			slot = slot_of(msr, UCM);
		KUNIT_EXPECT_EQ_MSG(test, cachemode2protval(type),
				    slot_bits(slot), "%s", pat_mode_name(type));
	}
}

/* All CPUs that are up run with one value, the one that was chosen. */
static void each_cpu_has_the_value(struct kunit *test)
{
	u64 msr;
	int cpu;

	if (!pat_enabled())
		kunit_skip(test, "the PAT is off");
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		kunit_skip(test, "Xen has set the MSR");

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		KUNIT_EXPECT_EQ(test, rdmsrl_on_cpu(cpu, MSR_IA32_CR_PAT, &msr),
				0);
		KUNIT_EXPECT_EQ_MSG(test, msr,
				    pat_modes_choose(&boot_cpu_data, RESET, true), "CPU %d", cpu);
	}
	cpus_read_unlock();
}

/*
 * The type that a driver asks for replaces the old one: the bits of both
 * together would name another slot, that of UC for WC over UC-.  The other bits
 * of the protection stay.
 */
static void pgprot_replaces_the_type(struct kunit *test)
{
	static const unsigned long others[] = {
		0, _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED,
		_PAGE_PRESENT | _PAGE_DIRTY | _PAGE_SPECIAL,
	};
	enum page_cache_mode old, new;
	int i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		for (old = WB; old <= WP; old++) {
			pgprot_t prot = __pgprot(others[i] |
						 cachemode2protval(old));

			KUNIT_EXPECT_EQ_MSG(test,
				pgprot_val(pgprot_writecombine(prot)),
				others[i] | cachemode2protval(WC),
				"write-combining over %s", pat_mode_name(old));
			KUNIT_EXPECT_EQ_MSG(test,
				pgprot_val(pgprot_writethrough(prot)),
				others[i] | cachemode2protval(WT),
				"write-through over %s", pat_mode_name(old));
			for (new = WB; new <= WP; new++)
				KUNIT_EXPECT_EQ(test,
					pgprot_val(pat_pgprot(prot, new)),
					others[i] | cachemode2protval(new));
		}
}

static struct kunit_case modes_cases[] = {
	KUNIT_CASE(slot_encodings),
	KUNIT_CASE_PARAM(choose, choice_gen_params),
	KUNIT_CASE(names),
	KUNIT_CASE(tables_agree_with_the_msr),
	KUNIT_CASE(each_cpu_has_the_value),
	KUNIT_CASE(pgprot_replaces_the_type),
	{}
};

static struct kunit_suite modes_suite = {
	.name		= "pat_modes",
	.test_cases	= modes_cases,
};
kunit_test_suite(modes_suite);
