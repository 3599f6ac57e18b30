// SPDX-License-Identifier: GPL-2.0-only
/*
 * TTM in a real driver: qxl, which needs QEMU's device of that name. Its buffers
 * live in video memory, which is reserved and write-combining, or in system
 * memory, which qxl wants write-back. They move between the two while processes
 * have them mapped: the entries go, and the next fault puts in new ones, of
 * another frame and another type.
 */
#include "user_drm.h"

#define PAGES 64

/* What is larger than all video memory together: 32 MiB, see scripts/guest-users. */
#define BIG_PAGES 1024
#define BIG_BUFFERS 12

struct qxl_alloc {
	uint32_t size;
	uint32_t handle;
};
#define DRM_IOCTL_QXL_ALLOC		_IOWR('d', 0x40, struct qxl_alloc)

struct qxl_map {
	uint64_t offset;
	uint32_t handle;
	uint32_t pad;
};
#define DRM_IOCTL_QXL_MAP		_IOWR('d', 0x41, struct qxl_map)

struct qxl_alloc_surf {
	uint32_t format;
	uint32_t width;
	uint32_t height;
	int32_t stride;
	uint32_t handle;
	uint32_t pad;
};
#define DRM_IOCTL_QXL_ALLOC_SURF	_IOWR('d', 0x46, struct qxl_alloc_surf)

#define QXL_FORMAT_32_xRGB 32

USER_FIXTURE(qxl)

static int open_qxl(struct __test_metadata *_metadata)
{
	int card = user_open_card("qxl");

	ASSERT_LE(0, card)
		TH_LOG("no card of the driver qxl (QEMU -device qxl)");
	return card;
}

static uint32_t alloc_vram(struct __test_metadata *_metadata, int card,
			   unsigned int nr)
{
	struct qxl_alloc alloc = { .size = nr * PAT_PAGE };

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_QXL_ALLOC, &alloc))
		TH_LOG("QXL_ALLOC: %s", strerror(errno));
	return alloc.handle;
}

static char *map(struct __test_metadata *_metadata, int card, uint32_t handle,
		 unsigned int nr)
{
	struct qxl_map map = { .handle = handle };

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_QXL_MAP, &map))
		TH_LOG("QXL_MAP: %s", strerror(errno));
	return user_map_at(_metadata, card, map.offset, nr);
}

/* Is the frame in one of the device's memory resources? */
static bool in_device(struct __test_metadata *_metadata, uint64_t pfn)
{
	static struct pat_range ranges[6];
	static bool known;
	uint64_t phys = pfn * PAT_PAGE;

	for (unsigned int nr = 0; nr < ARRAY_SIZE(ranges) && !known; nr++) {
		if (!pat_pci_resource(0x1b36, 0x0100, nr, &ranges[nr]))
			ranges[nr].size = 0;
	}
	known = true;
	for (unsigned int nr = 0; nr < ARRAY_SIZE(ranges); nr++) {
		if (phys - ranges[nr].start < ranges[nr].size)
			return true;
	}
	return false;
}

static void expect_in_device(struct __test_metadata *_metadata,
			     const uint64_t *pfns, unsigned int nr, bool wanted)
{
	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_EQ(wanted, in_device(_metadata, pfns[i]))
			TH_LOG("page %u is at pfn 0x%" PRIx64, i, pfns[i]);
	}
}

/* A dumb buffer is in system memory until it is shown. */
TEST_F(qxl, system_memory)
{
	int card = open_qxl(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	char *at = user_map_dumb(_metadata, card, handle, PAGES);
	uint64_t pfns[PAGES];

	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WB, pfns);
	expect_in_device(_metadata, pfns, PAGES, false);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	user_expect_as_before(_metadata, &self->user);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	close(card);
}

TEST_F(qxl, video_memory)
{
	int card = open_qxl(_metadata);
	uint32_t handle = alloc_vram(_metadata, card, PAGES);
	char *at = map(_metadata, card, handle, PAGES);
	uint64_t pfns[PAGES];

	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	expect_in_device(_metadata, pfns, PAGES, true);
	EXPECT_TRUE(user_sees(at, PAGES));
	/* No page of RAM has anything to do with it. */
	user_expect_as_before(_metadata, &self->user);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	close(card);
}

TEST_F(qxl, surface)
{
	int card = open_qxl(_metadata);
	struct qxl_alloc_surf surf = {
		.format = QXL_FORMAT_32_xRGB,
		.width = PAT_PAGE / 4,
		.height = PAGES,
		.stride = PAT_PAGE,
	};
	uint64_t pfns[PAGES];
	char *at;

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_QXL_ALLOC_SURF, &surf))
		TH_LOG("QXL_ALLOC_SURF: %s", strerror(errno));
	at = map(_metadata, card, surf.handle, PAGES);
	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	expect_in_device(_metadata, pfns, PAGES, true);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	close(card);
}

/*
 * More buffers than there is video memory for: those that were used first have
 * to go to system memory, and come as write-back to who touches them again.
 */
TEST_F(qxl, evicted)
{
	int card = open_qxl(_metadata);
	static uint64_t pfns[BIG_PAGES];
	char *at[BIG_BUFFERS];
	unsigned int evicted = 0;

	for (unsigned int i = 0; i < BIG_BUFFERS; i++) {
		at[i] = map(_metadata, card, alloc_vram(_metadata, card, BIG_PAGES),
			    BIG_PAGES);
		user_touch(at[i], BIG_PAGES);
		user_expect_entries(_metadata, &self->user, at[i], BIG_PAGES,
				    PAT_TEST_WC, pfns);
		expect_in_device(_metadata, pfns, BIG_PAGES, true);
	}
	for (unsigned int i = 0; i < BIG_BUFFERS; i++) {
		struct pat_test_pte pte = { .addr = (uintptr_t)at[i] };
		bool moved;

		ASSERT_EQ(0, ioctl(self->user.driver, PAT_TEST_READ_PTE, &pte));
		moved = pte.got == PAT_TEST_NOT_MAPPED;
		ASSERT_TRUE(user_sees(at[i], BIG_PAGES)) TH_LOG("buffer %u", i);
		user_expect_entries(_metadata, &self->user, at[i], BIG_PAGES,
				    moved ? PAT_TEST_WB : PAT_TEST_WC, pfns);
		expect_in_device(_metadata, pfns, BIG_PAGES, !moved);
		if (!moved)
			continue;
		user_expect_pages(_metadata, &self->user, pfns, BIG_PAGES,
				  PAT_TEST_WB);
		evicted++;
	}
	EXPECT_LT(0, evicted) TH_LOG("nothing had to go to system memory");
	EXPECT_GT(BIG_BUFFERS, evicted);
	user_expect_as_before(_metadata, &self->user);
	for (unsigned int i = 0; i < BIG_BUFFERS; i++) {
		ASSERT_EQ(0, munmap(at[i], BIG_PAGES * PAT_PAGE));
	}
	close(card);
}

static bool use_buffers(struct __test_metadata *_metadata)
{
	int card = open_qxl(_metadata);
	char *vram = map(_metadata, card, alloc_vram(_metadata, card, PAGES), PAGES);
	char *ram = user_map_dumb(_metadata, card,
				  user_create_dumb(_metadata, card, PAGES), PAGES);

	user_touch(vram, PAGES / 2);
	user_touch(ram, PAGES / 2);
	return user_sees(vram, PAGES / 2) && user_sees(ram, PAGES / 2);
}

TEST_F(qxl, killed)
{
	USER_KILL_AFTER(use_buffers(_metadata));
	user_expect_as_before(_metadata, &self->user);
}

TEST_HARNESS_MAIN
