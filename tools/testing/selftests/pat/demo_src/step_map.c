// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pat_list.h"
#include "facts.h"
#include "framebuffer.h"
#include "mapping.h"
#include "screen.h"
#include "steps.h"

#define RANGES 256
#define MAPPINGS 256

static struct iomem ranges[RANGES];
static int nr_ranges;
static struct io_mapping mappings[MAPPINGS];
static int nr_mappings;

static void print_size(char *to, size_t room, uint64_t bytes)
{
	if (bytes >= 10ULL << 30)
		snprintf(to, room, "%" PRIu64 " GiB", bytes >> 30);
	else if (bytes >= 10ULL << 20)
		snprintf(to, room, "%" PRIu64 " MiB", bytes >> 20);
	else
		snprintf(to, room, "%" PRIu64 " KiB", bytes >> 10);
}

#define WHO_COLUMNS 25

/* One line of the table. A long last column has a line of its own. */
static void print_line(const char *indent, uint64_t start, uint64_t end,
		       const char *type, const char *who)
{
	bool fits = strlen(who) <= WHO_COLUMNS;
	char frames[32], size[16];

	snprintf(frames, sizeof(frames), "%s%08" PRIx64 "-%08" PRIx64, indent,
		 start, end - 1);
	print_size(size, sizeof(size), end - start);
	printf("  %-22s %9s  %s%-16s%s %s\n", frames, size,
	       screen_type_colour(type), type, screen_plain(), fits ? who : "");
	if (!fits)
		printf("  %s    %s\n", indent, who);
}

/* "by function+0x1/0x2, mapped" as "function, mapped". */
static const char *shortened(const char *holder)
{
	static char text[96];
	size_t name;

	if (!strncmp(holder, "by ", strlen("by ")))
		holder += strlen("by ");
	name = strcspn(holder, "+");
	snprintf(text, sizeof(text), "%.*s%s", (int)name, holder,
		 holder + name + strcspn(holder + name, ", "));
	return text;
}

/*
 * Who holds a record. The list may say so itself; if not, it is who made the
 * kernel mapping of just these frames. Each mapping has one record.
 */
static const char *holder(const struct pat_record *record)
{
	if (record->holder[0])
		return shortened(record->holder);
	for (int i = 0; i < nr_mappings; i++) {
		struct io_mapping *m = &mappings[i];

		if (m->phys == record->start &&
		    m->phys + m->size == record->end) {
			m->phys = 0;
			return m->caller;
		}
	}
	return NULL;
}

/* The smallest named range that contains the record's first frame; -1 if none. */
static int range_of(const struct pat_record *record)
{
	int found = -1;

	for (int i = 0; i < nr_ranges; i++)
		if (ranges[i].start <= record->start &&
		    record->start < ranges[i].end &&
		    (found < 0 || ranges[i].depth >= ranges[found].depth))
			found = i;
	return found;
}

static bool is_ram(const struct iomem *range)
{
	return !range->depth && !strcmp(range->name, "System RAM");
}

static unsigned int print_records(const struct pat_list *list, int range)
{
	unsigned int nameless = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct pat_record *r = &list->records[i];
		const char *who;

		if (range_of(r) != range)
			continue;
		who = holder(r);
		nameless += !who;
		print_line("  ", r->start, r->end, pat_type_word(r->type),
			   who ? who : "(not told)");
	}
	return nameless;
}

static bool has_records(const struct pat_list *list, int range)
{
	for (size_t i = 0; i < list->nr; i++)
		if (range_of(&list->records[i]) == range)
			return true;
	return false;
}

/* How many records name no holder. */
static unsigned int print_map(const struct pat_list *list)
{
	unsigned int nameless = 0;

	screen_columns("Frames                 Size  Type             What, and who holds it     ");
	for (int i = 0; i < nr_ranges; i++) {
		const struct iomem *range = &ranges[i];

		if (is_ram(range))
			print_line("", range->start, range->end, "page by page",
				   range->name);
		else if (has_records(list, i))
			print_line("", range->start, range->end, "",
				   range->name);
		nameless += print_records(list, i);
	}
	return nameless + print_records(list, -1);
}

static bool overlap(const struct pat_record *a, const struct pat_record *b)
{
	return a->start < b->end && b->start < a->end;
}

static unsigned int contradictions(const struct pat_list *list)
{
	unsigned int count = 0;

	for (size_t i = 0; i < list->nr; i++)
		for (size_t j = 0; j < i; j++)
			count += overlap(&list->records[i], &list->records[j]) &&
				 list->records[i].type != list->records[j].type;
	return count;
}

/* The stock kernel's list does not name holders. */
static bool list_names_holders(void)
{
	const char *kernel = getenv("PAT_KERNEL");

	return !kernel || strcmp(kernel, "stock");
}

static void show_map(void)
{
	struct pat_list list;
	unsigned int nameless;

	nr_ranges = facts_iomem(ranges, RANGES);
	nr_mappings = facts_io_mappings(mappings, MAPPINGS);
	if (nr_ranges <= 0 || nr_mappings < 0 || !pat_list_read(&list)) {
		screen_failed("/proc/iomem, /proc/vmallocinfo, " PAT_LIST_FILE);
		return;
	}
	nameless = print_map(&list);
	screen_check(list.nr > 0 && !contradictions(&list),
		     "%zu records, no two of one frame differ in type", list.nr);
	if (list_names_holders())
		screen_check(!nameless, "each of them tells who holds it");
	pat_list_free(&list);
}

void step_map(void)
{
	struct framebuffer fb;
	struct mapping resource;

	screen_explain("Reserved ranges (indented: each mapping of them) have the type of their");
	screen_explain("mappings; RAM has one for each page, write-back unless a driver changes");
	screen_explain("it. This process has the first page of the framebuffer mapped as well.");
	if (!framebuffer_find(&fb)) {
		screen_check(false, "no framebuffer to map");
		return;
	}
	if (!mapping_of_resource_wc(&resource, &fb.bar, 0, PAGE)) {
		screen_failed("mmap resourceN_wc");
		return;
	}
	show_map();
	mapping_undo(&resource);
}
