/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of physical memory by the demo's own process.
 */
#ifndef PAT_DEMO_MAPPING_H
#define PAT_DEMO_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "facts.h"

#define PAGE 4096ULL

struct mapping {
	volatile uint32_t *at;
	uint64_t size;
};

/* Through /dev/mem, opened with @flags besides O_RDWR; false with errno. */
bool mapping_of_devmem(struct mapping *to, int flags, uint64_t phys,
		       uint64_t size);

/* Through the BAR's resourceN_wc file, from @offset in the BAR on. */
bool mapping_of_resource_wc(struct mapping *to, const struct pci_bar *bar,
			    uint64_t offset, uint64_t size);

void mapping_undo(struct mapping *mapping);

/*
 * The common type of all page table entries of a mapping of @phys, read by the
 * driver: enum pat_test_type.
 */
int mapping_type(const struct mapping *mapping, uint64_t phys);

#endif
