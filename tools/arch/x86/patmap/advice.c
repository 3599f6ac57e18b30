// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to do about a complaint in the log, and which states look wrong though
 * nobody has complained.  The ids are part of the JSON output: keep them.
 */
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

/* Notes of one kind; more are the same trouble. */
#define MAX_NOTES 10
/* Of the many that may map the same. */
#define MAX_PARTIES 64

static bool has(const char *text, const char *part)
{
	return text && strstr(text, part);
}

static bool has_any(const char *text, const char * const *parts)
{
	for (; *parts; parts++)
		if (has(text, *parts))
			return true;
	return false;
}

static bool is_boot_framebuffer(const char *name)
{
	static const char * const names[] = {
		"simplefb", "simpledrm", "efifb", "vesafb", "vga16fb",
		"simple-framebuffer", "efi-framebuffer", "vesa-framebuffer", NULL
	};

	return has_any(name, names);
}

static bool is_display(const struct region *region)
{
	return region && region->device && region->device->class >> 16 == 3 &&
	       region->kind == REGION_BAR;
}

/* "bochs" in "bochs_pci_probe+0x1a/0x2b0 [bochs]"; length 0 if it is built in. */
static const char *module_of(const char *symbol, size_t *length)
{
	const char *open = symbol ? strrchr(symbol, '[') : NULL;

	*length = open ? strcspn(open + 1, "]") : 0;
	return open ? open + 1 : NULL;
}

/* Does any party of a complaint have one of these names? */
static bool involves(const struct machine *m, const struct complaint *c,
		     const struct region *region, const char * const *names)
{
	const struct record *records[MAX_PARTIES];
	size_t i, nr;

	if (has_any(c->comm, names) || has_any(c->asker.name, names) ||
	    has_any(c->holder.name, names) ||
	    (region && region->device && has_any(region->device->driver, names)))
		return true;
	nr = map_overlapping(m, c->start, c->end, records, MAX_PARTIES);
	for (i = 0; i < nr; i++)
		if (has_any(records[i]->holder.name, names))
			return true;
	return false;
}

static void put(struct advice *advice, size_t *nr, const char *id, char *text)
{
	if (*nr == MAX_ADVICE) {
		free(text);
		return;
	}
	advice[*nr].id = id;
	advice[(*nr)++].text = text;
}

/* How to take a driver away from its device. */
static char *unbind(const struct region *region)
{
	if (!region || !region->device || !region->device->driver)
		return xprintf("%s", "");
	return xprintf(" To have all of the device for yourself, take its driver away first: echo %s > /sys/bus/pci/drivers/%s/unbind",
		       region->device->address, region->device->driver);
}

static char *mixed_range(const struct region *region)
{
	char *last = unbind(region);
	char *text = xprintf("Parts of this range are mapped with different types already, and one mapping of all of it would alias one of them. Map only the pages that you need (tools such as pcimem map more than they read).%s",
			     last);

	free(last);
	return text;
}

/* The range is held with one type, and it does not serve. */
static char *other_type(const struct complaint *c, const struct region *region)
{
	char *last = unbind(region);
	char *text;

	if (c->holder.name && c->holder.kind == HOLDER_USER)
		text = xprintf("%s[%ld] holds it %s. Ask for that type, or end that process first.",
			       c->holder.name, c->holder.pid, type_names[c->held]);
	else if (c->holder.name)
		text = xprintf("%s holds it %s. Ask for that type, or do without that driver.%s",
			       c->holder.name, type_names[c->held], last);
	else
		text = xprintf("It is held %s. Ask for that type, or let the holder go first.%s",
			       type_names[c->held], last);
	free(last);
	return text;
}

static void advise_held_write_back(const struct machine *m,
				   const struct complaint *c,
				   const struct region *region,
				   struct advice *advice, size_t *nr)
{
	static const char * const ucsi[] = { "ucsi", "UCSI", NULL };

	if (region && region->kind == REGION_BAR)
		put(advice, nr, "other-type", other_type(c, region));
	else if (involves(m, c, region, ucsi) ||
		 (c->kind == COMPLAINT_IOREMAP && map_inside(m, c->start, "ACPI")))
		put(advice, nr, "acpi-mailbox",
		    xprintf("A driver asks for uncached memory that ACPI keeps mapped write-back: ucsi_acpi (USB-C) does so with its mailbox on older kernels, and then does not work. No data is in danger. Update the kernel: ucsi_acpi uses memremap() since."));
	else
		put(advice, nr, "held-write-back",
		    xprintf("It is mapped write-back already, as firmware's tables are (by ACPI, EFI, memremap()). A program that reads them: open /dev/mem without O_SYNC. A driver: memremap() with MEMREMAP_WB."));
}

static void advise_refused(const struct machine *m, const struct complaint *c,
			   const struct region *region, struct advice *advice,
			   size_t *nr)
{
	static const char * const nvidia[] = {
		"nvidia", "nvidia_fs", "gdrdrv", "gdsio", "gdrcopy", "copybw", NULL
	};

	if (c->got != TYPE_NONE)
		put(advice, nr, "got-other-type",
		    xprintf("It works, but with %s: who maps a range first decides its type.%s",
			    type_names[c->got],
			    c->got == TYPE_UC_MINUS || c->got == TYPE_UC ?
			    " Uncached writes are slow: the holder would have to map it write-combining." : ""));
	else if (c->kind == COMPLAINT_RESERVE || c->other != TYPE_NONE)
		put(advice, nr, "mixed-range", mixed_range(region));
	else if (c->held == TYPE_WB)
		advise_held_write_back(m, c, region, advice, nr);
	else
		put(advice, nr, "other-type", other_type(c, region));

	if (c->got != TYPE_NONE)
		return;
	if (involves(m, c, region, nvidia))
		put(advice, nr, "nvidia-bar",
		    xprintf("NVIDIA's driver maps parts of this BAR write-combining and others uncached, and nvidia-fs (GPUDirect Storage) or gdrdrv (gdrcopy) maps them once more. Use versions that belong together, and report it to the second one's maintainers: it has to ask for the type that the first one uses, piece by piece."));
	else if (is_display(region) || has(c->comm, "fb"))
		put(advice, nr, "framebuffer",
		    xprintf("This is video memory. mmap of /dev/fb0 or resourceN covers more of it than the driver has mapped with one type: if it fails with EINVAL, use resourceN_wc, or DRM's dumb buffers (/dev/dri/card0), which take the driver's own type."));
}

/* What to do about @c.  The texts are the caller's to free. */
size_t advise(const struct machine *m, const struct complaint *c,
	      struct advice advice[MAX_ADVICE])
{
	const struct region *region = map_region_at(m, c->start);
	size_t nr = 0;

	switch (c->kind) {
	case COMPLAINT_CONFLICT:
	case COMPLAINT_RESERVE:
	case COMPLAINT_EXPECTED:
	case COMPLAINT_IOREMAP:
		advise_refused(m, c, region, advice, &nr);
		break;
	case COMPLAINT_RAM_WISH:
		put(advice, &nr, "ram-type",
		    xprintf("This is RAM, whose pages have one type for everybody: the mapping works, with %s. A program: open /dev/mem without O_SYNC. A driver: set_memory_wc() or set_pages_array_wc() before mapping, and back to write-back before freeing.",
			    type_names[c->held]));
		break;
	case COMPLAINT_RAM_BUSY:
		put(advice, &nr, "ram-mapped",
		    xprintf("A driver wanted to change the type of RAM that a process maps. Nothing has changed. The driver has to take these mappings away first: report it to its maintainers."));
		break;
	case COMPLAINT_RAM_FREED:
		put(advice, &nr, "ram-freed",
		    xprintf("A driver freed memory without making it write-back again. The kernel has mended it. Report it to the driver's maintainers, with the stack that the log has below this line."));
		break;
	case COMPLAINT_FREE:
		put(advice, &nr, "lost-record",
		    xprintf("The kernel looked for a record that was not there: kernels that record a mapping as a whole lose track of one that is unmapped in parts or moved, and the range may stay held with its type until reboot. If mmap of it fails later, reboot; let the program unmap in one piece."));
		break;
	case NR_COMPLAINTS:
		break;
	}
	return nr;
}

static size_t count_notes(const struct machine *m, const char *id)
{
	size_t i, nr = 0;

	for (i = 0; i < m->nr_notes; i++)
		nr += !strcmp(m->notes[i].id, id);
	return nr;
}

/* Takes @text, whatever happens. */
static void add_note(struct machine *m, const char *id, bool alarm,
		     uint64_t start, uint64_t end, char *text)
{
	if (count_notes(m, id) >= MAX_NOTES) {
		free(text);
		return;
	}
	m->notes = grow(m->notes, m->nr_notes, &m->cap_notes, sizeof(*m->notes));
	m->notes[m->nr_notes++] = (struct note){ id, alarm, start, end, text };
}

static void note_pat(struct machine *m)
{
	if (m->pat == PAT_OFF && has(m->pat_reason, "nopat"))
		add_note(m, "nopat", false, 0, 0,
			 xprintf("The kernel was booted with nopat. That hides conflicts and solves none: nothing is tracked, who asks for write-combining gets uncached, and graphics are slow. Remove it from the kernel's command line."));
	else if (m->pat == PAT_OFF)
		add_note(m, "pat-off", false, 0, 0,
			 xprintf("Without PAT there is no write-combining but by MTRR, and nothing is tracked."));
	else if (m->nr_complaints)
		add_note(m, "not-nopat", false, 0, 0,
			 xprintf("Booting with nopat, an advice often given, is no remedy: it hides the messages because nothing is tracked any more, and all write-combining becomes uncached."));
}

/* Addresses that are recorded with more than one type. */
static void note_aliases(struct machine *m)
{
	size_t i;

	for (i = 0; i < m->nr_segments; i++) {
		const struct segment *s = &m->segments[i];

		if (s->types & (s->types - 1))
			add_note(m, "alias", true, s->start, s->end,
				 xprintf("Recorded with two types at a time. This must not be: report it to the x86 maintainers with a recording (patmap --record)."));
	}
}

/* Does the kernel hold video memory so that all who map it get it uncached? */
static bool is_slow(const struct machine *m, const struct record *record)
{
	const struct mtrr *mtrr = map_mtrr(m, record->start, record->end);

	/* Write-combining MTRRs mend UC-. */
	return record->holder.kind != HOLDER_USER &&
	       record->end - record->start >= 1 << 20 &&
	       (record->type == TYPE_UC ||
		(record->type == TYPE_UC_MINUS && !(mtrr && has(mtrr->type, "combining"))));
}

static void note_framebuffer(struct machine *m, const struct region *region)
{
	const struct record *record = NULL;
	const char *name, *driver;
	size_t i;

	if (!is_display(region) ||
	    !region->device->bars[region->bar].prefetchable)
		return;
	/* The largest is the driver's own; others follow from it. */
	for (i = region->first; i < region->first + region->nr; i++)
		if (is_slow(m, &m->records[i]) &&
		    (!record || m->records[i].end - m->records[i].start >
				record->end - record->start))
			record = &m->records[i];
	if (!record)
		return;
	name = record->holder.name;
	driver = region->device->driver;
	if (is_boot_framebuffer(name))
		add_note(m, "boot-framebuffer", false, record->start, record->end,
			 xprintf("The boot framebuffer (%s) holds video memory uncached. Who maps it later gets the same type, also by resource%d_wc or from a DRM driver's ioremap_wc(), and draws slowly. Let the DRM driver take over (it removes the boot framebuffer), or boot without that one.",
				 name, region->bar));
	else
		add_note(m, "framebuffer-uncached", false, record->start, record->end,
			 xprintf("Video memory is mapped uncached%s%s, so that all who map it later, also by resource%d_wc, get uncached, too, and draw slowly. A driver that maps it with plain ioremap() does that (bochs does, vesafb and simplefb can): it should use ioremap_wc().%s%s%s%s",
				 name ? " by " : "", name ? name : "", region->bar,
				 name ? "" : " This kernel does not say who did",
				 name ? "" : driver ? "; the device's driver is " : ", and the device has no driver",
				 name || !driver ? "" : driver, name ? "" : "."));
}

/* Two drivers that have mapped the same part of a region. */
static void note_two_drivers(struct machine *m, const struct region *region)
{
	const struct record *last = NULL;
	size_t i, a, b;

	for (i = region->first; i < region->first + region->nr; i++) {
		const struct record *record = &m->records[i];
		const char *module, *other;

		if (record->holder.kind != HOLDER_KERNEL)
			continue;
		module = module_of(record->holder.name, &a);
		if (!module)
			continue;
		if (last && last->end > record->start) {
			other = module_of(last->holder.name, &b);
			if (a != b || strncmp(module, other, a)) {
				add_note(m, "two-drivers", false, record->start,
					 last->end < record->end ? last->end : record->end,
					 xprintf("Two drivers map it: %s and %s. Only one of them should.",
						 last->holder.name, record->holder.name));
				return;
			}
		}
		if (!last || record->end > last->end)
			last = record;
	}
}

void advise_notes(struct machine *m)
{
	size_t i;

	note_aliases(m);
	for (i = 0; i < m->nr_regions; i++) {
		const struct region *region = &m->regions[i];

		note_framebuffer(m, region);
		note_two_drivers(m, region);
	}
	note_pat(m);
}
