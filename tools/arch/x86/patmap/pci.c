// SPDX-License-Identifier: GPL-2.0-only
/* Names of PCI devices: from libpci's list where it was there at build time. */
#include <stdlib.h>

#include "patmap.h"

#ifdef HAVE_LIBPCI
#include <pci/pci.h>

static void quiet(char *format, ...)
{
	(void)format;
}

/* libpci is not to come back from this one; it is out of memory. */
static void __attribute__((noreturn)) give_up(char *format, ...)
{
	fprintf(stderr, "patmap: libpci failed: %s\n", format);
	exit(2);
}

void pci_name_devices(struct machine *m)
{
	struct pci_access *access;
	char buffer[256];
	size_t i;

	if (!m->nr_devices)
		return;
	access = pci_alloc();
	if (!access)
		return;
	/* Names need no pci_init(), which would look for the bus, but these. */
	access->error = give_up;
	access->warning = quiet;
	access->debug = quiet;
	for (i = 0; i < m->nr_devices; i++) {
		struct pci_device *device = &m->devices[i];
		char *name = pci_lookup_name(access, buffer, sizeof(buffer),
					     PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE |
					     PCI_LOOKUP_NO_NUMBERS,
					     (int)device->vendor, (int)device->device);

		if (name)
			device->name = xprintf("%s", name);
	}
	pci_cleanup(access);
}
#else
void pci_name_devices(struct machine *m)
{
	(void)m;
}
#endif

/* Of the base class; the whole list is libpci's. */
const char *pci_class_name(unsigned int class)
{
	static const char * const names[] = {
		"device", "storage", "network", "display", "multimedia",
		"memory", "bridge", "communication", "system", "input",
		"docking station", "processor", "serial bus", "wireless",
		"intelligent controller", "satellite", "encryption",
		"signal processing", "accelerator", "instrumentation",
	};
	unsigned int base = class >> 16;

	return base < sizeof(names) / sizeof(names[0]) ? names[base] : "device";
}
