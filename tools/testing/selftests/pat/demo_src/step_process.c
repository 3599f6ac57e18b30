// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>

#include "../pat_list.h"
#include "framebuffer.h"
#include "mapping.h"
#include "screen.h"
#include "steps.h"

#define SIZE (4 * PAGE)
#define WORD 0x50415421		/* "PAT!" */

static void check_type(const char *name, const struct mapping *mapping,
		       uint64_t phys)
{
	int type = mapping_type(mapping, phys);

	screen_fact(name, "%p  %s%s%s", (void *)mapping->at,
		    screen_type_colour(pat_type_word(type)),
		    pat_type_word(type), screen_plain());
	screen_check(type == PAT_TEST_WC,
		     "its page table entries choose write-combining, as the driver's do");
}

/* One frame behind both mappings: what one writes, the other reads. */
static void check_same_memory(const struct mapping *a, const struct mapping *b)
{
	uint32_t was = a->at[0];

	a->at[0] = WORD;
	screen_check(b->at[0] == WORD,
		     "what is written through one is read through the other");
	a->at[0] = was;
}

static void check_list(uint64_t phys, unsigned int before, unsigned int more)
{
	struct pat_list list;
	unsigned int now;

	if (!pat_list_read(&list)) {
		screen_failed(PAT_LIST_FILE);
		return;
	}
	now = pat_list_count(&list, phys, PAT_TEST_WC);
	for (size_t i = 0; more && i < list.nr; i++) {
		const struct pat_record *r = &list.records[i];

		if (r->start > phys || phys >= r->end)
			continue;
		screen_show("0x%" PRIx64 "-0x%" PRIx64 "  %s", r->start,
			    r->end - 1, pat_type_word(r->type));
		screen_show("    %s", r->holder[0] ? r->holder :
						     "(by whom is not told)");
	}
	screen_check(now == before + more,
		     more ? "the list has %u more records of these frames" :
			    "unmapped, the list has %u more than at first",
		     now - before);
	pat_list_free(&list);
}

static unsigned int records_now(uint64_t phys)
{
	struct pat_list list;
	unsigned int count;

	if (!pat_list_read(&list))
		return 0;
	count = pat_list_count(&list, phys, PAT_TEST_WC);
	pat_list_free(&list);
	return count;
}

void step_process(void)
{
	struct mapping mem, resource;
	struct framebuffer fb;
	unsigned int before;
	uint64_t offset;

	screen_explain("This process maps 16 KiB of the same BAR twice. /dev/mem asks for");
	screen_explain("write-back, resourceN_wc for write-combining; a frame has one type,");
	screen_explain("so both get the one that is there.");
	if (!framebuffer_find(&fb)) {
		screen_check(false, "no framebuffer to map");
		return;
	}
	/* Off the screen, in the middle of what the driver has mapped. */
	offset = fb.mapping.size / 2 & ~(PAGE - 1);
	before = records_now(fb.bar.start + offset);

	if (!mapping_of_devmem(&mem, 0, fb.bar.start + offset, SIZE)) {
		screen_failed("mmap /dev/mem");
		return;
	}
	if (!mapping_of_resource_wc(&resource, &fb.bar, offset, SIZE)) {
		screen_failed("mmap resourceN_wc");
		mapping_undo(&mem);
		return;
	}
	check_type("/dev/mem", &mem, fb.bar.start + offset);
	check_type("resourceN_wc", &resource, fb.bar.start + offset);
	check_same_memory(&mem, &resource);
	check_list(fb.bar.start + offset, before, 2);
	mapping_undo(&resource);
	mapping_undo(&mem);
	check_list(fb.bar.start + offset, before, 0);
}
