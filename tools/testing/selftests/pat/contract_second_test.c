// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a mapping gets where another mapping of the frame exists already: each
 * existing type by each requester, with the kernel and with a process as the
 * one who was there first. Expected is what pat_contract[][] says.
 *
 * The frames are firmware's, as only those can be mapped write-back too. On
 * frames of a BAR a request for WB is one for UC-, which the contract grants
 * or refuses as if WB had been asked for.
 *
 * Where PAT is off every request is granted as asked for.
 */
#include "contract.h"

PAT_FIXTURE(second)

FIXTURE_VARIANT(second)
{
	bool bar;
	int existing;
	enum pat_requester first;
	enum pat_requester who;
};

#define OVER(first_, existing_, who_)						\
	FIXTURE_VARIANT_ADD(second, who_##_over_##first_##_##existing_)		\
	{									\
		.existing = PAT_TEST_##existing_,				\
		.first = first_##_##existing_, .who = who_,			\
	}

/* A request to map frames that are mapped, by the kernel and by a process. */
#define OVER_EACH(who)								\
	OVER(IOREMAP_PROT, WB, who);						\
	OVER(IOREMAP_PROT, WC, who);						\
	OVER(IOREMAP_PROT, UC_MINUS, who);					\
	OVER(IOREMAP_PROT, UC, who);						\
	OVER(IOREMAP_PROT, WT, who);						\
	OVER(REMAP, WB, who);							\
	OVER(REMAP, WC, who);							\
	OVER(REMAP, UC_MINUS, who);						\
	OVER(REMAP, UC, who);							\
	OVER(REMAP, WT, who)

OVER_EACH(IOREMAP);
OVER_EACH(IOREMAP_UC);
OVER_EACH(IOREMAP_WC);
OVER_EACH(IOREMAP_WT);
OVER_EACH(IOREMAP_CACHE);
OVER_EACH(MEMREMAP_WB);
OVER_EACH(MEMREMAP_WT);
OVER_EACH(MEMREMAP_WC);
OVER_EACH(RESERVE_WC);
OVER_EACH(REMAP_WB);
OVER_EACH(REMAP_WC);
OVER_EACH(REMAP_UC_MINUS);
OVER_EACH(REMAP_UC);
OVER_EACH(REMAP_WT);
OVER_EACH(DEVMEM);
OVER_EACH(DEVMEM_SYNC);

#define BAR_OVER(existing_, who_)						\
	FIXTURE_VARIANT_ADD(second, BAR_##who_##_over_##existing_)		\
	{									\
		.bar = true, .existing = PAT_TEST_##existing_,			\
		.first = IOREMAP_PROT_##existing_, .who = who_,			\
	}

#define BAR_OVER_EACH(who)							\
	BAR_OVER(WC, who);							\
	BAR_OVER(UC_MINUS, who);						\
	BAR_OVER(UC, who);							\
	BAR_OVER(WT, who)

BAR_OVER_EACH(IOREMAP);
BAR_OVER_EACH(IOREMAP_CACHE);
BAR_OVER_EACH(IOREMAP_WT);
BAR_OVER_EACH(DEVMEM);
BAR_OVER_EACH(DEVMEM_SYNC);
BAR_OVER_EACH(RESOURCE);
BAR_OVER_EACH(RESOURCE_WC);
BAR_OVER_EACH(PROC_PCI);
BAR_OVER_EACH(PROC_PCI_WC);

TEST_F(second, gets)
{
	uint64_t phys = variant->bar ? pat_bar(_metadata)->start :
				       pat_firmware_pages(_metadata);
	int asked = pat_requesters[variant->who].type;
	int want = self->pat ? pat_contract[variant->existing][asked] :
			       pat_type_without_pat(asked);
	struct pat_mapping first, second;

	if (!pat_is_offered(self->pat, variant->who)) {
		pat_expect_not_offered(_metadata, variant->who);
		return;
	}

	first = pat_request(_metadata, self->driver, variant->first, phys,
			    PAT_PAGE);
	pat_expect_granted(_metadata, &first,
			   self->pat ? variant->existing :
				       pat_type_without_pat(variant->existing));

	if (want == PAT_REFUSED)
		pat_expect_message(PAT_CONFLICT_MESSAGE);
	second = pat_request(_metadata, self->driver, variant->who, phys,
			     PAT_PAGE);
	if (want == PAT_REFUSED) {
		pat_expect_done();
		EXPECT_EQ(pat_requesters[variant->who].refusal, second.err);
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE, 1,
				   variant->existing);
		pat_release(_metadata, self->driver, &first);
	} else {
		pat_expect_granted(_metadata, &second, want);
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE, 2,
				   want);
		/* The one left alone still holds the type. */
		pat_release(_metadata, self->driver, &first);
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE, 1,
				   want);
		pat_release(_metadata, self->driver, &second);
	}
}

/*
 * Two pages, each mapped by somebody or not, and a request for both of them. It
 * needs one type for all, and whether it fits is judged against that.
 */
#define NOBODY PAT_TEST_NOT_MAPPED

PAT_FIXTURE(second_over_two)

FIXTURE_VARIANT(second_over_two)
{
	int existing[2];
	enum pat_requester who;
	int with_pat;
};

#define OVER_TWO(a, b, who_, type)						\
	FIXTURE_VARIANT_ADD(second_over_two, who_##_over_##a##_and_##b)		\
	{									\
		.existing = { a, b }, .who = who_, .with_pat = type,		\
	}

#define WC PAT_TEST_WC
#define UC PAT_TEST_UC
#define UCM PAT_TEST_UC_MINUS
#define WB PAT_TEST_WB
OVER_TWO(WC,	WC,	IOREMAP,	WC);
OVER_TWO(WC,	NOBODY,	IOREMAP,	WC);
OVER_TWO(NOBODY, WC,	IOREMAP,	WC);
OVER_TWO(WC,	UCM,	IOREMAP,	PAT_REFUSED);
OVER_TWO(UC,	WC,	IOREMAP_UC,	PAT_REFUSED);
OVER_TWO(WC,	UC,	RESERVE_WC,	PAT_REFUSED);
OVER_TWO(WB,	NOBODY,	IOREMAP_WC,	PAT_REFUSED);
OVER_TWO(NOBODY, WB,	IOREMAP_CACHE,	WB);
OVER_TWO(WC,	NOBODY,	REMAP_UC_MINUS,	WC);
OVER_TWO(NOBODY, WC,	DEVMEM,		WC);
OVER_TWO(WC,	UC,	REMAP_WC,	PAT_REFUSED);
OVER_TWO(UC,	WC,	DEVMEM_SYNC,	PAT_REFUSED);
#undef WC
#undef UC
#undef UCM
#undef WB

static enum pat_requester ioremap_prot_of(int type)
{
	static const enum pat_requester of[] = {
		[PAT_TEST_WB]		= IOREMAP_PROT_WB,
		[PAT_TEST_WC]		= IOREMAP_PROT_WC,
		[PAT_TEST_UC_MINUS]	= IOREMAP_PROT_UC_MINUS,
		[PAT_TEST_UC]		= IOREMAP_PROT_UC,
	};

	return of[type];
}

TEST_F(second_over_two, gets)
{
	uint64_t phys = pat_firmware_pages(_metadata);
	int want = self->pat ? variant->with_pat :
		pat_type_without_pat(pat_requesters[variant->who].type);
	struct pat_mapping both, first[2];

	for (int i = 0; i < 2; i++)
		if (variant->existing[i] != NOBODY)
			first[i] = pat_request(_metadata, self->driver,
					       ioremap_prot_of(variant->existing[i]),
					       phys + i * PAT_PAGE, PAT_PAGE);

	if (want == PAT_REFUSED)
		pat_expect_message(PAT_CONFLICT_MESSAGE);
	both = pat_request(_metadata, self->driver, variant->who, phys,
			   2 * PAT_PAGE);
	if (want == PAT_REFUSED) {
		pat_expect_done();
		EXPECT_EQ(pat_requesters[variant->who].refusal, both.err);
	} else {
		pat_expect_granted(_metadata, &both, want);
	}

	for (int i = 0; i < 2; i++) {
		bool held = variant->existing[i] != NOBODY;
		int type = held ? variant->existing[i] : want;

		pat_expect_records(_metadata, self->pat, phys + i * PAT_PAGE,
				   PAT_PAGE, held + (want != PAT_REFUSED), type);
		if (held)
			pat_release(_metadata, self->driver, &first[i]);
	}
	if (want != PAT_REFUSED) {
		pat_expect_records(_metadata, self->pat, phys, 2 * PAT_PAGE, 1,
				   want);
		pat_release(_metadata, self->driver, &both);
	}
}

TEST_HARNESS_MAIN
