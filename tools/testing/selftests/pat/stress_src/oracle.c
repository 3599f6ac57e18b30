// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../pat_list.h"
#include "frames.h"
#include "oracle.h"

#define VALIDATE_FILE "/sys/kernel/debug/x86/pat_validate"

/* How long what is held too much may take to go, in steps of 10 ms. */
#define PATIENCE 3000

bool oracle_valid(char *said, int room, unsigned long *records)
{
	FILE *file = fopen(VALIDATE_FILE, "r");
	unsigned long count;
	bool valid;

	if (!file || !fgets(said, room, file)) {
		snprintf(said, room, "%s cannot be read: %s", VALIDATE_FILE,
			 strerror(errno));
		if (file)
			fclose(file);
		return false;
	}
	fclose(file);
	said[strcspn(said, "\n")] = '\0';
	valid = sscanf(said, "ok: %lu records", &count) == 1;
	if (valid && records)
		*records = count;
	return valid;
}

static bool read_list(struct worker *w, struct pat_list *list)
{
	if (pat_list_read(list))
		return true;
	worker_failed(w, "%s cannot be read: %s", PAT_LIST_FILE, strerror(errno));
	return false;
}

enum exact {
	EXACT,
	TOO_MANY,
	TOO_FEW,
};

static enum exact compare_own(struct worker *w, const unsigned char *mapped,
			      char *where, size_t room)
{
	enum exact result = EXACT;
	struct pat_list list;

	if (!read_list(w, &list))
		return EXACT;
	for (unsigned int i = 0; i < OWN_PAGES && result != TOO_FEW; i++) {
		unsigned int page = frames_own(w->number) + i;
		unsigned int have = pat_list_count_all(&list, frames_phys(page));

		if (have == mapped[i] || (have > mapped[i] && result != EXACT))
			continue;
		result = have < mapped[i] ? TOO_FEW : TOO_MANY;
		snprintf(where, room, "page %u: mapped %u times, has %u records",
			 page, mapped[i], have);
	}
	pat_list_free(&list);
	return result;
}

void oracle_exact(struct worker *w, const unsigned char *mapped)
{
	enum exact result = TOO_MANY;
	char where[100];

	for (int i = 0; i < PATIENCE && result == TOO_MANY; i++) {
		if (i)
			usleep(10000);
		result = compare_own(w, mapped, where, sizeof(where));
	}
	if (result != EXACT)
		worker_failed(w, "%s", where);
}

void oracle_none(struct worker *w)
{
	static const unsigned char none[OWN_PAGES];

	oracle_exact(w, none);
}

/* The entry at @addr; one that is there must map @page. */
static int read_entry(struct worker *w, const char *addr, unsigned int page)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)addr };

	if (!driver_do(PAT_TEST_READ_PTE, &pte)) {
		worker_failed(w, "PAT_TEST_READ_PTE: %s", strerror(errno));
		return PAT_TEST_NOT_MAPPED;
	}
	if (pte.got != PAT_TEST_NOT_MAPPED && pte.pfn != frames_phys(page) / PAGE)
		worker_failed(w, "the entry for page %u has pfn 0x%llx", page,
			      (unsigned long long)pte.pfn);
	return pte.got;
}

static void check_frame(struct worker *w, const struct pat_list *list,
			unsigned int page, int type, const char *what)
{
	uint64_t phys = frames_phys(page);
	unsigned int all = pat_list_count_all(list, phys);
	unsigned int same = pat_list_count(list, phys, type);

	if (!same || same != all)
		worker_failed(w, "page %u: %s is %s, as are %u of %u records",
			      page, what, pat_type_word(type), same, all);
}

uint64_t oracle_entries(struct worker *w, const char *addr, unsigned int page,
			unsigned int nr)
{
	struct pat_list list;
	uint64_t gone = 0;
	int before[64];

	for (unsigned int i = 0; i < nr; i++)
		before[i] = read_entry(w, addr + i * PAGE, page + i);
	if (!read_list(w, &list))
		return 0;
	/* Who zaps never maps again: what is there now has been there all the time. */
	for (unsigned int i = 0; i < nr; i++) {
		int now = read_entry(w, addr + i * PAGE, page + i);

		if (now == PAT_TEST_NOT_MAPPED)
			gone |= 1ULL << i;
		else if (now != before[i])
			worker_failed(w, "page %u: the entry was %s and is %s",
				      page + i, pat_type_word(before[i]),
				      pat_type_word(now));
		else
			check_frame(w, &list, page + i, now, "the entry");
	}
	pat_list_free(&list);
	return gone;
}

void oracle_held(struct worker *w, unsigned int page, unsigned int nr, int type)
{
	struct pat_list list;

	if (!read_list(w, &list))
		return;
	for (unsigned int i = 0; i < nr; i++)
		check_frame(w, &list, page + i, type, "the kernel's mapping");
	pat_list_free(&list);
}
