// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which type each API gives, where nobody else maps the frames: the API table
 * of the kernel's PAT document, column by column.
 *
 *	bar		a PCI BAR; the MTRRs make it uncached, as they do with
 *			everything that is not memory
 *	firmware	memory that firmware reserves ("ACPI, ..."); the MTRRs
 *			make it write-back
 *	isa		a0000-fffff, always write-back and never recorded
 *	low		below 1 MiB: counts as reserved even where it is RAM
 *	ram		System RAM: not to be mapped by these APIs
 *
 * Where PAT is off no request is judged and nothing recorded, and WC has to
 * make do with UC-.
 */
#include "contract.h"

#define ISA_PAGE	0xd0000ULL
#define LOW_PAGE	0x8000ULL

enum area {
	BAR,
	FIRMWARE,
	ISA,
	LOW,
	RAM,
};

/* Mappings of RAM that a kernel without PAT allows have the type asked for. */
#define AS_ASKED (-101)

/* INTENDED DIFFERENCE: stock refuses what could change its type; ours is RAM's. */
#define RAM_OR_REFUSED (-102)

#define RAM_MESSAGE "ioremap on RAM|memremap attempted on ram|map pfn RAM range req"

PAT_FIXTURE(first)

FIXTURE_VARIANT(first)
{
	enum area area;
	enum pat_requester who;
	int with_pat;		/* type, or PAT_REFUSED */
	int without_pat;	/* the same, or AS_ASKED */
	int refusal;		/* error, if refused */
};

#define GIVES(area_, who_, type_)						\
	FIXTURE_VARIANT_ADD(first, area_##_##who_)				\
	{									\
		.area = area_, .who = who_,					\
		.with_pat = PAT_TEST_##type_, .without_pat = AS_ASKED,		\
	}

#define REFUSES(area_, who_, refusal_, without_pat_)				\
	FIXTURE_VARIANT_ADD(first, area_##_##who_)				\
	{									\
		.area = area_, .who = who_, .with_pat = PAT_REFUSED,		\
		.without_pat = without_pat_, .refusal = refusal_,		\
	}

#define FOLLOWS(area_, who_, refusal_)						\
	FIXTURE_VARIANT_ADD(first, area_##_##who_)				\
	{									\
		.area = area_, .who = who_, .with_pat = RAM_OR_REFUSED,		\
		.without_pat = AS_ASKED, .refusal = refusal_,			\
	}

/*    where     who			      type */
GIVES(BAR,	IOREMAP,		UC_MINUS);
GIVES(BAR,	IOREMAP_UC,		UC);
GIVES(BAR,	IOREMAP_WC,		WC);
GIVES(BAR,	IOREMAP_WT,		WT);
GIVES(BAR,	IOREMAP_CACHE,		UC_MINUS);	/* the MTRRs say not WB */
GIVES(BAR,	IOREMAP_PROT_WB,	UC_MINUS);
GIVES(BAR,	IOREMAP_PROT_WC,	WC);
GIVES(BAR,	IOREMAP_PROT_UC_MINUS,	UC_MINUS);
GIVES(BAR,	IOREMAP_PROT_UC,	UC);
GIVES(BAR,	IOREMAP_PROT_WT,	WT);
GIVES(BAR,	MEMREMAP_WB,		UC_MINUS);
GIVES(BAR,	MEMREMAP_WT,		WT);
GIVES(BAR,	MEMREMAP_WC,		WC);
GIVES(BAR,	RESERVE_WC,		WC);
GIVES(BAR,	REMAP_WB,		UC_MINUS);
GIVES(BAR,	REMAP_WC,		WC);
GIVES(BAR,	REMAP_UC_MINUS,		UC_MINUS);
GIVES(BAR,	REMAP_UC,		UC);
GIVES(BAR,	REMAP_WT,		WT);
GIVES(BAR,	DEVMEM,			UC_MINUS);
GIVES(BAR,	DEVMEM_SYNC,		UC_MINUS);
GIVES(BAR,	RESOURCE,		UC_MINUS);
GIVES(BAR,	RESOURCE_WC,		WC);
GIVES(BAR,	PROC_PCI,		UC_MINUS);
GIVES(BAR,	PROC_PCI_WC,		WC);

GIVES(FIRMWARE,	IOREMAP,		UC_MINUS);
GIVES(FIRMWARE,	IOREMAP_UC,		UC);
GIVES(FIRMWARE,	IOREMAP_WC,		WC);
GIVES(FIRMWARE,	IOREMAP_WT,		WT);
GIVES(FIRMWARE,	IOREMAP_CACHE,		WB);
GIVES(FIRMWARE,	IOREMAP_PROT_WB,	WB);
GIVES(FIRMWARE,	IOREMAP_PROT_WC,	WC);
GIVES(FIRMWARE,	IOREMAP_PROT_UC_MINUS,	UC_MINUS);
GIVES(FIRMWARE,	IOREMAP_PROT_UC,	UC);
GIVES(FIRMWARE,	IOREMAP_PROT_WT,	WT);
GIVES(FIRMWARE,	MEMREMAP_WB,		WB);
GIVES(FIRMWARE,	MEMREMAP_WT,		WT);
GIVES(FIRMWARE,	MEMREMAP_WC,		WC);
GIVES(FIRMWARE,	RESERVE_WC,		WC);
GIVES(FIRMWARE,	REMAP_WB,		WB);
GIVES(FIRMWARE,	REMAP_WC,		WC);
GIVES(FIRMWARE,	REMAP_UC_MINUS,		UC_MINUS);
GIVES(FIRMWARE,	REMAP_UC,		UC);
GIVES(FIRMWARE,	REMAP_WT,		WT);
GIVES(FIRMWARE,	DEVMEM,			WB);
GIVES(FIRMWARE,	DEVMEM_SYNC,		UC_MINUS);

GIVES(ISA,	IOREMAP,		WB);
GIVES(ISA,	IOREMAP_UC,		WB);
GIVES(ISA,	IOREMAP_WC,		WB);
GIVES(ISA,	IOREMAP_WT,		WB);
GIVES(ISA,	IOREMAP_CACHE,		WB);
GIVES(ISA,	MEMREMAP_WB,		WB);
GIVES(ISA,	REMAP_WC,		WB);
GIVES(ISA,	REMAP_UC,		WB);
GIVES(ISA,	DEVMEM,			WB);
GIVES(ISA,	DEVMEM_SYNC,		WB);

GIVES(LOW,	DEVMEM,			WB);

REFUSES(RAM,	IOREMAP,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	IOREMAP_UC,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	IOREMAP_WC,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	IOREMAP_WT,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	IOREMAP_CACHE,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	IOREMAP_PROT_WC, PAT_TEST_NULL,	PAT_REFUSED);
GIVES(RAM,	MEMREMAP_WB,	WB);				/* the direct map */
REFUSES(RAM,	MEMREMAP_WT,	PAT_TEST_NULL,	PAT_REFUSED);
REFUSES(RAM,	MEMREMAP_WC,	PAT_TEST_NULL,	PAT_REFUSED);
FOLLOWS(RAM,	DEVMEM,		-EINVAL);
FOLLOWS(RAM,	DEVMEM_SYNC,	-EINVAL);
GIVES(RAM,	REMAP_WB,	WB);

static uint64_t a_ram_page(struct __test_metadata *_metadata, int driver)
{
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_ALLOC, &alloc));
	return pfn * PAT_PAGE;
}

static uint64_t area_page(struct __test_metadata *_metadata, int driver,
			  enum area area)
{
	switch (area) {
	case BAR:
		return pat_bar(_metadata)->start;
	case FIRMWARE:
		return pat_firmware_pages(_metadata);
	case ISA:
		return ISA_PAGE;
	case LOW:
		return LOW_PAGE;
	case RAM:
		return a_ram_page(_metadata, driver);
	}
	return 0;
}

static bool is_recorded(enum area area)
{
	return area != ISA && area != RAM;
}

TEST_F(first, type)
{
	uint64_t phys = area_page(_metadata, self->driver, variant->area);
	int want = self->pat ? variant->with_pat : variant->without_pat;
	struct pat_mapping map;

	if (!pat_is_offered(self->pat, variant->who)) {
		pat_expect_not_offered(_metadata, variant->who);
		return;
	}
	if (want == AS_ASKED)
		want = pat_type_without_pat(pat_requesters[variant->who].type);
	if (want == RAM_OR_REFUSED)
		want = pat_on_stock() ? PAT_REFUSED : PAT_TEST_WB;

	if (variant->area == RAM)
		pat_expect_message(RAM_MESSAGE);
	map = pat_request(_metadata, self->driver, variant->who, phys, PAT_PAGE);
	if (variant->area == RAM)
		pat_expect_done();
	if (want == PAT_REFUSED) {
		EXPECT_EQ(variant->refusal, map.err);
	} else {
		pat_expect_granted(_metadata, &map, want);
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE,
				   is_recorded(variant->area), want);
		pat_release(_metadata, self->driver, &map);
	}
}

TEST_HARNESS_MAIN
