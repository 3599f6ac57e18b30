// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "../pat_list.h"
#include "driver.h"
#include "framebuffer.h"
#include "kmsg.h"
#include "mapping.h"
#include "screen.h"
#include "steps.h"

#define CONFLICT "x86/PAT: .*(conflict|memtype_reserve failed|map pfn)|ioremap error"

/* The kernel's lines are long: they go on the next line where they must. */
static void show_messages(void)
{
	unsigned int lines = 0;
	const char *text;

	while ((text = kmsg_next(""))) {
		size_t length = strlen(text), column = 66;

		screen_show("kernel: %.*s", (int)column, text);
		for (size_t at = column; at < length; at += column)
			screen_show("        %.*s", (int)column, text + at);
		lines++;
	}
	screen_check(lines > 0, "the kernel says so in its log");
}

/* A request for another type that the kernel may answer with the one in use. */
static void show_substitute(const struct framebuffer *fb)
{
	struct mapping mem;
	int type;

	screen_explain("/dev/mem with O_SYNC asks for uncached-minus, the framebuffer is");
	screen_explain("write-combining. Who wants uncached can live with that, and gets it:");
	if (!mapping_of_devmem(&mem, O_SYNC, fb->bar.start, PAGE)) {
		screen_failed("mmap /dev/mem with O_SYNC");
		return;
	}
	type = mapping_type(&mem, fb->bar.start);
	screen_check(type == PAT_TEST_WC, "asked for uncached-minus, got %s",
		     pat_type_word(type));
	mapping_undo(&mem);
}

/* A driver wants write-through: write-combining would reorder its writes. */
static void show_kernel_refused(const struct framebuffer *fb)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WT,
		.phys = fb->bar.start,
		.size = PAGE,
	};

	screen_explain("A driver that asks for write-through there cannot: ioremap_wt() fails.");
	if (!kmsg_expect(CONFLICT) || !driver_call(PAT_TEST_MAP, &map)) {
		screen_failed("ioremap_wt");
		return;
	}
	screen_check(map.err == PAT_TEST_NULL, "ioremap_wt() of the framebuffer: %s",
		     map.err ? "NULL" : pat_type_word(map.got));
	if (!map.err)
		driver_release(PAT_TEST_UNMAP, map.handle);
	show_messages();
	kmsg_done();
}

/* A page of the kernel's own mappings that is cached: one of ACPI's tables. */
static bool find_write_back(uint64_t *phys)
{
	struct pat_list list;
	bool found = false;

	if (!pat_list_read(&list))
		return false;
	for (size_t i = 0; i < list.nr && !found; i++) {
		*phys = list.records[i].start;
		found = list.records[i].type == PAT_TEST_WB;
	}
	pat_list_free(&list);
	return found;
}

static void show_process_refused(void)
{
	struct mapping mem;
	uint64_t phys;
	bool mapped;
	int error;

	screen_explain("The kernel keeps ACPI's tables mapped write-back. A process that asks");
	screen_explain("for uncached must not get a cached mapping instead: mmap() fails.");
	if (!find_write_back(&phys)) {
		screen_check(false, "no range in the list is write-back");
		return;
	}
	if (!kmsg_expect(CONFLICT)) {
		screen_failed("/dev/kmsg");
		return;
	}
	mapped = mapping_of_devmem(&mem, O_SYNC, phys, PAGE);
	error = errno;
	screen_check(!mapped && error == EAGAIN,
		     "mmap of /dev/mem at 0x%" PRIx64 " with O_SYNC: %s", phys,
		     mapped ? "granted" : strerror(error));
	if (mapped)
		mapping_undo(&mem);
	show_messages();
	kmsg_done();
}

void step_conflict(void)
{
	struct framebuffer fb;

	if (!framebuffer_find(&fb)) {
		screen_check(false, "no framebuffer to ask for");
		return;
	}
	show_substitute(&fb);
	show_kernel_refused(&fb);
	show_process_refused();
}
