/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of huge PFN mappings (rows G and H) share: a driver that maps
 * with huge entries, and 1 GiB of frames that nobody has.
 *
 * These frames are addresses with nothing behind them, in the upper half of what
 * the CPU can address: reading there gives no data, and harms nothing. What is
 * looked at is page table entries.
 *
 * The driver wants write-back, as one does that sets no type of its own; which
 * type it gets is for the kernel to say.
 */
#ifndef PAT_HUGE_H
#define PAT_HUGE_H

#include <sys/wait.h>

#include "pat_huge_ioctl.h"
#include "row.h"

#define HUGE_2M		(2ULL << 20)
#define HUGE_1G		(1ULL << 30)

enum huge_level {
	HUGE_LEVEL_4K = 1,
	HUGE_LEVEL_2M = 2,
	HUGE_LEVEL_1G = 3,
};

#define HUGE_DRIVER_TYPE	PAT_TEST_WB

struct huge {
	struct row row;
	int driver;		/* pat_huge.ko */
	uint64_t phys;		/* where the frames begin */
};

static inline bool huge_iomem_visit(unsigned int depth, uint64_t start,
				    uint64_t end, const char *name, void *data)
{
	uint64_t phys = *(uint64_t *)data;

	return start < phys + HUGE_1G && end > phys;
}

static inline void huge_open(struct __test_metadata *_metadata,
			     struct huge *huge, enum row_stock stock)
{
	row_open(_metadata, &huge->row, stock);
	huge->driver = pat_open_device(_metadata, "pat_huge");
	huge->phys = 1ULL << (pat_get_info(_metadata, huge->row.driver).phys_bits - 1);
	ASSERT_FALSE(pat_iomem_find(huge_iomem_visit, &huge->phys))
		TH_LOG("somebody has the frames from 0x%" PRIx64 " on", huge->phys);
}

static inline void huge_close(struct huge *huge)
{
	close(huge->driver);
	row_close(&huge->row);
}

/* Maps frames at an address that suits entries of @align bytes. Nothing is touched. */
static inline char *huge_map(struct __test_metadata *_metadata,
			     struct huge *huge, uint64_t phys, uint64_t size,
			     unsigned int sizes, uint64_t align)
{
	struct pat_huge_frames frames = {
		.pfn = phys / PAT_PAGE,
		.sizes = sizes,
		.type = HUGE_DRIVER_TYPE,
	};
	char *at;

	at = mmap(NULL, size + align, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, at);
	at = (char *)(((uintptr_t)at + align - 1) & -align);
	ASSERT_EQ(0, ioctl(huge->driver, PAT_HUGE_FRAMES, &frames));
	ASSERT_EQ(at, mmap(at, size, PROT_READ, MAP_SHARED | MAP_FIXED,
			   huge->driver, 0));
	return at;
}

/* Has the kernel hold a type for frames. The handle is to be unmapped. */
static inline uint32_t huge_hold(struct __test_metadata *_metadata,
				 struct huge *huge, uint64_t phys,
				 uint64_t size, int type)
{
	struct pat_test_map map = {
		.api = type == PAT_TEST_WC ? PAT_TEST_RESERVE_WC :
					     PAT_TEST_IOREMAP_PROT,
		.type = type,
		.phys = phys,
		.size = size,
	};

	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	return map.handle;
}

static inline void huge_let_go(struct __test_metadata *_metadata,
			       struct huge *huge, uint32_t handle)
{
	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_UNMAP, handle));
}

static inline void huge_touch(const char *at)
{
	(void)*(const volatile char *)at;
}

static inline void huge_claim_read(struct __test_metadata *_metadata,
				   struct huge *huge,
				   const struct pat_test_pte *pte,
				   uint64_t phys, int type,
				   enum huge_level level)
{
	/* Without PAT there is nothing to look up. */
	if (!huge->row.pat_is_on)
		type = row_type(&huge->row, HUGE_DRIVER_TYPE);
	else
		ROW_CLAIM(&huge->row, pte->level == level,
			  "0x%" PRIx64 ": entry of level %u, wanted %d", phys,
			  pte->level, level);
	ROW_CLAIM(&huge->row, pte->got == type && pte->pfn == phys / PAT_PAGE,
		  "0x%" PRIx64 ": entry has pfn 0x%" PRIx64 " %s, wanted %s",
		  phys, (uint64_t)pte->pfn, pat_type_word(pte->got),
		  pat_type_word(type));
}

/* Touches @at, and claims that it is mapped by an entry of this type and level. */
static inline void huge_claim_entry(struct __test_metadata *_metadata,
				    struct huge *huge, const char *at,
				    uint64_t phys, int type,
				    enum huge_level level)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)at };

	huge_touch(at);
	ASSERT_EQ(0, ioctl(huge->row.driver, PAT_TEST_READ_PTE, &pte));
	huge_claim_read(_metadata, huge, &pte, phys, type, level);
}

/* The same, of a child that is forked for it. */
static inline void huge_claim_child_entry(struct __test_metadata *_metadata,
					  struct huge *huge, const char *at,
					  uint64_t phys, int type,
					  enum huge_level level)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)at };
	int pipes[2], status;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	child = fork();
	if (!child) {
		huge_touch(at);
		_exit(ioctl(huge->row.driver, PAT_TEST_READ_PTE, &pte) ||
		      write(pipes[1], &pte, sizeof(pte)) != sizeof(pte));
	}
	ASSERT_LT(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(sizeof(pte), read(pipes[0], &pte, sizeof(pte)));
	close(pipes[0]);
	close(pipes[1]);
	huge_claim_read(_metadata, huge, &pte, phys, type, level);
}

#endif
