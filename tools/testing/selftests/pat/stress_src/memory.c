// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the page allocator busy, so that the frames of freed page tables and
 * records are used again at once. A MiB or two at a time: nothing is to run out.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "frames.h"
#include "worker.h"

static void operation(struct worker *w)
{
	size_t size = random_from(&w->random, 1, 512) * PAGE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return;
	for (size_t i = 0; i < size; i += PAGE)
		at[i] = 1;
	if (random_one_in(&w->random, 2))
		madvise(at, size, MADV_DONTNEED);
	if (munmap(at, size))
		worker_failed(w, "munmap: %s", strerror(errno));
}

void memory_run(struct worker *w)
{
	worker_repeat(w, operation);
}
