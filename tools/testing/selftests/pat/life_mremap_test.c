// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PFN mapping moves, in whole and in part, and onto another one.
 *
 *	area A: frames 0..7 at pages 0..7
 *	area B: empty, or frames 8..15
 *
 *	mremap of a piece of A into B	each frame is held as often as before, at
 *					its new address
 *	... over frames of B		these are released, those only
 *	... of fewer pages than there	the rest of the piece is released
 *	... that is refused		nothing changes, but that MREMAP_FIXED may
 *					have made room in B already
 *
 * Stock: right as long as whole mappings move, or what is left of them.
 */
#include "life.h"

#define NR 8
#define NR_RANDOM 100
#define RANDOM_STEPS 150

enum op {
	END,
	MOVE,			/* A's [first, first + nr) to B's at; new_nr of them stay */
	BACK,			/* the same from B to A */
	SHRINK,			/* A's [first, first + nr) to new_nr pages, in place */
	UNMAP_A,
	UNMAP_B,
	/* Refused: */
	GROW,			/* in place, or wherever there is room */
	GROW_FIXED,		/* B makes room before that is found out */
	DUPLICATE,		/* an old size of 0 */
	DONTUNMAP,
	DONTUNMAP_FIXED,	/* B makes room */
	OVERLAP,		/* onto itself, one page on */
	TOO_HIGH,		/* only the first of two pages would fit */
	ACROSS,			/* beyond the end of a VMA; B makes room */
};

struct step {
	enum op op;
	unsigned int first;
	unsigned int nr;
	unsigned int at;
	unsigned int new_nr;
};

FIXTURE(moves) {
	struct life life;
	struct life_area a;
	struct life_area b;
};

FIXTURE_VARIANT(moves) {
	enum row_stock stock;
	unsigned int slice;
	bool b_is_full;
	struct step steps[8];
};

#define CASE(name, stock_is, slice_nr, full, ...)			\
	FIXTURE_VARIANT_ADD(moves, name) {				\
		.stock = ROW_STOCK_##stock_is,				\
		.slice = slice_nr,					\
		.b_is_full = full,					\
		.steps = { __VA_ARGS__ },				\
	}

CASE(whole, IS_RIGHT, 0, false, { MOVE, 0, NR, 0, NR }, { UNMAP_B, 0, NR });
CASE(whole_and_back, IS_RIGHT, 1, false,
	{ MOVE, 0, NR, 0, NR }, { BACK, 0, NR, 0, NR }, { UNMAP_A, 0, NR });
CASE(head, HAS_BUG, 2, false,
	{ MOVE, 0, 3, 5, 3 }, { UNMAP_A, 3, 5 }, { UNMAP_B, 5, 3 });
CASE(middle, HAS_BUG, 3, false,
	{ MOVE, 3, 2, 0, 2 }, { UNMAP_B, 0, 2 }, { UNMAP_A, 0, NR });
CASE(tail, HAS_BUG, 4, false,
	{ MOVE, 6, 2, 0, 2 }, { UNMAP_A, 0, 6 }, { UNMAP_B, 0, 2 });
CASE(piece_by_piece_reversed, HAS_BUG, 5, false,
	{ MOVE, 0, 2, 6, 2 }, { MOVE, 2, 2, 4, 2 }, { MOVE, 4, 2, 2, 2 },
	{ MOVE, 6, 2, 0, 2 }, { UNMAP_B, 3, 2 }, { UNMAP_B, 0, NR });
CASE(whole_and_shrink, IS_RIGHT, 6, false,
	{ MOVE, 0, NR, 0, 5 }, { UNMAP_B, 0, 5 });
CASE(piece_and_shrink, HAS_BUG, 7, false,
	{ MOVE, 2, 4, 2, 1 }, { UNMAP_B, 2, 1 }, { UNMAP_A, 0, NR });
CASE(shrink_in_place, IS_RIGHT, 8, false,
	{ SHRINK, 0, NR, 0, 3 }, { SHRINK, 0, 3, 0, 1 }, { UNMAP_A, 0, 1 });
CASE(shrink_in_the_middle, HAS_BUG, 9, false,
	{ SHRINK, 2, 4, 2, 1 }, { UNMAP_A, 0, NR });
CASE(onto_all_of_another, IS_RIGHT, 10, true,
	{ MOVE, 0, NR, 0, NR }, { UNMAP_B, 0, NR });
CASE(onto_the_middle_of_another, HAS_BUG, 11, true,
	{ MOVE, 0, 4, 2, 4 }, { UNMAP_A, 4, 4 }, { UNMAP_B, 0, NR });
CASE(back_and_forth, HAS_BUG, 12, true,
	{ MOVE, 1, 3, 4, 3 }, { BACK, 5, 1, 7, 1 }, { BACK, 0, 2, 0, 2 },
	{ MOVE, 0, 1, 1, 1 }, { UNMAP_A, 0, NR }, { UNMAP_B, 0, NR });
CASE(refused, IS_RIGHT, 13, false,
	{ GROW, 0, NR, 0, NR + 1 }, { DUPLICATE, 0, NR }, { DONTUNMAP, 0, NR },
	{ OVERLAP, 0, NR - 1 }, { TOO_HIGH, 0, 2 }, { ACROSS, 4, NR },
	{ UNMAP_A, 0, NR });
CASE(refused_after_making_room, IS_RIGHT, 14, true,
	{ GROW_FIXED, 0, 1, 0, NR }, { UNMAP_A, 0, NR });
CASE(refused_after_making_some_room, HAS_BUG, 15, true,
	{ GROW_FIXED, 2, 2, 2, 3 }, { DONTUNMAP_FIXED, 2, 2, 0, 2 },
	{ UNMAP_A, 0, NR }, { UNMAP_B, 0, NR });

FIXTURE_SETUP(moves)
{
	life_open(_metadata, &self->life,
		  LIFE_MREMAP_PAGES + variant->slice * 2 * NR, 2 * NR,
		  variant->stock);
}

FIXTURE_TEARDOWN(moves)
{
	life_close(&self->life);
}

static void shrink(struct __test_metadata *_metadata, struct life *life,
		   struct life_area *area, const struct step *step)
{
	char *where = area->at + step->first * PAT_PAGE;
	unsigned int gone = step->first + step->new_nr;

	ASSERT_EQ(where, mremap(where, step->nr * PAT_PAGE,
				step->new_nr * PAT_PAGE, 0));
	life_forget(life, area, gone, step->nr - step->new_nr);
	life_area_keep(_metadata, area, gone, step->nr - step->new_nr);
}

/* The last one user space may have: with five levels of tables there are more. */
static char *last_address(void)
{
	char *beyond_four_levels = (char *)(1UL << 47);
	char *got = mmap(beyond_four_levels, PAT_PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != beyond_four_levels)
		return beyond_four_levels - PAT_PAGE - 1;
	munmap(got, PAT_PAGE);
	return (char *)(1UL << 56) - PAT_PAGE - 1;
}

static void is_refused(struct __test_metadata *_metadata, struct life *life,
		       struct life_area *a, struct life_area *b,
		       const struct step *step)
{
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
	char *from = a->at + step->first * PAT_PAGE;
	char *to = b->at + step->at * PAT_PAGE;
	size_t size = step->nr * PAT_PAGE;
	unsigned int room = 0;
	int want = EINVAL;
	void *got = NULL;

	switch (step->op) {
	case GROW:
		want = EFAULT;
		ASSERT_EQ(MAP_FAILED, mremap(from, size, step->new_nr * PAT_PAGE, 0));
		EXPECT_EQ(want, errno);
		got = mremap(from, size, step->new_nr * PAT_PAGE, MREMAP_MAYMOVE);
		break;
	case GROW_FIXED:
		want = EFAULT;
		got = mremap(from, size, step->new_nr * PAT_PAGE, fixed, to);
		room = step->new_nr;
		break;
	case DUPLICATE:
		want = EFAULT;
		got = mremap(from, 0, size, MREMAP_MAYMOVE);
		break;
	case DONTUNMAP:
		got = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
		break;
	case DONTUNMAP_FIXED:
		got = mremap(from, size, size, fixed | MREMAP_DONTUNMAP, to);
		room = step->nr;
		break;
	case OVERLAP:
		got = mremap(from, size, size, fixed, from + PAT_PAGE);
		break;
	case TOO_HIGH:
		got = mremap(from, size, size, fixed,
			     last_address() + 1 - PAT_PAGE);
		break;
	case ACROSS:
		want = EFAULT;
		got = mremap(from, size, size, fixed, to);
		room = step->nr;
		break;
	default:
		break;
	}
	ASSERT_EQ(MAP_FAILED, got);
	EXPECT_EQ(want, errno);
	if (room) {
		life_forget(life, b, step->at, room);
		life_area_keep(_metadata, b, step->at, room);
	}
}

static void take_step(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *a, struct life_area *b,
		      const struct step *step)
{
	switch (step->op) {
	case MOVE:
		life_mremap(_metadata, life, a, step->first, step->nr, b, step->at,
			    step->new_nr);
		break;
	case BACK:
		life_mremap(_metadata, life, b, step->first, step->nr, a, step->at,
			    step->new_nr);
		break;
	case SHRINK:
		shrink(_metadata, life, a, step);
		break;
	case UNMAP_A:
		life_munmap(_metadata, life, a, step->first, step->nr);
		break;
	case UNMAP_B:
		life_munmap(_metadata, life, b, step->first, step->nr);
		break;
	default:
		is_refused(_metadata, life, a, b, step);
	}
}

static void claim_both(struct __test_metadata *_metadata, struct life *life,
		       struct life_area *a, struct life_area *b,
		       const char *step)
{
	life_claim(_metadata, life, a, step);
	life_claim_entries(_metadata, life, b, step);
}

static void take_steps(struct __test_metadata *_metadata, struct life *life,
		       struct life_area *a, struct life_area *b,
		       bool b_is_full, const struct step *steps,
		       enum life_source source)
{
	char text[32];

	life_area_open(_metadata, a, NR);
	life_area_open(_metadata, b, NR);
	life_map(_metadata, life, a, 0, source, 0, NR);
	if (b_is_full)
		life_map(_metadata, life, b, 0, source, NR, NR);
	claim_both(_metadata, life, a, b, "mmap");
	for (unsigned int i = 0; steps[i].op != END; i++) {
		take_step(_metadata, life, a, b, &steps[i]);
		snprintf(text, sizeof(text), "step %u", i);
		claim_both(_metadata, life, a, b, text);
	}
	life_verdict(_metadata, life);
}

TEST_F(moves, devmem)
{
	take_steps(_metadata, &self->life, &self->a, &self->b,
		   variant->b_is_full, variant->steps, LIFE_DEVMEM);
}

TEST_F(moves, resource_wc)
{
	take_steps(_metadata, &self->life, &self->a, &self->b,
		   variant->b_is_full, variant->steps, LIFE_RESOURCE_WC);
}

/* Pieces wander about, also over one another, and go. */
FIXTURE(at_random) {
	struct life life;
	struct life_area a;
	struct life_area b;
};

FIXTURE_SETUP(at_random)
{
	life_open(_metadata, &self->life, LIFE_MREMAP_PAGES + 256, NR_RANDOM,
		  ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(at_random)
{
	life_close(&self->life);
}

/* So many pages from @first on are one VMA, as far as the model can tell. */
static unsigned int run_length(const struct life_area *area, unsigned int first,
			       unsigned int most)
{
	unsigned int nr = 0;

	while (nr < most && first + nr < area->nr &&
	       area->frame[first + nr] != LIFE_NONE &&
	       area->frame[first + nr] == area->frame[first] + (int)nr)
		nr++;
	return nr;
}

TEST_F(at_random, steps)
{
	uint32_t random = life_seed(_metadata);
	struct life *life = &self->life;
	struct life_area *areas[] = { &self->a, &self->b };
	unsigned int moved = 0;
	char text[32];

	for (int i = 0; i < 2; i++)
		life_area_open(_metadata, areas[i], NR_RANDOM);
	life_map(_metadata, life, &self->a, 0, LIFE_DEVMEM, 0, NR_RANDOM);
	for (unsigned int i = 0; i < RANDOM_STEPS; i++) {
		struct life_area *from = areas[life_random(&random, 2)];
		struct life_area *to = areas[from == areas[0]];
		struct step step = { .first = life_random(&random, NR_RANDOM) };
		char *where;

		step.nr = run_length(from, step.first,
				     1 + life_random(&random, 16));
		if (!step.nr) {
			unsigned int nr = 1 + life_random(&random, 16);

			if (nr > NR_RANDOM - step.first)
				nr = NR_RANDOM - step.first;
			life_munmap(_metadata, life, from, step.first, nr);
			life_map(_metadata, life, from, step.first, LIFE_RESOURCE,
				 life_random(&random, NR_RANDOM - nr + 1), nr);
			continue;
		}
		step.new_nr = life_random(&random, 4) ? step.nr :
				1 + life_random(&random, step.nr);
		step.at = life_random(&random, NR_RANDOM - step.new_nr + 1);
		where = to->at + step.at * PAT_PAGE;

		/* What looks like one VMA may be two: that is refused. */
		if (mremap(from->at + step.first * PAT_PAGE, step.nr * PAT_PAGE,
			   step.new_nr * PAT_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   where) == where) {
			life_moved(life, from, step.first, step.nr, to, step.at,
				   step.new_nr);
			moved++;
		} else {
			ASSERT_EQ(EFAULT, errno);
			life_munmap(_metadata, life, to, step.at, step.new_nr);
		}
		life_munmap(_metadata, life, from, step.first, step.nr);
		snprintf(text, sizeof(text), "step %u", i);
		life_claim_records(_metadata, life, text);
		life_claim_given(_metadata, life,
				 life_random(&random, NR_RANDOM), text);
	}
	EXPECT_LE(RANDOM_STEPS / 4, moved);
	claim_both(_metadata, life, &self->a, &self->b, "after all steps");
	for (int i = 0; i < 2; i++)
		life_munmap(_metadata, life, areas[i], 0, NR_RANDOM);
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
