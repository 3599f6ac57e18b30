// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "../pat_list.h"
#include "framebuffer.h"

#define BARS 64
#define MAPPINGS 256
#define PCI_CLASS_DISPLAY 0x03

static bool mapped_wc(const struct pci_bar *bar, const struct pat_list *list,
		      struct io_mapping *mapping)
{
	static struct io_mapping mappings[MAPPINGS];
	int nr = facts_io_mappings(mappings, MAPPINGS);

	for (int i = 0; i < nr; i++) {
		if (mappings[i].phys != bar->start ||
		    mappings[i].phys + mappings[i].size > bar->end)
			continue;
		if (!pat_list_count(list, mappings[i].phys, PAT_TEST_WC))
			continue;
		*mapping = mappings[i];
		return true;
	}
	return false;
}

static bool is_framebuffer(const struct pci_bar *bar)
{
	/* resourceN_wc exists for the prefetchable ones only. */
	return bar->class_code >> 16 == PCI_CLASS_DISPLAY &&
	       bar->prefetchable && bar->driver[0];
}

bool framebuffer_find(struct framebuffer *to)
{
	static struct pci_bar bars[BARS];
	int nr = facts_pci_bars(bars, BARS);
	struct pat_list list;
	bool found = false;

	if (nr < 0 || !pat_list_read(&list))
		return false;
	for (int i = 0; i < nr && !found; i++) {
		if (!is_framebuffer(&bars[i]))
			continue;
		to->bar = bars[i];
		found = mapped_wc(&bars[i], &list, &to->mapping);
	}
	pat_list_free(&list);
	return found;
}
