// SPDX-License-Identifier: GPL-2.0-only
/* Drawing again and again, on a screen of its own that goes away at the end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "patmap.h"

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* Only there to end the sleep: the size is asked for each time. */
static void resized(int signal)
{
	(void)signal;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	action.sa_handler = resized;
	sigaction(SIGWINCH, &action, NULL);
	/* A reader that has gone is the end, with the terminal as it was. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static void pause_for(double seconds)
{
	struct timespec time = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	if (!ended)
		nanosleep(&time, NULL);
}

/* A serial line does not know its height: then $LINES, or what is common. */
static unsigned int terminal_rows(void)
{
	const char *lines = getenv("LINES");
	struct winsize size;
	long rows = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		rows = size.ws_row;
	if (rows <= 0 && lines)
		rows = strtol(lines, NULL, 10);
	return rows > 0 && rows < 10000 ? rows : 24;
}

static bool draw(struct options *options, bool terminal)
{
	struct machine machine;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return false;
	options->rows = terminal ? terminal_rows() : 0;
	machine_load(&machine, options);
	text_write(&machine, options, out);
	machine_free(&machine);
	fclose(out);
	/* At once, or it would flicker: home, the lines, and nothing below them. */
	if (terminal) {
		char *p, *line;

		fputs("\033[H", stdout);
		for (p = text; (line = next_line(&p)); )
			printf("%s%s\033[K", line == text ? "" : "\r\n", line);
		fputs("\033[J", stdout);
	} else {
		printf("%s\n", text);
	}
	free(text);
	return fflush(stdout) != EOF;
}

/* Until somebody ends it.  Return: exit status. */
int watch(struct options *options)
{
	bool terminal = isatty(STDOUT_FILENO);
	bool fine = true;

	catch_signals();
	if (terminal)
		fputs("\033[?1049h\033[?25l", stdout);
	while (!ended && fine) {
		fine = draw(options, terminal);
		if (fine)
			pause_for(options->watch);
	}
	if (terminal) {
		fputs("\033[?25h\033[?1049l", stdout);
		fflush(stdout);
	}
	return 0;
}
