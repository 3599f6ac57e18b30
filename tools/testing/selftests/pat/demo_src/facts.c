// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"

#define MSR_IA32_CR_PAT	0x277
#define PAGE_SIZE	4096ULL
#define IORESOURCE_MEM		0x00000200ULL
#define IORESOURCE_PREFETCH	0x00002000ULL

#define KPTR_RESTRICT	"/proc/sys/kernel/kptr_restrict"
#define PCI_DEVICES	"/sys/bus/pci/devices"

/* The encodings of a byte of the PAT MSR; 2 and 3 are reserved. */
static const struct {
	const char *name;
	const char *type;
} encodings[8] = {
	{ "UC",  "uncached" },
	{ "WC",  "write-combining" },
	{ "?",   "reserved" },
	{ "?",   "reserved" },
	{ "WT",  "write-through" },
	{ "WP",  "write-protected" },
	{ "WB",  "write-back" },
	{ "UC-", "uncached-minus" },
};

bool facts_pat_msr(unsigned int cpu, uint64_t *value)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	got = pread(fd, value, sizeof(*value), MSR_IA32_CR_PAT);
	close(fd);
	return got == sizeof(*value);
}

static unsigned int slot_encoding(uint64_t msr, unsigned int slot)
{
	return (msr >> (slot * 8)) & 7;
}

const char *facts_slot_name(uint64_t msr, unsigned int slot)
{
	return encodings[slot_encoding(msr, slot)].name;
}

const char *facts_slot_type(uint64_t msr, unsigned int slot)
{
	return encodings[slot_encoding(msr, slot)].type;
}

int facts_iomem(struct iomem *to, int room)
{
	FILE *file = fopen("/proc/iomem", "r");
	char line[256];
	int n = 0;

	if (!file)
		return -1;
	while (n < room && fgets(line, sizeof(line), file)) {
		struct iomem *r = &to[n];

		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %63[^\n]",
			   &r->start, &r->end, r->name) != 3)
			continue;
		r->end++;
		r->depth = strspn(line, " ") / 2;
		n++;
	}
	fclose(file);
	return n;
}

int facts_io_mappings(struct io_mapping *to, int room)
{
	FILE *file = fopen("/proc/vmallocinfo", "r");
	char line[512];
	int n = 0;

	if (!file)
		return -1;
	while (n < room && fgets(line, sizeof(line), file)) {
		struct io_mapping *m = &to[n];
		char *phys = strstr(line, " phys=");
		uint64_t end;

		if (!phys || !strstr(line, " ioremap"))
			continue;
		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64 " %*u %63[^+ ]",
			   &m->virt, &end, m->caller) != 3)
			continue;
		m->phys = strtoull(phys + strlen(" phys="), NULL, 16);
		/* The area ends with a guard page. */
		m->size = end - m->virt - PAGE_SIZE;
		n++;
	}
	fclose(file);
	return n;
}

static unsigned int entry_slot(const char *bits)
{
	return (strstr(bits, "PAT ") ? 4 : 0) | (strstr(bits, "PCD ") ? 2 : 0) |
	       (strstr(bits, "PWT ") ? 1 : 0);
}

static bool entry_present(const char *bits)
{
	return strstr(bits, "RW ") || strstr(bits, "ro ");
}

int facts_kernel_entries(uint64_t virt, uint64_t size,
			 struct kernel_entry *to, int room)
{
	FILE *file = fopen("/sys/kernel/debug/page_tables/kernel", "r");
	char line[256];
	int n = 0;

	if (!file)
		return -1;
	while (n < room && fgets(line, sizeof(line), file)) {
		struct kernel_entry *e = &to[n];
		char *level;

		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64, &e->start,
			   &e->end) != 2)
			continue;
		if (e->end <= virt || e->start >= virt + size ||
		    !entry_present(line))
			continue;
		line[strcspn(line, "\n")] = '\0';
		level = strrchr(line, ' ');
		snprintf(e->level, sizeof(e->level), "%s", level + 1);
		e->slot = entry_slot(line);
		n++;
	}
	fclose(file);
	return n;
}

static bool read_line(const char *path, char *to, int room)
{
	FILE *file = fopen(path, "r");
	char *got;

	if (!file)
		return false;
	got = fgets(to, room, file);
	fclose(file);
	if (!got)
		return false;
	to[strcspn(to, "\n")] = '\0';
	return true;
}

static unsigned int pci_number(const char *function, const char *attribute)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", function, attribute);
	if (!read_line(path, text, sizeof(text)))
		return 0;
	return strtoul(text, NULL, 16);
}

static void pci_driver(const char *function, char *to, size_t room)
{
	char path[128], target[256];
	ssize_t length;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", function);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0) {
		to[0] = '\0';
		return;
	}
	target[length] = '\0';
	snprintf(to, room, "%s", strrchr(target, '/') + 1);
}

static int pci_function_bars(const char *function, struct pci_bar *to, int room)
{
	char path[128], line[128];
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource", function);
	file = fopen(path, "r");
	if (!file)
		return 0;
	for (unsigned int number = 0; number < 6 && n < room; number++) {
		struct pci_bar *bar = &to[n];
		uint64_t flags;

		if (!fgets(line, sizeof(line), file))
			break;
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64,
			   &bar->start, &bar->end, &flags) != 3)
			break;
		if (!(flags & IORESOURCE_MEM) || !bar->start)
			continue;
		bar->end++;
		bar->number = number;
		bar->prefetchable = flags & IORESOURCE_PREFETCH;
		snprintf(bar->function, sizeof(bar->function), "%s", function);
		bar->vendor = pci_number(function, "vendor");
		bar->device = pci_number(function, "device");
		bar->class_code = pci_number(function, "class");
		pci_driver(function, bar->driver, sizeof(bar->driver));
		n++;
	}
	fclose(file);
	return n;
}

int facts_pci_bars(struct pci_bar *to, int room)
{
	DIR *dir = opendir(PCI_DEVICES);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n += pci_function_bars(entry->d_name, to + n, room - n);
	}
	closedir(dir);
	return n;
}

static char kptr_restrict_was[16];

static bool kptr_restrict_set(const char *value)
{
	int fd = open(KPTR_RESTRICT, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) > 0;
	close(fd);
	return done;
}

bool facts_open(void)
{
	return read_line(KPTR_RESTRICT, kptr_restrict_was,
			 sizeof(kptr_restrict_was)) &&
	       kptr_restrict_set("1");
}

void facts_close(void)
{
	kptr_restrict_set(kptr_restrict_was);
}
