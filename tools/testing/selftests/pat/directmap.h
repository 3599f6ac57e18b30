/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's direct map has to be, and whether it is that.
 *
 * Text in, findings out: nothing here asks the running kernel, so that the same
 * code judges recorded text that is known to be wrong.
 *
 *	dm_map		the present entries of the direct map, read from a dump
 *			of the kernel's page tables
 *	dm_areas	what every frame is, and the memory type it has to have
 *	dm_check()	compares them, in both directions
 *
 * Ranges are physical addresses, [start, end).
 */
#ifndef PAT_DIRECTMAP_H
#define PAT_DIRECTMAP_H

#include "pat_kselftest.h"

#define DM_GB (1ULL << 30)

/* Up to here everything is mapped, whatever it is. */
#define DM_LEGACY_END (1ULL << 20)

/* --- what frames are ------------------------------------------------------- */

enum dm_kind {
	DM_NOTHING,		/* not to be mapped: holes, devices, firmware's memory */
	DM_RAM,
	DM_OFFLINE,		/* RAM that was added and nobody put online */
	DM_LATE,		/* reserved when it had been mapped as RAM already */
	DM_DEVICE,		/* ZONE_DEVICE, with its pagemap's type */
	DM_LEGACY,		/* below 1 MiB */
	DM_NR_KINDS,
};

static const char *const dm_kind_words[DM_NR_KINDS] = {
	[DM_NOTHING]	= "nothing to be mapped",
	[DM_RAM]	= "RAM",
	[DM_OFFLINE]	= "offline RAM",
	[DM_LATE]	= "RAM that was reserved late",
	[DM_DEVICE]	= "device memory with struct pages",
	[DM_LEGACY]	= "legacy range",
};

struct dm_area {
	uint64_t start;
	uint64_t end;
	enum dm_kind kind;
	int type;		/* enum pat_test_type that it has to be mapped with */
	uint64_t mapped;	/* dm_check(): bytes of it that are */
};

/* Sorted, without overlaps. */
struct dm_areas {
	size_t nr;
	struct dm_area *at;
};

static inline void dm_areas_free(struct dm_areas *areas)
{
	free(areas->at);
	*areas = (struct dm_areas){};
}

static inline void dm_areas_add(struct dm_areas *to, struct dm_area area)
{
	if (area.start >= area.end)
		return;
	to->at = realloc(to->at, (to->nr + 1) * sizeof(*to->at));
	if (!to->at)
		abort();
	to->at[to->nr++] = area;
}

/*
 * Makes [@start, @end) @kind of @type: all of it, or only what is @old. Parts of
 * areas outside of it stay what they were.
 */
static inline void dm_areas_change(struct dm_areas *areas, uint64_t start,
				   uint64_t end, const enum dm_kind *old,
				   enum dm_kind kind, int type)
{
	struct dm_areas now = {};
	uint64_t at = start;

	for (size_t i = 0; i < areas->nr; i++) {
		struct dm_area area = areas->at[i], part = area;
		bool keep = old && area.kind != *old;

		part.end = area.end < start ? area.end : start;
		dm_areas_add(&now, part);

		part.start = area.start > start ? area.start : start;
		part.end = area.end < end ? area.end : end;
		if (part.start < part.end && (old || keep)) {
			if (!keep) {
				part.kind = kind;
				part.type = type;
			}
			dm_areas_add(&now, part);
		}
		/* Once, in its place. */
		if (!old && area.end > start && at < end) {
			dm_areas_add(&now, (struct dm_area){ at, end, kind, type });
			at = end;
		}

		part = area;
		part.start = area.start > end ? area.start : end;
		dm_areas_add(&now, part);
	}
	if (!old && at < end)
		dm_areas_add(&now, (struct dm_area){ at, end, kind, type });
	free(areas->at);
	*areas = now;
}

static inline void dm_areas_set(struct dm_areas *areas, uint64_t start,
				uint64_t end, enum dm_kind kind, int type)
{
	dm_areas_change(areas, start, end, NULL, kind, type);
}

/* One area where two neighbours are the same. */
static inline void dm_areas_join(struct dm_areas *areas)
{
	size_t nr = 0;

	for (size_t i = 0; i < areas->nr; i++) {
		const struct dm_area *area = &areas->at[i];

		if (area->kind == DM_NOTHING)
			continue;
		if (nr && areas->at[nr - 1].end == area->start &&
		    areas->at[nr - 1].kind == area->kind &&
		    areas->at[nr - 1].type == area->type)
			areas->at[nr - 1].end = area->end;
		else
			areas->at[nr++] = *area;
	}
	areas->nr = nr;
}

/*
 * As the kernel rounds: a page is RAM if all of it is. What was reserved late
 * takes the pages it shares with RAM, which were mapped.
 */
static inline void dm_areas_round(struct dm_areas *areas)
{
	struct dm_areas rounded = {};

	dm_areas_join(areas);
	for (size_t i = 0; i < areas->nr; i++) {
		struct dm_area area = areas->at[i];

		if (area.kind == DM_LATE) {
			area.start &= -PAT_PAGE;
			area.end = (area.end + PAT_PAGE - 1) & -PAT_PAGE;
		} else {
			area.start = (area.start + PAT_PAGE - 1) & -PAT_PAGE;
			area.end &= -PAT_PAGE;
		}
		dm_areas_add(&rounded, area);
	}
	free(areas->at);
	*areas = rounded;
}

/* The area of @at, or NULL; then @next is where the next one begins. */
static inline struct dm_area *dm_area_of(const struct dm_areas *areas,
					 uint64_t at, uint64_t *next)
{
	*next = UINT64_MAX;
	for (size_t i = 0; i < areas->nr; i++) {
		struct dm_area *area = &areas->at[i];

		if (at < area->start) {
			*next = area->start;
			return NULL;
		}
		if (at < area->end)
			return area;
	}
	return NULL;
}

static inline uint64_t dm_areas_size(const struct dm_areas *areas,
				     enum dm_kind kind)
{
	uint64_t size = 0;

	for (size_t i = 0; i < areas->nr; i++)
		if (areas->at[i].kind == kind)
			size += areas->at[i].end - areas->at[i].start;
	return size;
}

/* --- text ------------------------------------------------------------------- */

/* The next line of @text, without its end; false after the last. */
static inline bool dm_next_line(const char **text, char *line, size_t size)
{
	size_t length = strcspn(*text, "\n");

	if (!**text)
		return false;
	snprintf(line, size, "%.*s", (int)length, *text);
	*text += length + ((*text)[length] == '\n');
	return true;
}

static inline const char *dm_after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/*
 * RAM of /proc/iomem, at whatever depth: what the kernel has made of the
 * firmware's map and the command line, and what was added later.
 */
static inline void dm_iomem(struct dm_areas *areas, const char *text)
{
	char line[256];

	while (dm_next_line(&text, line, sizeof(line))) {
		uint64_t start, last;
		int at = 0;

		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", &start, &last,
			   &at) == 2 && at && dm_after(line + at, "System RAM"))
			dm_areas_set(areas, start, last + 1, DM_RAM, PAT_TEST_WB);
	}
}

/*
 * The map as the boot log tells it: the last one that was printed, and what was
 * changed since. What was RAM when the direct map was made and is no more is
 * DM_LATE.
 */
static inline void dm_log(struct dm_areas *areas, const char *text)
{
	static const char *const prefixes[] = {
		"BIOS-e820: ", "reserve setup_data: ", "user: ",
	};
	const enum dm_kind ram = DM_RAM;
	bool direct_map_made = false;
	char line[512];

	while (dm_next_line(&text, line, sizeof(line))) {
		const char *at = line, *rest = NULL;
		uint64_t start, last;
		char what[64] = "";

		/* "6,123,4567,-;text" of /dev/kmsg */
		if (strspn(line, "0123456789") && strchr(line, ';'))
			at = strchr(line, ';') + 1;
		if (strstr(at, "physical RAM map:")) {
			dm_areas_free(areas);
			continue;
		}
		/* What has its end in RAM is known, and mapped next. */
		if (dm_after(at, "last_pfn = "))
			direct_map_made = true;
		for (unsigned int i = 0; !rest && i < ARRAY_SIZE(prefixes); i++)
			rest = dm_after(at, prefixes[i]);
		if (rest) {
			if (sscanf(rest, "[mem %" SCNx64 "-%" SCNx64 "] %63[^\n]",
				   &start, &last, what) == 3)
				dm_areas_set(areas, start, last + 1,
					     strcmp(what, "usable") ? DM_NOTHING :
					     DM_RAM, PAT_TEST_WB);
			continue;
		}
		rest = dm_after(at, "e820: update ");
		if (rest && sscanf(rest, "[mem %" SCNx64 "-%" SCNx64 "] %63[^\n]",
				   &start, &last, what) == 3) {
			if (dm_after(what, "usable ==> ") &&
			    strcmp(what, "usable ==> usable"))
				dm_areas_change(areas, start, last + 1, &ram,
						direct_map_made ? DM_LATE :
						DM_NOTHING, PAT_TEST_WB);
			continue;
		}
		rest = dm_after(at, "e820: remove ");
		if (rest && sscanf(rest, "[mem %" SCNx64 "-%" SCNx64 "] %63[^\n]",
				   &start, &last, what) >= 2 &&
		    (!*what || !strcmp(what, "usable")))
			dm_areas_change(areas, start, last + 1, &ram,
					DM_NOTHING, PAT_TEST_WB);
	}
	dm_areas_join(areas);
}

/* --- the dump of the page tables ----------------------------------------------- */

struct dm_run {
	uint64_t start;
	uint64_t end;
	int type;		/* enum pat_test_type */
	unsigned int level;	/* 1 4K, 2 2M, 3 1G */
};

struct dm_map {
	uint64_t page_offset;
	size_t nr;
	struct dm_run *runs;	/* what is present, in order */
	char error[256];
};

/* How to read the three cache bits of an entry. */
struct dm_types {
	uint64_t pat_msr;
	bool cpu_has_pat;
};

static inline int dm_type(const struct dm_types *types, unsigned int slot)
{
	static const int msr_types[] = {
		[0] = PAT_TEST_UC, [1] = PAT_TEST_WC, [2] = PAT_TEST_RESERVED,
		[3] = PAT_TEST_RESERVED, [4] = PAT_TEST_WT, [5] = PAT_TEST_WP,
		[6] = PAT_TEST_WB, [7] = PAT_TEST_UC_MINUS,
	};
	static const int legacy[] = {
		PAT_TEST_WB, PAT_TEST_WT, PAT_TEST_UC_MINUS, PAT_TEST_UC,
	};

	if (!types->cpu_has_pat)
		return legacy[slot & 3];
	return msr_types[types->pat_msr >> (8 * slot) & 7];
}

static inline void dm_map_free(struct dm_map *map)
{
	free(map->runs);
	*map = (struct dm_map){};
}

/* One line of the dump: addresses are virtual. False if it cannot be one. */
static inline bool dm_dump_line(const char *line, const struct dm_types *types,
				struct dm_run *run, bool *present)
{
	static const char units[] = "BKMGTPE";
	static const char *const levels[] = { "", "pte", "pmd", "pud", "p4d", "pgd" };
	static const char *const flags[] = { "PWT", "PCD", "PAT" };
	static const char *const others[] = { "USR", "RW", "ro", "GLB", "NX", "x" };
	unsigned int slot = 0, words = 0;
	uint64_t size;
	bool large = false;
	char unit, rest[128], *word, *next = NULL;
	int at = 0;

	if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64 " %" SCNu64 "%c%n",
		   &run->start, &run->end, &size, &unit, &at) != 4 || !at ||
	    !unit || !strchr(units, unit) ||
	    run->end - run->start != size << (10 * (strchr(units, unit) - units)))
		return false;
	snprintf(rest, sizeof(rest), "%s", line + at);
	run->level = 0;
	for (word = strtok_r(rest, " ", &next); word;
	     word = strtok_r(NULL, " ", &next)) {
		bool known = false;

		/* The level is the last word. */
		if (run->level)
			return false;
		for (unsigned int i = 1; i < ARRAY_SIZE(levels); i++)
			if (!strcmp(word, levels[i]))
				run->level = i;
		if (run->level)
			continue;
		words++;
		for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
			if (!strcmp(word, flags[i])) {
				slot |= 1U << i;
				known = true;
			}
		}
		if (!strcmp(word, "PSE"))
			large = known = true;
		for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
			known |= !strcmp(word, others[i]);
		if (!known)
			return false;
	}
	*present = words > 0;
	run->type = dm_type(types, slot);
	return run->level &&
	       (!*present || (run->level <= 3 && large == (run->level > 1)));
}

/*
 * Reads the direct map out of a dump of the kernel's page tables.
 *
 * Its start is the first entry of the kernel's half: the kernel maps the first
 * page in any case, and nothing before it. The dump's marker for it stands before
 * that entry or, as it prints one marker at a time and is late where two begin
 * together, behind it. False, and what is wrong in map->error.
 */
static inline bool dm_dump(struct dm_map *map, const char *text,
			   const struct dm_types *types)
{
	enum { BEFORE, KERNEL, MARKED, INSIDE, DONE } state = BEFORE;
	bool marked = false;
	uint64_t expected = 0;
	char line[256];

	*map = (struct dm_map){};
	while (state != DONE && dm_next_line(&text, line, sizeof(line))) {
		struct dm_run run = {};
		bool present;

		if (!strcmp(line, "---[ Kernel Space ]---")) {
			state = KERNEL;
		} else if (!strcmp(line, "---[ Low Kernel Mapping ]---")) {
			if (marked || (map->nr > 1))
				goto bad;
			marked = true;
		} else if (!strcmp(line, "---[ vmalloc() Area ]---")) {
			if (!marked || !map->nr)
				goto bad;
			state = DONE;
		} else if (dm_after(line, "---[ ")) {
			if (map->nr)
				goto bad;
		} else if (state != BEFORE) {
			if (!dm_dump_line(line, types, &run, &present) ||
			    (map->nr && run.start != expected))
				goto bad;
			expected = run.end;
			if (!present)
				continue;
			if (!map->nr) {
				if (run.start % DM_GB)
					goto bad;
				map->page_offset = run.start;
				state = INSIDE;
			}
			run.start -= map->page_offset;
			run.end -= map->page_offset;
			map->runs = realloc(map->runs,
					    (map->nr + 1) * sizeof(run));
			if (!map->runs)
				abort();
			map->runs[map->nr++] = run;
		}
	}
	if (state == DONE)
		return true;
	snprintf(line, sizeof(line), "its end");
bad:
	free(map->runs);
	map->runs = NULL;
	map->nr = 0;
	snprintf(map->error, sizeof(map->error), "%s", line);
	return false;
}

/* How much of the map is entries of this level. */
static inline uint64_t dm_map_size(const struct dm_map *map, unsigned int level)
{
	uint64_t size = 0;

	for (size_t i = 0; i < map->nr; i++)
		if (map->runs[i].level == level)
			size += map->runs[i].end - map->runs[i].start;
	return size;
}

static inline const struct dm_run *dm_run_of(const struct dm_map *map,
					     uint64_t at)
{
	for (size_t i = 0; i < map->nr; i++)
		if (at >= map->runs[i].start && at < map->runs[i].end)
			return &map->runs[i];
	return NULL;
}

/* The type that a frame is mapped with, or PAT_TEST_NOT_MAPPED. */
static inline int dm_type_of(const struct dm_map *map, uint64_t at)
{
	const struct dm_run *run = dm_run_of(map, at);

	return run ? run->type : PAT_TEST_NOT_MAPPED;
}

/* How much of [@start, @end) is mapped, and with @type. */
static inline uint64_t dm_mapped(const struct dm_map *map, uint64_t start,
				 uint64_t end, int type)
{
	uint64_t size = 0;

	for (size_t i = 0; i < map->nr; i++) {
		const struct dm_run *run = &map->runs[i];
		uint64_t from = run->start > start ? run->start : start;
		uint64_t to = run->end < end ? run->end : end;

		if (run->type == type && from < to)
			size += to - from;
	}
	return size;
}

/* --- the comparison ------------------------------------------------------------- */

enum dm_what {
	DM_MAPPED,		/* and it is nothing that has to be */
	DM_NOT_MAPPED,		/* and it has to be */
	DM_WRONG_TYPE,
};

struct dm_finding {
	enum dm_what what;
	enum dm_kind kind;
	uint64_t start;
	uint64_t end;
	int type;		/* DM_WRONG_TYPE, DM_MAPPED: as it is mapped */
};

#define DM_MAX_FINDINGS 16

struct dm_findings {
	size_t nr;		/* counts those without room, too */
	struct dm_finding at[DM_MAX_FINDINGS];
};

static inline void dm_find(struct dm_findings *findings, struct dm_finding found)
{
	if (findings->nr < DM_MAX_FINDINGS)
		findings->at[findings->nr] = found;
	findings->nr++;
}

/* Was RAM, so it may be mapped; nobody needs it to be. */
static inline bool dm_has_to_be_mapped(enum dm_kind kind)
{
	return kind != DM_NOTHING && kind != DM_LATE;
}

/* @areas are rounded, and their `mapped` is counted. */
static inline void dm_check(const struct dm_map *map, struct dm_areas *areas,
			    struct dm_findings *findings)
{
	*findings = (struct dm_findings){};
	for (size_t i = 0; i < areas->nr; i++)
		areas->at[i].mapped = 0;

	for (size_t i = 0; i < map->nr; i++) {
		const struct dm_run *run = &map->runs[i];
		uint64_t next;

		for (uint64_t at = run->start; at < run->end; at = next) {
			struct dm_area *area = dm_area_of(areas, at, &next);

			if (area)
				next = area->end;
			if (next > run->end)
				next = run->end;
			if (!area) {
				dm_find(findings, (struct dm_finding){
					DM_MAPPED, DM_NOTHING, at, next, run->type });
				continue;
			}
			area->mapped += next - at;
			if (run->type != area->type)
				dm_find(findings, (struct dm_finding){
					DM_WRONG_TYPE, area->kind, at, next,
					run->type });
		}
	}

	for (size_t i = 0; i < areas->nr; i++) {
		const struct dm_area *area = &areas->at[i];
		uint64_t at = area->start;

		if (!dm_has_to_be_mapped(area->kind))
			continue;
		/* Each hole of it; runs are in order. */
		for (size_t r = 0; r < map->nr && at < area->end; r++) {
			const struct dm_run *run = &map->runs[r];
			uint64_t to = run->start < area->end ? run->start : area->end;

			if (run->end <= at)
				continue;
			if (at < to)
				dm_find(findings, (struct dm_finding){
					DM_NOT_MAPPED, area->kind, at, to,
					PAT_TEST_NOT_MAPPED });
			at = run->end;
		}
		if (at < area->end)
			dm_find(findings, (struct dm_finding){
				DM_NOT_MAPPED, area->kind, at, area->end,
				PAT_TEST_NOT_MAPPED });
	}
}

static inline const char *dm_finding_text(const struct dm_finding *found,
					  char *text, size_t size)
{
	snprintf(text, size, "0x%" PRIx64 "-0x%" PRIx64 ": %s, is %s",
		 found->start, found->end, dm_kind_words[found->kind],
		 pat_type_word(found->type));
	return text;
}

#endif /* PAT_DIRECTMAP_H */
