/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PAT_MODEL_REPORT_H
#define _PAT_MODEL_REPORT_H

/* How a failure, one of ours or of the sanitizers, is told. */

/* How to see the failure that may come next once more. */
extern char report_again[256];

void report_init(void);

/* From now on, 20 seconds until it counts as a hang. */
void report_watchdog(void);

#endif /* _PAT_MODEL_REPORT_H */
