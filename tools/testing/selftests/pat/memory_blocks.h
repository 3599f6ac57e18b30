/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks of memory, which go online and offline, and DIMMs, which can be ejected. */
#ifndef PAT_MEMORY_BLOCKS_H
#define PAT_MEMORY_BLOCKS_H

#include "pat_kselftest.h"

#define MEMORY_DIR "/sys/devices/system/memory"
#define MAX_BLOCKS 256

struct block {
	char dir[64];
	uint64_t pfn;		/* its first frame */
	uint64_t nr;
	bool offline;
};

static inline uint64_t block_start(const struct block *block)
{
	return block->pfn * PAT_PAGE;
}

static inline uint64_t block_end(const struct block *block)
{
	return (block->pfn + block->nr) * PAT_PAGE;
}

/* All blocks. */
static inline unsigned int
read_blocks(struct __test_metadata *_metadata, struct block blocks[MAX_BLOCKS])
{
	DIR *dir = opendir(MEMORY_DIR);
	struct dirent *entry;
	unsigned int nr = 0;
	char text[32];
	uint64_t pages;

	ASSERT_NE(NULL, dir);
	ASSERT_TRUE(pat_read_line(MEMORY_DIR, "block_size_bytes", 0, text,
				  sizeof(text)));
	pages = strtoull(text, NULL, 16) / PAT_PAGE;
	while ((entry = readdir(dir))) {
		struct block *block = &blocks[nr];
		unsigned int index;

		if (sscanf(entry->d_name, "memory%u", &index) != 1)
			continue;
		ASSERT_GT(MAX_BLOCKS, nr);
		snprintf(block->dir, sizeof(block->dir), MEMORY_DIR "/memory%u",
			 index);
		ASSERT_TRUE(pat_read_line(block->dir, "state", 0, text,
					  sizeof(text)));
		block->pfn = index * pages;
		block->nr = pages;
		block->offline = !strcmp(text, "offline\n");
		nr++;
	}
	closedir(dir);
	return nr;
}

/* Those that are offline: of a DIMM that nobody has put online. */
static inline unsigned int
read_offline_blocks(struct __test_metadata *_metadata,
		    struct block blocks[MAX_BLOCKS])
{
	unsigned int all = read_blocks(_metadata, blocks), nr = 0;

	for (unsigned int i = 0; i < all; i++) {
		if (blocks[i].offline)
			blocks[nr++] = blocks[i];
	}
	return nr;
}

static inline bool block_ram_visit(unsigned int depth, uint64_t start,
				   uint64_t end, const char *name, void *data)
{
	const struct block *block = data;

	return !strcmp(name, "System RAM") && start < block_end(block) &&
	       end > block_start(block);
}

/* The kernel still calls it RAM, the last that it forgets of a block. */
static inline bool block_is_ram(struct block *block)
{
	return pat_iomem_find(block_ram_visit, block);
}

/* A page that is in use may not move just now: the kernel leaves it to us to retry. */
static inline void block_set(struct __test_metadata *_metadata,
			     const struct block *block, const char *state)
{
	unsigned int tries = 0;
	char path[96];

	snprintf(path, sizeof(path), "%s/state", block->dir);
	while (!pat_write_text(path, state)) {
		ASSERT_TRUE(errno == EBUSY || errno == EAGAIN || errno == EINTR)
			TH_LOG("%s: %s", path, strerror(errno));
		ASSERT_LT(tries++, 100) TH_LOG("%s does not become %s", path, state);
		pat_sleep_ms(10);
	}
}

static inline void block_online(struct __test_metadata *_metadata,
				const struct block *block)
{
	block_set(_metadata, block, "online_movable");
}

static inline void block_offline(struct __test_metadata *_metadata,
				 const struct block *block)
{
	block_set(_metadata, block, "offline");
}

/*
 * Asks the firmware to take away all DIMMs; each has a device PNP0C80, as slots
 * have that cannot be ejected. It takes a moment, and cannot be undone.
 */
static inline void eject_all_dimms(struct __test_metadata *_metadata)
{
	static const char devices[] = "/sys/bus/acpi/devices";
	DIR *dir = opendir(devices);
	struct dirent *entry;
	char path[320];

	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "PNP0C80:", 8))
			continue;
		snprintf(path, sizeof(path), "%s/%.200s/eject", devices,
			 entry->d_name);
		pat_write_text(path, "1");
	}
	closedir(dir);
}

#endif /* PAT_MEMORY_BLOCKS_H */
