// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

static int reader = -1;

static bool say(const char *what, const char *argument)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "pat-selftest: %s%s\n", what,
			      argument);
	int fd = open("/dev/kmsg", O_WRONLY);
	bool said = fd >= 0 && write(fd, line, length) == length;

	if (fd >= 0)
		close(fd);
	return said;
}

bool kmsg_expect(const char *ere)
{
	reader = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	return reader >= 0 && lseek(reader, 0, SEEK_END) >= 0 &&
	       say("expect: ", ere);
}

void kmsg_done(void)
{
	say("done", "");
	close(reader);
}

const char *kmsg_next(const char *word)
{
	static char record[2048];
	ssize_t got;

	while ((got = read(reader, record, sizeof(record) - 1)) > 0) {
		char *text;

		record[got] = '\0';
		text = strchr(record, ';');
		if (!text || strstr(text, "pat-selftest:"))
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (strstr(text, word))
			return text;
	}
	return NULL;
}
