// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pieces of a PFN mapping go in every order.
 *
 *	mmap of frames 0..9		each held once
 *	munmap of any piece		frames of the piece are free at once, all
 *					others still held, still mapped
 *	mprotect, madvise of a piece	splits the VMA and changes nothing else
 *
 * Each case is a list of steps; after each of them every frame is looked at.
 *
 * Stock: right as long as pieces go from the end.
 */
#include "life.h"

#define NR 10
#define NR_RANDOM 200
#define RANDOM_STEPS 120

enum op {
	END,
	UNMAP,
	READ_ONLY,
	DONTDUMP,
	DONTFORK,
	DONTNEED,		/* is refused */
};

struct step {
	enum op op;
	unsigned int first;
	unsigned int nr;
};

FIXTURE(pieces) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(pieces) {
	enum row_stock stock;
	unsigned int slice;
	struct step steps[NR + 2];
};

#define CASE(name, stock_is, slice_nr, ...)			\
	FIXTURE_VARIANT_ADD(pieces, name) {			\
		.stock = ROW_STOCK_##stock_is,			\
		.slice = slice_nr,				\
		.steps = { __VA_ARGS__ },			\
	}

CASE(whole, IS_RIGHT, 0, { UNMAP, 0, NR });
CASE(tail, IS_RIGHT, 1, { UNMAP, 7, 3 }, { UNMAP, 0, 7 });
CASE(head, HAS_BUG, 2, { UNMAP, 0, 3 }, { UNMAP, 3, 7 });
CASE(middle, HAS_BUG, 3, { UNMAP, 4, 2 }, { UNMAP, 0, 4 }, { UNMAP, 6, 4 });
CASE(middle_then_all, HAS_BUG, 4, { UNMAP, 3, 4 }, { UNMAP, 0, NR });
CASE(both_ends, HAS_BUG, 5, { UNMAP, 0, 2 }, { UNMAP, 8, 2 }, { UNMAP, 2, 6 });
CASE(ascending, HAS_BUG, 6,
	{ UNMAP, 0, 1 }, { UNMAP, 1, 1 }, { UNMAP, 2, 1 }, { UNMAP, 3, 1 },
	{ UNMAP, 4, 1 }, { UNMAP, 5, 1 }, { UNMAP, 6, 1 }, { UNMAP, 7, 1 },
	{ UNMAP, 8, 1 }, { UNMAP, 9, 1 });
CASE(descending, IS_RIGHT, 7,
	{ UNMAP, 9, 1 }, { UNMAP, 8, 1 }, { UNMAP, 7, 1 }, { UNMAP, 6, 1 },
	{ UNMAP, 5, 1 }, { UNMAP, 4, 1 }, { UNMAP, 3, 1 }, { UNMAP, 2, 1 },
	{ UNMAP, 1, 1 }, { UNMAP, 0, 1 });
CASE(every_second, HAS_BUG, 8,
	{ UNMAP, 1, 1 }, { UNMAP, 3, 1 }, { UNMAP, 5, 1 }, { UNMAP, 7, 1 },
	{ UNMAP, 9, 1 }, { UNMAP, 0, 1 }, { UNMAP, 2, 1 }, { UNMAP, 4, 1 },
	{ UNMAP, 6, 1 }, { UNMAP, 8, 1 });
CASE(widening_hole, HAS_BUG, 9,
	{ UNMAP, 4, 1 }, { UNMAP, 3, 3 }, { UNMAP, 2, 5 }, { UNMAP, 0, 10 });
CASE(mprotect_then_all, HAS_BUG, 10, { READ_ONLY, 3, 4 }, { UNMAP, 0, NR });
CASE(mprotect_pieces, HAS_BUG, 11,
	{ READ_ONLY, 0, 5 }, { READ_ONLY, 2, 6 }, { UNMAP, 1, 2 },
	{ UNMAP, 4, 3 }, { UNMAP, 0, NR });
CASE(mprotect_whole, IS_RIGHT, 12, { READ_ONLY, 0, NR }, { UNMAP, 0, NR });
CASE(mprotect_across_boundary, HAS_BUG, 13,
	{ READ_ONLY, 0, 5 }, { UNMAP, 4, 2 }, { UNMAP, 0, NR });
CASE(dontdump_pieces, HAS_BUG, 14,
	{ DONTDUMP, 2, 3 }, { DONTFORK, 4, 3 }, { UNMAP, 3, 3 },
	{ UNMAP, 0, NR });
CASE(dontfork_then_all, HAS_BUG, 15, { DONTFORK, 5, 2 }, { UNMAP, 0, NR });
CASE(dontneed_is_refused, IS_RIGHT, 16,
	{ DONTNEED, 0, NR }, { DONTNEED, 4, 1 }, { UNMAP, 0, NR });
CASE(dontneed_of_a_piece_is_refused, HAS_BUG, 17,
	{ UNMAP, 4, 1 }, { DONTNEED, 5, 2 }, { UNMAP, 0, NR });

FIXTURE_SETUP(pieces)
{
	life_open(_metadata, &self->life,
		  LIFE_UNMAP_PAGES + variant->slice * NR, NR, variant->stock);
}

FIXTURE_TEARDOWN(pieces)
{
	life_close(&self->life);
}

static void take_step(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *area, const struct step *step)
{
	char *at = area->at + step->first * PAT_PAGE;
	size_t size = step->nr * PAT_PAGE;

	switch (step->op) {
	case UNMAP:
		life_munmap(_metadata, life, area, step->first, step->nr);
		break;
	case READ_ONLY:
		ASSERT_EQ(0, mprotect(at, size, PROT_READ));
		break;
	case DONTDUMP:
		ASSERT_EQ(0, madvise(at, size, MADV_DONTDUMP));
		break;
	case DONTFORK:
		ASSERT_EQ(0, madvise(at, size, MADV_DONTFORK));
		break;
	case DONTNEED:
		ASSERT_EQ(-1, madvise(at, size, MADV_DONTNEED));
		EXPECT_EQ(EINVAL, errno);
		break;
	case END:
		break;
	}
}

static void take_steps(struct __test_metadata *_metadata, struct life *life,
		       struct life_area *area, const struct step *steps,
		       enum life_source source)
{
	static const char *const words[] = {
		[UNMAP] = "munmap", [READ_ONLY] = "mprotect",
		[DONTDUMP] = "dontdump", [DONTFORK] = "dontfork",
		[DONTNEED] = "dontneed",
	};
	char text[64];

	life_area_open(_metadata, area, NR);
	life_map(_metadata, life, area, 0, source, 0, NR);
	life_claim(_metadata, life, area, "mmap");
	for (; steps->op != END; steps++) {
		take_step(_metadata, life, area, steps);
		snprintf(text, sizeof(text), "%s of %u at %u",
			 words[steps->op], steps->nr, steps->first);
		life_claim(_metadata, life, area, text);
	}
	life_verdict(_metadata, life);
}

TEST_F(pieces, devmem)
{
	take_steps(_metadata, &self->life, &self->area, variant->steps,
		   LIFE_DEVMEM);
}

TEST_F(pieces, resource_wc)
{
	take_steps(_metadata, &self->life, &self->area, variant->steps,
		   LIFE_RESOURCE_WC);
}

TEST_F(pieces, driver)
{
	take_steps(_metadata, &self->life, &self->area, variant->steps,
		   LIFE_DRIVER);
}

/*
 * Many pages, mapped anew here and there while others go; a frame may be mapped
 * at several places.
 */
FIXTURE(at_random) {
	struct life life;
	struct life_area area;
};

FIXTURE_SETUP(at_random)
{
	life_open(_metadata, &self->life, LIFE_UNMAP_PAGES + 256, NR_RANDOM,
		  ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(at_random)
{
	life_close(&self->life);
}

TEST_F(at_random, steps)
{
	static const enum op ops[] = { UNMAP, UNMAP, UNMAP, READ_ONLY, DONTDUMP };
	uint32_t random = life_seed(_metadata);
	struct life_area *area = &self->area;
	struct life *life = &self->life;
	char text[64];

	life_area_open(_metadata, area, NR_RANDOM);
	life_map(_metadata, life, area, 0, LIFE_DEVMEM, 0, NR_RANDOM);
	for (unsigned int i = 0; i < RANDOM_STEPS; i++) {
		struct step step = {
			.op = ops[life_random(&random, 5)],
			.first = life_random(&random, NR_RANDOM),
		};

		step.nr = 1 + life_random(&random, 24);
		if (step.nr > NR_RANDOM - step.first)
			step.nr = NR_RANDOM - step.first;
		if (life_random(&random, 4)) {
			take_step(_metadata, life, area, &step);
		} else {
			life_munmap(_metadata, life, area, step.first, step.nr);
			life_map(_metadata, life, area, step.first,
				 life_random(&random, 2) ? LIFE_RESOURCE : LIFE_DEVMEM,
				 life_random(&random, NR_RANDOM - step.nr + 1),
				 step.nr);
		}
		snprintf(text, sizeof(text), "step %u", i);
		life_claim_records(_metadata, life, text);
		life_claim_given(_metadata, life,
				 life_random(&random, NR_RANDOM), text);
	}
	life_claim(_metadata, life, area, "after all steps");
	life_munmap(_metadata, life, area, 0, NR_RANDOM);
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
