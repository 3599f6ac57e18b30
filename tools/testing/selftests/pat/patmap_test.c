// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does patmap, tools/arch/x86/patmap, understand what this kernel says?  Its own
 * tests have machines that were recorded; here it looks at a running one.
 */
#include <ctype.h>

#include "tell.h"

#define PATMAP	"PATH=.:$PATH patmap "

PAT_FIXTURE(patmap)

#define NEED_PATMAP()								\
do {										\
	if (system(PATMAP "--version > /dev/null 2>&1"))			\
		SKIP(return, "there is no patmap here, nor in PATH");		\
} while (0)

/* What "patmap --json" says, in one line, and how it ends. */
static char *look(struct __test_metadata *_metadata, int *status)
{
	FILE *pipe = popen(PATMAP "--json", "r");
	char *text = NULL, *to;
	bool space = true;
	size_t room = 0;

	ASSERT_NE(NULL, pipe);
	ASSERT_LT(0, getdelim(&text, &room, '\0', pipe));
	to = text;
	for (const char *from = text; *from; from++) {
		if (isspace(*from) && space)
			continue;
		space = isspace(*from);
		*to++ = space ? ' ' : *from;
	}
	*to = '\0';
	*status = pclose(pipe);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	return text;
}

/* Is there what matches in @text? */
static bool says(struct __test_metadata *_metadata, const char *text, const char *ere)
{
	regex_t regex;
	bool found;

	ASSERT_EQ(0, regcomp(&regex, ere, REG_EXTENDED | REG_NOSUB));
	found = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return found;
}

#define EXPECT_SAYS(text, ...)							\
do {										\
	char ere_[1024];							\
										\
	snprintf(ere_, sizeof(ere_), __VA_ARGS__);				\
	EXPECT_TRUE(says(_metadata, text, ere_))				\
		TH_LOG("nothing matches %s", ere_);				\
} while (0)

/* A driver's mapping and a process's, with all that this kernel knows of them. */
TEST_F(patmap, shows_records)
{
	struct pat_test_map held;
	char range[160], *text;
	void *at;
	int status;

	NEED_PATMAP();
	held = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WC);
	ASSERT_EQ(0, held.err);
	at = tell_mmap(_metadata, self->driver);
	text = look(_metadata, &status);
	EXPECT_LE(0, status);
	EXPECT_GE(1, status);

	snprintf(range, sizeof(range),
		 "\"start\": \"0x%" PRIx64 "\", \"end\": \"0x%" PRIx64 "\", \"size\": %lu, \"type\": \"write-combining\"",
		 tell_start(_metadata), tell_start(_metadata) + TELL_BYTES - 1,
		 TELL_BYTES);
	if (!self->pat) {
		EXPECT_SAYS(text, "\"pat\": \\{ \"state\": \"off\"");
		EXPECT_FALSE(says(_metadata, text, range));
	} else if (pat_on_stock()) {
		EXPECT_SAYS(text, "\"pat\": \\{ \"state\": \"on\"");
		EXPECT_SAYS(text, "%s \\}", range);
	} else {
		EXPECT_SAYS(text, "\"pat\": \\{ \"state\": \"on\"");
		EXPECT_SAYS(text,
			    "%s, \"holder\": \\{ \"kind\": \"kernel\", \"name\": \"" TELL_SYMBOL "\" \\}, \"virt_start\": \"0x%" PRIx64 "\", \"virt_end\": \"0x%" PRIx64 "\", \"since\": [0-9.]+, \"maps\": 2, \"mtrr\": \"[a-z-]+\", \"effective\": \"write-combining\"",
			    range, (uint64_t)held.vaddr,
			    (uint64_t)held.vaddr + TELL_BYTES);
		EXPECT_SAYS(text,
			    "%s, \"holder\": \\{ \"kind\": \"user\", \"name\": \"patmap_test\", \"pid\": %d \\}, \"virt_start\": \"%p\"",
			    range, getpid(), at);
	}
	free(text);
	ASSERT_EQ(0, munmap(at, TELL_BYTES));
	tell_unmap(_metadata, self->driver, &held);
}

/* A conflict, and on ours who asked, and who was in the way. */
TEST_F(patmap, shows_a_conflict)
{
	uint64_t start = tell_start(_metadata);
	struct pat_test_map map;
	char *text;
	void *at;
	int status;

	NEED_PATMAP();
	if (!self->pat)
		return;
	/* There are ten such lines in five seconds: others may have had them. */
	sleep(6);
	at = tell_mmap(_metadata, self->driver);
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
	map = tell_map(_metadata, self->driver, PAT_TEST_IOREMAP_WT);
	EXPECT_EQ(PAT_TEST_NULL, map.err);
	ASSERT_TRUE(pat_expect_done());
	text = look(_metadata, &status);
	/* It ends with 1 where there is something to complain of. */
	EXPECT_EQ(1, status);

	EXPECT_SAYS(text,
		    "\"kind\": \"(conflict|ioremap-refused)\", .*\"start\": \"0x%" PRIx64 "\", \"end\": \"0x%" PRIx64 "\", \"size\": %lu, \"wanted\": \"write-through\", \"held\": \"write-combining\"",
		    start, start + TELL_BYTES - 1, TELL_BYTES);
	if (!pat_on_stock())
		EXPECT_SAYS(text,
			    "\"held\": \"write-combining\", \"resource\": \"([^\"]*/)?0000:00:[0-9a-f]{2}\\.0\", \"asker\": \\{ \"kind\": \"kernel\", \"name\": \"" TELL_SYMBOL "\" \\}, \"holder\": \\{ \"kind\": \"user\", \"name\": \"patmap_test\", \"pid\": %d \\}",
			    getpid());
	free(text);
	ASSERT_EQ(0, munmap(at, TELL_BYTES));
}

/* RAM that is not write-back, which stock kernels do not list. */
TEST_F(patmap, shows_ram)
{
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_set set = { .api = PAT_TEST_SET_MEMORY_WC, .count = 1 };
	char *text;
	int status;

	NEED_PATMAP();
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	text = look(_metadata, &status);
	if (!self->pat || pat_on_stock())
		EXPECT_SAYS(text, "\"listed\": false");
	else
		EXPECT_SAYS(text,
			    "\"listed\": true, \"not_write_back\": \\[.*\\{ \"start\": \"0x%" PRIx64 "\", \"end\": \"0x%" PRIx64 "\", \"size\": 4096, \"type\": \"write-combining\" \\}",
			    pfn << 12, (pfn << 12) + 4095);
	free(text);
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_FREE, (unsigned long)alloc.handle));
}

TEST_HARNESS_MAIN
