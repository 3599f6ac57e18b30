/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames the workers fight over, and the files through which they get them:
 * pages of a PCI BAR that no driver uses.
 *
 *	pages	0 ... 63	hot: everybody maps them, in any way
 *		64 * (16 + n)	own: 64 of worker n alone, so that it knows
 *				exactly how often each of them is mapped
 */
#ifndef PAT_STRESS_FRAMES_H
#define PAT_STRESS_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "../pat_test_ioctl.h"
#include "random.h"

#define PAGE		4096ULL
#define HOT_PAGES	64
#define OWN_PAGES	64

enum source {
	SOURCE_DEVMEM_SYNC,
	SOURCE_DEVMEM,
	SOURCE_RESOURCE,
	SOURCE_RESOURCE_WC,
	SOURCE_DRIVER,		/* an mmap program of the test driver */
	NR_SOURCES,
};

/* Finds the BAR: once, since it takes long, and the children know it, too. False with errno. */
bool frames_find(void);

/* Opens the files, once a process. False with errno. */
bool frames_open(void);

/* File descriptor of a source, and where in it page @page of the BAR is. */
int frames_file(enum source source);
uint64_t frames_offset(enum source source, unsigned int page);

uint64_t frames_phys(unsigned int page);

/* First of the pages of worker @number. */
unsigned int frames_own(unsigned int number);

/* May an mmap() of frames fail so? There is a conflict, or no memory. */
bool frames_may_fail(int error);

/*
 * Maps @nr pages from page @page on; for the driver, in up to four chunks, each
 * with a random type. MAP_FAILED with errno.
 */
char *frames_map(struct random *random, enum source source, unsigned int page,
		 unsigned int nr);

/* One call of the test driver. Its own errors say that this program is wrong. */
bool driver_do(unsigned long request, void *argument);
bool driver_drop(unsigned long request, unsigned int handle);

#endif
