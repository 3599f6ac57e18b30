// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's lists.  A line that is not understood is counted and left out.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

const char * const type_names[TYPE_BY_PAGE + 1] = {
	[TYPE_WB]	= "write-back",
	[TYPE_WC]	= "write-combining",
	[TYPE_UC_MINUS]	= "uncached-minus",
	[TYPE_UC]	= "uncached",
	[TYPE_WT]	= "write-through",
	[TYPE_WP]	= "write-protected",
	[TYPE_NONE]	= "unknown",
	[TYPE_BY_PAGE]	= "by-page",
};

const char * const type_short[TYPE_BY_PAGE + 1] = {
	[TYPE_WB]	= "WB",
	[TYPE_WC]	= "WC",
	[TYPE_UC_MINUS]	= "UC-",
	[TYPE_UC]	= "UC",
	[TYPE_WT]	= "WT",
	[TYPE_WP]	= "WP",
	[TYPE_NONE]	= "?",
	[TYPE_BY_PAGE]	= "by page",
};

bool parse_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length))
		return false;
	*text += length;
	return true;
}

/* TYPE_NONE: no type stands here, and *text stays. */
enum mem_type parse_type(const char **text)
{
	size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz-");
	int type;

	for (type = 0; type < NR_TYPES; type++) {
		if (strlen(type_names[type]) == length &&
		    !strncmp(*text, type_names[type], length)) {
			*text += length;
			return type;
		}
	}
	return TYPE_NONE;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* With or without 0x; no more than 64 bits. */
bool parse_hex(const char **text, uint64_t *value)
{
	const char *p = *text;
	uint64_t result = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	if (digit(*p) < 0)
		return false;
	for (; digit(*p) >= 0; p++) {
		if (result >> 60)
			return false;
		result = result << 4 | digit(*p);
	}
	*text = p;
	*value = result;
	return true;
}

static bool parse_number(const char **text, uint64_t *value)
{
	const char *p = *text;
	uint64_t result = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		if (result > (UINT64_MAX - 9) / 10)
			return false;
		result = result * 10 + (*p - '0');
	}
	*text = p;
	*value = result;
	return true;
}

/* START-END, both as they stand there. */
bool parse_range(const char **text, uint64_t *start, uint64_t *end)
{
	const char *p = *text;

	if (!parse_hex(&p, start) || *p++ != '-' || !parse_hex(&p, end))
		return false;
	*text = p;
	return true;
}

/* "[mem 0x...-0x...]" with an exclusive end. */
static bool parse_mem(const char **text, uint64_t *start, uint64_t *end)
{
	const char *p = *text;

	if (!parse_word(&p, "[mem ") || !parse_range(&p, start, end) ||
	    *p++ != ']' || *start >= *end)
		return false;
	*text = p;
	return true;
}

/* Cut @suffix off the end of @text. */
static bool cut_suffix(char *text, const char *suffix)
{
	size_t length = strlen(text), cut = strlen(suffix);

	if (length < cut || strcmp(text + length - cut, suffix))
		return false;
	text[length - cut] = '\0';
	return true;
}

/* Cut " 7f12...-7f13..." off the end of @text. */
static void cut_virt(char *text, uint64_t *virt, uint64_t *virt_end)
{
	char *space = strrchr(text, ' ');
	uint64_t start, end;
	const char *p;

	if (!space)
		return;
	p = space + 1;
	if (!parse_range(&p, &start, &end) || *p)
		return;
	*space = '\0';
	*virt = start;
	*virt_end = end;
}

/*
 * "Xorg[412] 7f12-7f13", "bochs_pci_probe+0x1a/0x2b0 [bochs], mapped" or
 * "arch_io_reserve_memtype_wc+0x10/0x20, reserved"; also without what is behind.
 * A command may be called anything: it is looked at from its end.
 */
void parse_holder(char *text, struct holder *holder, uint64_t *virt,
		  uint64_t *virt_end)
{
	uint64_t unused;
	char *open;

	holder->kind = HOLDER_UNKNOWN;
	holder->pid = -1;
	if (cut_suffix(text, ", mapped"))
		holder->kind = HOLDER_KERNEL;
	else if (cut_suffix(text, ", reserved"))
		holder->kind = HOLDER_RESERVED;
	else
		cut_virt(text, virt ?: &unused, virt_end ?: &unused);
	holder->name = *text ? text : NULL;
	if (holder->kind != HOLDER_UNKNOWN)
		return;

	open = strrchr(text, '[');
	if (open && open != text && isdigit((unsigned char)open[1])) {
		char *end;
		long pid = strtol(open + 1, &end, 10);

		if (end[0] == ']' && !end[1]) {
			*open = '\0';
			holder->kind = HOLDER_USER;
			holder->pid = pid;
			return;
		}
	}
	if (strstr(text, "+0x"))
		holder->kind = HOLDER_KERNEL;
}

static struct record *new_record(struct machine *m)
{
	struct record *record;

	m->records = grow(m->records, m->nr_records, &m->cap_records,
			  sizeof(*m->records));
	record = &m->records[m->nr_records];
	*record = (struct record){
		.type = TYPE_NONE, .effective = TYPE_NONE, .since = -1,
		.holder = { .pid = -1 },
	};
	return record;
}

/* " by HOLDER" at the end of stock's line. */
static void parse_list_tail(struct record *record, char *p)
{
	if (!strncmp(p, " by ", 4))
		parse_holder(p + 4, &record->holder, &record->virt,
			     &record->virt_end);
}

static void parse_kind(struct record *record, const char *value)
{
	if (!strcmp(value, "user"))
		record->holder.kind = HOLDER_USER;
	else if (!strcmp(value, "kernel"))
		record->holder.kind = HOLDER_KERNEL;
	else if (!strcmp(value, "reserved"))
		record->holder.kind = HOLDER_RESERVED;
}

/* The type of a mapping of RAM is that of each page. */
static enum mem_type parse_record_type(const char *value)
{
	return strcmp(value, "by-page") ? parse_type(&value) : TYPE_BY_PAGE;
}

static void parse_field(struct record *record, char *name)
{
	char *value = strchr(name, '=');
	const char *p;

	if (!value)
		return;
	*value++ = '\0';
	p = value;
	if (!strcmp(name, "type"))
		record->type = parse_record_type(value);
	else if (!strcmp(name, "kind"))
		parse_kind(record, value);
	else if (!strcmp(name, "virt"))
		parse_range(&p, &record->virt, &record->virt_end);
	else if (!strcmp(name, "since"))
		record->since = strtod(value, NULL);
	else if (!strcmp(name, "maps"))
		parse_number(&p, &record->maps);
	else if (!strcmp(name, "mtrr"))
		record->mtrr = value;
	else if (!strcmp(name, "effective"))
		record->effective = parse_record_type(value);
}

/* "NAME=VALUE NAME=VALUE by HOLDER"; names that are not known are left out. */
static void parse_fields(struct record *record, char *p)
{
	enum holder_kind kind;
	bool last;
	char *end;

	for (last = false; !last && *p; p = end + 1) {
		if (!strncmp(p, "by ", 3)) {
			kind = record->holder.kind;
			parse_holder(p + 3, &record->holder, &record->virt,
				     &record->virt_end);
			if (kind != HOLDER_UNKNOWN)
				record->holder.kind = kind;
			return;
		}
		end = p + strcspn(p, " ");
		last = !*end;
		*end = '\0';
		parse_field(record, p);
	}
}

/* A line of pat_memtype_list or of pat_records. */
static bool parse_record(struct machine *m, char *line)
{
	struct record *record = new_record(m);
	const char *p = line;

	parse_word(&p, "PAT: ");
	if (!parse_mem(&p, &record->start, &record->end) || *p != ' ')
		return false;
	p++;
	if (!strncmp(p, "type=", 5)) {
		parse_fields(record, line + (p - line));
	} else {
		record->type = parse_type(&p);
		parse_list_tail(record, line + (p - line));
	}
	if (record->type == TYPE_NONE)
		return false;
	m->nr_records++;
	return true;
}

/* Titles are "PAT memtype list:" and "PAT records: N". */
void parse_records(struct machine *m, char *text)
{
	char *line;

	while ((line = next_line(&text))) {
		if (!*line || !strncmp(line, "PAT memtype list", 16) ||
		    !strncmp(line, "PAT records", 11))
			continue;
		if (!parse_record(m, line))
			m->bad_lines++;
	}
}

/* After the title, "[mem 0x...-0x...] write-combining" a line. */
void parse_ram(struct machine *m, char *text)
{
	struct ram_range range;
	const char *p;
	char *line;

	while ((line = next_line(&text))) {
		if (!*line || !strncmp(line, "PAT RAM", 7))
			continue;
		p = line;
		range.type = TYPE_NONE;
		if (parse_mem(&p, &range.start, &range.end) && *p++ == ' ')
			range.type = parse_type(&p);
		if (range.type == TYPE_NONE) {
			m->bad_lines++;
			continue;
		}
		m->ram = grow(m->ram, m->nr_ram, &m->cap_ram, sizeof(*m->ram));
		m->ram[m->nr_ram++] = range;
	}
}

#define MAX_DEPTH 32

/* "  000a0000-000bffff : PCI Bus 0000:00": two spaces a level, an inclusive end. */
void parse_iomem(struct machine *m, char *text)
{
	size_t parents[MAX_DEPTH + 1], nr;
	unsigned int depth, last = 0;
	struct resource *resource;
	uint64_t start, end;
	const char *p;
	char *line;

	while ((line = next_line(&text))) {
		if (!*line)
			continue;
		p = line + strspn(line, " ");
		depth = (p - line) / 2;
		if (!parse_range(&p, &start, &end) || !parse_word(&p, " : ") ||
		    start > end || end == UINT64_MAX) {
			m->bad_lines++;
			continue;
		}
		/* A child stands one level deeper than its parent. */
		nr = m->nr_resources;
		if (depth > MAX_DEPTH)
			depth = MAX_DEPTH;
		if (depth > (nr ? last + 1 : 0))
			depth = nr ? last + 1 : 0;
		if (depth > MAX_DEPTH)
			depth = MAX_DEPTH;
		m->resources = grow(m->resources, nr, &m->cap_resources,
				    sizeof(*m->resources));
		resource = &m->resources[nr];
		*resource = (struct resource){
			.start = start, .end = end + 1, .name = p,
			.depth = depth, .leaf = true,
			.parent = depth ? parents[depth - 1] : NO_INDEX,
		};
		if (depth)
			m->resources[resource->parent].leaf = false;
		parents[depth] = nr;
		last = depth;
		m->nr_resources++;
	}
}

/* "reg00: base=0x0c0000000 ( 3072MB), size= 1024MB, count=1: uncachable" */
void parse_mtrrs(struct machine *m, char *text)
{
	uint64_t base, size;
	const char *p, *type;
	struct mtrr *mtrr;
	unsigned int shift;
	char *line;

	while ((line = next_line(&text))) {
		if (!*line)
			continue;
		p = strstr(line, "base=");
		type = strrchr(line, ':');
		if (p) {
			p += 5;
			p = parse_hex(&p, &base) ? strstr(p, "size=") : NULL;
		}
		if (!p || !type) {
			m->bad_lines++;
			continue;
		}
		p += 5;
		p += strspn(p, " ");
		shift = parse_number(&p, &size) && *p == 'M' ? 20 : 10;
		if (*p != 'M' && *p != 'K')
			size = 0;
		if (!size || size > UINT64_MAX >> shift ||
		    size << shift > UINT64_MAX - base) {
			m->bad_lines++;
			continue;
		}
		m->mtrrs = grow(m->mtrrs, m->nr_mtrrs, &m->cap_mtrrs,
				sizeof(*m->mtrrs));
		mtrr = &m->mtrrs[m->nr_mtrrs++];
		mtrr->start = base;
		mtrr->end = base + (size << shift);
		type++;
		mtrr->type = type + strspn(type, " ");
	}
}

#define IORESOURCE_MEM		0x200
#define IORESOURCE_PREFETCH	0x2000

/* sysfs's "resource": start, end and flags of a BAR a line. */
void parse_bars(struct pci_device *device, char *text)
{
	uint64_t start, end, flags;
	const char *p;
	char *line;
	int bar;

	for (bar = 0; bar < NR_BARS && (line = next_line(&text)); bar++) {
		p = line;
		if (!parse_hex(&p, &start) || *p++ != ' ' ||
		    !parse_hex(&p, &end) || *p++ != ' ' ||
		    !parse_hex(&p, &flags))
			continue;
		if (!(flags & IORESOURCE_MEM) || !start || start > end ||
		    end == UINT64_MAX)
			continue;
		device->bars[bar].start = start;
		device->bars[bar].end = end + 1;
		device->bars[bar].prefetchable = flags & IORESOURCE_PREFETCH;
	}
}

/* sysfs's "uevent": NAME=VALUE a line. */
void parse_uevent(struct pci_device *device, char *text)
{
	char *line;

	while ((line = next_line(&text))) {
		const char *p = line;
		uint64_t value;

		if (parse_word(&p, "DRIVER=")) {
			device->driver = *p ? p : NULL;
		} else if (parse_word(&p, "PCI_CLASS=")) {
			if (parse_hex(&p, &value))
				device->class = value;
		} else if (parse_word(&p, "PCI_ID=")) {
			if (!parse_hex(&p, &value))
				continue;
			device->vendor = value;
			if (*p++ == ':' && parse_hex(&p, &value))
				device->device = value;
		}
	}
}
