// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver claims what processes have mapped (CONFIG_IO_STRICT_DEVMEM).
 *
 *	process maps frames 0..7	through /dev/mem or a PCI resource file
 *	request_mem_region(2..4)	the entries of 2..4 are taken away, in all
 *					processes; these frames are free
 *	driver: ioremap_wc(2..4)	WC
 *	process touches 2..4		SIGBUS; 0, 1, 5..7 are held and mapped as
 *					before
 *
 * The name's end tells that it is run only where the kernel does that.
 *
 * Stock: right if all of a mapping is claimed (as its source says; no stock
 * kernel is built with that option).
 */
#include <setjmp.h>

#include "life.h"

#define NR 8

FIXTURE(revoke) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(revoke) {
	enum life_source source;
	unsigned int first;
	unsigned int nr;
	unsigned int slice;
	enum row_stock stock;
};

#define VARIANT(name, from, first_page, nr_pages, slice_nr, stock_is)	\
	FIXTURE_VARIANT_ADD(revoke, name) {				\
		.source = from,						\
		.first = first_page,					\
		.nr = nr_pages,						\
		.slice = slice_nr,					\
		.stock = ROW_STOCK_##stock_is,				\
	}

VARIANT(devmem_whole, LIFE_DEVMEM, 0, NR, 0, IS_RIGHT);
VARIANT(devmem_head, LIFE_DEVMEM, 0, 3, 1, HAS_BUG);
VARIANT(devmem_middle, LIFE_DEVMEM, 2, 3, 2, HAS_BUG);
VARIANT(devmem_tail, LIFE_DEVMEM, 5, 3, 3, HAS_BUG);
VARIANT(resource_whole, LIFE_RESOURCE, 0, NR, 4, IS_RIGHT);
VARIANT(resource_middle, LIFE_RESOURCE, 2, 3, 5, HAS_BUG);
VARIANT(resource_wc_middle, LIFE_RESOURCE_WC, 2, 3, 6, HAS_BUG);

FIXTURE_SETUP(revoke)
{
	life_open(_metadata, &self->life, LIFE_REVOKE_PAGES + variant->slice * NR,
		  NR, variant->stock);
	life_area_open(_metadata, &self->area, NR);
	life_map(_metadata, &self->life, &self->area, 0, variant->source, 0, NR);
}

FIXTURE_TEARDOWN(revoke)
{
	life_close(&self->life);
}

static sigjmp_buf after_bus_error;

static void on_bus_error(int signal)
{
	siglongjmp(after_bus_error, 1);
}

/* Does a touch of @at end with SIGBUS? */
static bool is_bus_error(const char *at)
{
	struct sigaction action = { .sa_handler = on_bus_error }, before;
	bool raised = true;

	sigaction(SIGBUS, &action, &before);
	if (!sigsetjmp(after_bus_error, 1)) {
		(void)*(const volatile char *)at;
		raised = false;
	}
	sigaction(SIGBUS, &before, NULL);
	return raised;
}

/* In a child, where the harness has its own idea of what signals mean. */
static bool order_touch(struct life *life, struct life_area *area, int unused)
{
	for (unsigned int i = 0; i < area->nr; i++)
		if (is_bus_error(area->at + i * PAT_PAGE) !=
		    (area->frame[i] == LIFE_NONE))
			return false;
	return true;
}

static bool order_forget(struct life *life, struct life_area *area, int piece)
{
	life_forget(life, area, piece >> 8, piece & 0xff);
	return true;
}

TEST_F(revoke, claimed_frames_only)
{
	struct life *life = &self->life;
	struct life_area *area = &self->area;
	struct pat_test_claim claim = {
		.phys = life_phys(life, variant->first),
		.size = variant->nr * PAT_PAGE,
	};
	struct pat_test_map wc = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = claim.phys,
		.size = claim.size,
	};
	unsigned int end = variant->first + variant->nr;
	struct life_area childs;
	struct life_child child;

	ASSERT_TRUE(life_child_fork(life, area, &child));
	childs = *area;
	life_fork_counts(life, &childs, 1);
	life_claim(_metadata, life, area, "fork");

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_CLAIM, &claim));
	ASSERT_EQ(0, claim.err);
	life_forget(life, area, variant->first, variant->nr);
	life_forget(life, &childs, variant->first, variant->nr);
	ASSERT_TRUE(life_child_do(&child, order_forget,
				  LIFE_PIECE(variant->first, variant->nr)));
	life_claim(_metadata, life, area, "claim");
	EXPECT_TRUE(life_child_do(&child, order_touch, 0));
	life_claim(_metadata, life, area, "touch");

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &wc));
	ASSERT_EQ(0, wc.err);
	ROW_CLAIM(&life->row, wc.got == row_type(&life->row, PAT_TEST_WC),
		  "the driver is given %s", pat_type_word(wc.got));
	for (unsigned int i = variant->first; i < end; i++) {
		life->frames[i].count = 1;
		life->frames[i].type = PAT_TEST_WC;
	}
	life_claim(_metadata, life, area, "the driver's ioremap_wc");

	/* The rest goes in either process; the driver's stays. */
	EXPECT_TRUE(life_child_end(&child, 0));
	life_forget(life, &childs, 0, NR);
	life_claim(_metadata, life, area, "the child's exit");
	life_munmap(_metadata, life, area, 0, NR);
	life_claim(_metadata, life, area, "munmap");

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, wc.handle));
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNCLAIM, claim.handle));
	for (unsigned int i = variant->first; i < end; i++)
		life->frames[i].count = 0;
	life_verdict(_metadata, life);
}

/*
 * What is claimed cannot be mapped, and once given back it can. (PCI resource
 * files ask about the first page of the BAR only.)
 */
FIXTURE(claimed) {
	struct life life;
	struct life_area area;
};

FIXTURE_SETUP(claimed)
{
	life_open(_metadata, &self->life, LIFE_REVOKE_PAGES + 7 * NR, NR,
		  ROW_STOCK_IS_RIGHT);
	life_area_open(_metadata, &self->area, NR);
}

FIXTURE_TEARDOWN(claimed)
{
	life_close(&self->life);
}

TEST_F(claimed, cannot_be_mapped)
{
	struct life *life = &self->life;
	struct pat_test_claim claim = {
		.phys = life_phys(life, 2),
		.size = 3 * PAT_PAGE,
	};

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_CLAIM, &claim));
	ASSERT_EQ(0, claim.err);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, NR * PAT_PAGE, PROT_READ, MAP_SHARED,
				   life->row.devmem, life_phys(life, 0)));
	EXPECT_EQ(EPERM, errno);
	life_claim(_metadata, life, &self->area, "refused");
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNCLAIM, claim.handle));
	life_map(_metadata, life, &self->area, 0, LIFE_DEVMEM, 0, NR);
	life_claim(_metadata, life, &self->area, "given back");
	life_munmap(_metadata, life, &self->area, 0, NR);
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
