/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of memory types, and everyone who may ask for one.
 *
 * A request for a type by one mapping, where another mapping of the frame
 * exists, has one of two ends: it is granted, with the type that exists
 * already, or refused. PAT_CONTRACT is that rule as one table; the programs
 * contract_*_test.c put every requester through it.
 */
#ifndef PAT_CONTRACT_H
#define PAT_CONTRACT_H

#include <linux/pci.h>

#include "pat_kselftest.h"

#define PAT_REFUSED (-100)

/*
 * What a request gets, by the type that exists and the type requested. Uncached
 * requests must not be cached, WC and WT requests neither; WT guarantees
 * coherent reads, which WC lacks. Two things are not as one would guess, and
 * drivers live with both: UC over WB is granted, and so is WB over anything.
 */
static const int pat_contract[5][5] = {
#define WB  PAT_TEST_WB
#define WC  PAT_TEST_WC
#define UCM PAT_TEST_UC_MINUS
#define UC  PAT_TEST_UC
#define WT  PAT_TEST_WT
#define NO  PAT_REFUSED
	/* requested:	  WB	WC	UC-	UC	WT */
	[WB]		= { WB,	NO,	NO,	WB,	NO },
	[WC]		= { WC,	WC,	WC,	WC,	NO },
	[UCM]		= { UCM, UCM,	UCM,	UCM,	UCM },
	[UC]		= { UC,	UC,	UC,	UC,	UC },
	[WT]		= { WT,	WT,	WT,	WT,	WT },
#undef WB
#undef WC
#undef UCM
#undef UC
#undef WT
#undef NO
};

/* Who asks, and for which type. */
enum pat_requester {
	IOREMAP,
	IOREMAP_UC,
	IOREMAP_WC,
	IOREMAP_WT,
	IOREMAP_CACHE,
	IOREMAP_PROT_WB,
	IOREMAP_PROT_WC,
	IOREMAP_PROT_UC_MINUS,
	IOREMAP_PROT_UC,
	IOREMAP_PROT_WT,
	MEMREMAP_WB,
	MEMREMAP_WT,
	MEMREMAP_WC,
	RESERVE_WC,
	/* from here on in a process */
	REMAP_WB,
	REMAP_WC,
	REMAP_UC_MINUS,
	REMAP_UC,
	REMAP_WT,
	DEVMEM,
	DEVMEM_SYNC,
	/* from here on for PCI BARs only */
	RESOURCE,
	RESOURCE_WC,
	PROC_PCI,
	PROC_PCI_WC,
};

static const struct {
	int type;		/* requested */
	int refusal;		/* the error that a refused request returns */
	unsigned int map_api;	/* of kernel mappings */
} pat_requesters[] = {
	[IOREMAP]		= { PAT_TEST_UC_MINUS,	PAT_TEST_NULL,	PAT_TEST_IOREMAP },
	[IOREMAP_UC]		= { PAT_TEST_UC,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_UC },
	[IOREMAP_WC]		= { PAT_TEST_WC,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_WC },
	[IOREMAP_WT]		= { PAT_TEST_WT,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_WT },
	[IOREMAP_CACHE]		= { PAT_TEST_WB,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_CACHE },
	[IOREMAP_PROT_WB]	= { PAT_TEST_WB,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_PROT },
	[IOREMAP_PROT_WC]	= { PAT_TEST_WC,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_PROT },
	[IOREMAP_PROT_UC_MINUS]	= { PAT_TEST_UC_MINUS,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_PROT },
	[IOREMAP_PROT_UC]	= { PAT_TEST_UC,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_PROT },
	[IOREMAP_PROT_WT]	= { PAT_TEST_WT,	PAT_TEST_NULL,	PAT_TEST_IOREMAP_PROT },
	[MEMREMAP_WB]		= { PAT_TEST_WB,	PAT_TEST_NULL,	PAT_TEST_MEMREMAP_WB },
	[MEMREMAP_WT]		= { PAT_TEST_WT,	PAT_TEST_NULL,	PAT_TEST_MEMREMAP_WT },
	[MEMREMAP_WC]		= { PAT_TEST_WC,	PAT_TEST_NULL,	PAT_TEST_MEMREMAP_WC },
	[RESERVE_WC]		= { PAT_TEST_WC,	-EBUSY,		PAT_TEST_RESERVE_WC },
	[REMAP_WB]		= { PAT_TEST_WB,	-EINVAL,	0 },
	[REMAP_WC]		= { PAT_TEST_WC,	-EINVAL,	0 },
	[REMAP_UC_MINUS]	= { PAT_TEST_UC_MINUS,	-EINVAL,	0 },
	[REMAP_UC]		= { PAT_TEST_UC,	-EINVAL,	0 },
	[REMAP_WT]		= { PAT_TEST_WT,	-EINVAL,	0 },
	[DEVMEM]		= { PAT_TEST_WB,	-EAGAIN,	0 },
	[DEVMEM_SYNC]		= { PAT_TEST_UC_MINUS,	-EAGAIN,	0 },
	[RESOURCE]		= { PAT_TEST_UC_MINUS,	-EINVAL,	0 },
	[RESOURCE_WC]		= { PAT_TEST_WC,	-EINVAL,	0 },
	[PROC_PCI]		= { PAT_TEST_UC_MINUS,	-EINVAL,	0 },
	[PROC_PCI_WC]		= { PAT_TEST_WC,	-EINVAL,	0 },
};

/* One mapping (or reservation) as a requester got it. */
struct pat_mapping {
	enum pat_requester who;
	uint64_t phys;
	uint64_t size;
	int err;		/* why there is none */
	int got;		/* its type */
	uint32_t handle;	/* in the kernel */
	void *addr;		/* in this process */
};

static inline bool pat_in_process(enum pat_requester who)
{
	return who >= REMAP_WB;
}

static inline void pat_map_kernel(struct __test_metadata *_metadata, int driver,
				  struct pat_mapping *map)
{
	struct pat_test_map req = {
		.api = pat_requesters[map->who].map_api,
		.type = pat_requesters[map->who].type,
		.phys = map->phys,
		.size = map->size,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_MAP, &req));
	map->err = req.err;
	map->got = req.got;
	map->handle = req.handle;
}

/* The type of the process's own entries, which must map the frames asked for. */
static inline int pat_user_type(struct __test_metadata *_metadata, int driver,
				const void *addr, uint64_t phys, uint64_t size)
{
	int type = PAT_TEST_NOT_MAPPED;

	for (uint64_t at = 0; at < size; at += PAT_PAGE) {
		struct pat_test_pte pte = { .addr = (uintptr_t)addr + at };

		ASSERT_EQ(0, ioctl(driver, PAT_TEST_READ_PTE, &pte));
		if (pte.got >= 0 && pte.pfn != (phys + at) / PAT_PAGE)
			return PAT_TEST_WRONG_FRAME;
		if (at && pte.got != type)
			return PAT_TEST_MIXED;
		type = pte.got;
	}
	return type;
}

static inline void pat_set_program(struct __test_metadata *_metadata, int driver,
				   const struct pat_test_chunk *chunks,
				   unsigned int nr, unsigned int flags)
{
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr,
		.flags = flags,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_PROGRAM, &program));
}

/* The test BAR's device below /proc/bus/pci: 0000:00:04.0 is 00/04.0 there. */
static inline int pat_open_proc_pci(struct __test_metadata *_metadata)
{
	const char *name = strrchr(pat_bar(_metadata)->dir, '/') + 1;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/bus/pci/%.2s/%.4s", name + 5, name + 8);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd) TH_LOG("%s: %s", path, strerror(errno));
	ASSERT_EQ(0, ioctl(fd, PCIIOC_MMAP_IS_MEM));
	return fd;
}

/* The file whose mmap() is the request, and the offset to give it. */
static inline int pat_open_for(struct __test_metadata *_metadata, int driver,
			       const struct pat_mapping *map, uint64_t *offset)
{
	const struct pat_range *bar;
	char path[512];
	int fd = -1;

	*offset = map->phys;
	switch (map->who) {
	case DEVMEM:
		fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
		break;
	case DEVMEM_SYNC:
		fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
		break;
	case RESOURCE:
	case RESOURCE_WC:
		bar = pat_bar(_metadata);
		*offset = map->phys - bar->start;
		snprintf(path, sizeof(path), "%s/resource2%s", bar->dir,
			 map->who == RESOURCE_WC ? "_wc" : "");
		fd = open(path, O_RDWR | O_CLOEXEC);
		break;
	case PROC_PCI:
	case PROC_PCI_WC:
		fd = pat_open_proc_pci(_metadata);
		if (map->who == PROC_PCI_WC) {
			ASSERT_EQ(0, ioctl(fd, PCIIOC_WRITE_COMBINE, 1));
		}
		break;
	default:
		pat_set_program(_metadata, driver, &(struct pat_test_chunk) {
			.pfn = map->phys / PAT_PAGE,
			.size = map->size,
			.type = pat_requesters[map->who].type,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		}, 1, 0);
		fd = dup(driver);
		*offset = 0;
	}
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(errno));
	return fd;
}

static inline void pat_map_process(struct __test_metadata *_metadata, int driver,
				   struct pat_mapping *map)
{
	uint64_t offset;
	int fd = pat_open_for(_metadata, driver, map, &offset);

	map->addr = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 offset);
	map->err = map->addr == MAP_FAILED ? -errno : 0;
	close(fd);
	if (!map->err)
		map->got = pat_user_type(_metadata, driver, map->addr, map->phys,
					 map->size);
}

/* Ask; err tells the answer. */
static inline struct pat_mapping
pat_request(struct __test_metadata *_metadata, int driver,
	    enum pat_requester who, uint64_t phys, uint64_t size)
{
	struct pat_mapping map = { .who = who, .phys = phys, .size = size };

	if (pat_in_process(who))
		pat_map_process(_metadata, driver, &map);
	else
		pat_map_kernel(_metadata, driver, &map);
	return map;
}

static inline void pat_release(struct __test_metadata *_metadata, int driver,
			       const struct pat_mapping *map)
{
	if (pat_in_process(map->who)) {
		ASSERT_EQ(0, munmap(map->addr, map->size));
	} else {
		ASSERT_EQ(0, ioctl(driver, PAT_TEST_UNMAP, map->handle));
	}
}

/* Where PAT is off, user space is not offered WC mappings of BARs. */
static inline bool pat_is_offered(bool pat, enum pat_requester who)
{
	return pat || (who != RESOURCE_WC && who != PROC_PCI_WC);
}

static inline void
pat_expect_not_offered(struct __test_metadata *_metadata,
		       enum pat_requester who)
{
	const struct pat_range *bar = pat_bar(_metadata);
	char path[512];
	int fd;

	if (who == RESOURCE_WC) {
		snprintf(path, sizeof(path), "%s/resource2_wc", bar->dir);
		EXPECT_EQ(-1, access(path, F_OK));
		EXPECT_EQ(ENOENT, errno);
	} else {
		fd = pat_open_proc_pci(_metadata);
		EXPECT_EQ(-1, ioctl(fd, PCIIOC_WRITE_COMBINE, 1));
		EXPECT_EQ(EINVAL, errno);
		close(fd);
	}
}

/* The request was granted with @type (a reservation has no entry to show it). */
static inline void pat_expect_granted(struct __test_metadata *_metadata,
				      const struct pat_mapping *map, int type)
{
	ASSERT_EQ(0, map->err);
	EXPECT_EQ(map->who == RESERVE_WC ? PAT_TEST_NO_ADDRESS : type, map->got)
		TH_LOG("wanted %s, got %s", pat_type_word(type),
		       pat_type_word(map->got));
}

/* Each page of the range is covered by @count records, all of one type. */
static inline void pat_expect_records(struct __test_metadata *_metadata,
				      bool pat_is_on, uint64_t phys,
				      uint64_t size, unsigned int count, int type)
{
	struct pat_list now;

	if (!pat_is_on)
		return;
	now = pat_list_now(_metadata, pat_is_on);
	for (uint64_t at = phys; at < phys + size; at += PAT_PAGE) {
		EXPECT_EQ(count, pat_list_count(&now, at, type))
			TH_LOG("records that are %s at 0x%" PRIx64,
			       pat_type_word(type), at);
		EXPECT_EQ(count, pat_list_count_all(&now, at))
			TH_LOG("records at 0x%" PRIx64, at);
	}
	pat_list_free(&now);
}

#endif /* PAT_CONTRACT_H */
