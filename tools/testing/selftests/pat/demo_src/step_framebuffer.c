// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>

#include "../pat_list.h"
#include "facts.h"
#include "framebuffer.h"
#include "screen.h"
#include "steps.h"

#define ENTRIES 64

static void show_record(const struct pat_list *list, uint64_t phys)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct pat_record *r = &list->records[i];

		if (r->start > phys || phys >= r->end)
			continue;
		screen_fact("its record", "0x%" PRIx64 "-0x%" PRIx64 "  %s%s%s",
			    r->start, r->end - 1,
			    screen_type_colour(pat_type_word(r->type)),
			    pat_type_word(r->type), screen_plain());
		if (r->holder[0])
			screen_fact("", "%s", r->holder);
	}
}

static void check_record(const struct framebuffer *fb)
{
	struct pat_list list;

	if (!pat_list_read(&list)) {
		screen_failed(PAT_LIST_FILE);
		return;
	}
	show_record(&list, fb->bar.start);
	screen_check(pat_list_count(&list, fb->bar.start, PAT_TEST_WC) ==
		     pat_list_count_all(&list, fb->bar.start),
		     "every record of these frames says write-combining");
	pat_list_free(&list);
}

/* The entries of the mapping lie one behind the other, without a gap. */
static void check_entries(const struct framebuffer *fb)
{
	static struct kernel_entry entries[ENTRIES];
	const struct io_mapping *m = &fb->mapping;
	int nr = facts_kernel_entries(m->virt, m->size, entries, ENTRIES);
	uint64_t reached = m->virt, msr;
	bool all_wc = true;

	if (nr < 0 || !facts_pat_msr(0, &msr)) {
		screen_failed("page_tables/kernel");
		return;
	}
	for (int i = 0; i < nr; i++) {
		const struct kernel_entry *e = &entries[i];

		screen_fact(i ? "" : "page table entries",
			    "%s  PAT=%u PCD=%u PWT=%u  slot %u: %s", e->level,
			    e->slot >> 2, e->slot >> 1 & 1, e->slot & 1,
			    e->slot, facts_slot_name(msr, e->slot));
		all_wc &= !strcmp(facts_slot_name(msr, e->slot), "WC") &&
			  e->start <= reached;
		reached = e->end;
	}
	screen_check(all_wc && reached >= m->virt + m->size,
		     "all %" PRIu64 " KiB of it are mapped through a WC slot",
		     m->size / 1024);
}

void step_framebuffer(void)
{
	struct framebuffer fb;

	screen_explain("A graphics driver maps its video memory with ioremap_wc(): the CPU may");
	screen_explain("gather writes into bursts, which uncached memory would not allow.");
	if (!framebuffer_find(&fb)) {
		screen_check(false, "no PCI display driver has mapped a BAR write-combining");
		return;
	}
	screen_fact("PCI device", "%s  %04x:%04x  driver %s", fb.bar.function,
		    fb.bar.vendor, fb.bar.device, fb.bar.driver);
	screen_fact("framebuffer", "BAR %u, 0x%" PRIx64 "-0x%" PRIx64 ", %" PRIu64 " MiB",
		    fb.bar.number, fb.bar.start, fb.bar.end - 1,
		    (fb.bar.end - fb.bar.start) >> 20);
	screen_fact("mapped by", "%s() at 0x%" PRIx64, fb.mapping.caller,
		    fb.mapping.virt);
	check_record(&fb);
	check_entries(&fb);
}
