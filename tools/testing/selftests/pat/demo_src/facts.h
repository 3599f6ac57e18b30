/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running kernel tells about memory types, read from its own files.
 * Ranges are [start, end).
 */
#ifndef PAT_DEMO_FACTS_H
#define PAT_DEMO_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#define PAT_SLOTS 8

/* The PAT MSR of one CPU; false with errno if it cannot be read. */
bool facts_pat_msr(unsigned int cpu, uint64_t *value);

/* "WB", "WC", ... that slot @slot of an MSR value selects. */
const char *facts_slot_name(uint64_t msr, unsigned int slot);

/* The same in the words of pat_memtype_list: "write-back", ... */
const char *facts_slot_type(uint64_t msr, unsigned int slot);

/* A piece of physical address space, as /proc/iomem names it. */
struct iomem {
	uint64_t start;
	uint64_t end;
	unsigned int depth;
	char name[64];
};

/* All of them in the file's order, parents first; -1 with errno on failure. */
int facts_iomem(struct iomem *to, int room);

/* A mapping that ioremap() made. */
struct io_mapping {
	uint64_t virt;
	uint64_t phys;
	uint64_t size;
	char caller[64];
};

int facts_io_mappings(struct io_mapping *to, int room);

/* A run of equal entries of the kernel's page tables. */
struct kernel_entry {
	uint64_t start;
	uint64_t end;
	char level[8];
	unsigned int slot;
};

/* The entries that translate [@virt, @virt + @size), oldest address first. */
int facts_kernel_entries(uint64_t virt, uint64_t size,
			 struct kernel_entry *to, int room);

/* A memory BAR of a PCI function. */
struct pci_bar {
	char function[16];
	char driver[32];
	unsigned int vendor;
	unsigned int device;
	unsigned int class_code;
	unsigned int number;
	uint64_t start;
	uint64_t end;
	bool prefetchable;
};

int facts_pci_bars(struct pci_bar *to, int room);

/* Makes addresses in the kernel's files readable until facts_close(). */
bool facts_open(void);
void facts_close(void);

#endif
