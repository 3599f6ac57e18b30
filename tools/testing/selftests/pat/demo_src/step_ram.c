// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>

#include "../pat_list.h"
#include "driver.h"
#include "screen.h"
#include "steps.h"

struct ram_page {
	unsigned int handle;
	__u64 pfn;
};

static bool set_type(const struct ram_page *page, enum pat_test_set_api api,
		     const char *call)
{
	struct pat_test_set set = {
		.handle = page->handle,
		.api = api,
		.count = 1,
	};

	if (!driver_call(PAT_TEST_SET_TYPE, &set))
		return screen_failed(call);
	if (set.err)
		return screen_check(false, "%s returned %d", call, set.err);
	return true;
}

/* The page's entry in the direct map, as it is now. */
static void check_direct_map(const struct ram_page *page, const char *after,
			     int wanted)
{
	static const char *const levels[] = { "-", "4 KiB", "2 MiB", "1 GiB" };
	struct pat_test_direct direct = { .pfn = page->pfn };

	if (!driver_call(PAT_TEST_DIRECT_MAP, &direct)) {
		screen_failed("reading the direct map");
		return;
	}
	screen_check(direct.got == wanted, "%-24s %s%-16s%s (%s entry)", after,
		     screen_type_colour(pat_type_word(direct.got)),
		     pat_type_word(direct.got), screen_plain(),
		     levels[direct.level & 3]);
}

void step_ram(void)
{
	struct ram_page page;
	struct pat_test_alloc alloc = {
		.nr = 1,
		.pfns = (uintptr_t)&page.pfn,
	};

	screen_explain("RAM is write-back in the kernel's direct map. A driver that hands a page");
	screen_explain("to a device may change it, by one call or another, and has to change it");
	screen_explain("back before it frees the page.");
	if (!driver_call(PAT_TEST_ALLOC, &alloc)) {
		screen_failed("a page of the test driver");
		return;
	}
	page.handle = alloc.handle;
	screen_fact("page", "0x%" PRIx64, (uint64_t)page.pfn << 12);
	check_direct_map(&page, "allocated", PAT_TEST_WB);
	if (set_type(&page, PAT_TEST_SET_MEMORY_UC, "set_memory_uc"))
		check_direct_map(&page, "set_memory_uc()", PAT_TEST_UC_MINUS);
	if (set_type(&page, PAT_TEST_SET_MEMORY_WB, "set_memory_wb"))
		check_direct_map(&page, "set_memory_wb()", PAT_TEST_WB);
	if (set_type(&page, PAT_TEST_SET_PAGES_ARRAY_WC, "set_pages_array_wc"))
		check_direct_map(&page, "set_pages_array_wc()", PAT_TEST_WC);
	if (set_type(&page, PAT_TEST_SET_PAGES_ARRAY_WB, "set_pages_array_wb"))
		check_direct_map(&page, "set_pages_array_wb()", PAT_TEST_WB);
	screen_check(driver_release(PAT_TEST_FREE, page.handle),
		     "write-back again, the page is freed");
}
