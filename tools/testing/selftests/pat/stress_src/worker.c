// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "worker.h"

void worker_failed(struct worker *w, const char *fmt, ...)
{
	va_list args;

	if (!w->slot->failures) {
		va_start(args, fmt);
		vsnprintf(w->slot->first_failure, sizeof(w->slot->first_failure),
			  fmt, args);
		va_end(args);
	}
	w->slot->failures++;
}

void worker_repeat(struct worker *w, void (*operation)(struct worker *w))
{
	while (!w->shared->stop) {
		operation(w);
		worker_did(w);
	}
}
