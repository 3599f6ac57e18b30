// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver changes what it has mapped, under the process that mapped it.
 *
 *	zap of a part, remap_pfn_range() of other frames there
 *	unmap_mapping_range(), in all processes at once
 *	an mmap() in chunks of which one fails
 *	pages that are inserted when they are touched
 *
 * Stock: forgets everything at the first zap, and does not record chunks.
 */
#include "life.h"

#define NR 8

FIXTURE(driver) {
	struct life life;
	struct life_area area;
	uint64_t offset;	/* of the area in the driver's file */
};

FIXTURE_VARIANT(driver) {
	unsigned int method;
	unsigned int first;	/* the zapped pages */
	unsigned int nr;
	unsigned int slice;
};

#define VARIANT(name, zap_method, first_page, nr_pages, slice_nr)	\
	FIXTURE_VARIANT_ADD(driver, name) {				\
		.method = zap_method,					\
		.first = first_page,					\
		.nr = nr_pages,						\
		.slice = slice_nr,					\
	}

VARIANT(zap_head, PAT_TEST_ZAP_VMA_PTES, 0, 3, 0);
VARIANT(zap_middle, PAT_TEST_ZAP_VMA_PTES, 2, 3, 1);
VARIANT(zap_tail, PAT_TEST_ZAP_VMA_PTES, 5, 3, 2);
VARIANT(unmap_mapping_head, PAT_TEST_UNMAP_MAPPING_RANGE, 0, 3, 3);
VARIANT(unmap_mapping_middle, PAT_TEST_UNMAP_MAPPING_RANGE, 2, 3, 4);
VARIANT(unmap_mapping_tail, PAT_TEST_UNMAP_MAPPING_RANGE, 5, 3, 5);

#define NR_DRIVER_TESTS 3
#define NR_VARIANTS 6
#define CHUNK_PAGES (LIFE_DRIVER_PAGES + NR_VARIANTS * NR_DRIVER_TESTS * 2 * NR)
#define FAULT_PAGES (CHUNK_PAGES + 4 * 2 * NR)

FIXTURE_SETUP(driver)
{
}

FIXTURE_TEARDOWN(driver)
{
	life_close(&self->life);
}

/* Frames 0..7 are mapped UC-, 8..15 are there to be mapped instead. */
static void open_frames(struct __test_metadata *_metadata, struct life *life,
			struct life_area *area, uint64_t *offset,
			unsigned int slice, unsigned int test)
{
	unsigned int page = LIFE_DRIVER_PAGES +
			    (slice * NR_DRIVER_TESTS + test) * 2 * NR;

	life_open(_metadata, life, page, 2 * NR, ROW_STOCK_HAS_BUG);
	life_area_open(_metadata, area, NR);
	life_map(_metadata, life, area, 0, LIFE_DRIVER, 0, NR);
	*offset = page * PAT_PAGE;
}

/* The driver takes pages [first, first + nr) of the area away. */
static void zap(struct __test_metadata *_metadata, struct life *life,
		struct life_area *area, uint64_t offset, unsigned int method,
		unsigned int first, unsigned int nr)
{
	struct pat_test_zap zap = {
		.start = first * PAT_PAGE,
		.size = nr * PAT_PAGE,
		.method = method,
	};

	zap.start += method == PAT_TEST_ZAP_VMA_PTES ? (uintptr_t)area->at : offset;
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_ZAP, &zap));
	life_forget(life, area, first, nr);
}

/* The driver maps frames [frame, frame + nr) from page @first on. */
static void remap(struct __test_metadata *_metadata, struct life *life,
		  struct life_area *area, unsigned int first, unsigned int frame,
		  unsigned int nr, int type)
{
	struct pat_test_remap remap = {
		.addr = (uintptr_t)area->at + first * PAT_PAGE,
		.pfn = life_phys(life, frame) / PAT_PAGE,
		.size = nr * PAT_PAGE,
		.type = type,
	};

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_REMAP, &remap));
	ROW_CLAIM(&life->row, !remap.err, "remap_pfn_range: %d", remap.err);
	if (remap.err)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		life->frames[frame + i].type = type;
		life->frames[frame + i].count++;
		area->frame[first + i] = frame + i;
	}
}

TEST_F(driver, other_frames_take_the_place)
{
	struct life *life = &self->life;
	struct life_area *area = &self->area;
	unsigned int first = variant->first, nr = variant->nr;

	open_frames(_metadata, life, area, &self->offset, variant->slice, 0);
	zap(_metadata, life, area, self->offset, variant->method, first, nr);
	life_claim(_metadata, life, area, "zap");
	remap(_metadata, life, area, first, NR, nr, PAT_TEST_WC);
	life_claim(_metadata, life, area, "remap of others as WC");

	/* The next zap goes across the seam. */
	first = first ? first - 1 : 0;
	zap(_metadata, life, area, self->offset, variant->method, first, 3);
	life_claim(_metadata, life, area, "zap across the seam");
	remap(_metadata, life, area, first, NR + 4, 3, PAT_TEST_UC);
	life_claim(_metadata, life, area, "remap of others as UC");

	life_munmap(_metadata, life, area, 0, NR);
	life_verdict(_metadata, life);
}

TEST_F(driver, same_frames_take_another_type)
{
	static const int types[] = { PAT_TEST_WC, PAT_TEST_UC, PAT_TEST_UC_MINUS };
	struct life *life = &self->life;
	struct life_area *area = &self->area;
	char text[32];

	open_frames(_metadata, life, area, &self->offset, variant->slice, 1);
	for (unsigned int i = 0; i < 3; i++) {
		zap(_metadata, life, area, self->offset, variant->method,
		    variant->first, variant->nr);
		remap(_metadata, life, area, variant->first, variant->first,
		      variant->nr, types[i]);
		snprintf(text, sizeof(text), "as %s", pat_type_word(types[i]));
		life_claim(_metadata, life, area, text);
	}
	life_munmap(_metadata, life, area, variant->first, 1);
	life_claim(_metadata, life, area, "munmap of one");
	life_munmap(_metadata, life, area, 0, NR);
	life_verdict(_metadata, life);
}

/* A child has inherited: zap_vma_ptes() is for one, unmap_mapping_range() for all. */
TEST_F(driver, with_a_child)
{
	struct life *life = &self->life;
	struct life_area *area = &self->area, childs;
	struct life_child child;

	open_frames(_metadata, life, area, &self->offset, variant->slice, 2);
	ASSERT_TRUE(life_child_fork(life, area, &child));
	childs = *area;
	life_fork_counts(life, &childs, 1);
	zap(_metadata, life, area, self->offset, variant->method, variant->first,
	    variant->nr);
	if (variant->method == PAT_TEST_UNMAP_MAPPING_RANGE)
		life_forget(life, &childs, variant->first, variant->nr);
	life_claim(_metadata, life, area, "zap");
	remap(_metadata, life, area, variant->first, NR, variant->nr, PAT_TEST_WC);
	life_claim(_metadata, life, area, "remap");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_forget(life, &childs, 0, NR);
	life_claim(_metadata, life, area, "the child's exit");
	life_munmap(_metadata, life, area, 0, NR);
	life_verdict(_metadata, life);
}

/* --- chunks ---------------------------------------------------------------------- */

FIXTURE(chunks) {
	struct life life;
};

FIXTURE_VARIANT(chunks) {
	unsigned int conflict;	/* chunk that fails */
	unsigned int slice;
};

FIXTURE_VARIANT_ADD(chunks, first_fails) { .conflict = 0, .slice = 0 };

FIXTURE_VARIANT_ADD(chunks, middle_fails) { .conflict = 1, .slice = 1 };

FIXTURE_VARIANT_ADD(chunks, last_fails) { .conflict = 2, .slice = 2 };

FIXTURE_SETUP(chunks)
{
	life_open(_metadata, &self->life, CHUNK_PAGES + variant->slice * 2 * NR,
		  2 * NR, ROW_STOCK_HAS_BUG);
}

FIXTURE_TEARDOWN(chunks)
{
	life_close(&self->life);
}

#define NR_CHUNKS 3
#define CHUNK 2			/* pages of each */

/*
 * Each chunk wants a type of its own; the frames of one are WC already, where
 * it wants WT.
 */
TEST_F(chunks, nothing_is_held_when_one_fails)
{
	static const int types[] = { PAT_TEST_UC_MINUS, PAT_TEST_WC, PAT_TEST_UC };
	struct life *life = &self->life;
	struct pat_test_chunk chunks[NR_CHUNKS];
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = NR_CHUNKS,
	};
	struct pat_test_map wc = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = life_phys(life, variant->conflict * CHUNK),
		.size = CHUNK * PAT_PAGE,
	};
	struct pat_test_result result;
	char *at;

	for (unsigned int i = 0; i < NR_CHUNKS; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * CHUNK * PAT_PAGE,
			.pfn = life_phys(life, i * CHUNK) / PAT_PAGE,
			.size = CHUNK * PAT_PAGE,
			.type = i == variant->conflict ? PAT_TEST_WT : types[i],
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &wc));
	ASSERT_EQ(0, wc.err);
	for (unsigned int i = 0; i < CHUNK; i++) {
		life->frames[variant->conflict * CHUNK + i].count = 1;
		life->frames[variant->conflict * CHUNK + i].type = PAT_TEST_WC;
	}

	pat_expect_message(PAT_CONFLICT_MESSAGE);
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_PROGRAM, &program));
	at = mmap(NULL, NR_CHUNKS * CHUNK * PAT_PAGE, PROT_READ | PROT_WRITE,
		  MAP_SHARED, life->row.driver, 0);
	if (life->row.pat_is_on)
		ROW_CLAIM(&life->row, at == MAP_FAILED && errno == EINVAL,
			  "mmap with a conflict: %s",
			  at == MAP_FAILED ? strerror(errno) : "worked");
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_RESULT, &result));
	if (at == MAP_FAILED) {
		EXPECT_EQ(variant->conflict, result.done);
		life_claim(_metadata, life, NULL, "failed mmap");
	} else {
		ASSERT_EQ(0, munmap(at, NR_CHUNKS * CHUNK * PAT_PAGE));
	}
	/* What was said so far was expected. */
	ASSERT_LE(0, lseek(life->row.kmsg, 0, SEEK_END));
	pat_expect_done();
	if (pat_on_stock())
		pat_expect_message(ROW_STOCK_MESSAGES);

	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, wc.handle));
	for (unsigned int i = 0; i < CHUNK; i++)
		life->frames[variant->conflict * CHUNK + i].count = 0;
	life_verdict(_metadata, life);
}

/* --- pages inserted when they are touched ------------------------------------------- */

FIXTURE(inserted) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(inserted) {
	unsigned int method;
};

FIXTURE_VARIANT_ADD(inserted, vmf_insert_pfn) {
	.method = PAT_TEST_VMF_INSERT_PFN,
};

FIXTURE_VARIANT_ADD(inserted, vmf_insert_pfn_prot) {
	.method = PAT_TEST_VMF_INSERT_PFN_PROT,
};

FIXTURE_VARIANT_ADD(inserted, vmf_insert_mixed) {
	.method = PAT_TEST_VMF_INSERT_MIXED,
};

FIXTURE_SETUP(inserted)
{
	life_open(_metadata, &self->life, FAULT_PAGES, NR, ROW_STOCK_IS_RIGHT);
}

FIXTURE_TEARDOWN(inserted)
{
	life_close(&self->life);
}

/* The driver holds frames [first, first + nr) as WC; the model knows. */
static uint32_t hold_wc(struct __test_metadata *_metadata, struct life *life,
			unsigned int first, unsigned int nr)
{
	struct pat_test_map map = {
		.api = PAT_TEST_IOREMAP_WC,
		.phys = life_phys(life, first),
		.size = nr * PAT_PAGE,
	};

	EXPECT_EQ(0, ioctl(life->row.driver, PAT_TEST_MAP, &map));
	EXPECT_EQ(0, map.err);
	for (unsigned int i = first; i < first + nr; i++) {
		life->frames[i].count = 1;
		life->frames[i].type = PAT_TEST_WC;
	}
	return map.handle;
}

static void let_go(struct __test_metadata *_metadata, struct life *life,
		   uint32_t handle)
{
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_UNMAP, handle));
	for (unsigned int i = 0; i < NR; i++) {
		life->frames[i].count = 0;
		life->frames[i].type = PAT_TEST_UC_MINUS;
	}
}

/* Touches all pages, and claims that each got the type in force for its frame. */
static void touch_all(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *area, const char *step)
{
	for (unsigned int i = 0; i < NR; i++) {
		(void)*(volatile char *)(area->at + i * PAT_PAGE);
		area->frame[i] = i;
	}
	life_claim(_metadata, life, area, step);
}

TEST_F(inserted, type_in_force_at_each_fault)
{
	struct life *life = &self->life;
	struct life_area *area = &self->area;
	struct pat_test_chunk chunk = {
		.pfn = life_phys(life, 0) / PAT_PAGE,
		.size = NR * PAT_PAGE,
		.type = PAT_TEST_UC_MINUS,
		.method = variant->method,
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
		.flags = PAT_TEST_AT_FAULT,
	};
	struct pat_test_zap zap = {
		.start = FAULT_PAGES * PAT_PAGE,
		.size = NR * PAT_PAGE,
		.method = PAT_TEST_UNMAP_MAPPING_RANGE,
	};
	uint32_t handle;

	for (unsigned int i = 0; i < NR; i++)
		life->frames[i].type = PAT_TEST_UC_MINUS;
	life_area_open(_metadata, area, NR);
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_PROGRAM, &program));
	ASSERT_EQ(area->at, mmap(area->at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_FIXED, life->row.driver,
				 FAULT_PAGES * PAT_PAGE));
	life_claim(_metadata, life, area, "nothing touched");

	handle = hold_wc(_metadata, life, 2, 3);
	touch_all(_metadata, life, area, "frames 2 to 4 are WC");

	/* As a driver must: no entry stays while its type changes. */
	ASSERT_EQ(0, ioctl(life->row.driver, PAT_TEST_ZAP, &zap));
	for (unsigned int i = 0; i < NR; i++)
		area->frame[i] = LIFE_NONE;
	let_go(_metadata, life, handle);
	life_claim(_metadata, life, area, "zapped");

	handle = hold_wc(_metadata, life, 0, 1);
	touch_all(_metadata, life, area, "frame 0 is WC");
	ASSERT_EQ(0, munmap(area->at, NR * PAT_PAGE));
	let_go(_metadata, life, handle);
	life_verdict(_metadata, life);
}

TEST_HARNESS_MAIN
