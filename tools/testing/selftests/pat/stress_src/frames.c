// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../demo_src/facts.h"
#include "frames.h"

#define MAX_BARS	32
#define MAX_CHUNKS	4

static int files[NR_SOURCES];
static struct pci_bar bar;

bool frames_find(void)
{
	struct pci_bar bars[MAX_BARS];
	int nr = facts_pci_bars(bars, MAX_BARS);

	for (int i = 0; i < nr; i++) {
		if (bars[i].vendor == 0x1af4 && bars[i].device == 0x1110 &&
		    bars[i].number == 2) {
			bar = bars[i];
			return true;
		}
	}
	errno = ENODEV;
	return false;
}

bool frames_open(void)
{
	char path[128];

	files[SOURCE_DEVMEM_SYNC] = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	files[SOURCE_DEVMEM] = open("/dev/mem", O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", bar.function);
	files[SOURCE_RESOURCE] = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2_wc", bar.function);
	files[SOURCE_RESOURCE_WC] = open(path, O_RDWR | O_CLOEXEC);
	files[SOURCE_DRIVER] = open(PAT_TEST_DEVICE, O_RDWR | O_CLOEXEC);
	for (int source = 0; source < NR_SOURCES; source++)
		if (files[source] < 0)
			return false;
	return true;
}

int frames_file(enum source source)
{
	return files[source];
}

uint64_t frames_phys(unsigned int page)
{
	return bar.start + page * PAGE;
}

/* In the driver's file any offset will do: this one tells the page. */
uint64_t frames_offset(enum source source, unsigned int page)
{
	return source == SOURCE_DEVMEM || source == SOURCE_DEVMEM_SYNC ?
		frames_phys(page) : page * PAGE;
}

bool frames_may_fail(int error)
{
	/* /dev/mem says EAGAIN whatever the reason is. */
	return error == EINVAL || error == EAGAIN || error == ENOMEM;
}

unsigned int frames_own(unsigned int number)
{
	return (16 + number) * OWN_PAGES;
}

static bool set_program(struct random *random, unsigned int page, unsigned int nr)
{
	static const int types[] = {
		PAT_TEST_UC_MINUS, PAT_TEST_UC_MINUS, PAT_TEST_WC, PAT_TEST_UC,
		PAT_TEST_WB, PAT_TEST_WT,
	};
	struct pat_test_chunk chunks[MAX_CHUNKS];
	struct pat_test_program program = { .chunks = (uintptr_t)chunks };
	unsigned int at = 0;

	while (at < nr) {
		unsigned int size = program.nr == MAX_CHUNKS - 1 ? nr - at :
				    random_from(random, 1, nr - at);

		chunks[program.nr++] = (struct pat_test_chunk) {
			.offset = at * PAGE,
			.pfn = frames_phys(page + at) / PAGE,
			.size = size * PAGE,
			.type = types[random_below(random, 6)],
			.method = random_below(random, 2) ?
				  PAT_TEST_REMAP_PFN_RANGE :
				  PAT_TEST_IO_REMAP_PFN_RANGE,
		};
		at += size;
	}
	return driver_do(PAT_TEST_PROGRAM, &program);
}

char *frames_map(struct random *random, enum source source, unsigned int page,
		 unsigned int nr)
{
	if (source == SOURCE_DRIVER && !set_program(random, page, nr))
		return MAP_FAILED;
	return mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    files[source], frames_offset(source, page));
}

bool driver_do(unsigned long request, void *argument)
{
	return !ioctl(files[SOURCE_DRIVER], request, argument);
}

bool driver_drop(unsigned long request, unsigned int handle)
{
	return !ioctl(files[SOURCE_DRIVER], request, (unsigned long)handle);
}
