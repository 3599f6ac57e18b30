// SPDX-License-Identifier: GPL-2.0-only
/* Inputs, whole, from a root directory or the running machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patmap.h"

/* More than any real input has; what is beyond is not read. */
#define MAX_TEXT (256u << 20)

const char * const input_paths[NR_INPUTS] = {
	[INPUT_LIST]	= "/sys/kernel/debug/x86/pat_memtype_list",
	[INPUT_RECORDS]	= "/sys/kernel/debug/x86/pat_records",
	[INPUT_RAM]	= "/sys/kernel/debug/x86/pat_ram",
	[INPUT_LOG]	= "/var/log/kmsg",
	[INPUT_IOMEM]	= "/proc/iomem",
	[INPUT_PCI]	= "/sys/bus/pci/devices",
	[INPUT_MTRR]	= "/proc/mtrr",
	[INPUT_CMDLINE]	= "/proc/cmdline",
	[INPUT_CPUINFO]	= "/proc/cpuinfo",
	[INPUT_MEMINFO]	= "/proc/meminfo",
	[INPUT_RELEASE]	= "/proc/sys/kernel/osrelease",
};

const char * const input_state_names[] = {
	[STATE_READ]	= "read",
	[STATE_MISSING]	= "missing",
	[STATE_DENIED]	= "denied",
	[STATE_HIDDEN]	= "hidden",
	[STATE_FAILED]	= "failed",
};

void *xrealloc(void *old, size_t size)
{
	void *new = realloc(old, size ? size : 1);

	if (!new) {
		fputs("patmap: out of memory\n", stderr);
		exit(2);
	}
	return new;
}

/* Make room for one more after @nr. */
void *grow(void *array, size_t nr, size_t *cap, size_t size)
{
	if (nr < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 16;
	return xrealloc(array, *cap * size);
}

char *xprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xrealloc(NULL, 0), *text = '\0';
	va_end(args);
	return text;
}

bool is_live(const char *root)
{
	return !strcmp(root, "/") || !*root;
}

/* Names of processes may hold anything, also what moves a cursor. */
static void make_harmless(char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = text[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c >= 0x7f)
			text[i] = '?';
	}
}

static int read_fd(int fd, char **text, size_t *size)
{
	size_t cap = 65536, nr = 0;
	char *buffer = xrealloc(NULL, cap + 1);
	ssize_t got;

	while (nr < MAX_TEXT) {
		if (nr == cap) {
			cap *= 2;
			buffer = xrealloc(buffer, cap + 1);
		}
		got = read(fd, buffer + nr, cap - nr);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int error = errno;

			free(buffer);
			return error;
		}
		if (!got)
			break;
		nr += got;
	}
	make_harmless(buffer, nr);
	buffer[nr] = '\0';
	*text = buffer;
	*size = nr;
	return 0;
}

/* Return: 0 or an error number. */
int read_text(const char *path, char **text, size_t *size)
{
	/* A pipe or a device in a recorded machine must not stop us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int error;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	else
		error = read_fd(fd, text, size);
	close(fd);
	return error;
}

/* What a user names may be a pipe, too. */
static int read_any(const char *path, char **text, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return errno;
	error = read_fd(fd, text, size);
	close(fd);
	return error;
}

/* Is this line of the log one of those that parse_log() looks at? */
bool log_line_matters(const char *line)
{
	return strstr(line, "x86/PAT") || strstr(line, "ioremap");
}

/* The lines that matter of the running kernel's log: a record a read. */
int read_kmsg(char **text, size_t *size)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char record[8192 + 1], *end;
	int error = 0;
	ssize_t got;
	FILE *out;

	if (fd < 0)
		return errno;
	out = open_memstream(text, size);
	if (!out) {
		close(fd);
		return ENOMEM;
	}
	for (;;) {
		got = read(fd, record, sizeof(record) - 1);
		/* EPIPE: older records were overwritten meanwhile. */
		if (got < 0 && (errno == EINTR || errno == EPIPE || errno == EINVAL))
			continue;
		if (got < 0 && errno != EAGAIN)
			error = errno;
		if (got <= 0)
			break;
		record[got] = '\0';
		/* What follows the first line is about devices. */
		end = strchr(record, '\n');
		if (end)
			*end = '\0';
		if (log_line_matters(record))
			fprintf(out, "%s\n", record);
	}
	close(fd);
	if (fclose(out) && !error)
		error = ENOMEM;
	if (error)
		free(*text);
	else
		make_harmless(*text, *size);
	return error;
}

static void set_state(struct input_info *info, int error)
{
	info->error = error;
	if (!error)
		info->state = STATE_READ;
	else if (error == ENOENT || error == ENOTDIR)
		info->state = STATE_MISSING;
	else if (error == EACCES || error == EPERM)
		info->state = STATE_DENIED;
	else
		info->state = STATE_FAILED;
	if (error) {
		info->text = NULL;
		info->size = 0;
	}
}

/* Read @input of the machine below its root. */
void read_input(struct machine *m, enum input input)
{
	struct input_info *info = &m->inputs[input];
	char *path = xprintf("%s%s", m->root, input_paths[input]);

	set_state(info, read_text(path, &info->text, &info->size));
	free(path);
}

/* The kernel log: of the running kernel, a recorded one, or @file ("-": standard input). */
void read_log(struct machine *m, const char *file)
{
	struct input_info *info = &m->inputs[INPUT_LOG];

	if (file && !strcmp(file, "-"))
		set_state(info, read_fd(STDIN_FILENO, &info->text, &info->size));
	else if (file)
		set_state(info, read_any(file, &info->text, &info->size));
	else if (is_live(m->root))
		set_state(info, read_kmsg(&info->text, &info->size));
	else
		read_input(m, INPUT_LOG);
}

/* The next line, without its end; NULL after the last. */
char *next_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end) {
		*end = '\0';
		*text = end + 1;
	} else {
		*text = NULL;
	}
	return line;
}

/* What to do about an input that could not be read. */
const char *input_hint(const struct machine *m, enum input input)
{
	enum input_state state = m->inputs[input].state;

	if (state == STATE_READ)
		return NULL;
	if (!is_live(m->root) && state == STATE_HIDDEN)
		return "it was recorded by somebody else than root";
	if (!is_live(m->root))
		return "it is not in this recording";
	switch (input) {
	case INPUT_LIST:
	case INPUT_RECORDS:
	case INPUT_RAM:
		if (state == STATE_DENIED)
			return "run patmap as root (sudo patmap)";
		return access("/sys/kernel/debug/x86", F_OK) ?
			"mount debugfs: mount -t debugfs debugfs /sys/kernel/debug" :
			"this kernel was built without it, or PAT is off";
	case INPUT_LOG:
		return "run patmap as root, allow all to read the log (sysctl kernel.dmesg_restrict=0), or give a saved log: --log FILE";
	case INPUT_IOMEM:
		return "run patmap as root (sudo patmap): others see no addresses";
	case INPUT_MTRR:
		if (state == STATE_DENIED)
			return "run patmap as root (sudo patmap)";
		return "this kernel was built without CONFIG_MTRR, or the CPU has none";
	case INPUT_PCI:
		return "this machine has no PCI, or sysfs is not mounted";
	default:
		return "is /proc mounted?";
	}
}
