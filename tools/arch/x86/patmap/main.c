// SPDX-License-Identifier: GPL-2.0-only
/* Options and exit status. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patmap.h"

enum { EXIT_FINE, EXIT_COMPLAINTS, EXIT_TROUBLE };

static const char help[] =
"Usage: patmap [OPTION]...\n"
"Show which memory type (write-back, write-combining, uncached...) has which\n"
"physical address, who holds it, what the kernel log complains about, and what\n"
"to do about it.\n"
"\n"
"  -a, --all             also what has no record, and lists in full\n"
"  -j, --json            one JSON object instead of text\n"
"  -w, --watch[=SECONDS] draw again every SECONDS (2), until Ctrl-C\n"
"  -l, --log FILE        a saved kernel log (\"-\": standard input), such as\n"
"                        journalctl -k -b -1 prints, instead of the running one\n"
"  -r, --root DIR        a recorded machine below DIR instead of this one\n"
"      --record DIR      copy what patmap reads to DIR, a new directory\n"
"  -n, --numeric         no names of PCI devices\n"
"      --width N         columns (20 to 1000) instead of the terminal's\n"
"      --color, --no-color  colours; as it is: on a terminal, without NO_COLOR\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"\n"
"Run it as root: others see no records and no addresses.\n"
"Exit status: 0 nothing wrong, 1 complaints in the log or a record that must not\n"
"be, 2 wrong usage or nothing readable. See patmap(8).\n";

enum { OPTION_RECORD = 256, OPTION_WIDTH, OPTION_COLOR, OPTION_NO_COLOR };

static const struct option long_options[] = {
	{ "all",	no_argument,		NULL, 'a' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "watch",	optional_argument,	NULL, 'w' },
	{ "log",	required_argument,	NULL, 'l' },
	{ "root",	required_argument,	NULL, 'r' },
	{ "record",	required_argument,	NULL, OPTION_RECORD },
	{ "numeric",	no_argument,		NULL, 'n' },
	{ "width",	required_argument,	NULL, OPTION_WIDTH },
	{ "color",	no_argument,		NULL, OPTION_COLOR },
	{ "no-color",	no_argument,		NULL, OPTION_NO_COLOR },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static void __attribute__((noreturn, format(printf, 1, 2)))
usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("patmap: ", stderr);
	vfprintf(stderr, format, args);
	fputs("; see patmap --help\n", stderr);
	va_end(args);
	exit(EXIT_TROUBLE);
}

static double number(const char *option, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		usage("--%s=%s is not a number from %g to %g", option, text, least, most);
	return value;
}

static void parse_options(int argc, char **argv, struct options *options)
{
	const char *no_color = getenv("NO_COLOR");
	int option;

	*options = (struct options){ .root = "/" };
	options->color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":ajw::l:r:nhV", long_options, NULL)) != -1) {
		switch (option) {
		case 'a':
			options->all = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'w':
			options->watch = optarg ? number("watch", optarg, 0.1, 86400) : 2;
			break;
		case 'l':
			options->log = optarg;
			break;
		case 'r':
			options->root = optarg;
			break;
		case 'n':
			options->numeric = true;
			break;
		case OPTION_RECORD:
			options->record = optarg;
			break;
		case OPTION_WIDTH:
			options->width = number("width", optarg, 20, 1000);
			break;
		case OPTION_COLOR:
			options->color = true;
			break;
		case OPTION_NO_COLOR:
			options->color = false;
			break;
		case 'h':
			fputs(help, stdout);
			exit(EXIT_FINE);
		case 'V':
			puts("patmap " PATMAP_VERSION);
			exit(EXIT_FINE);
		case ':':
			usage("%s needs an argument", argv[optind - 1]);
		default:
			usage("there is no option %s", argv[optind - 1]);
		}
	}
	if (optind < argc)
		usage("'%s' is not an option", argv[optind]);
	if (options->watch && (options->json || options->record))
		usage("--watch draws: it does not go with --json or --record");
	if (options->watch && options->log && !strcmp(options->log, "-"))
		usage("--watch cannot read standard input again");
}

static bool alarming(const struct machine *m)
{
	size_t i;

	for (i = 0; i < m->nr_notes; i++)
		if (m->notes[i].alarm)
			return true;
	return m->nr_complaints != 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct machine machine;
	struct stat st;
	int status = EXIT_FINE;

	parse_options(argc, argv, &options);
	if (stat(options.root, &st) || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "patmap: %s is no directory with a recorded machine\n", options.root);
		return EXIT_TROUBLE;
	}
	if (options.record)
		return record_machine(is_live(options.root) ? "" : options.root, options.record);
	if (options.watch)
		return watch(&options);

	machine_load(&machine, &options);
	if (options.log && machine.inputs[INPUT_LOG].state != STATE_READ) {
		fprintf(stderr, "patmap: cannot read the log %s: %s\n", options.log,
			strerror(machine.inputs[INPUT_LOG].error));
		status = EXIT_TROUBLE;
	} else if (!machine_readable(&machine)) {
		fprintf(stderr, "patmap: nothing below %s can be read\n", options.root);
		status = EXIT_TROUBLE;
	} else {
		if (options.json)
			json_write(&machine, stdout);
		else
			text_write(&machine, &options, stdout);
		if (alarming(&machine))
			status = EXIT_COMPLAINTS;
	}
	machine_free(&machine);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "patmap: cannot write: %s\n", strerror(errno));
		status = EXIT_TROUBLE;
	}
	return status;
}
