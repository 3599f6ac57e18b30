// SPDX-License-Identifier: GPL-2.0-only
/*
 * A private PFN mapping some of whose pages are copies by now.
 *
 *	mmap /dev/mem, MAP_PRIVATE	all entries are the frames themselves
 *	write pages 0 and 3		entries 0 and 3 are anonymous memory
 *	fork, munmap, mprotect, mremap	as for any other PFN mapping
 *
 * Whether a frame is held whose page is a copy in every process is left open:
 * no claim is made about it until all is unmapped, when it must be free.
 *
 * Stock: takes frame and type of a mapping from the entry of its page 0, and
 * is right if that never was written and everything goes in one piece.
 */
#include "life.h"

#define NR 8
#define BYTE_OF_PARENT 0x5a

enum op {
	END,
	WRITE,			/* page first becomes a copy */
	UNMAP,
	READ_ONLY,
	MOVE,			/* pages [first, first + nr) to the same of area B */
	UNMAP_B,
	FORK,			/* a child that has the same */
	CHILD_WRITES,
	CHILD_UNMAPS,
	CHILD_EXITS,
};

struct step {
	enum op op;
	unsigned int first;
	unsigned int nr;
};

FIXTURE(cow) {
	struct life life;
	struct life_area a;
	struct life_area b;
	struct life_area childs;
	struct life_child child;
};

FIXTURE_VARIANT(cow) {
	enum row_stock stock;
	unsigned int slice;
	struct step steps[12];
};

#define CASE(name, stock_is, slice_nr, ...)				\
	FIXTURE_VARIANT_ADD(cow, name) {				\
		.stock = ROW_STOCK_##stock_is,				\
		.slice = slice_nr,					\
		.steps = { __VA_ARGS__ },				\
	}

CASE(nothing_written, IS_RIGHT, 0,
	{ FORK }, { CHILD_EXITS }, { UNMAP, 0, NR });
CASE(page_0, HAS_BUG, 1,
	{ WRITE, 0 }, { FORK }, { CHILD_EXITS }, { UNMAP, 0, NR });
CASE(last_page, IS_RIGHT, 2,
	{ WRITE, NR - 1 }, { FORK }, { CHILD_EXITS }, { UNMAP, 0, NR });
CASE(pages_0_and_3, HAS_BUG, 3,
	{ WRITE, 0 }, { WRITE, 3 }, { FORK }, { CHILD_WRITES, 5 },
	{ CHILD_UNMAPS, 2, 2 }, { CHILD_EXITS }, { UNMAP, 0, NR });
CASE(child_keeps, HAS_BUG, 4,
	{ WRITE, 0 }, { FORK }, { UNMAP, 0, NR }, { CHILD_WRITES, 0 },
	{ CHILD_UNMAPS, 4, 1 }, { CHILD_EXITS });
CASE(head_is_a_copy_and_goes, HAS_BUG, 5,
	{ WRITE, 0 }, { WRITE, 1 }, { UNMAP, 0, 2 }, { FORK },
	{ CHILD_EXITS }, { UNMAP, 2, NR - 2 });
CASE(middle_is_a_copy_and_goes, HAS_BUG, 6,
	{ WRITE, 4 }, { UNMAP, 3, 3 }, { UNMAP, 0, NR });
CASE(split_at_a_copy, HAS_BUG, 7,
	{ WRITE, 4 }, { READ_ONLY, 4, 2 }, { FORK }, { CHILD_UNMAPS, 4, 4 },
	{ CHILD_EXITS }, { UNMAP, 0, NR });
CASE(move_with_page_0_a_copy, HAS_BUG, 8,
	{ WRITE, 0 }, { MOVE, 0, NR }, { FORK }, { CHILD_EXITS },
	{ UNMAP_B, 0, NR });
CASE(move_a_piece, HAS_BUG, 9,
	{ WRITE, 2 }, { MOVE, 2, 3 }, { WRITE, 0 }, { UNMAP_B, 3, 1 },
	{ UNMAP, 0, NR }, { UNMAP_B, 0, NR });
CASE(all_are_copies, HAS_BUG, 10,
	{ WRITE, 0 }, { WRITE, 1 }, { WRITE, 2 }, { WRITE, 3 }, { WRITE, 4 },
	{ WRITE, 5 }, { WRITE, 6 }, { WRITE, 7 }, { FORK }, { CHILD_EXITS },
	{ UNMAP, 0, NR });

FIXTURE_SETUP(cow)
{
	life_open(_metadata, &self->life, LIFE_COW_PAGES + variant->slice * NR,
		  NR, variant->stock);
	life_area_open(_metadata, &self->a, NR);
	life_area_open(_metadata, &self->b, NR);
}

FIXTURE_TEARDOWN(cow)
{
	life_close(&self->life);
}

static bool order_write(struct life *life, struct life_area *area, int page)
{
	area->at[page * PAT_PAGE] = (char)~BYTE_OF_PARENT;
	return true;
}

/* A frame of which there is a copy: nothing is claimed until the end. */
static void becomes_unknown(struct life *life, struct life_area *area,
			    unsigned int page)
{
	if (area->frame[page] != LIFE_NONE)
		life->frames[area->frame[page]].unknown = true;
}

/* False if a claim broke that the next steps build on. */
static bool take_step(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *a, struct life_area *b,
		      struct life_area *childs, struct life_child *child,
		      const struct step *step)
{
	struct life_area *has = b->frame[0] == LIFE_NONE ? a : b;
	char *byte;

	switch (step->op) {
	case WRITE:
		byte = a->at + step->first * PAT_PAGE;
		*byte = BYTE_OF_PARENT + step->first;
		becomes_unknown(life, a, step->first);
		break;
	case UNMAP:
		life_munmap(_metadata, life, a, step->first, step->nr);
		break;
	case UNMAP_B:
		life_munmap(_metadata, life, b, step->first, step->nr);
		break;
	case READ_ONLY:
		ASSERT_EQ(0, mprotect(a->at + step->first * PAT_PAGE,
				      step->nr * PAT_PAGE, PROT_READ));
		break;
	case MOVE:
		life_mremap(_metadata, life, a, step->first, step->nr, b,
			    step->first, step->nr);
		break;
	case FORK:
		*childs = *has;
		if (!life_child_fork(life, childs, child)) {
			ROW_CLAIM(&life->row, false, "fork: %s", strerror(errno));
			return false;
		}
		life_fork_counts(life, childs, 1);
		break;
	case CHILD_WRITES:
		EXPECT_TRUE(life_child_do(child, order_write, step->first));
		becomes_unknown(life, childs, step->first);
		break;
	case CHILD_UNMAPS:
		EXPECT_TRUE(life_child_do(child, life_order_unmap,
					  LIFE_PIECE(step->first, step->nr)));
		life_forget(life, childs, step->first, step->nr);
		break;
	case CHILD_EXITS:
		EXPECT_TRUE(life_child_end(child, 0));
		life_forget(life, childs, 0, NR);
		break;
	case END:
		break;
	}
	return true;
}

/* What was written is still there, whatever happened around it. */
static void claim_copies(struct __test_metadata *_metadata, struct life *life,
			 const struct life_area *area, const bool *written)
{
	for (unsigned int i = 0; i < NR; i++)
		if (area->frame[i] != LIFE_NONE && written[i])
			ROW_CLAIM(&life->row,
				  area->at[i * PAT_PAGE] == (char)(BYTE_OF_PARENT + i),
				  "page %u has lost what was written", i);
}

TEST_F(cow, steps)
{
	struct life *life = &self->life;
	bool written[NR] = {};
	char text[32];

	life_map_flags(_metadata, life, &self->a, 0, LIFE_DEVMEM, 0, NR,
		       MAP_PRIVATE);
	life_claim(_metadata, life, &self->a, "mmap");
	for (unsigned int i = 0; variant->steps[i].op != END; i++) {
		const struct step *step = &variant->steps[i];

		if (!take_step(_metadata, life, &self->a, &self->b,
			       &self->childs, &self->child, step)) {
			/* There is no child; the rest is unmapped all the same. */
			life_munmap(_metadata, life, &self->a, 0, NR);
			life_munmap(_metadata, life, &self->b, 0, NR);
			break;
		}
		if (step->op == WRITE)
			written[step->first] = true;
		snprintf(text, sizeof(text), "step %u", i);
		life_claim(_metadata, life, &self->a, text);
		life_claim_entries(_metadata, life, &self->b, text);
		claim_copies(_metadata, life, &self->a, written);
		claim_copies(_metadata, life, &self->b, written);
	}
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
