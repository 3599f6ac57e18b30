// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes map the same frames many times.
 *
 * The type stays until the very last mapping goes, whichever that is, and then
 * the frames are free for another one at once, without delay or retry.
 *
 * Stock: right.
 */
#include "life.h"

#define NR 8
#define PROCESSES 64
#define MAPPINGS 8		/* by each process */

FIXTURE(many) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(many) {
	enum life_source source;
};

FIXTURE_VARIANT_ADD(many, devmem) { .source = LIFE_DEVMEM };
FIXTURE_VARIANT_ADD(many, resource) { .source = LIFE_RESOURCE };
FIXTURE_VARIANT_ADD(many, resource_wc) { .source = LIFE_RESOURCE_WC };
FIXTURE_VARIANT_ADD(many, driver) { .source = LIFE_DRIVER };

FIXTURE_SETUP(many)
{
	life_open(_metadata, &self->life, LIFE_MANY_PAGES, NR, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(many)
{
	life_close(&self->life);
}

static int source_fd;
static uint64_t source_offset;
static char *mapped[MAPPINGS];

static bool order_map_all(struct life *life, struct life_area *area, int unused)
{
	for (unsigned int i = 0; i < MAPPINGS; i++) {
		mapped[i] = mmap(NULL, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED, source_fd, source_offset);
		if (mapped[i] == MAP_FAILED)
			return false;
	}
	return true;
}

static bool order_unmap_one(struct life *life, struct life_area *area, int which)
{
	return !munmap(mapped[which], NR * PAT_PAGE);
}

TEST_F(many, last_one_keeps_the_type)
{
	struct life *life = &self->life;
	int type = life_source_type(variant->source);
	int other = type == PAT_TEST_WC ? PAT_TEST_IOREMAP : PAT_TEST_IOREMAP_WC;
	struct life_child children[PROCESSES];
	struct pat_test_map map = { .api = other, .size = NR * PAT_PAGE };
	uint32_t random = life_seed(_metadata);

	source_fd = life_source_open(_metadata, life, variant->source, 0, NR,
				     &source_offset);
	ASSERT_LE(0, source_fd);
	for (unsigned int i = 0; i < PROCESSES; i++) {
		ASSERT_TRUE(life_child_fork(life, NULL, &children[i]));
		ASSERT_TRUE(life_child_do(&children[i], order_map_all, 0));
		life_count(life, type, MAPPINGS);
	}
	life_claim(_metadata, life, NULL, "all have mapped");

	/* Each unmaps half of what it has; every second one is killed. */
	for (unsigned int i = 0; i < PROCESSES; i++) {
		for (unsigned int j = 0; j < MAPPINGS; j += 2)
			ASSERT_TRUE(life_child_do(&children[i], order_unmap_one, j));
		life_count(life, type, -MAPPINGS / 2);
	}
	life_claim(_metadata, life, NULL, "half is unmapped");

	/* In random order, until one is left. */
	for (unsigned int left = PROCESSES; left > 1; left--) {
		unsigned int i = life_random(&random, left);

		ASSERT_TRUE(life_child_end(&children[i], left % 2 ? SIGKILL : 0));
		children[i] = children[left - 1];
		life_count(life, type, -MAPPINGS / 2);
		life_claim_records(_metadata, life, "one less");
		life_claim_given(_metadata, life, left % NR, "one less");
	}
	for (unsigned int j = 1; j < MAPPINGS; j += 2) {
		life_claim(_metadata, life, NULL, "the last process");
		ASSERT_TRUE(life_child_do(&children[0], order_unmap_one, j));
		life_count(life, type, -1);
	}

	map.phys = life_phys(life, 0);
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &map));
	ASSERT_EQ(0, map.err);
	ROW_CLAIM(&life->row,
		  map.got == row_type(&life->row, other == PAT_TEST_IOREMAP ?
				      PAT_TEST_UC_MINUS : PAT_TEST_WC),
		  "all are gone, and another type is not given: %s",
		  pat_type_word(map.got));
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, map.handle));
	ASSERT_TRUE(life_child_end(&children[0], 0));
	close(source_fd);
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
