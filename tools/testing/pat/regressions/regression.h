/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_REGRESSION_H
#define _PAT_MODEL_REGRESSION_H

/*
 * One file per past bug: at its head the interleaving as it was, below it the
 * same as calls.  The checks are those of the model: compare_all(), what the
 * shim checks, and that nothing is left at the end.
 */

#include "../ops.h"
#include "../reference.h"

struct regression {
	const char		*name;
	void			(*run)(void);
	struct regression	*next;
};

void regression_add(struct regression *regression);
void regressions_run(void);

#define REGRESSION(function) \
	static struct regression function##_regression = { \
		.name = #function, .run = function, \
	}; \
	static void __attribute__((constructor)) function##_add(void) \
	{ \
		regression_add(&function##_regression); \
	}

#define WB	_PAGE_CACHE_MODE_WB
#define WC	_PAGE_CACHE_MODE_WC
#define UCM	_PAGE_CACHE_MODE_UC_MINUS
#define WT	_PAGE_CACHE_MODE_WT

/* Pages [start, end) of process @slot, frames from @frame on. */
struct toy_vma *map_pages(int slot, int start, int end, unsigned long frame,
			  enum page_cache_mode type);
/* A zap of [start, end), with or without memory for a second record. */
void zap_pages(int slot, int start, int end);
void zap_without_memory(int slot, int start, int end);
/* Until the worker has no more to do. */
void run_worker(void);

#endif /* _PAT_MODEL_REGRESSION_H */
