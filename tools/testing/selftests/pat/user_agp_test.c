// SPDX-License-Identifier: GPL-2.0-only
/*
 * AGP memory: the core makes the pages of each allocation uncached with
 * set_pages_array_uc(), its translation table with set_memory_uc() and a single
 * page with set_pages_uc(), and all of them write-back before it frees them.
 */
#include "pat_agp_ioctl.h"
#include "users.h"

#define PAGES 512

USER_FIXTURE(agp)

struct memory {
	uint32_t handle;
	unsigned int nr;
	uint64_t pfns[PAGES];
};

static int open_bridge(struct __test_metadata *_metadata)
{
	return pat_open_device(_metadata, "pat_agp");
}

/* What the bridge itself has: its translation table and a page for what is unbound. */
static unsigned int bridge_pages(struct __test_metadata *_metadata, int agp)
{
	struct pat_agp_info info;

	ASSERT_EQ(0, ioctl(agp, PAT_AGP_INFO, &info));
	return info.table_pages + 1;
}

static struct memory allocate(struct __test_metadata *_metadata, int agp,
			      unsigned int nr)
{
	struct memory memory = { .nr = nr };
	struct pat_agp_alloc alloc = {
		.pfns = (uintptr_t)memory.pfns,
		.nr = nr,
	};

	ASSERT_EQ(0, ioctl(agp, PAT_AGP_ALLOC, &alloc))
		TH_LOG("agp_allocate_memory: %s", strerror(errno));
	memory.handle = alloc.handle;
	return memory;
}

static uint64_t entry(struct __test_metadata *_metadata, int agp, unsigned int nr)
{
	struct pat_agp_entry entry = { .nr = nr };

	ASSERT_EQ(0, ioctl(agp, PAT_AGP_ENTRY, &entry));
	return entry.pfn;
}

TEST_F(agp, bridge)
{
	int agp = open_bridge(_metadata);
	struct pat_agp_info info;
	uint64_t pfn;

	ASSERT_EQ(0, ioctl(agp, PAT_AGP_INFO, &info));
	for (unsigned int i = 0; i < info.table_pages; i++) {
		pfn = info.table_pfn + i;
		user_expect_pages(_metadata, &self->user, &pfn, 1,
				  PAT_TEST_UC_MINUS);
	}
	pfn = info.scratch_pfn;
	user_expect_pages(_metadata, &self->user, &pfn, 1, PAT_TEST_UC_MINUS);
	user_expect_more(_metadata, &self->user, info.table_pages + 1);
	close(agp);

	pfn = info.table_pfn;
	user_expect_pages(_metadata, &self->user, &pfn, 1, PAT_TEST_WB);
	user_expect_as_before(_metadata, &self->user);
}

TEST_F(agp, bound_and_freed)
{
	int agp = open_bridge(_metadata);
	unsigned int bridge = bridge_pages(_metadata, agp);
	struct pat_agp_bind bind = { .start = 1000 };
	struct pat_agp_info info;
	struct memory memory;

	memory = allocate(_metadata, agp, PAGES);
	user_expect_pages(_metadata, &self->user, memory.pfns, PAGES,
			  PAT_TEST_UC_MINUS);
	user_expect_more(_metadata, &self->user, bridge + PAGES);

	/* Binding puts frames into the bridge's table, and changes no type. */
	bind.handle = memory.handle;
	ASSERT_EQ(0, ioctl(agp, PAT_AGP_BIND, &bind));
	for (unsigned int i = 0; i < PAGES; i++) {
		ASSERT_EQ(memory.pfns[i], entry(_metadata, agp, 1000 + i));
	}
	user_expect_pages(_metadata, &self->user, memory.pfns, PAGES,
			  PAT_TEST_UC_MINUS);
	ASSERT_EQ(0, ioctl(agp, PAT_AGP_UNBIND, memory.handle));
	ASSERT_EQ(0, ioctl(agp, PAT_AGP_INFO, &info));
	EXPECT_EQ(info.scratch_pfn, entry(_metadata, agp, 1000));
	user_expect_pages(_metadata, &self->user, memory.pfns, PAGES,
			  PAT_TEST_UC_MINUS);

	ASSERT_EQ(0, ioctl(agp, PAT_AGP_FREE, memory.handle));
	user_expect_pages(_metadata, &self->user, memory.pfns, PAGES, PAT_TEST_WB);
	user_expect_more(_metadata, &self->user, bridge);
	close(agp);
}

/* Several allocations do not mix up, and what is bound when it is freed is unbound. */
TEST_F(agp, several)
{
	int agp = open_bridge(_metadata);
	unsigned int bridge = bridge_pages(_metadata, agp);
	static struct memory memories[4];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < 4; i++) {
		struct pat_agp_bind bind = { .start = i * PAGES };

		memories[i] = allocate(_metadata, agp, 1 + i * 100);
		bind.handle = memories[i].handle;
		ASSERT_EQ(0, ioctl(agp, PAT_AGP_BIND, &bind));
		nr += memories[i].nr;
	}
	user_expect_more(_metadata, &self->user, bridge + nr);
	for (unsigned int i = 0; i < 4; i += 2) {
		ASSERT_EQ(0, ioctl(agp, PAT_AGP_FREE, memories[i].handle));
		nr -= memories[i].nr;
	}
	for (unsigned int i = 0; i < 4; i++)
		user_expect_pages(_metadata, &self->user, memories[i].pfns,
				  memories[i].nr,
				  i % 2 ? PAT_TEST_UC_MINUS : PAT_TEST_WB);
	user_expect_more(_metadata, &self->user, bridge + nr);
	/* The others go with the bridge. */
	close(agp);
	for (unsigned int i = 0; i < 4; i++)
		user_expect_pages(_metadata, &self->user, memories[i].pfns,
				  memories[i].nr, PAT_TEST_WB);
}

/* A process that has a page mapped through /dev/mem gets its type, and keeps up. */
TEST_F(agp, seen_through_devmem)
{
	int agp = open_bridge(_metadata);
	struct memory memory = allocate(_metadata, agp, 8);
	uint64_t pfn = memory.pfns[3];
	char *at = user_map_devmem(_metadata, &self->user, pfn);

	user_expect_devmem(_metadata, &self->user, at, pfn, PAT_TEST_UC_MINUS);
	ASSERT_EQ(0, ioctl(agp, PAT_AGP_FREE, memory.handle));
	user_expect_devmem(_metadata, &self->user, at, pfn, PAT_TEST_WB);
	user_expect_pages(_metadata, &self->user, &pfn, 1, PAT_TEST_WB);
	user_unmap_devmem(at);
	close(agp);
}

static bool use_bridge(struct __test_metadata *_metadata)
{
	int agp = open_bridge(_metadata);
	struct memory memory = allocate(_metadata, agp, PAGES);
	struct pat_agp_bind bind = { .handle = memory.handle };

	return !ioctl(agp, PAT_AGP_BIND, &bind);
}

TEST_F(agp, killed)
{
	USER_KILL_AFTER(use_bridge(_metadata));
	user_expect_as_before(_metadata, &self->user);
}

TEST_HARNESS_MAIN
