// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program sees: one object.  The man page lists the keys; they stay, and
 * others may come.  Addresses are texts, since JSON's numbers end at 2^53.
 */
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

struct json {
	FILE *out;
	unsigned int depth;
	bool any;		/* something stands before, at this depth */
};

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* Begin a member (@key) or an element (NULL). */
static void begin(struct json *j, const char *key)
{
	if (j->any)
		fputc(',', j->out);
	if (j->depth)
		fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
	j->any = true;
	if (key) {
		put_string(j->out, key);
		fputs(": ", j->out);
	}
}

static void open_group(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->depth++;
	j->any = false;
}

static void close_group(struct json *j, char bracket)
{
	j->depth--;
	if (j->any)
		fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
	fputc(bracket, j->out);
	j->any = true;
}

static void put_text(struct json *j, const char *key, const char *text)
{
	if (!text)
		return;
	begin(j, key);
	put_string(j->out, text);
}

static void put_number(struct json *j, const char *key, uint64_t number)
{
	begin(j, key);
	fprintf(j->out, "%llu", (unsigned long long)number);
}

static void put_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

static void put_seconds(struct json *j, const char *key, double seconds)
{
	/* What is longer is no time, and JSON knows no infinity. */
	if (!(seconds >= 0 && seconds < 1e15))
		return;
	begin(j, key);
	fprintf(j->out, "%.6f", seconds);
}

static void put_address(struct json *j, const char *key, uint64_t address)
{
	begin(j, key);
	fprintf(j->out, "\"0x%llx\"", (unsigned long long)address);
}

/* "end" is the last byte. */
static void put_range(struct json *j, uint64_t start, uint64_t end)
{
	put_address(j, "start", start);
	put_address(j, "end", end - 1);
	put_number(j, "size", end - start);
}

static void put_type(struct json *j, const char *key, enum mem_type type)
{
	if (type != TYPE_NONE)
		put_text(j, key, type_names[type]);
}

static void put_holder(struct json *j, const char *key, const struct holder *holder)
{
	static const char * const kinds[] = {
		[HOLDER_UNKNOWN]	= "unknown",
		[HOLDER_USER]		= "user",
		[HOLDER_KERNEL]		= "kernel",
		[HOLDER_RESERVED]	= "reserved",
	};

	if (!holder->name && holder->kind == HOLDER_UNKNOWN)
		return;
	open_group(j, key, '{');
	put_text(j, "kind", kinds[holder->kind]);
	put_text(j, "name", holder->name);
	if (holder->pid >= 0)
		put_number(j, "pid", holder->pid);
	close_group(j, '}');
}

static void put_pat(struct json *j, const struct machine *m)
{
	static const char * const states[] = {
		[PAT_UNKNOWN] = "unknown", [PAT_PROBABLE] = "probably-on",
		[PAT_ON] = "on", [PAT_OFF] = "off",
	};

	open_group(j, "pat", '{');
	put_text(j, "state", states[m->pat]);
	put_text(j, "reason", m->pat_reason);
	close_group(j, '}');
}

static void put_inputs(struct json *j, const struct machine *m)
{
	enum input input;

	open_group(j, "inputs", '[');
	for (input = 0; input < NR_INPUTS; input++) {
		open_group(j, NULL, '{');
		put_text(j, "path", input_paths[input]);
		put_text(j, "state", input_state_names[m->inputs[input].state]);
		put_text(j, "hint", input_hint(m, input));
		close_group(j, '}');
	}
	close_group(j, ']');
}

static void put_ram(struct json *j, const struct machine *m)
{
	size_t i;

	open_group(j, "ram", '{');
	if (m->ram_total)
		put_number(j, "bytes", m->ram_total);
	put_bool(j, "listed", m->inputs[INPUT_RAM].state == STATE_READ);
	open_group(j, "not_write_back", '[');
	for (i = 0; i < m->nr_ram; i++) {
		open_group(j, NULL, '{');
		put_range(j, m->ram[i].start, m->ram[i].end);
		put_type(j, "type", m->ram[i].type);
		close_group(j, '}');
	}
	close_group(j, ']');
	close_group(j, '}');
}

static void put_record(struct json *j, const struct record *record)
{
	open_group(j, NULL, '{');
	put_range(j, record->start, record->end);
	put_type(j, "type", record->type);
	put_holder(j, "holder", &record->holder);
	if (record->virt_end) {
		put_address(j, "virt_start", record->virt);
		put_address(j, "virt_end", record->virt_end);
	}
	put_seconds(j, "since", record->since);
	if (record->maps)
		put_number(j, "maps", record->maps);
	put_text(j, "mtrr", record->mtrr);
	put_type(j, "effective", record->effective);
	close_group(j, '}');
}

static void put_regions(struct json *j, const struct machine *m)
{
	static const char * const kinds[] = {
		[REGION_RAM] = "ram", [REGION_BAR] = "bar",
		[REGION_RESOURCE] = "resource", [REGION_STRAY] = "other",
	};
	size_t i, k;

	open_group(j, "regions", '[');
	for (i = 0; i < m->nr_regions; i++) {
		const struct region *region = &m->regions[i];
		const struct mtrr *mtrr = map_mtrr(m, region->start, region->end);

		open_group(j, NULL, '{');
		put_range(j, region->start, region->end);
		put_text(j, "kind", kinds[region->kind]);
		put_text(j, "name", region->name);
		if (region->device) {
			put_text(j, "device", region->device->address);
			put_number(j, "bar", region->bar);
			put_bool(j, "prefetchable",
				 region->device->bars[region->bar].prefetchable);
		}
		put_text(j, "mtrr", mtrr ? mtrr->type : NULL);
		open_group(j, "records", '[');
		for (k = region->first; k < region->first + region->nr; k++)
			put_record(j, &m->records[k]);
		close_group(j, ']');
		close_group(j, '}');
	}
	close_group(j, ']');
}

static void put_devices(struct json *j, const struct machine *m)
{
	char id[32];
	size_t i;

	open_group(j, "devices", '[');
	for (i = 0; i < m->nr_devices; i++) {
		const struct pci_device *device = &m->devices[i];

		open_group(j, NULL, '{');
		put_text(j, "address", device->address);
		snprintf(id, sizeof(id), "%04x:%04x", device->vendor, device->device);
		put_text(j, "id", id);
		snprintf(id, sizeof(id), "%06x", device->class);
		put_text(j, "class", id);
		put_text(j, "name", device->name);
		put_text(j, "driver", device->driver);
		close_group(j, '}');
	}
	close_group(j, ']');
}

static void put_complaint(struct json *j, const struct machine *m,
			  const struct complaint *c)
{
	struct advice advice[MAX_ADVICE];
	const struct record *records[16];
	size_t nr, i;

	open_group(j, NULL, '{');
	put_text(j, "kind", complaint_names[c->kind]);
	if (c->comm) {
		put_text(j, "command", c->comm);
		if (c->pid >= 0)
			put_number(j, "pid", c->pid);
	}
	put_range(j, c->start, c->end);
	put_type(j, "wanted", c->want);
	put_type(j, "held", c->held);
	put_type(j, "also_held", c->other);
	put_type(j, "got", c->got);
	put_text(j, "resource", c->resource);
	put_holder(j, "asker", &c->asker);
	put_holder(j, "holder", &c->holder);
	put_number(j, "count", c->count);
	put_seconds(j, "first", c->first);
	put_seconds(j, "last", c->last);
	open_group(j, "present", '[');
	nr = map_overlapping(m, c->start, c->end, records, 16);
	for (i = 0; i < nr; i++)
		put_record(j, records[i]);
	close_group(j, ']');
	open_group(j, "advice", '[');
	nr = advise(m, c, advice);
	for (i = 0; i < nr; i++) {
		open_group(j, NULL, '{');
		put_text(j, "id", advice[i].id);
		put_text(j, "text", advice[i].text);
		close_group(j, '}');
		free(advice[i].text);
	}
	close_group(j, ']');
	close_group(j, '}');
}

static void put_notes(struct json *j, const struct machine *m)
{
	size_t i;

	open_group(j, "remarks", '[');
	for (i = 0; i < m->nr_notes; i++) {
		open_group(j, NULL, '{');
		put_text(j, "id", m->notes[i].id);
		put_bool(j, "alarm", m->notes[i].alarm);
		if (m->notes[i].end)
			put_range(j, m->notes[i].start, m->notes[i].end);
		put_text(j, "text", m->notes[i].text);
		close_group(j, '}');
	}
	close_group(j, ']');
}

void json_write(const struct machine *m, FILE *out)
{
	struct json j = { .out = out };
	size_t i;

	open_group(&j, NULL, '{');
	put_text(&j, "patmap", PATMAP_VERSION);
	put_text(&j, "kernel", m->inputs[INPUT_RELEASE].text);
	put_pat(&j, m);
	put_inputs(&j, m);
	put_ram(&j, m);
	put_devices(&j, m);
	put_regions(&j, m);
	open_group(&j, "complaints", '[');
	for (i = 0; i < m->nr_complaints; i++)
		put_complaint(&j, m, &m->complaints[i]);
	close_group(&j, ']');
	put_notes(&j, m);
	put_number(&j, "lines_not_understood", m->bad_lines);
	close_group(&j, '}');
	fputc('\n', out);
}
