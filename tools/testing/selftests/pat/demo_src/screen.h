/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the demo puts on the screen: 80 columns, colours only on a terminal.
 */
#ifndef PAT_DEMO_SCREEN_H
#define PAT_DEMO_SCREEN_H

#include <stdbool.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

void screen_open(void);

void screen_title(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A step begins. Its checks are counted from here on. */
void screen_step(unsigned int number, const char *title);

/* A line of explanation, dimmed. */
void screen_explain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A line of what was found, indented. */
void screen_show(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* "name    value" with the values of all lines under one another. */
void screen_fact(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The column heads of a table, underlined. */
void screen_columns(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* One check mark or cross; returns @ok. */
bool screen_check(bool ok, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A cross with the text of errno. */
bool screen_failed(const char *what);

/* True if the step made a check and none of its checks failed. */
bool screen_step_passed(void);

void screen_result(unsigned int good, unsigned int all);

/* Colours of the memory types, the same everywhere; empty without colours. */
const char *screen_type_colour(const char *type);
const char *screen_plain(void);

#endif
