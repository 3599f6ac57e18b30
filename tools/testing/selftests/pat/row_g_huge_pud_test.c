// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmf_insert_pfn_pud() looks the memory type up, and then does not use it.
 *
 *	reservation of 1 GiB		WC
 *	fault, vmf_insert_pfn_pud	looks up WC, inserts what the driver wanted
 *
 * A 1 GiB entry must have the type that is in force for its frames, in the
 * encoding of huge entries (row H). Where there is no one type for all of them,
 * smaller entries must be made, each with its own.
 *
 * Only whole VMAs are unmapped here, and none is moved: 6.12 has bugs in its
 * handling of 1 GiB entries that have nothing to do with types. A munmap() of a
 * part that does not end at 2 MiB oopses, and mremap() finds a "bad pud".
 *
 * Stock: the entries are write-back.
 */
#include "huge.h"

FIXTURE(huge_pud) {
	struct huge huge;
};

FIXTURE_VARIANT(huge_pud) {
	int type;
};

FIXTURE_VARIANT_ADD(huge_pud, write_combining) { .type = PAT_TEST_WC };
FIXTURE_VARIANT_ADD(huge_pud, write_through) { .type = PAT_TEST_WT };
FIXTURE_VARIANT_ADD(huge_pud, uncached_minus) { .type = PAT_TEST_UC_MINUS };

static bool cpu_has_1g_entries(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "flags", 5) && strstr(line, " pdpe1gb");
	if (file)
		fclose(file);
	return found;
}

FIXTURE_SETUP(huge_pud)
{
	ASSERT_TRUE(cpu_has_1g_entries());
	huge_open(_metadata, &self->huge, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(huge_pud)
{
	huge_close(&self->huge);
}

TEST_F(huge_pud, entry_has_the_type_in_force)
{
	struct huge *huge = &self->huge;
	uint32_t held = huge_hold(_metadata, huge, huge->phys, HUGE_1G,
				  variant->type);
	uint64_t last = HUGE_1G - PAT_PAGE;
	char *at = huge_map(_metadata, huge, huge->phys, HUGE_1G,
			    PAT_HUGE_2M | PAT_HUGE_1G, HUGE_1G);

	huge_claim_entry(_metadata, huge, at, huge->phys, variant->type,
			 HUGE_LEVEL_1G);
	huge_claim_entry(_metadata, huge, at + last, huge->phys + last,
			 variant->type, HUGE_LEVEL_1G);
	huge_claim_child_entry(_metadata, huge, at + last, huge->phys + last,
			       variant->type, HUGE_LEVEL_1G);

	ASSERT_EQ(0, munmap(at, HUGE_1G));
	huge_let_go(_metadata, huge, held);
	row_verdict(_metadata, &huge->row);
}

/* 2 MiB and, elsewhere, one page of the range are held with a type of their own. */
TEST_F(huge_pud, frames_that_disagree_get_smaller_entries)
{
	struct huge *huge = &self->huge;
	const uint64_t large = 64 * HUGE_2M, small = 99 * HUGE_2M + 7 * PAT_PAGE;
	int type = variant->type == PAT_TEST_UC_MINUS ? PAT_TEST_WC :
							variant->type;
	uint32_t held_large = huge_hold(_metadata, huge, huge->phys + large,
					HUGE_2M, type);
	uint32_t held_small = huge_hold(_metadata, huge, huge->phys + small,
					PAT_PAGE, type);
	const struct {
		uint64_t offset;
		int type;
		enum huge_level level;
	} entries[] = {
		{ 0,			PAT_TEST_UC_MINUS, HUGE_LEVEL_2M },
		{ large,		type,		   HUGE_LEVEL_2M },
		{ large + HUGE_2M,	PAT_TEST_UC_MINUS, HUGE_LEVEL_2M },
		{ small - PAT_PAGE,	PAT_TEST_UC_MINUS, HUGE_LEVEL_4K },
		{ small,		type,		   HUGE_LEVEL_4K },
		{ small + PAT_PAGE,	PAT_TEST_UC_MINUS, HUGE_LEVEL_4K },
		{ HUGE_1G - PAT_PAGE,	PAT_TEST_UC_MINUS, HUGE_LEVEL_2M },
	};
	char *at = huge_map(_metadata, huge, huge->phys, HUGE_1G,
			    PAT_HUGE_2M | PAT_HUGE_1G, HUGE_1G);

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		huge_claim_entry(_metadata, huge, at + entries[i].offset,
				 huge->phys + entries[i].offset,
				 entries[i].type, entries[i].level);

	ASSERT_EQ(0, munmap(at, HUGE_1G));
	huge_let_go(_metadata, huge, held_large);
	huge_let_go(_metadata, huge, held_small);
	row_verdict(_metadata, &huge->row);
}

TEST_HARNESS_MAIN
