/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _X86_MM_PAT_TEST_H
#define _X86_MM_PAT_TEST_H

/*
 * What the tests of all rooms share.
 *
 * They run in a live kernel.  So they play with a window of page frames at the
 * top of the physical address space, where nothing is, and with pages that they
 * allocate; and after each test the window has to be empty and the validator
 * content.
 */

#include <kunit/test.h>
#include <linux/mm_types.h>

#include "../pat_internal.h"

/* The window: eight units, each as long as a memory section of x86-64. */
#define PAT_TEST_UNIT	0x8000UL
#define PAT_TEST_UNITS	8
#define PAT_TEST_FRAMES	(PAT_TEST_UNITS * PAT_TEST_UNIT)

#define WB	_PAGE_CACHE_MODE_WB
#define WC	_PAGE_CACHE_MODE_WC
#define UCM	_PAGE_CACHE_MODE_UC_MINUS
#define UC	_PAGE_CACHE_MODE_UC
#define WT	_PAGE_CACHE_MODE_WT
#define WP	_PAGE_CACHE_MODE_WP

/* Frame @i of the window, and its first byte. */
unsigned long pat_test_pfn(unsigned long i);
u64 pat_test_byte(unsigned long i);

int pat_test_init(struct kunit *test);
void pat_test_valid(struct kunit *test, const char *when);
void pat_test_expect_log(struct kunit *test, const char *regex);

struct mm_struct *pat_test_mm(struct kunit *test);
struct page *pat_test_pages(struct kunit *test, unsigned int order);
struct task_struct *pat_test_start(struct kunit *test, int (*fn)(void *),
				   void *arg);
void pat_test_stop(struct kunit *test, struct task_struct *task);

#endif /* _X86_MM_PAT_TEST_H */
