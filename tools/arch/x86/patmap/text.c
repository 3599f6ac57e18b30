// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a person sees: the map, then who holds what, then what went wrong.
 * Everything is legible without colours, and at any width.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "patmap.h"

/* Beyond these, one has to ask with --all. */
#define MAX_RANGES	20
#define MAX_COMPLAINTS	20
#define MAX_HOLDERS	3
/* Advice that is remembered, not to give it again in full. */
#define MAX_SAID	32

struct pen {
	FILE *out;
	const struct options *options;
	unsigned int width;
	unsigned int rows;	/* written so far */
	unsigned long cut;	/* lines that had no room */
	struct {
		char *text;
		size_t number;	/* of the complaint */
	} said[MAX_SAID];
	size_t nr_said;
};

static const struct {
	char letter;
	const char *color;
} looks[TYPE_BY_PAGE + 1] = {
	[TYPE_WB]	= { 'W', "30;42" },
	[TYPE_WC]	= { 'C', "30;46" },
	[TYPE_UC_MINUS]	= { 'u', "30;43" },
	[TYPE_UC]	= { 'U', "97;41" },
	[TYPE_WT]	= { 'T', "97;44" },
	[TYPE_WP]	= { 'P', "97;45" },
	[TYPE_NONE]	= { '.', "90" },
	[TYPE_BY_PAGE]	= { ' ', "0" },
};
#define LOOK_MIXED	'*'
#define LOOK_UNLISTED	'-'
#define COLOR_MIXED	"1;30;47"
#define COLOR_UNLISTED	"32"

/* An escape sequence, or nothing. */
static const char *style(const struct pen *pen, const char *sequence)
{
	return pen->options->color ? sequence : "";
}

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define RED	"\033[1;31m"
#define PLAIN	"\033[0m"

unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long width = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col;
	else if (columns)
		width = strtol(columns, NULL, 10);
	if (width <= 0)
		return 80;
	return width < 20 ? 20 : width > 1000 ? 1000 : width;
}

void format_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	uint64_t rest = 0;

	while (bytes >= 1024 && unit < 6) {
		rest = bytes % 1024;
		bytes /= 1024;
		unit++;
	}
	if (rest && bytes < 100)
		snprintf(buffer, size, "%llu.%llu %s", (unsigned long long)bytes,
			 (unsigned long long)(rest * 10 / 1024), units[unit]);
	else
		snprintf(buffer, size, "%llu %s", (unsigned long long)bytes, units[unit]);
}


/* A space at which no line is folded. */
#define TIE '\001'

static void put_row(struct pen *pen, unsigned int indent, const char *text,
		    size_t length)
{
	/* One row is left for telling that there is more. */
	if (pen->options->rows && pen->rows + 1 >= pen->options->rows) {
		pen->cut++;
		return;
	}
	pen->rows++;
	while (length && text[length - 1] == ' ')
		length--;
	if (length)
		fprintf(pen->out, "%*s", (int)indent, "");
	for (; length; length--, text++)
		fputc(*text == TIE ? ' ' : *text, pen->out);
	fputc('\n', pen->out);
}

/* The longest piece of @text, ending at a space if there is one, that fits into @room. */
static size_t fitting(const char *text, size_t room)
{
	size_t i, columns = 0, space = 0;

	for (i = 0; text[i]; i++) {
		if (text[i] == '\033') {
			while (text[i + 1] && text[i] != 'm')
				i++;
			continue;
		}
		if (text[i] == ' ' && i)
			space = i;
		if (++columns > room)
			return space ? space : i;
	}
	return i;
}

/* A line that is folded at spaces; what is folded stands @hang columns in. */
static void __attribute__((format(printf, 4, 5)))
put_line(struct pen *pen, unsigned int indent, unsigned int hang,
	 const char *format, ...)
{
	char *text = NULL, *p;
	va_list args;
	size_t length;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	if (hang > pen->width / 3)
		hang = pen->width / 3;
	for (p = text; ; indent = hang) {
		size_t room = pen->width > indent ? pen->width - indent : 1;

		length = fitting(p, room);
		put_row(pen, indent, p, length);
		p += length;
		while (*p == ' ')
			p++;
		if (!*p)
			break;
	}
	free(text);
}

static void put_title(struct pen *pen, const char *title)
{
	put_row(pen, 0, "", 0);
	put_line(pen, 0, 0, "%s%s%s", style(pen, BOLD), title, style(pen, PLAIN));
}

/* "fd000000-fdffffff", as the kernel writes it, with the last byte. */
static char *range_text(uint64_t start, uint64_t end, int digits)
{
	return xprintf("%0*llx-%0*llx", digits, (unsigned long long)start,
		       digits, (unsigned long long)(end - 1));
}

static int address_digits(const struct machine *m)
{
	uint64_t end = 0;
	size_t i;
	int digits;

	for (i = 0; i < m->nr_regions; i++)
		if (end < m->regions[i].end - 1)
			end = m->regions[i].end - 1;
	for (digits = 8; digits < 16 && end >> (4 * digits); digits++)
		;
	return digits;
}

static bool records_read(const struct machine *m)
{
	return m->inputs[INPUT_LIST].state == STATE_READ ||
	       m->inputs[INPUT_RECORDS].state == STATE_READ;
}

static bool shown(const struct machine *m, const struct pen *pen,
		  const struct region *region)
{
	return pen->options->all || region->nr || region->kind == REGION_RAM ||
	       (!records_read(m) && region->kind == REGION_BAR);
}

static void bar_name(int bar, char *name, size_t size)
{
	if (bar == NR_BARS - 1)
		snprintf(name, size, "ROM");
	else
		snprintf(name, size, "BAR %d", bar);
}

/* Without the PCI domain, most often 0000, if @brief. */
static char *region_label(const struct region *region, bool brief)
{
	const struct pci_device *device = region->device;
	bool domain = !brief || (device && strncmp(device->address, "0000:", 5));
	char bar[16];

	switch (region->kind) {
	case REGION_RAM:
		return xprintf("RAM");
	case REGION_BAR:
		bar_name(region->bar, bar, sizeof(bar));
		return xprintf("%s %s %s", device->address + (domain ? 0 : 5), bar,
			       device->driver ? device->driver :
			       pci_class_name(device->class));
	case REGION_RESOURCE:
		return xprintf("%s", region->name);
	case REGION_STRAY:
		break;
	}
	return region->name ? xprintf("in %s", region->name) : xprintf("(no resource)");
}

static unsigned int log2_of(uint64_t value)
{
	unsigned int log = 0;

	while (value >>= 1)
		log++;
	return log;
}

/* The look of one cell of a bar. */
static char cell(const struct machine *m, const struct region *region,
		 uint64_t start, uint64_t end, size_t *hint, const char **color)
{
	unsigned int types = map_types(m, start, end, hint);
	enum mem_type type = TYPE_NONE;

	if (types & (types - 1)) {
		*color = COLOR_MIXED;
		return LOOK_MIXED;
	}
	if (types) {
		type = log2_of(types);
	} else if (region->kind == REGION_RAM) {
		type = TYPE_WB;
		if (m->inputs[INPUT_RAM].state != STATE_READ) {
			*color = COLOR_UNLISTED;
			return LOOK_UNLISTED;
		}
	}
	*color = looks[type].color;
	return looks[type].letter;
}

/* A bar of @cells, each an equal part of the region. */
static char *bar_text(const struct machine *m, const struct pen *pen,
		      const struct region *region, unsigned int cells)
{
	uint64_t size = region->end - region->start;
	size_t hint = map_segment_at(m, region->start), length;
	const char *color, *before = NULL;
	char *text = NULL;
	unsigned int i;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return xprintf("%s", "");
	for (i = 0; i < cells; i++) {
		uint64_t start = region->start + size / cells * i +
				 size % cells * i / cells;
		uint64_t end = region->start + size / cells * (i + 1) +
			       size % cells * (i + 1) / cells;
		char letter = cell(m, region, start, end, &hint, &color);

		if (pen->options->color && color != before)
			fprintf(out, "\033[0;%sm", color);
		before = color;
		fputc(letter, out);
	}
	fputs(style(pen, PLAIN), out);
	fclose(out);
	return text;
}

static void put_key(const struct pen *pen, FILE *out, char letter,
		    const char *color, const char *meaning)
{
	if (pen->options->color)
		fprintf(out, "\033[0;%sm%c\033[0m\001%s  ", color, letter, meaning);
	else
		fprintf(out, "%c\001%s  ", letter, meaning);
}

static void put_legend(struct pen *pen)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int type;

	if (!out)
		return;
	for (type = 0; type <= NR_TYPES; type++) {
		put_key(pen, out, looks[type].letter, looks[type].color,
			type == TYPE_NONE ? "no\001record" : type_names[type]);
	}
	put_key(pen, out, LOOK_MIXED, COLOR_MIXED, "several");
	put_key(pen, out, LOOK_UNLISTED, COLOR_UNLISTED, "RAM,\001not\001listed");
	fclose(out);
	put_line(pen, 0, 0, "%s", text);
	free(text);
}

/* How much longer than a page: what bars are drawn by. */
static unsigned int region_log(const struct region *region)
{
	return log2_of((region->end - region->start) >> 12) + 1;
}

static void put_map_row(struct pen *pen, const struct machine *m,
			const struct region *region, int digits,
			unsigned int longest, unsigned int label_width)
{
	uint64_t pages = (region->end - region->start + 4095) >> 12;
	char *range = range_text(region->start, region->end, digits);
	char *label = region_label(region, true), *bar, size[32];
	unsigned int left = 2 * digits + 1 + 10 + 2, room, cells;
	bool narrow = pen->width < 72;

	format_size(region->end - region->start, size, sizeof(size));
	room = narrow ? pen->width - 2 : pen->width - left - label_width - 1;
	cells = room * region_log(region) / longest;
	if (cells > pages)
		cells = pages;
	if (!cells)
		cells = 1;
	bar = bar_text(m, pen, region, cells);
	if (narrow) {
		put_line(pen, 0, 2, "%s %s %s", range, size, label);
		put_line(pen, 2, 2, "%s", bar);
	} else {
		put_line(pen, 0, 0, "%s %9s  %-*.*s %s", range, size,
			 (int)label_width, (int)label_width, label, bar);
	}
	free(bar);
	free(label);
	free(range);
}

static void put_map(struct pen *pen, const struct machine *m)
{
	unsigned int longest = 1, label_width = 0;
	int digits = address_digits(m);
	size_t i, hidden = 0, drawn = 0;
	char *label;

	for (i = 0; i < m->nr_regions; i++) {
		if (!shown(m, pen, &m->regions[i])) {
			hidden++;
			continue;
		}
		drawn++;
		if (longest < region_log(&m->regions[i]))
			longest = region_log(&m->regions[i]);
		label = region_label(&m->regions[i], true);
		if (label_width < strlen(label))
			label_width = strlen(label);
		free(label);
	}
	/* Names of resources may be of any length. */
	if (label_width > pen->width / 3)
		label_width = pen->width / 3;
	if (label_width > 32)
		label_width = 32;
	put_title(pen, "Physical address space (a bar's length: the logarithm of its size; gaps are left out)");
	put_legend(pen);
	for (i = 0; i < m->nr_regions; i++)
		if (shown(m, pen, &m->regions[i]))
			put_map_row(pen, m, &m->regions[i], digits, longest, label_width);
	if (!drawn)
		put_line(pen, 0, 0, "Nothing can be drawn: neither addresses nor records are readable.");
	if (hidden)
		put_line(pen, 0, 0, "%s%zu more without a record: --all shows them%s",
			 style(pen, DIM), hidden, style(pen, PLAIN));
}

static char *holder_text(const struct holder *holder)
{
	const char *name = holder->name ? holder->name : "?";

	switch (holder->kind) {
	case HOLDER_USER:
		return holder->pid < 0 ? xprintf("%s", name) :
			xprintf("%s[%ld]", name, holder->pid);
	case HOLDER_RESERVED:
		return xprintf("%s (reserved)", name);
	default:
		return xprintf("%s", name);
	}
}

/* The holders of @nr records of the same range, with what is known of the first. */
static char *holders_text(const struct record *records, size_t nr)
{
	char *text = NULL;
	size_t length, i;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return xprintf("%s", "");
	for (i = 0; i < nr && i < MAX_HOLDERS; i++) {
		char *holder;

		if (!records[i].holder.name)
			break;
		holder = holder_text(&records[i].holder);
		fprintf(out, "%s%s", i ? ", " : "", holder);
		free(holder);
	}
	if (nr > i && i)
		fprintf(out, " and %zu more", nr - i);
	else if (nr > 1 && !i)
		fprintf(out, "%zu records", nr);
	if (records[0].maps > nr)
		fprintf(out, ", %llu mappings", (unsigned long long)records[0].maps);
	if (records[0].since >= 0)
		fprintf(out, ", since %.3f s", records[0].since);
	if (records[0].effective != TYPE_NONE && records[0].effective != records[0].type)
		fprintf(out, ", in effect %s by MTRR", type_short[records[0].effective]);
	fclose(out);
	return text;
}

static void put_records(struct pen *pen, const struct machine *m,
			const struct region *region, unsigned int indent, int digits)
{
	const struct record *records;
	unsigned int ranges = 0;
	size_t i, same, skipped = 0;

	if (!region->nr)
		return;
	records = &m->records[region->first];
	for (i = 0; i < region->nr; i += same) {
		char *range, *holders, size[32];
		const char *color = looks[records[i].type].color;

		for (same = 1; i + same < region->nr &&
		     records[i + same].start == records[i].start &&
		     records[i + same].end == records[i].end &&
		     records[i + same].type == records[i].type; same++)
			;
		if (!pen->options->all && ranges++ >= MAX_RANGES) {
			skipped++;
			continue;
		}
		range = range_text(records[i].start, records[i].end, digits);
		holders = holders_text(&records[i], same);
		format_size(records[i].end - records[i].start, size, sizeof(size));
		if (pen->options->color)
			put_line(pen, indent, indent + 4, "%s %9s \033[%sm%c\033[0m\001%-15s %s",
				 range, size, color, looks[records[i].type].letter,
				 type_names[records[i].type], holders);
		else
			put_line(pen, indent, indent + 4, "%s %9s %c\001%-15s %s",
				 range, size, looks[records[i].type].letter,
				 type_names[records[i].type], holders);
		free(range);
		free(holders);
	}
	if (skipped)
		put_line(pen, indent, indent + 4, "%s%zu more ranges: --all shows them%s",
			 style(pen, DIM), skipped, style(pen, PLAIN));
}

static void put_bar(struct pen *pen, const struct machine *m,
		    const struct pci_device *device, int bar, int digits)
{
	const struct region *region = &m->regions[device->bars[bar].region];
	char *range = range_text(region->start, region->end, digits);
	const struct mtrr *mtrr = map_mtrr(m, region->start, region->end);
	char size[32], name[16];

	format_size(region->end - region->start, size, sizeof(size));
	bar_name(bar, name, sizeof(name));
	put_line(pen, 2, 4, "%s  %s  %s%s%s%s%s", name, range, size,
		 device->bars[bar].prefetchable ? ", prefetchable" : "",
		 mtrr ? ", MTRR " : "", mtrr ? mtrr->type : "",
		 region->nr ? "" : ", no record");
	put_records(pen, m, region, 4, digits);
	free(range);
}

static void put_devices(struct pen *pen, const struct machine *m)
{
	int digits = address_digits(m), bar;
	bool titled = false, named;
	size_t i;

	for (i = 0; i < m->nr_devices; i++) {
		const struct pci_device *device = &m->devices[i];

		for (named = false, bar = 0; bar < NR_BARS; bar++) {
			if (!device->bars[bar].end ||
			    !shown(m, pen, &m->regions[device->bars[bar].region]))
				continue;
			if (!titled)
				put_title(pen, "PCI devices");
			titled = true;
			if (!named)
				put_line(pen, 0, 2, "%s%s%s %s [%04x:%04x] %s%s%s%s",
					 style(pen, BOLD), device->address, style(pen, PLAIN),
					 pci_class_name(device->class),
					 device->vendor, device->device,
					 device->name ? device->name : "",
					 device->name ? ", " : "",
					 device->driver ? "driver " : "no driver",
					 device->driver ? device->driver : "");
			named = true;
			put_bar(pen, m, device, bar, digits);
		}
	}
}

static void put_others(struct pen *pen, const struct machine *m)
{
	int digits = address_digits(m);
	bool titled = false;
	size_t i;

	for (i = 0; i < m->nr_regions; i++) {
		const struct region *region = &m->regions[i];
		char *label;

		if (region->device || !region->nr)
			continue;
		if (!titled)
			put_title(pen, "Elsewhere");
		titled = true;
		label = region_label(region, false);
		put_line(pen, 0, 2, "%s", label);
		put_records(pen, m, region, 4, digits);
		free(label);
	}
}

static const char *who(const struct complaint *c, char *buffer, size_t size)
{
	if (!c->comm)
		return "somebody";
	snprintf(buffer, size, "%.64s[%ld]", c->comm, c->pid);
	return buffer;
}

/* What happened, in one sentence. */
static char *complaint_text(const struct complaint *c, const char *comm)
{
	const char *want = type_names[c->want], *held = type_names[c->held];
	char *range = range_text(c->start, c->end, 0), *text = NULL, size[32];

	format_size(c->end - c->start, size, sizeof(size));
	switch (c->kind) {
	case COMPLAINT_CONFLICT:
		if (c->got != TYPE_NONE)
			text = xprintf("%s asked for %s (%s) %s and got %s: it was held %s",
				       comm, range, size, want, type_names[c->got], held);
		else if (c->other == TYPE_NONE)
			text = xprintf("%s asked for %s (%s) %s and was refused: it is held %s",
				       comm, range, size, want, held);
		else
			text = xprintf("%s asked for %s (%s)%s%s and was refused: parts are held %s, others %s",
				       comm, range, size, c->want == TYPE_NONE ? "" : " ",
				       c->want == TYPE_NONE ? "" : want,
				       type_names[c->other], held);
		break;
	case COMPLAINT_RESERVE:
		text = xprintf("%s asked for %s (%s) %s and was refused", comm, range, size, want);
		break;
	case COMPLAINT_EXPECTED:
	case COMPLAINT_IOREMAP:
		text = xprintf("%s asked for %s (%s)%s%s and was refused: it is held %s",
			       c->comm ? comm : "a driver", range, size,
			       c->want == TYPE_NONE ? "" : " ",
			       c->want == TYPE_NONE ? "" : want, held);
		break;
	case COMPLAINT_RAM_WISH:
		text = xprintf("%s asked for RAM %s (%s) %s and got %s",
			       comm, range, size, want, held);
		break;
	case COMPLAINT_RAM_BUSY:
		text = xprintf("RAM %s could not become %s: %s maps it", range, want, comm);
		break;
	case COMPLAINT_RAM_FREED:
		text = xprintf("RAM %s was freed while it was %s, by %s", range, held, comm);
		break;
	case COMPLAINT_FREE:
		text = xprintf("%s gave up %s (%s), of which there was no record",
			       comm, range, size);
		break;
	case NR_COMPLAINTS:
		break;
	}
	free(range);
	return text ? text : xprintf("%s", "");
}

/* Who is there now: the log may be older. */
static void put_present(struct pen *pen, const struct machine *m,
			const struct complaint *c)
{
	const struct record *records[MAX_HOLDERS + 1];
	size_t nr = map_overlapping(m, c->start, c->end, records, MAX_HOLDERS + 1);
	size_t i;

	if (!nr && records_read(m) && c->kind != COMPLAINT_RAM_WISH &&
	    c->kind != COMPLAINT_RAM_BUSY && c->kind != COMPLAINT_RAM_FREED)
		put_line(pen, 3, 5, "there now: nothing");
	for (i = 0; i < nr && i < MAX_HOLDERS; i++) {
		char *range = range_text(records[i]->start, records[i]->end, 0);
		char *holder = holder_text(&records[i]->holder);
		bool named = records[i]->holder.name;

		put_line(pen, 3, 5, "there now: %s %s%s%s", range,
			 type_names[records[i]->type], named ? ", " : "",
			 named ? holder : "");
		free(holder);
		free(range);
	}
	if (nr > MAX_HOLDERS)
		put_line(pen, 3, 5, "there now: and more");
}

/* Where did we say this already?  Else 0, and it is remembered. */
static size_t said_before(struct pen *pen, char *text, size_t number)
{
	size_t i;

	for (i = 0; i < pen->nr_said; i++)
		if (!strcmp(pen->said[i].text, text))
			return pen->said[i].number;
	if (pen->nr_said < MAX_SAID) {
		pen->said[pen->nr_said].text = xprintf("%s", text);
		pen->said[pen->nr_said++].number = number;
	}
	return 0;
}

static void put_complaint(struct pen *pen, const struct machine *m,
			  const struct complaint *c, size_t number)
{
	const struct region *region = map_region_at(m, c->start);
	struct advice advice[MAX_ADVICE];
	char comm[128], times[96] = "", *text, *holder;
	size_t nr, i;

	if (c->first >= 0 && c->count > 1)
		snprintf(times, sizeof(times), "[%.3f] (%lu times, last [%.3f]) ",
			 c->first, c->count, c->last);
	else if (c->first >= 0)
		snprintf(times, sizeof(times), "[%.3f] ", c->first);
	else if (c->count > 1)
		snprintf(times, sizeof(times), "(%lu times) ", c->count);
	text = complaint_text(c, who(c, comm, sizeof(comm)));
	put_line(pen, 0, 3, "%s%zu.%s %s%s", style(pen, BOLD), number,
		 style(pen, PLAIN), times, text);
	free(text);
	if (region) {
		text = region_label(region, false);
		put_line(pen, 3, 5, "where: %s", text);
		free(text);
	} else if (c->resource) {
		put_line(pen, 3, 5, "where: %s", c->resource);
	}
	if (c->asker.name) {
		holder = holder_text(&c->asker);
		put_line(pen, 3, 5, "asked by: %s", holder);
		free(holder);
	}
	if (c->holder.name) {
		holder = holder_text(&c->holder);
		put_line(pen, 3, 5, "held by: %s", holder);
		free(holder);
	}
	put_present(pen, m, c);
	nr = advise(m, c, advice);
	for (i = 0; i < nr; i++) {
		size_t before = said_before(pen, advice[i].text, number);

		if (before)
			put_line(pen, 3, 5, "%s>%s as for %zu (%s)", style(pen, BOLD),
				 style(pen, PLAIN), before, advice[i].id);
		else
			put_line(pen, 3, 5, "%s>%s %s", style(pen, BOLD),
				 style(pen, PLAIN), advice[i].text);
		free(advice[i].text);
	}
}

static void put_complaints(struct pen *pen, const struct machine *m)
{
	size_t i;

	if (!m->nr_complaints)
		return;
	put_title(pen, "Complaints in the kernel log");
	for (i = 0; i < m->nr_complaints; i++) {
		if (i == MAX_COMPLAINTS && !pen->options->all) {
			put_line(pen, 0, 0, "%s%zu more: --all shows them%s", style(pen, DIM),
				 m->nr_complaints - i, style(pen, PLAIN));
			return;
		}
		put_complaint(pen, m, &m->complaints[i], i + 1);
	}
}

static void put_notes(struct pen *pen, const struct machine *m)
{
	size_t i;

	if (!m->nr_notes)
		return;
	put_title(pen, "Remarks");
	for (i = 0; i < m->nr_notes; i++) {
		const struct note *note = &m->notes[i];
		char *range = note->end ? range_text(note->start, note->end, 0) : NULL;

		put_line(pen, 0, 2, "%s%s%s %s%s%s", style(pen, note->alarm ? RED : BOLD),
			 note->alarm ? "!" : ">", style(pen, PLAIN),
			 range ? range : "", range ? ": " : "", note->text);
		free(range);
	}
}

static void put_ram(struct pen *pen, const struct machine *m)
{
	char total[32], part[32], *text = NULL;
	size_t length;
	FILE *out;
	int type;

	if (!m->ram_total)
		return;
	out = open_memstream(&text, &length);
	if (!out)
		return;
	format_size(m->ram_total, total, sizeof(total));
	fprintf(out, "RAM: %s", total);
	if (m->inputs[INPUT_RAM].state == STATE_READ) {
		if (!m->nr_ram)
			fputs(", all write-back", out);
		for (type = 0; type < NR_TYPES; type++) {
			uint64_t bytes = map_ram_bytes(m, type);

			if (!bytes)
				continue;
			format_size(bytes, part, sizeof(part));
			fprintf(out, ", %s of it %s", part, type_names[type]);
		}
	} else if (m->inputs[INPUT_RAM].state == STATE_MISSING && m->pat == PAT_ON) {
		fputs("; this kernel does not list what of it is not write-back", out);
	}
	fclose(out);
	put_line(pen, 0, 2, "%s", text);
	free(text);
}

static void put_missing(struct pen *pen, const struct machine *m)
{
	enum input input;

	for (input = 0; input < NR_INPUTS; input++) {
		const struct input_info *info = &m->inputs[input];

		if (info->state == STATE_READ)
			continue;
		/* Stock kernels have no such files, and a CPU may have no MTRRs. */
		if (info->state == STATE_MISSING &&
		    (input == INPUT_RECORDS || input == INPUT_RAM || input == INPUT_MTRR))
			continue;
		/* The two others stand beside it. */
		if (input == INPUT_RECORDS || input == INPUT_RAM)
			continue;
		/* Some only help out. */
		if ((input == INPUT_MEMINFO && m->ram_total) || input == INPUT_RELEASE ||
		    ((input == INPUT_CPUINFO || input == INPUT_CMDLINE) &&
		     (m->pat == PAT_ON || m->pat == PAT_OFF)))
			continue;
		if (input == INPUT_LIST &&
		    (m->pat == PAT_OFF || m->inputs[INPUT_RECORDS].state == STATE_READ))
			continue;
		put_line(pen, 0, 2, "%sNot read:%s %s: %s; %s", style(pen, BOLD),
			 style(pen, PLAIN),
			 input == INPUT_LOG && is_live(m->root) ? "the kernel log" : input_paths[input],
			 info->state == STATE_HIDDEN ? "the addresses are hidden" :
			 strerror(info->error), input_hint(m, input));
	}
}

static void put_header(struct pen *pen, const struct machine *m)
{
	static const char * const states[] = {
		[PAT_UNKNOWN]	= "PAT may be on or off",
		[PAT_PROBABLE]	= "PAT is probably on",
		[PAT_ON]	= "PAT is on",
		[PAT_OFF]	= "PAT is off",
	};
	const char *release = m->inputs[INPUT_RELEASE].text;
	size_t placed = 0, i;

	for (i = 0; i < m->nr_regions; i++)
		placed += m->regions[i].nr != 0;
	put_line(pen, 0, 2, "%s%s%s%s%s%s%s%s", style(pen, BOLD), states[m->pat],
		 style(pen, PLAIN),
		 m->pat_reason ? ": " : "", m->pat_reason ? m->pat_reason : "",
		 release ? " (Linux " : "", release ? release : "", release ? ")" : "");
	put_ram(pen, m);
	if (records_read(m))
		put_line(pen, 0, 2, "Records: %zu; regions with records: %zu", m->nr_records, placed);
	if (m->inputs[INPUT_LOG].state == STATE_READ)
		put_line(pen, 0, 2, "%sComplaints in the kernel log: %zu%s",
			 style(pen, m->nr_complaints ? RED : ""), m->nr_complaints,
			 style(pen, m->nr_complaints ? PLAIN : ""));
	if (m->bad_lines)
		put_line(pen, 0, 2, "Lines that were not understood: %lu", m->bad_lines);
	put_missing(pen, m);
}

void text_write(const struct machine *m, const struct options *options, FILE *out)
{
	struct pen pen = {
		.out = out, .options = options,
		.width = options->width ? options->width : terminal_width(),
	};

	put_header(&pen, m);
	put_map(&pen, m);
	put_devices(&pen, m);
	put_others(&pen, m);
	put_complaints(&pen, m);
	put_notes(&pen, m);
	while (pen.nr_said)
		free(pen.said[--pen.nr_said].text);
	if (pen.cut)
		fprintf(out, "%lu more lines: enlarge the terminal, or run without --watch\n",
			pen.cut);
}
