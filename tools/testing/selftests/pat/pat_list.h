/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the kernel's pat_memtype_list, and asks which records cover a frame.
 *
 * Neighbouring records of one holder and type may be one line of the list or
 * several, so what is compared is never lines but frames: how many records of
 * which type cover each of them.
 */
#ifndef PAT_LIST_H
#define PAT_LIST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pat_test_ioctl.h"

#define PAT_LIST_FILE "/sys/kernel/debug/x86/pat_memtype_list"

/* One line: frames [start, end) in bytes, and what follows the type, if anything. */
struct pat_record {
	uint64_t start;
	uint64_t end;
	int type;		/* enum pat_test_type */
	char holder[96];
};

struct pat_list {
	size_t nr;
	struct pat_record *records;
};

static const char *const pat_type_words[] = {
	[PAT_TEST_WB]		= "write-back",
	[PAT_TEST_WC]		= "write-combining",
	[PAT_TEST_UC_MINUS]	= "uncached-minus",
	[PAT_TEST_UC]		= "uncached",
	[PAT_TEST_WT]		= "write-through",
	[PAT_TEST_WP]		= "write-protected",
};

#define PAT_NR_TYPES (sizeof(pat_type_words) / sizeof(pat_type_words[0]))

/* The words of the list for a type, or what else a look-up may have returned. */
static inline const char *pat_type_word(int type)
{
	switch (type) {
	case PAT_TEST_NOT_MAPPED:
		return "not mapped";
	case PAT_TEST_MIXED:
		return "mixed types";
	case PAT_TEST_WRONG_FRAME:
		return "wrong frame";
	case PAT_TEST_RESERVED:
		return "reserved slot";
	case PAT_TEST_NO_ADDRESS:
		return "no address";
	}
	return type >= 0 && type < (int)PAT_NR_TYPES ? pat_type_words[type] :
						       "unknown type";
}

/* The type that @text starts with, and how long its word is; false if none. */
static inline bool pat_type_parse(const char *text, int *type, size_t *length)
{
	*length = 0;
	for (size_t i = 0; i < PAT_NR_TYPES; i++) {
		size_t word = strlen(pat_type_words[i]);

		/* The longest that fits: "uncached" begins "uncached-minus". */
		if (word > *length && !strncmp(text, pat_type_words[i], word)) {
			*type = i;
			*length = word;
		}
	}
	return *length > 0;
}

/* The list's heading is no record; anything else that does not parse is an error. */
static inline bool pat_record_parse(char *line, struct pat_record *record)
{
	size_t word;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "PAT: [mem 0x%" SCNx64 "-0x%" SCNx64 "] %n",
		   &record->start, &record->end, &at) != 2 || !at)
		return false;
	if (!pat_type_parse(line + at, &record->type, &word))
		return false;
	line += at + word;
	line += strspn(line, " \t");
	snprintf(record->holder, sizeof(record->holder), "%s", line);
	return true;
}

static inline void pat_list_free(struct pat_list *list)
{
	free(list->records);
	list->records = NULL;
	list->nr = 0;
}

/* False if the list cannot be read or understood: PAT off, no debugfs. */
static inline bool pat_list_read(struct pat_list *list)
{
	FILE *file = fopen(PAT_LIST_FILE, "r");
	char line[512];
	bool good = true;

	list->nr = 0;
	list->records = NULL;
	if (!file)
		return false;
	while (good && fgets(line, sizeof(line), file)) {
		struct pat_record *more;

		if (strncmp(line, "PAT: ", strlen("PAT: ")))
			continue;
		more = realloc(list->records, (list->nr + 1) * sizeof(*more));
		if (more)
			list->records = more;
		good = more && pat_record_parse(line, &more[list->nr]);
		if (good)
			list->nr++;
	}
	fclose(file);
	if (!good)
		pat_list_free(list);
	return good;
}

/* How many records of @type cover the frame at physical address @phys. */
static inline unsigned int pat_list_count(const struct pat_list *list,
					  uint64_t phys, int type)
{
	unsigned int count = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct pat_record *r = &list->records[i];

		if (r->type == type && r->start <= phys && phys < r->end)
			count++;
	}
	return count;
}

/* The same, whatever their type. */
static inline unsigned int pat_list_count_all(const struct pat_list *list,
					      uint64_t phys)
{
	unsigned int count = 0;

	for (size_t type = 0; type < PAT_NR_TYPES; type++)
		count += pat_list_count(list, phys, type);
	return count;
}

/*
 * Does @a have at least the records of @b, frame by frame and type by type?
 * That can only change where a record of either begins or ends. If not, @where
 * is the first frame at which it lacks one.
 */
static inline bool pat_list_covers(const struct pat_list *a,
				   const struct pat_list *b, uint64_t *where)
{
	const struct pat_list *const both[] = { a, b };

	*where = UINT64_MAX;
	for (size_t l = 0; l < 2; l++) {
		for (size_t i = 0; i < 2 * both[l]->nr; i++) {
			const struct pat_record *r = &both[l]->records[i / 2];
			uint64_t at = i % 2 ? r->end : r->start;

			for (size_t type = 0; type < PAT_NR_TYPES; type++)
				if (at < *where &&
				    pat_list_count(a, at, type) <
				    pat_list_count(b, at, type))
					*where = at;
		}
	}
	return *where == UINT64_MAX;
}

/* Do both cover each frame equally? If not, @where is the first that differs. */
static inline bool pat_list_same(const struct pat_list *a,
				 const struct pat_list *b, uint64_t *where)
{
	uint64_t less, more;

	pat_list_covers(a, b, &less);
	pat_list_covers(b, a, &more);
	*where = less < more ? less : more;
	return *where == UINT64_MAX;
}

#endif
