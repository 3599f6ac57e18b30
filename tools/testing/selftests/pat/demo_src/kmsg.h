/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's log: what it says about memory types while the demo provokes it.
 */
#ifndef PAT_DEMO_KMSG_H
#define PAT_DEMO_KMSG_H

#include <stdbool.h>

/* From here on, messages that match the extended regular expression are wanted. */
bool kmsg_expect(const char *ere);
void kmsg_done(void);

/* The next message that contains @word since kmsg_expect(); NULL if none. */
const char *kmsg_next(const char *word);

#endif
