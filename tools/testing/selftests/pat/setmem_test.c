// SPDX-License-Identifier: GPL-2.0-only
/*
 * set_memory_*(), set_pages_*() and set_pages_array_*() on System RAM.
 *
 * The rules drivers live with: a page that is WB can be made UC- or WC; one
 * that is not WB can only be made WB again, not even the type it has; WB can be
 * asked for at any time; a call that is refused changes no page at all. There
 * is no record of any of it: the type is kept in the page.
 *
 * Where PAT is off nothing is refused, and WC makes UC-.
 */
#include "pat_kselftest.h"

#define PAGES 8

/* What a refused call makes the kernel say. */
#define BUSY_MESSAGE "x86/PAT: (RAM page|reserve_ram_pages_type failed)"

struct block {
	uint32_t handle;
	uint64_t pfns[PAGES];
};

static struct block allocate(struct __test_metadata *_metadata, int driver,
			     bool contiguous)
{
	struct block block;
	struct pat_test_alloc alloc = {
		.nr = PAGES,
		.order = contiguous ? 3 : 0,
		.pfns = (uintptr_t)block.pfns,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_ALLOC, &alloc));
	block.handle = alloc.handle;
	return block;
}

static int set(struct __test_metadata *_metadata, int driver,
	       const struct block *block, unsigned int api,
	       unsigned int first, unsigned int count)
{
	struct pat_test_set set = {
		.handle = block->handle,
		.api = api,
		.first = first,
		.count = count,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_SET_TYPE, &set));
	return set.err;
}

/* Pages [first, end) have this type in the direct map, and where it is looked up. */
static void expect_type(struct __test_metadata *_metadata, int driver,
			const struct block *block, unsigned int first,
			unsigned int end, int type)
{
	bool pat = pat_get_info(_metadata, driver).pat_enabled;

	for (unsigned int i = first; i < end; i++) {
		struct pat_test_direct direct = { .pfn = block->pfns[i] };
		struct pat_test_lookup lookup = { .pfn = block->pfns[i] };

		ASSERT_EQ(0, ioctl(driver, PAT_TEST_DIRECT_MAP, &direct));
		EXPECT_EQ(type, direct.got)
			TH_LOG("page %u: wanted %s, is %s", i,
			       pat_type_word(type), pat_type_word(direct.got));
		if (!pat)
			continue;
		ASSERT_EQ(0, ioctl(driver, PAT_TEST_LOOKUP, &lookup));
		EXPECT_EQ(type != PAT_TEST_WB, lookup.immune)
			TH_LOG("page %u: the look-up says otherwise", i);
	}
}

static bool takes_array(unsigned int api)
{
	return api >= PAT_TEST_SET_PAGES_ARRAY_UC;
}

/* The type an API gives. */
static int gives(unsigned int api, bool pat)
{
	switch (api) {
	case PAT_TEST_SET_MEMORY_UC:
	case PAT_TEST_SET_PAGES_UC:
	case PAT_TEST_SET_PAGES_ARRAY_UC:
		return PAT_TEST_UC_MINUS;
	case PAT_TEST_SET_MEMORY_WC:
	case PAT_TEST_SET_PAGES_ARRAY_WC:
		return pat ? PAT_TEST_WC : PAT_TEST_UC_MINUS;
	}
	return PAT_TEST_WB;
}

/* How an API refuses. INTENDED DIFFERENCE: stock has one error for all arrays. */
static int refusal(unsigned int api)
{
	return pat_on_stock() && takes_array(api) ? -EINVAL : -EBUSY;
}

/* --- one call, and back ------------------------------------------------- */

PAT_FIXTURE(once)

FIXTURE_VARIANT(once)
{
	unsigned int api;
	unsigned int back;
};

#define ONCE(api_, back_)							\
	FIXTURE_VARIANT_ADD(once, api_##_then_##back_)				\
	{									\
		PAT_TEST_##api_, PAT_TEST_##back_				\
	}

ONCE(SET_MEMORY_UC,		SET_MEMORY_WB);
ONCE(SET_MEMORY_WC,		SET_MEMORY_WB);
ONCE(SET_MEMORY_WB,		SET_MEMORY_WB);
ONCE(SET_PAGES_UC,		SET_PAGES_WB);
ONCE(SET_PAGES_WB,		SET_PAGES_WB);
ONCE(SET_PAGES_ARRAY_UC,	SET_PAGES_ARRAY_WB);
ONCE(SET_PAGES_ARRAY_WC,	SET_PAGES_ARRAY_WB);
ONCE(SET_PAGES_ARRAY_WB,	SET_PAGES_ARRAY_WB);
/* The families mix. */
ONCE(SET_MEMORY_WC,		SET_PAGES_ARRAY_WB);
ONCE(SET_PAGES_ARRAY_WC,	SET_MEMORY_WB);
ONCE(SET_PAGES_ARRAY_UC,	SET_PAGES_WB);

TEST_F(once, all_pages)
{
	struct block block = allocate(_metadata, self->driver, true);

	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->api, 0, PAGES));
	expect_type(_metadata, self->driver, &block, 0, PAGES,
		    gives(variant->api, self->pat));
	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->back, 0, PAGES));
	expect_type(_metadata, self->driver, &block, 0, PAGES, PAT_TEST_WB);
}

TEST_F(once, neighbours_stay)
{
	struct block block = allocate(_metadata, self->driver, true);

	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->api, 2, 3));
	expect_type(_metadata, self->driver, &block, 0, 2, PAT_TEST_WB);
	expect_type(_metadata, self->driver, &block, 2, 5,
		    gives(variant->api, self->pat));
	expect_type(_metadata, self->driver, &block, 5, PAGES, PAT_TEST_WB);

	/* Back in two steps. */
	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->back, 3, 1));
	expect_type(_metadata, self->driver, &block, 2, 3,
		    gives(variant->api, self->pat));
	expect_type(_metadata, self->driver, &block, 3, 4, PAT_TEST_WB);
	expect_type(_metadata, self->driver, &block, 4, 5,
		    gives(variant->api, self->pat));
	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->back, 0, PAGES));
	expect_type(_metadata, self->driver, &block, 0, PAGES, PAT_TEST_WB);
}

TEST_F(once, scattered_pages)
{
	struct block block = allocate(_metadata, self->driver, false);
	unsigned int step = takes_array(variant->api) ? PAGES : 1;
	unsigned int back_step = takes_array(variant->back) ? PAGES : 1;

	for (unsigned int i = 0; i < PAGES; i += step) {
		EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->api,
				 i, step));
	}
	expect_type(_metadata, self->driver, &block, 0, PAGES,
		    gives(variant->api, self->pat));
	for (unsigned int i = 0; i < PAGES; i += back_step) {
		EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->back,
				 i, back_step));
	}
	expect_type(_metadata, self->driver, &block, 0, PAGES, PAT_TEST_WB);
}

/* The driver sets pages back before it frees them; nothing is complained of. */
TEST_F(once, free_sets_back)
{
	struct block block = allocate(_metadata, self->driver, true);

	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->api, 0, PAGES));
	EXPECT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, block.handle));
	expect_type(_metadata, self->driver, &block, 0, PAGES, PAT_TEST_WB);
}

/* --- a second call --------------------------------------------------------- */

PAT_FIXTURE(twice)

FIXTURE_VARIANT(twice)
{
	unsigned int first;
	unsigned int second;
	bool refused;		/* with PAT */
};

#define TWICE(first_, second_, refused_)					\
	FIXTURE_VARIANT_ADD(twice, second_##_after_##first_)			\
	{									\
		PAT_TEST_##first_, PAT_TEST_##second_, refused_			\
	}

TWICE(SET_MEMORY_UC,		SET_MEMORY_UC,		true);
TWICE(SET_MEMORY_UC,		SET_MEMORY_WC,		true);
TWICE(SET_MEMORY_WC,		SET_MEMORY_UC,		true);
TWICE(SET_MEMORY_WC,		SET_MEMORY_WC,		true);
TWICE(SET_MEMORY_UC,		SET_PAGES_UC,		true);
TWICE(SET_PAGES_UC,		SET_PAGES_UC,		true);
TWICE(SET_PAGES_UC,		SET_MEMORY_WC,		true);
TWICE(SET_PAGES_ARRAY_UC,	SET_PAGES_ARRAY_UC,	true);
TWICE(SET_PAGES_ARRAY_UC,	SET_PAGES_ARRAY_WC,	true);
TWICE(SET_PAGES_ARRAY_WC,	SET_PAGES_ARRAY_UC,	true);
TWICE(SET_PAGES_ARRAY_WC,	SET_PAGES_ARRAY_WC,	true);
TWICE(SET_PAGES_ARRAY_WC,	SET_MEMORY_UC,		true);
TWICE(SET_MEMORY_WC,		SET_PAGES_ARRAY_UC,	true);
TWICE(SET_MEMORY_WB,		SET_MEMORY_WC,		false);
TWICE(SET_PAGES_ARRAY_WB,	SET_PAGES_ARRAY_UC,	false);

/* @second on all pages, where @first has changed the fourth page alone. */
TEST_F(twice, over_one_page)
{
	struct block block = allocate(_metadata, self->driver, true);
	bool refused = self->pat && variant->refused;
	int first = gives(variant->first, self->pat);
	int second = gives(variant->second, self->pat);

	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->first, 3, 1));
	if (refused)
		pat_expect_message(BUSY_MESSAGE);
	EXPECT_EQ(refused ? refusal(variant->second) : 0,
		  set(_metadata, self->driver, &block, variant->second, 0, PAGES));
	if (refused)
		pat_expect_done();
	expect_type(_metadata, self->driver, &block, 0, 3,
		    refused ? PAT_TEST_WB : second);
	expect_type(_metadata, self->driver, &block, 3, 4,
		    refused ? first : second);
	expect_type(_metadata, self->driver, &block, 4, PAGES,
		    refused ? PAT_TEST_WB : second);

	EXPECT_EQ(0, set(_metadata, self->driver, &block, PAT_TEST_SET_MEMORY_WB,
			 0, PAGES));
	expect_type(_metadata, self->driver, &block, 0, PAGES, PAT_TEST_WB);
}

TEST_F(twice, over_all_pages)
{
	struct block block = allocate(_metadata, self->driver, true);
	bool refused = self->pat && variant->refused;

	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->first, 0,
			 PAGES));
	if (refused)
		pat_expect_message(BUSY_MESSAGE);
	EXPECT_EQ(refused ? refusal(variant->second) : 0,
		  set(_metadata, self->driver, &block, variant->second, 0, PAGES));
	if (refused)
		pat_expect_done();
	expect_type(_metadata, self->driver, &block, 0, PAGES,
		    gives(refused ? variant->first : variant->second, self->pat));
	EXPECT_EQ(0, set(_metadata, self->driver, &block, PAT_TEST_SET_MEMORY_WB,
			 0, PAGES));

	/* What was refused is fine now. */
	EXPECT_EQ(0, set(_metadata, self->driver, &block, variant->second, 0,
			 PAGES));
	expect_type(_metadata, self->driver, &block, 0, PAGES,
		    gives(variant->second, self->pat));
}

/* --- memory that is shared ----------------------------------------------------- */

/* 2 MiB at once: the direct map may keep one entry for it, and gets it back. */
PAT_FIXTURE(large)

TEST_F(large, block)
{
	static uint64_t pfns[512];
	struct pat_test_alloc alloc = {
		.nr = 512,
		.order = 9,
		.pfns = (uintptr_t)pfns,
	};
	struct pat_test_set set = { .count = 512 };
	static const struct {
		unsigned int api;
		int with_pat;
	} steps[] = {
		{ PAT_TEST_SET_MEMORY_WC,	PAT_TEST_WC },
		{ PAT_TEST_SET_MEMORY_WB,	PAT_TEST_WB },
		{ PAT_TEST_SET_PAGES_ARRAY_UC,	PAT_TEST_UC_MINUS },
		{ PAT_TEST_SET_PAGES_ARRAY_WB,	PAT_TEST_WB },
	};

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	for (size_t step = 0; step < ARRAY_SIZE(steps); step++) {
		int want = self->pat ? steps[step].with_pat :
				       pat_type_without_pat(steps[step].with_pat);

		set.api = steps[step].api;
		ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
		EXPECT_EQ(0, set.err);
		for (unsigned int i = 0; i < 512; i++) {
			struct pat_test_direct direct = { .pfn = pfns[i] };

			ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_DIRECT_MAP,
					   &direct));
			ASSERT_EQ(want, direct.got)
				TH_LOG("step %zu, page %u", step, i);
		}
	}
}

TEST_HARNESS_MAIN
