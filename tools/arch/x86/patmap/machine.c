// SPDX-License-Identifier: GPL-2.0-only
/* All that is known of a machine, and whether PAT is on there. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

/* Read a file of a PCI device; names may point into it as long as the machine lives. */
static char *device_file(struct machine *m, const char *address, const char *name)
{
	char *path = xprintf("%s%s/%s/%s", m->root, input_paths[INPUT_PCI],
			     address, name);
	char *text = NULL;
	size_t size;

	if (read_text(path, &text, &size))
		text = NULL;
	free(path);
	if (text) {
		m->texts = grow(m->texts, m->nr_texts, &m->cap_texts,
				sizeof(*m->texts));
		m->texts[m->nr_texts++] = text;
	}
	return text;
}

static void add_device(struct machine *m, const char *address)
{
	struct pci_device *device;
	char *text;

	m->devices = grow(m->devices, m->nr_devices, &m->cap_devices,
			  sizeof(*m->devices));
	device = &m->devices[m->nr_devices];
	memset(device, 0, sizeof(*device));
	snprintf(device->address, sizeof(device->address), "%.15s", address);
	text = device_file(m, address, "resource");
	if (!text)
		return;
	parse_bars(device, text);
	text = device_file(m, address, "uevent");
	if (text)
		parse_uevent(device, text);
	m->nr_devices++;
}

static int by_address(const void *a, const void *b)
{
	const struct pci_device *x = a, *y = b;

	return strcmp(x->address, y->address);
}

static void load_devices(struct machine *m)
{
	struct input_info *info = &m->inputs[INPUT_PCI];
	char *path = xprintf("%s%s", m->root, input_paths[INPUT_PCI]);
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory) {
		info->error = errno;
		info->state = errno == ENOENT ? STATE_MISSING :
			errno == EACCES ? STATE_DENIED : STATE_FAILED;
	} else {
		while ((entry = readdir(directory)))
			if (entry->d_name[0] != '.')
				add_device(m, entry->d_name);
		closedir(directory);
	}
	free(path);
	if (m->nr_devices)
		qsort(m->devices, m->nr_devices, sizeof(*m->devices), by_address);
}

/* Who may not see addresses sees zeroes. */
static void drop_hidden(struct machine *m)
{
	size_t i;

	for (i = 0; i < m->nr_resources; i++)
		if (m->resources[i].end > 1)
			return;
	if (!m->nr_resources)
		return;
	m->nr_resources = 0;
	m->inputs[INPUT_IOMEM].state = STATE_HIDDEN;
}

/* Is @word among the words of @text? */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);
	const char *p;

	for (p = text; p && (p = strstr(p, word)); p += length)
		if ((p == text || strchr(" \t\n", p[-1])) &&
		    (!p[length] || strchr(" \t\n", p[length])))
			return true;
	return false;
}

/* The CPU's flags, of the first one that has any; NULL if there are none. */
static char *cpu_flags(const char *cpuinfo)
{
	const char *line = cpuinfo ? strstr(cpuinfo, "\nflags") : NULL;

	return line ? xprintf("%.*s", (int)strcspn(line + 1, "\n"), line + 1) : NULL;
}

/* The log may have forgotten the boot: other signs, where it said nothing. */
static void find_state(struct machine *m)
{
	char *flags = cpu_flags(m->inputs[INPUT_CPUINFO].text);
	const char *cmdline = m->inputs[INPUT_CMDLINE].text;
	bool listed = m->inputs[INPUT_LIST].state == STATE_READ ||
		      m->inputs[INPUT_RECORDS].state == STATE_READ;

	if (m->pat != PAT_UNKNOWN) {
		;
	} else if (listed) {
		m->pat = PAT_ON;
	} else if (flags && !has_word(flags, "pat")) {
		m->pat = PAT_OFF;
		m->pat_reason = "the CPU has none";
	} else if (cmdline && has_word(cmdline, "nopat")) {
		m->pat = PAT_OFF;
		m->pat_reason = "nopat is on the kernel's command line";
	} else if (flags && cmdline) {
		m->pat = PAT_PROBABLE;
		m->pat_reason = "the CPU has it, and nopat is not on the kernel's command line";
	} else {
		m->pat_reason = "nothing readable tells";
	}
	free(flags);
}

static void find_ram(struct machine *m)
{
	const char *p = m->inputs[INPUT_MEMINFO].text;
	size_t i;

	for (i = 0; i < m->nr_resources; i++)
		if (!m->resources[i].depth &&
		    !strcmp(m->resources[i].name, "System RAM"))
			m->ram_total += m->resources[i].end - m->resources[i].start;
	if (m->ram_total || !p)
		return;
	p = strstr(p, "MemTotal:");
	if (p)
		m->ram_total = strtoull(p + 9, NULL, 10) * 1024;
}

static void trim_end(char *text)
{
	size_t length = text ? strlen(text) : 0;

	while (length && strchr(" \n", text[length - 1]))
		text[--length] = '\0';
}

/* Is something worth drawing there?  If not, the user named a wrong root. */
bool machine_readable(const struct machine *m)
{
	enum input input;

	for (input = 0; input < NR_INPUTS; input++)
		if (m->inputs[input].state == STATE_READ ||
		    m->inputs[input].state == STATE_HIDDEN)
			return true;
	return false;
}

void machine_load(struct machine *m, const struct options *options)
{
	enum input input;

	memset(m, 0, sizeof(*m));
	m->root = is_live(options->root) ? "" : options->root;
	for (input = 0; input < NR_INPUTS; input++)
		if (input != INPUT_LOG && input != INPUT_PCI)
			read_input(m, input);
	read_log(m, options->log);
	load_devices(m);

	parse_log(m, m->inputs[INPUT_LOG].text);
	parse_iomem(m, m->inputs[INPUT_IOMEM].text);
	drop_hidden(m);
	parse_mtrrs(m, m->inputs[INPUT_MTRR].text);
	parse_ram(m, m->inputs[INPUT_RAM].text);
	/* The second list holds all that the first does. */
	parse_records(m, m->inputs[m->inputs[INPUT_RECORDS].state == STATE_READ ?
				   INPUT_RECORDS : INPUT_LIST].text);
	trim_end(m->inputs[INPUT_RELEASE].text);
	trim_end(m->inputs[INPUT_CMDLINE].text);
	find_state(m);
	find_ram(m);
	if (!options->numeric)
		pci_name_devices(m);
	map_build(m);
	advise_notes(m);
}

void machine_free(struct machine *m)
{
	size_t i;

	for (i = 0; i < NR_INPUTS; i++)
		free(m->inputs[i].text);
	for (i = 0; i < m->nr_texts; i++)
		free(m->texts[i]);
	for (i = 0; i < m->nr_devices; i++)
		free(m->devices[i].name);
	for (i = 0; i < m->nr_notes; i++)
		free(m->notes[i].text);
	free(m->texts);
	free(m->records);
	free(m->reach);
	free(m->ram);
	free(m->resources);
	free(m->mtrrs);
	free(m->devices);
	free(m->complaints);
	free(m->seen);
	free(m->regions);
	free(m->segments);
	free(m->notes);
}
