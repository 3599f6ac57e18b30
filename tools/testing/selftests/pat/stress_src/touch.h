/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory accesses that may fail: others take mappings away.
 */
#ifndef PAT_STRESS_TOUCH_H
#define PAT_STRESS_TOUCH_H

/* To be called once a process, before the others. */
void touch_prepare(void);

void touch_read(const char *addr);
void touch_write(char *addr);

#endif
