// SPDX-License-Identifier: GPL-2.0-only
/*
 * TTM's pools: pages that drivers want write-combining or uncached are changed
 * with set_pages_array_*() when they are taken from the page allocator. They
 * keep their type while they wait in a pool for the next buffer, until the
 * shrinker makes them write-back with set_pages_wb() and frees them.
 */
#include "pat_ttm_ioctl.h"
#include "users.h"

#define PAGES 701	/* blocks of order 9 and less, down to a single page */

#define TTM_DIR "/sys/kernel/debug/ttm"

struct buffer {
	uint32_t handle;
	uint64_t pfns[PAGES];
};

/* How many pages wait in the pools. */
static unsigned long pooled(struct __test_metadata *_metadata)
{
	FILE *file = fopen(TTM_DIR "/page_pool", "r");
	unsigned long total = 0;
	bool found = false;
	char line[256];

	ASSERT_NE(NULL, file)
		TH_LOG("%s/page_pool: %s (no graphics driver uses TTM?)", TTM_DIR,
		       strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "total : %lu", &total) == 1;
	fclose(file);
	ASSERT_TRUE(found) TH_LOG("%s/page_pool has no total", TTM_DIR);
	return total;
}

/* Each reading of the file lets the shrinker free a block of one pool. */
static void shrink(struct __test_metadata *_metadata)
{
	char text[64];

	for (unsigned int i = 0; pooled(_metadata); i++) {
		ASSERT_LT(i, 100000) TH_LOG("the shrinker frees nothing");
		ASSERT_TRUE(pat_read_line(TTM_DIR, "page_pool_shrink", 0, text,
					  sizeof(text)));
	}
}

FIXTURE(ttm)
{
	struct user user;
	int ttm;
};

FIXTURE_VARIANT(ttm)
{
	uint32_t caching;
	int type;
};

FIXTURE_VARIANT_ADD(ttm, cached)
{
	PAT_TTM_CACHED, PAT_TEST_WB
};

FIXTURE_VARIANT_ADD(ttm, write_combined)
{
	PAT_TTM_WRITE_COMBINED, PAT_TEST_WC
};

FIXTURE_VARIANT_ADD(ttm, uncached)
{
	PAT_TTM_UNCACHED, PAT_TEST_UC_MINUS
};

FIXTURE_SETUP(ttm)
{
	/* TTM must be there before the driver is loaded. */
	shrink(_metadata);
	self->ttm = pat_open_device(_metadata, "pat_ttm");
	user_begin(_metadata, &self->user);
}

FIXTURE_TEARDOWN(ttm)
{
	close(self->ttm);
	shrink(_metadata);
	user_end(_metadata, &self->user);
}

static struct buffer allocate(struct __test_metadata *_metadata, int ttm,
			      uint32_t caching)
{
	struct buffer buffer;
	struct pat_ttm_alloc alloc = {
		.pfns = (uintptr_t)buffer.pfns,
		.nr = PAGES,
		.caching = caching,
	};

	ASSERT_EQ(0, ioctl(ttm, PAT_TTM_ALLOC, &alloc))
		TH_LOG("ttm_pool_alloc: %s", strerror(errno));
	buffer.handle = alloc.handle;
	return buffer;
}

static char *map(struct __test_metadata *_metadata, int ttm,
		 const struct buffer *buffer)
{
	char *at = mmap(NULL, PAGES * PAT_PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED, ttm, buffer->handle * PAT_PAGE);

	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

static unsigned int not_wb(int type)
{
	return type == PAT_TEST_WB ? 0 : PAGES;
}

TEST_F(ttm, mapped_and_pooled)
{
	struct buffer buffer = allocate(_metadata, self->ttm, variant->caching);
	char *at = map(_metadata, self->ttm, &buffer);
	uint64_t pfns[PAGES];

	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, variant->type, pfns);
	EXPECT_EQ(0, memcmp(pfns, buffer.pfns, sizeof(pfns)));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, variant->type);
	user_expect_more(_metadata, &self->user, not_wb(variant->type));

	/* In the pool they stay what they are. */
	ASSERT_EQ(-1, ioctl(self->ttm, PAT_TTM_FREE, buffer.handle));
	ASSERT_EQ(EBUSY, errno);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ASSERT_EQ(0, ioctl(self->ttm, PAT_TTM_FREE, buffer.handle));
	EXPECT_EQ(not_wb(variant->type), pooled(_metadata));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, variant->type);

	/* The next buffer gets them without a change, and empty. */
	buffer = allocate(_metadata, self->ttm, variant->caching);
	EXPECT_EQ(0, pooled(_metadata));
	user_expect_more(_metadata, &self->user, not_wb(variant->type));
	at = map(_metadata, self->ttm, &buffer);
	for (unsigned int i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, *(volatile char *)(at + i * PAT_PAGE));
	}
	user_expect_entries(_metadata, &self->user, at, PAGES, variant->type, pfns);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	ASSERT_EQ(0, ioctl(self->ttm, PAT_TTM_FREE, buffer.handle));

	shrink(_metadata);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	user_expect_as_before(_metadata, &self->user);
}

/* Buffers of all types at a time do not get each other's pages. */
TEST_F(ttm, beside_others)
{
	static const int types[] = {
		[PAT_TTM_UNCACHED]		= PAT_TEST_UC_MINUS,
		[PAT_TTM_WRITE_COMBINED]	= PAT_TEST_WC,
		[PAT_TTM_CACHED]		= PAT_TEST_WB,
	};
	struct buffer mine = allocate(_metadata, self->ttm, variant->caching);

	for (unsigned int round = 0; round < 4; round++) {
		uint32_t caching = round % 3;
		struct buffer other = allocate(_metadata, self->ttm, caching);

		user_expect_pages(_metadata, &self->user, other.pfns, PAGES,
				  types[caching]);
		user_expect_pages(_metadata, &self->user, mine.pfns, PAGES,
				  variant->type);
		ASSERT_EQ(0, ioctl(self->ttm, PAT_TTM_FREE, other.handle));
	}
	ASSERT_EQ(0, ioctl(self->ttm, PAT_TTM_FREE, mine.handle));
}

TEST_F(ttm, seen_through_devmem)
{
	struct buffer buffer = allocate(_metadata, self->ttm, variant->caching);
	uint64_t pfn = buffer.pfns[PAGES - 1];
	char *at = user_map_devmem(_metadata, &self->user, pfn);

	user_expect_devmem(_metadata, &self->user, at, pfn, variant->type);
	ASSERT_EQ(0, ioctl(self->ttm, PAT_TTM_FREE, buffer.handle));
	shrink(_metadata);
	user_expect_devmem(_metadata, &self->user, at, pfn, PAT_TEST_WB);
	user_unmap_devmem(at);
}

static bool use_buffer(struct __test_metadata *_metadata, uint32_t caching)
{
	int ttm = pat_open_device(_metadata, "pat_ttm");
	struct buffer buffer = allocate(_metadata, ttm, caching);
	char *at = map(_metadata, ttm, &buffer);

	user_touch(at, PAGES / 2);
	return user_sees(at, PAGES / 2);
}

TEST_F(ttm, killed)
{
	USER_KILL_AFTER(use_buffer(_metadata, variant->caching));
	EXPECT_EQ(not_wb(variant->type), pooled(_metadata));
	user_expect_more(_metadata, &self->user, not_wb(variant->type));
}

TEST_HARNESS_MAIN
