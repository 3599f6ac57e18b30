// SPDX-License-Identifier: GPL-2.0-only
/* What a graphics driver of its time did with an AGP bridge. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../pat_agp_ioctl.h"
#include "client.h"

#define PAGES 1024

int client_agp(char **argument)
{
	static uint64_t pfns[PAGES];
	struct pat_agp_alloc alloc = { .pfns = (uintptr_t)pfns, .nr = PAGES };
	struct pat_agp_bind bind = { .start = 0 };
	int bridge;

	if (argument[0])
		return client_wrong("agp takes no argument");
	client_prepare();
	bridge = open("/dev/pat_agp", O_RDWR | O_CLOEXEC);
	if (bridge < 0)
		return client_failed("/dev/pat_agp");
	if (ioctl(bridge, PAT_AGP_ALLOC, &alloc))
		return client_failed("agp_allocate_memory");
	bind.handle = alloc.handle;
	if (ioctl(bridge, PAT_AGP_BIND, &bind))
		return client_failed("agp_bind_memory");
	for (unsigned int i = 0; i < PAGES; i++) {
		struct pat_agp_entry entry = { .nr = i };

		if (ioctl(bridge, PAT_AGP_ENTRY, &entry))
			return client_failed("the translation table");
		if (entry.pfn != pfns[i])
			return client_wrong("entry %u leads elsewhere", i);
	}
	client_rest();
	if (ioctl(bridge, PAT_AGP_FREE, alloc.handle))
		return client_failed("agp_free_memory");
	close(bridge);
	return 0;
}
