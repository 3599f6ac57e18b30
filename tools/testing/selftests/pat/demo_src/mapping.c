// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "driver.h"
#include "mapping.h"

static bool map_file(struct mapping *to, const char *path, int flags,
		     uint64_t offset, uint64_t size)
{
	int fd = open(path, O_RDWR | flags);
	int error;
	void *at;

	if (fd < 0)
		return false;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	error = errno;
	close(fd);
	errno = error;
	to->at = at;
	to->size = size;
	return at != MAP_FAILED;
}

bool mapping_of_devmem(struct mapping *to, int flags, uint64_t phys,
		       uint64_t size)
{
	return map_file(to, "/dev/mem", flags, phys, size);
}

bool mapping_of_resource_wc(struct mapping *to, const struct pci_bar *bar,
			    uint64_t offset, uint64_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u_wc",
		 bar->function, bar->number);
	return map_file(to, path, 0, offset, size);
}

void mapping_undo(struct mapping *mapping)
{
	munmap((void *)mapping->at, mapping->size);
}

int mapping_type(const struct mapping *mapping, uint64_t phys)
{
	int type = PAT_TEST_NOT_MAPPED;

	for (uint64_t byte = 0; byte < mapping->size; byte += PAGE) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)mapping->at + byte,
		};

		if (!driver_call(PAT_TEST_READ_PTE, &pte) ||
		    pte.got == PAT_TEST_NOT_MAPPED)
			return PAT_TEST_NOT_MAPPED;
		if (pte.pfn != (phys + byte) / PAGE)
			return PAT_TEST_WRONG_FRAME;
		if (byte && pte.got != type)
			return PAT_TEST_MIXED;
		type = pte.got;
	}
	return type;
}
