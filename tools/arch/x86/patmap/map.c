// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address space as regions (RAM, a BAR, a named resource, the rest), each
 * with its records, and as segments in which the same types are recorded.
 *
 * All is sorted and then swept: the time does not depend on who overlaps whom.
 */
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

struct edge {
	uint64_t at;
	enum mem_type type;
	int step;
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_at(const void *a, const void *b)
{
	return compare(((const struct edge *)a)->at, ((const struct edge *)b)->at);
}

static void put_edges(struct edge *edges, size_t *nr, uint64_t start,
		      uint64_t end, enum mem_type type)
{
	edges[(*nr)++] = (struct edge){ start, type, 1 };
	edges[(*nr)++] = (struct edge){ end, type, -1 };
}

static void add_segment(struct machine *m, uint64_t start, uint64_t end,
			unsigned int types)
{
	struct segment *last = m->nr_segments ? &m->segments[m->nr_segments - 1] : NULL;

	if (!types || start == end)
		return;
	if (last && last->end == start && last->types == types) {
		last->end = end;
		return;
	}
	m->segments = grow(m->segments, m->nr_segments, &m->cap_segments,
			   sizeof(*m->segments));
	m->segments[m->nr_segments++] = (struct segment){ start, end, types };
}

static void build_segments(struct machine *m)
{
	struct edge *edges = xrealloc(NULL, 2 * (m->nr_records + m->nr_ram) *
				      sizeof(*edges));
	long counts[NR_TYPES] = { 0 };
	unsigned int types = 0;
	uint64_t at = 0;
	size_t nr = 0, i;

	for (i = 0; i < m->nr_records; i++)
		if (m->records[i].type < NR_TYPES)
			put_edges(edges, &nr, m->records[i].start,
				  m->records[i].end, m->records[i].type);
	for (i = 0; i < m->nr_ram; i++)
		put_edges(edges, &nr, m->ram[i].start, m->ram[i].end,
			  m->ram[i].type);
	if (nr)
		qsort(edges, nr, sizeof(*edges), by_at);
	for (i = 0; i < nr; i++) {
		add_segment(m, at, edges[i].at, types);
		at = edges[i].at;
		counts[edges[i].type] += edges[i].step;
		if (counts[edges[i].type])
			types |= 1u << edges[i].type;
		else
			types &= ~(1u << edges[i].type);
	}
	free(edges);
}

/* The first segment that ends after @start. */
size_t map_segment_at(const struct machine *m, uint64_t start)
{
	size_t low = 0, high = m->nr_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->segments[middle].end > start)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * The types recorded anywhere in [@start, @end).  *@hint is map_segment_at() of
 * an address not above @start, and moves along.
 */
unsigned int map_types(const struct machine *m, uint64_t start, uint64_t end,
		       size_t *hint)
{
	unsigned int types = 0;
	size_t i;

	while (*hint < m->nr_segments && m->segments[*hint].end <= start)
		++*hint;
	for (i = *hint; i < m->nr_segments && m->segments[i].start < end; i++) {
		types |= m->segments[i].types;
		*hint = i;
	}
	return types;
}

/* Bytes of RAM that pat_ram says have @type. */
uint64_t map_ram_bytes(const struct machine *m, enum mem_type type)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < m->nr_ram; i++)
		if (m->ram[i].type == type)
			bytes += m->ram[i].end - m->ram[i].start;
	return bytes;
}

static struct region *add_region(struct machine *m, uint64_t start, uint64_t end,
				 enum region_kind kind, const char *name)
{
	struct region *region;

	m->regions = grow(m->regions, m->nr_regions, &m->cap_regions,
			  sizeof(*m->regions));
	region = &m->regions[m->nr_regions++];
	*region = (struct region){ .start = start, .end = end, .kind = kind,
				   .name = name, .bar = -1 };
	return region;
}

static int region_order(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	int order = compare(x->start, y->start);

	/* The smaller one last: it is the one that is found. */
	return order ? order : -compare(x->end, y->end);
}

static void sort_regions(struct machine *m)
{
	if (m->nr_regions)
		qsort(m->regions, m->nr_regions, sizeof(*m->regions), region_order);
}

/* The region that holds @start, or NULL.  Few overlap, and then by mistake. */
const struct region *map_region_at(const struct machine *m, uint64_t start)
{
	size_t low = 0, high = m->nr_regions;
	int tries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->regions[middle].start <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (tries = 0; low && tries < 8; tries++)
		if (m->regions[--low].end > start)
			return &m->regions[low];
	return NULL;
}

/* RAM and BARs. */
static void add_known_regions(struct machine *m)
{
	struct region *region;
	size_t i;
	int bar;

	for (i = 0; i < m->nr_resources; i++)
		if (!m->resources[i].depth &&
		    !strcmp(m->resources[i].name, "System RAM"))
			add_region(m, m->resources[i].start, m->resources[i].end,
				   REGION_RAM, "RAM");
	for (i = 0; i < m->nr_devices; i++) {
		for (bar = 0; bar < NR_BARS; bar++) {
			const struct bar *b = &m->devices[i].bars[bar];

			if (!b->end)
				continue;
			region = add_region(m, b->start, b->end, REGION_BAR, NULL);
			region->device = &m->devices[i];
			region->bar = bar;
		}
	}
}

/* The innermost resource that holds @start; they stand in the order of their starts. */
static size_t resource_at(const struct machine *m, uint64_t start)
{
	size_t low = 0, high = m->nr_resources, i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->resources[middle].start <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low ? low - 1 : NO_INDEX; i != NO_INDEX; i = m->resources[i].parent)
		if (m->resources[i].end > start)
			break;
	return i;
}

static int by_start(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = compare(x->start, y->start);

	return order ? order : compare(x->end, y->end);
}

/*
 * Regions for the records that are in none yet: a resource without parts, or the
 * records themselves where only something wide, a bus, is there.
 */
static void add_other_regions(struct machine *m)
{
	size_t known = m->nr_regions, last = NO_INDEX, used = NO_INDEX, i, at;
	const struct resource *resource;
	const struct record *record;
	const struct region *region;

	for (i = 0; i < m->nr_records; i++) {
		record = &m->records[i];
		/* Only what is sorted so far is searched. */
		at = m->nr_regions;
		m->nr_regions = known;
		region = map_region_at(m, record->start);
		m->nr_regions = at;
		if (region)
			continue;
		at = resource_at(m, record->start);
		resource = at == NO_INDEX ? NULL : &m->resources[at];
		if (resource && resource->leaf) {
			if (used != at)
				add_region(m, resource->start, resource->end,
					   REGION_RESOURCE, resource->name);
			used = at;
			continue;
		}
		if (last != NO_INDEX && m->regions[last].end >= record->start &&
		    m->regions[last].name == (resource ? resource->name : NULL)) {
			if (m->regions[last].end < record->end)
				m->regions[last].end = record->end;
			continue;
		}
		last = m->nr_regions;
		add_region(m, record->start, record->end, REGION_STRAY,
			   resource ? resource->name : NULL);
	}
	sort_regions(m);
}

static int by_region(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	return by_start(a, b);
}

/* Give each record to its region. */
static void place_records(struct machine *m)
{
	const struct region *found;
	struct region *region;
	size_t i;

	for (i = 0; i < m->nr_records; i++) {
		found = map_region_at(m, m->records[i].start);
		m->records[i].region = found ? (size_t)(found - m->regions) : NO_INDEX;
	}
	if (m->nr_records)
		qsort(m->records, m->nr_records, sizeof(*m->records), by_region);
	for (i = 0; i < m->nr_records; i++) {
		if (m->records[i].region == NO_INDEX)
			continue;
		region = &m->regions[m->records[i].region];
		if (!region->nr++)
			region->first = i;
	}
}

static int by_reach(const void *a, const void *b)
{
	return compare(((const struct reach *)a)->start,
		       ((const struct reach *)b)->start);
}

static uint64_t set_reach(struct machine *m, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	uint64_t end, other;

	if (low == high)
		return 0;
	end = m->records[m->reach[middle].record].end;
	other = set_reach(m, low, middle);
	if (end < other)
		end = other;
	other = set_reach(m, middle + 1, high);
	if (end < other)
		end = other;
	m->reach[middle].end = end;
	return end;
}

static void build_reach(struct machine *m)
{
	size_t i;

	m->reach = xrealloc(NULL, m->nr_records * sizeof(*m->reach));
	for (i = 0; i < m->nr_records; i++)
		m->reach[i] = (struct reach){ i, m->records[i].start, 0 };
	if (m->nr_records)
		qsort(m->reach, m->nr_records, sizeof(*m->reach), by_reach);
	set_reach(m, 0, m->nr_records);
}

/* Tell each BAR its region. */
static void link_bars(struct machine *m)
{
	size_t i;

	for (i = 0; i < m->nr_regions; i++)
		if (m->regions[i].device)
			m->devices[m->regions[i].device - m->devices]
				.bars[m->regions[i].bar].region = i;
}

void map_build(struct machine *m)
{
	build_segments(m);
	if (m->nr_records)
		qsort(m->records, m->nr_records, sizeof(*m->records), by_start);
	add_known_regions(m);
	sort_regions(m);
	add_other_regions(m);
	link_bars(m);
	place_records(m);
	build_reach(m);
}

/* The MTRR that covers all of a range, or NULL. */
const struct mtrr *map_mtrr(const struct machine *m, uint64_t start, uint64_t end)
{
	size_t i;

	for (i = 0; i < m->nr_mtrrs; i++)
		if (m->mtrrs[i].start <= start && m->mtrrs[i].end >= end)
			return &m->mtrrs[i];
	return NULL;
}

struct query {
	const struct machine *m;
	uint64_t start, end;
	const struct record **records;
	size_t nr, max;
};

/* What overlaps, of the part [@low, @high) of the tree, in the order of starts. */
static void find_overlapping(struct query *q, size_t low, size_t high)
{
	while (low < high && q->nr < q->max) {
		size_t middle = low + (high - low) / 2;
		const struct reach *reach = &q->m->reach[middle];
		const struct record *record = &q->m->records[reach->record];

		if (reach->end <= q->start)
			return;
		find_overlapping(q, low, middle);
		if (reach->start >= q->end)
			return;
		if (record->end > q->start && q->nr < q->max)
			q->records[q->nr++] = record;
		low = middle + 1;
	}
}

/* The first @max records that overlap [@start, @end).  Return: how many. */
size_t map_overlapping(const struct machine *m, uint64_t start, uint64_t end,
		       const struct record **records, size_t max)
{
	struct query query = { m, start, end, records, 0, max };

	find_overlapping(&query, 0, m->nr_records);
	return query.nr;
}

/* Is @start in a resource with @name in its name? */
bool map_inside(const struct machine *m, uint64_t start, const char *name)
{
	size_t i;

	for (i = resource_at(m, start); i != NO_INDEX; i = m->resources[i].parent)
		if (strstr(m->resources[i].name, name))
			return true;
	return false;
}
