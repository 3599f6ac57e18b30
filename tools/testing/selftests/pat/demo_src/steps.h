/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of the demo. Each shows something, and checks on the way that it
 * is what it should be; they run in this order.
 */
#ifndef PAT_DEMO_STEPS_H
#define PAT_DEMO_STEPS_H

void step_slots(void);
void step_framebuffer(void);
void step_process(void);
void step_conflict(void);
void step_ram(void);
void step_map(void);

#endif
