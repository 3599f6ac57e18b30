/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The framebuffer that the demo looks at: a BAR of a PCI display device that
 * its driver has mapped write-combining.
 */
#ifndef PAT_DEMO_FRAMEBUFFER_H
#define PAT_DEMO_FRAMEBUFFER_H

#include <stdbool.h>

#include "facts.h"

struct framebuffer {
	struct pci_bar bar;
	struct io_mapping mapping;	/* the driver's, in the kernel */
};

/* False if no display device has one. */
bool framebuffer_find(struct framebuffer *to);

#endif
