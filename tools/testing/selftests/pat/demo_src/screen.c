// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"

#define COLUMNS 80

static bool coloured;
static unsigned int checks_good;
static unsigned int checks_bad;

static const char *colour(const char *sequence)
{
	return coloured ? sequence : "";
}

#define BOLD	colour("\033[1m")
#define DIM	colour("\033[2m")
#define RED	colour("\033[31m")
#define GREEN	colour("\033[32m")
#define PLAIN	colour("\033[0m")

static void rule(const char *dash)
{
	for (int i = 0; i < COLUMNS; i++)
		fputs(dash, stdout);
	putchar('\n');
}

void screen_open(void)
{
	coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void screen_title(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	putchar('\n');
	fputs(BOLD, stdout);
	vprintf(fmt, args);
	printf("%s\n", PLAIN);
	rule("═");
	va_end(args);
}

void screen_step(unsigned int number, const char *title)
{
	checks_good = 0;
	checks_bad = 0;
	printf("\n%s%u. %s%s\n", BOLD, number, title, PLAIN);
	rule("─");
}

#define PRINT_LINE(before, after)			\
	do {						\
		va_list args;				\
							\
		va_start(args, fmt);			\
		fputs(before, stdout);			\
		vprintf(fmt, args);			\
		printf("%s\n", after);			\
		va_end(args);				\
	} while (0)

void screen_explain(const char *fmt, ...)
{
	fputs(DIM, stdout);
	PRINT_LINE("  ", PLAIN);
}

void screen_show(const char *fmt, ...)
{
	PRINT_LINE("    ", "");
}

void screen_fact(const char *name, const char *fmt, ...)
{
	printf("    %-19s", name);
	PRINT_LINE("", "");
}

void screen_columns(const char *fmt, ...)
{
	fputs(coloured ? "\033[4m" : "", stdout);
	PRINT_LINE("    ", PLAIN);
}

bool screen_check(bool ok, const char *fmt, ...)
{
	if (ok)
		checks_good++;
	else
		checks_bad++;

	printf("  %s%s%s ", ok ? GREEN : RED, ok ? "✓" : "✗", PLAIN);
	PRINT_LINE("", "");
	return ok;
}

bool screen_failed(const char *what)
{
	return screen_check(false, "%s: %s", what, strerror(errno));
}

bool screen_step_passed(void)
{
	return checks_good > 0 && checks_bad == 0;
}

void screen_result(unsigned int good, unsigned int all)
{
	putchar('\n');
	rule("═");
	printf("%s%sPAT demo: %u of %u steps did what they should%s\n",
	       BOLD, good == all ? GREEN : RED, good, all, PLAIN);
}

const char *screen_type_colour(const char *type)
{
	static const struct {
		const char *type;
		const char *sequence;
	} colours[] = {
		{ "write-back",		"\033[32m" },
		{ "write-combining",	"\033[36m" },
		{ "write-through",	"\033[35m" },
		{ "uncached-minus",	"\033[33m" },
		{ "uncached",		"\033[31m" },
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (!strcmp(type, colours[i].type))
			return colour(colours[i].sequence);
	return "";
}

const char *screen_plain(void)
{
	return PLAIN;
}
