// SPDX-License-Identifier: GPL-2.0-only
/*
 * client COMMAND [ARGUMENT...]: see usage() below. The commands that map
 * something print "ready" once they have, and undo it all at SIGTERM.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

static const struct {
	const char *name;
	int (*run)(char **argument);
	const char *text;
} commands[] = {
	{ "state", client_state, "print all records, and who has mapped what how" },
	{ "agp", client_agp, "allocate and bind memory through pat_agp.ko's bridge" },
	{ "dax", client_dax, "FILE: map a file that lies in persistent memory" },
	{ "drm", client_drm, "DRIVER: map a buffer of a graphics driver, and show it" },
	{ "fb", client_fb, "map /dev/fb0, and draw" },
	{ "uio", client_uio, "ADDRESS: drive QEMU's edu device, which uio_pci_generic has" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int client_wrong(const char *fmt, ...)
{
	va_list args;

	fputs("client: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

int client_failed(const char *what)
{
	return client_wrong("%s: %s", what, strerror(errno));
}

static sigset_t ends;

void client_prepare(void)
{
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
}

void client_rest(void)
{
	int signal;

	puts("ready");
	fflush(stdout);
	sigwait(&ends, &signal);
}

void client_draw_bars(uint32_t *at, uint32_t width, uint32_t height,
		      uint32_t pitch)
{
	static const uint32_t colours[] = {
		0x204080, 0xc03020, 0xf0e0a0, 0x30a050,
	};

	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			at[(uint64_t)y * (pitch / 4) + x] = colours[x * 4 / width];
}

static int usage(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "client %s: %s\n", commands[i].name,
			commands[i].text);
	return 1;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	return usage();
}
