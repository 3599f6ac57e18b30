/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests of what people are told (holders_test, trace_test, patmap_test):
 * mappings of a BAR to tell of, and lines to look for.
 */
#ifndef PAT_TELL_H
#define PAT_TELL_H

#include <regex.h>

#include "pat_kselftest.h"

/* Of the BAR, whose first 2048 pages are anybody's. */
#define TELL_PAGE	64
#define TELL_BYTES	(4UL * PAT_PAGE)

/* How a caller in the driver is named. */
#define TELL_SYMBOL	"[a-z_0-9.]+\\+0x[0-9a-f]+/0x[0-9a-f]+ \\[pat_test\\]"

static inline uint64_t tell_start(struct __test_metadata *_metadata)
{
	return pat_bar(_metadata)->start + TELL_PAGE * PAT_PAGE;
}

/* The driver maps it, or is refused. */
static inline struct pat_test_map tell_map(struct __test_metadata *_metadata,
					   int driver, enum pat_test_map_api api)
{
	struct pat_test_map map = {
		.api = api,
		.phys = tell_start(_metadata),
		.size = TELL_BYTES,
	};

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_MAP, &map));
	return map;
}

static inline void tell_unmap(struct __test_metadata *_metadata, int driver,
			      const struct pat_test_map *map)
{
	ASSERT_EQ(0, ioctl(driver, PAT_TEST_UNMAP, (unsigned long)map->handle));
}

/* The process maps the same frames, write-combining, with the driver. */
static inline void *tell_mmap(struct __test_metadata *_metadata, int driver)
{
	struct pat_test_chunk chunk = {
		.pfn = tell_start(_metadata) / PAT_PAGE,
		.size = TELL_BYTES,
		.method = PAT_TEST_REMAP_PFN_RANGE,
		.type = PAT_TEST_WC,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
	};
	void *at;

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, TELL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, driver,
		  0);
	ASSERT_NE(MAP_FAILED, at);
	return at;
}

/* How many lines of @file match @ere?  The last of them is in @line. */
static inline int tell_count(struct __test_metadata *_metadata, FILE *file,
			     const char *ere, char *line, size_t size)
{
	char text[2048];
	int count = 0;
	regex_t regex;

	ASSERT_NE(NULL, file);
	ASSERT_EQ(0, regcomp(&regex, ere, REG_EXTENDED | REG_NOSUB));
	while (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		if (regexec(&regex, text, 0, NULL, 0))
			continue;
		count++;
		if (line)
			snprintf(line, size, "%s", text);
	}
	regfree(&regex);
	return count;
}

#endif
