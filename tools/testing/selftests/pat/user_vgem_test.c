// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM buffers in shared memory, as vgem has them: pages of a tmpfs file, made
 * write-combining with set_pages_array_wc() while anybody has the buffer mapped,
 * and put into processes by faults, with vmf_insert_pfn(). The last munmap()
 * makes them write-back, and they stay what they are, pages of the file, until
 * the buffer goes.
 */
#include "user_drm.h"

#define PAGES 64

USER_FIXTURE(vgem)

static int open_vgem(struct __test_metadata *_metadata)
{
	int card = user_open_card("vgem");

	ASSERT_LE(0, card) TH_LOG("no card of the driver vgem");
	return card;
}

TEST_F(vgem, mapped)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	uint64_t pfns[PAGES], again[PAGES];
	char *at;

	user_expect_as_before(_metadata, &self->user);
	at = user_map_dumb(_metadata, card, handle, PAGES);
	/* From here on, touched or not. */
	user_expect_more(_metadata, &self->user, PAGES);
	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);

	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	user_expect_as_before(_metadata, &self->user);

	/* The same pages once more, with what is in them. */
	at = user_map_dumb(_metadata, card, handle, PAGES);
	EXPECT_TRUE(user_sees(at, PAGES));
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, again);
	EXPECT_EQ(0, memcmp(pfns, again, sizeof(pfns)));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	/* The mapping keeps the buffer. */
	user_close_handle(_metadata, card, handle);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	close(card);
}

TEST_F(vgem, mapped_twice)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	char *first = user_map_dumb(_metadata, card, handle, PAGES);
	char *second = user_map_dumb(_metadata, card, handle, PAGES);
	uint64_t pfns[PAGES];

	user_touch(first, PAGES);
	EXPECT_TRUE(user_sees(second, PAGES));
	user_expect_entries(_metadata, &self->user, second, PAGES, PAT_TEST_WC,
			    pfns);
	/* In pieces: the middle, the head, the tail. */
	ASSERT_EQ(0, munmap(first + 10 * PAT_PAGE, 10 * PAT_PAGE));
	ASSERT_EQ(0, munmap(first, 10 * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	ASSERT_EQ(0, munmap(first + 20 * PAT_PAGE, (PAGES - 20) * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	ASSERT_EQ(0, munmap(second, PAGES * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	close(card);
}

/* A child that outlives its parent's mapping keeps the type. */
TEST_F(vgem, forked)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	char *at = user_map_dumb(_metadata, card, handle, PAGES);
	uint64_t pfns[PAGES];
	int to_child[2], status;
	char go = 0;
	pid_t child;

	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	ASSERT_EQ(0, pipe(to_child));
	child = fork();
	if (!child) {
		/* Ends with a failed assertion, if one fails. */
		if (read(to_child[0], &go, 1) != 1 || !user_sees(at, PAGES))
			_exit(1);
		user_expect_entries(_metadata, &self->user, at, PAGES,
				    PAT_TEST_WC, NULL);
		_exit(0);
	}
	ASSERT_LT(0, child);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	user_close_handle(_metadata, card, handle);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	ASSERT_EQ(1, write(to_child[1], &go, 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WB);
	close(to_child[0]);
	close(to_child[1]);
	close(card);
}

/* Through the file of a dma-buf it is the same mapping. */
TEST_F(vgem, exported)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = O_RDWR | O_CLOEXEC,
	};
	uint64_t pfns[PAGES];
	char *at;

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime))
		TH_LOG("HANDLE_TO_FD: %s", strerror(errno));
	user_close_handle(_metadata, card, handle);
	close(card);
	at = user_map_at(_metadata, prime.fd, 0, PAGES);
	close(prime.fd);
	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	user_expect_pages(_metadata, &self->user, pfns, PAGES, PAT_TEST_WC);
	user_expect_more(_metadata, &self->user, PAGES);
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
}

/*
 * /dev/mem has a page of the buffer mapped all the while: as the page becomes
 * write-combining and write-back, that mapping follows.
 */
TEST_F(vgem, seen_through_devmem)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	char *at = user_map_dumb(_metadata, card, handle, PAGES), *seen;
	uint64_t pfns[PAGES];

	user_touch(at, PAGES);
	user_expect_entries(_metadata, &self->user, at, PAGES, PAT_TEST_WC, pfns);
	seen = user_map_devmem(_metadata, &self->user, pfns[7]);
	user_expect_devmem(_metadata, &self->user, seen, pfns[7], PAT_TEST_WC);

	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	user_expect_devmem(_metadata, &self->user, seen, pfns[7], PAT_TEST_WB);
	if (seen) {
		EXPECT_EQ(7, *(volatile char *)seen);
	}
	at = user_map_dumb(_metadata, card, handle, PAGES);
	user_expect_more(_metadata, &self->user, PAGES);
	user_expect_devmem(_metadata, &self->user, seen, pfns[7], PAT_TEST_WC);

	/* The buffer goes, and its pages with it, but not the mapping. */
	ASSERT_EQ(0, munmap(at, PAGES * PAT_PAGE));
	user_close_handle(_metadata, card, handle);
	user_expect_devmem(_metadata, &self->user, seen, pfns[7], PAT_TEST_WB);
	user_unmap_devmem(seen);
	close(card);
}

static bool use_buffer(struct __test_metadata *_metadata)
{
	int card = open_vgem(_metadata);
	uint32_t handle = user_create_dumb(_metadata, card, PAGES);
	char *at = user_map_dumb(_metadata, card, handle, PAGES);

	user_touch(at, PAGES / 2);
	return user_sees(at, PAGES / 2);
}

TEST_F(vgem, killed)
{
	USER_KILL_AFTER(use_buffer(_metadata));
	user_expect_as_before(_metadata, &self->user);
}

TEST_HARNESS_MAIN
