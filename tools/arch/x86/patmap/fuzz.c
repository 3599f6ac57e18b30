// SPDX-License-Identifier: GPL-2.0-only
/*
 * All inputs at once, made up by libFuzzer: parts that a NUL byte divides.
 * What is read must be drawn without a fault, in every form.
 */
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of the next part; the machine frees it. */
static char *part(struct machine *m, const uint8_t **data, size_t *size)
{
	size_t length = strnlen((const char *)*data, *size);
	char *text = xrealloc(NULL, length + 1);

	memcpy(text, *data, length);
	text[length] = '\0';
	*data += length;
	*size -= length;
	if (*size) {
		++*data;
		--*size;
	}
	m->texts = grow(m->texts, m->nr_texts, &m->cap_texts, sizeof(*m->texts));
	m->texts[m->nr_texts++] = text;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options = { .root = "/none" };
	struct machine m = { .root = "/none" };
	char *text;
	size_t length;
	FILE *out;

	parse_records(&m, part(&m, &data, &size));
	parse_log(&m, part(&m, &data, &size));
	parse_iomem(&m, part(&m, &data, &size));
	parse_ram(&m, part(&m, &data, &size));
	parse_mtrrs(&m, part(&m, &data, &size));
	m.devices = grow(m.devices, 0, &m.cap_devices, sizeof(*m.devices));
	memset(m.devices, 0, sizeof(*m.devices));
	m.nr_devices = 1;
	parse_bars(&m.devices[0], part(&m, &data, &size));
	parse_uevent(&m.devices[0], part(&m, &data, &size));
	map_build(&m);
	advise_notes(&m);

	options.all = size && *data & 1;
	options.color = size && *data & 2;
	options.width = 20 + (size ? *data >> 2 : 60);
	out = open_memstream(&text, &length);
	if (!out)
		abort();
	text_write(&m, &options, out);
	json_write(&m, out);
	fclose(out);
	free(text);
	machine_free(&m);
	return 0;
}
