// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a type on its way into page table entries: the pgprot_*()
 * helpers, and the other place of the PAT bit in huge entries.
 */
#include "contract.h"

/*
 * INTENDED DIFFERENCE. The stock kernel's pgprot_writecombine() and
 * pgprot_writethrough() OR the bits of their type into whatever is there, which
 * makes something else of anything but WB: UC- and WC make UC. The patched
 * kernel's replace the old bits. pgprot_noncached() ORs on both.
 */
PAT_FIXTURE(pgprot)

FIXTURE_VARIANT(pgprot)
{
	unsigned int api;
	int before;
	int stock;
	int patched;
	int stock_without_pat;
	int patched_without_pat;
};

#define WB  PAT_TEST_WB
#define WC  PAT_TEST_WC
#define UCM PAT_TEST_UC_MINUS
#define UC  PAT_TEST_UC
#define WT  PAT_TEST_WT
#define WP  PAT_TEST_WP

#define PGPROT(api_, before_, ...)						\
	FIXTURE_VARIANT_ADD(pgprot, api_##_of_##before_)			\
	{									\
		PAT_TEST_PGPROT_##api_, before_, __VA_ARGS__			\
	}

/*					stock	patched	the same without PAT */
PGPROT(NONCACHED,	WB,		UCM,	UCM,	UCM,	UCM);
PGPROT(NONCACHED,	WC,		UC,	UC,	UCM,	UCM);
PGPROT(NONCACHED,	UCM,		UCM,	UCM,	UCM,	UCM);
PGPROT(NONCACHED,	UC,		UC,	UC,	UC,	UC);
PGPROT(NONCACHED,	WT,		WT,	WT,	UC,	UC);
PGPROT(WRITECOMBINE,	WB,		WC,	WC,	UCM,	UCM);
PGPROT(WRITECOMBINE,	WC,		WC,	WC,	UCM,	UCM);
PGPROT(WRITECOMBINE,	UCM,		UC,	WC,	UCM,	UCM);
PGPROT(WRITECOMBINE,	UC,		UC,	WC,	UC,	UCM);
PGPROT(WRITECOMBINE,	WT,		WT,	WC,	UC,	UCM);
PGPROT(WRITECOMBINE,	WP,		WP,	WC,	UCM,	UCM);
PGPROT(WRITETHROUGH,	WB,		WT,	WT,	WT,	WT);
PGPROT(WRITETHROUGH,	WC,		WT,	WT,	UC,	WT);
PGPROT(WRITETHROUGH,	UCM,		WT,	WT,	UC,	WT);
PGPROT(WRITETHROUGH,	UC,		WT,	WT,	UC,	WT);
PGPROT(WRITETHROUGH,	WT,		WT,	WT,	WT,	WT);
PGPROT(WRITETHROUGH,	WP,		WT,	WT,	UC,	WT);

#undef WB
#undef WC
#undef UCM
#undef UC
#undef WT
#undef WP

TEST_F(pgprot, gives)
{
	struct pat_test_pgprot req = {
		.api = variant->api,
		.type = variant->before,
	};
	int want;

	if (self->pat)
		want = pat_on_stock() ? variant->stock : variant->patched;
	else
		want = pat_on_stock() ? variant->stock_without_pat :
					variant->patched_without_pat;

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_PGPROT, &req));
	EXPECT_EQ(want, req.got)
		TH_LOG("wanted %s, got %s", pat_type_word(want),
		       pat_type_word(req.got));
}

/* ioremap*() of an aligned range uses 2 MiB entries, whose PAT bit is bit 12. */
PAT_FIXTURE(huge)

FIXTURE_VARIANT(huge)
{
	unsigned int api;
	int type;
};

#define HUGE(api_, type_)							\
	FIXTURE_VARIANT_ADD(huge, api_)						\
	{									\
		PAT_TEST_##api_, PAT_TEST_##type_				\
	}

HUGE(IOREMAP,		UC_MINUS);
HUGE(IOREMAP_UC,	UC);
HUGE(IOREMAP_WC,	WC);
HUGE(IOREMAP_WT,	WT);

#define HUGE_SIZE (2ULL << 20)

TEST_F(huge, gives)
{
	struct pat_test_map map = {
		.api = variant->api,
		.phys = pat_bar(_metadata)->start,
		.size = 2 * HUGE_SIZE,
	};

	ASSERT_EQ(0, map.phys % HUGE_SIZE);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	EXPECT_EQ(2, map.level);
	EXPECT_EQ(self->pat ? variant->type : pat_type_without_pat(variant->type),
		  map.got);
	pat_expect_records(_metadata, self->pat, map.phys, map.size, 1,
			   variant->type);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_UNMAP, map.handle));
}

TEST_HARNESS_MAIN
