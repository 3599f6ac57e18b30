/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients of memory types for which no program is at hand elsewhere, and the
 * reader of what is mapped how while clients run.
 */
#ifndef PAT_CLIENT_H
#define PAT_CLIENT_H

#include <stdint.h>

/*
 * Each is a command. What it says of a failure goes to stderr; the exit status
 * is its value. @argument is the rest of the command line, NULL-terminated.
 */
int client_state(char **argument);
int client_agp(char **argument);
int client_dax(char **argument);
int client_drm(char **argument);
int client_fb(char **argument);
int client_uio(char **argument);

/* Says that all is mapped, and waits for SIGTERM. Call client_prepare() first. */
void client_prepare(void);
void client_rest(void);

/* Four bars that fill a screen of 32 bits a dot, in colours that are looked for. */
void client_draw_bars(uint32_t *at, uint32_t width, uint32_t height,
		      uint32_t pitch);

/* One line to stderr, the first with the text of errno; both return 1. */
int client_failed(const char *what);
int client_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
