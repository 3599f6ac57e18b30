// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a type is not negotiated but looked up: pages inserted one by one,
 * mappings of RAM, reads of /dev/mem, and KVM's question whether a frame is
 * uncached whatever the MTRRs say.
 *
 * Looking up a frame gives: the page's own type for RAM, the type of whoever
 * maps a reserved frame, UC- if nobody does, WB in the ISA range.
 */
#include "contract.h"

#define BIOS_PAGE	0ULL		/* reserved everywhere */
#define ISA_PAGE	0xd0000ULL

/* What kind of frame, and what has been done to it. */
enum frame {
	BAR_FREE,
	BAR_WC,
	BAR_UC_MINUS,
	BAR_UC,
	BAR_WT,
	FIRMWARE_WB,
	BIOS_WC,
	BIOS_FREE,
	ISA,
	RAM_WB,
	RAM_WC,
	RAM_UC_MINUS,
};

static const struct {
	int type;			/* what the look-up gives */
	enum pat_requester holder;	/* who maps a reserved frame */
	int set_api;			/* what changes a RAM page */
} frames[] = {
	[BAR_FREE]	= { .type = PAT_TEST_UC_MINUS },
	[BAR_WC]	= { .type = PAT_TEST_WC,	.holder = IOREMAP_WC },
	[BAR_UC_MINUS]	= { .type = PAT_TEST_UC_MINUS,	.holder = IOREMAP },
	[BAR_UC]	= { .type = PAT_TEST_UC,	.holder = IOREMAP_UC },
	[BAR_WT]	= { .type = PAT_TEST_WT,	.holder = IOREMAP_WT },
	[FIRMWARE_WB]	= { .type = PAT_TEST_WB,	.holder = IOREMAP_CACHE },
	[BIOS_WC]	= { .type = PAT_TEST_WC,	.holder = IOREMAP_WC },
	[BIOS_FREE]	= { .type = PAT_TEST_UC_MINUS },
	[ISA]		= { .type = PAT_TEST_WB },
	[RAM_WB]	= { .type = PAT_TEST_WB,	.set_api = PAT_TEST_SET_MEMORY_WB },
	[RAM_WC]	= { .type = PAT_TEST_WC,	.set_api = PAT_TEST_SET_MEMORY_WC },
	[RAM_UC_MINUS]	= { .type = PAT_TEST_UC_MINUS,	.set_api = PAT_TEST_SET_MEMORY_UC },
};

static bool is_ram(enum frame frame)
{
	return frame >= RAM_WB;
}

static bool is_held(enum frame frame)
{
	return frame >= BAR_WC && frame <= BIOS_WC;
}

static uint64_t ram_page(struct __test_metadata *_metadata, int driver,
			 enum frame frame)
{
	uint64_t pfn;
	struct pat_test_alloc alloc = { .nr = 1, .pfns = (uintptr_t)&pfn };
	struct pat_test_set set = { .api = frames[frame].set_api, .count = 1 };

	ASSERT_EQ(0, ioctl(driver, PAT_TEST_ALLOC, &alloc));
	set.handle = alloc.handle;
	ASSERT_EQ(0, ioctl(driver, PAT_TEST_SET_TYPE, &set));
	ASSERT_EQ(0, set.err);
	return pfn * PAT_PAGE;
}

/* Makes the frame what it is to be; @holder is to be released by the caller. */
static uint64_t make_frame(struct __test_metadata *_metadata, int driver,
			   enum frame frame, struct pat_mapping *holder)
{
	uint64_t phys = pat_bar(_metadata)->start;

	if (frame == FIRMWARE_WB)
		phys = pat_firmware_pages(_metadata);
	if (frame == BIOS_WC || frame == BIOS_FREE)
		phys = BIOS_PAGE;
	if (frame == ISA)
		phys = ISA_PAGE;
	if (is_ram(frame))
		phys = ram_page(_metadata, driver, frame);
	if (is_held(frame)) {
		*holder = pat_request(_metadata, driver, frames[frame].holder,
				      phys, PAT_PAGE);
		ASSERT_EQ(0, holder->err);
	}
	return phys;
}

static void drop_frame(struct __test_metadata *_metadata, int driver,
		       enum frame frame, const struct pat_mapping *holder)
{
	if (is_held(frame))
		pat_release(_metadata, driver, holder);
}

/* --- pages inserted one by one ----------------------------------------- */

/*
 * The type comes from the look-up, whatever the VMA's protection or the
 * driver asks for, and the mapping is not recorded.
 */
PAT_FIXTURE(insert)

FIXTURE_VARIANT(insert)
{
	unsigned int method;
	int asked;
	enum frame frame;
};

#define INSERT(method_, asked_, frame_)						\
	FIXTURE_VARIANT_ADD(insert, method_##_##asked_##_of_##frame_)		\
	{									\
		.method = PAT_TEST_##method_, .asked = PAT_TEST_##asked_,	\
		.frame = frame_,						\
	}

#define INSERT_EACH(method)							\
	INSERT(method, WC, BAR_FREE);						\
	INSERT(method, WB, BAR_WC);						\
	INSERT(method, WC, BAR_UC_MINUS);					\
	INSERT(method, WC, BAR_UC);						\
	INSERT(method, UC_MINUS, BAR_WT);					\
	INSERT(method, WC, FIRMWARE_WB);					\
	INSERT(method, UC, ISA);						\
	INSERT(method, WC, RAM_WB);						\
	INSERT(method, WB, RAM_WC);						\
	INSERT(method, WC, RAM_UC_MINUS)

INSERT_EACH(VMF_INSERT_PFN);
INSERT_EACH(VMF_INSERT_PFN_PROT);
INSERT_EACH(VMF_INSERT_MIXED);
INSERT(VM_INSERT_PAGE, WB, RAM_WB);

#define INSERT_MESSAGE "x86/PAT: .*map pfn RAM page req"

static void insert(struct __test_metadata *_metadata, FIXTURE_DATA(insert) *self,
		   const FIXTURE_VARIANT(insert) *variant, unsigned int flags)
{
	struct pat_mapping holder;
	uint64_t phys = make_frame(_metadata, self->driver, variant->frame,
				   &holder);
	struct pat_test_chunk chunk = {
		.offset = PAT_PAGE,
		.pfn = phys / PAT_PAGE,
		.size = PAT_PAGE,
		.type = variant->asked,
		.method = variant->method,
	};
	int want = self->pat ? frames[variant->frame].type :
			       pat_type_without_pat(variant->asked);
	struct pat_test_result result;
	char *at;

	/* INTENDED DIFFERENCE: stock is silent where an inserted page is not as asked. */
	pat_expect_message(INSERT_MESSAGE);
	pat_set_program(_metadata, self->driver, &chunk, 1, flags);
	at = mmap(NULL, 2 * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  self->driver, 0);
	ASSERT_NE(MAP_FAILED, at) TH_LOG("%s", strerror(errno));
	if (flags & PAT_TEST_AT_FAULT) {
		EXPECT_EQ(PAT_TEST_NOT_MAPPED,
			  pat_user_type(_metadata, self->driver, at + PAT_PAGE,
					phys, PAT_PAGE));
		*(volatile char *)(at + PAT_PAGE);
	}
	pat_expect_done();
	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_RESULT, &result));
	EXPECT_EQ(0, result.err);
	EXPECT_EQ(1, result.done);

	EXPECT_EQ(want, pat_user_type(_metadata, self->driver, at + PAT_PAGE,
				      phys, PAT_PAGE));
	pat_expect_records(_metadata, self->pat, phys, PAT_PAGE,
			   is_held(variant->frame), frames[variant->frame].type);
	ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	drop_frame(_metadata, self->driver, variant->frame, &holder);
}

TEST_F(insert, in_mmap)
{
	insert(_metadata, self, variant, 0);
}

TEST_F(insert, at_fault)
{
	insert(_metadata, self, variant, PAT_TEST_AT_FAULT);
}

/* --- remap_pfn_range() of RAM --------------------------------------------- */

/* It takes the page's type, says so if that is not what was asked for, and is not listed. */
PAT_FIXTURE(remap_ram)

FIXTURE_VARIANT(remap_ram)
{
	enum pat_requester who;
	enum frame frame;
};

#define REMAP_RAM(who_, frame_)							\
	FIXTURE_VARIANT_ADD(remap_ram, who_##_of_##frame_)			\
	{									\
		.who = who_, .frame = frame_,					\
	}

REMAP_RAM(REMAP_WB,		RAM_WB);
REMAP_RAM(REMAP_WB,		RAM_WC);
REMAP_RAM(REMAP_WB,		RAM_UC_MINUS);
REMAP_RAM(REMAP_WC,		RAM_WB);
REMAP_RAM(REMAP_WC,		RAM_WC);
REMAP_RAM(REMAP_WC,		RAM_UC_MINUS);
REMAP_RAM(REMAP_UC_MINUS,	RAM_WB);
REMAP_RAM(REMAP_UC_MINUS,	RAM_WC);
REMAP_RAM(REMAP_UC_MINUS,	RAM_UC_MINUS);
REMAP_RAM(REMAP_UC,		RAM_UC_MINUS);

TEST_F(remap_ram, takes_the_pages_type)
{
	uint64_t phys = ram_page(_metadata, self->driver, variant->frame);
	int asked = pat_requesters[variant->who].type;
	struct pat_mapping map;

	if (asked != frames[variant->frame].type)
		pat_expect_message(PAT_CONFLICT_MESSAGE);
	map = pat_request(_metadata, self->driver, variant->who, phys, PAT_PAGE);
	if (asked != frames[variant->frame].type)
		pat_expect_done();
	pat_expect_granted(_metadata, &map,
			   self->pat ? frames[variant->frame].type :
				       pat_type_without_pat(asked));
	pat_expect_records(_metadata, self->pat, phys, PAT_PAGE, 0, 0);
	pat_release(_metadata, self->driver, &map);
}

/* --- a VMA filled piece by piece ------------------------------------------- */

/*
 * INTENDED DIFFERENCE. The stock kernel records a remap_pfn_range() that fills
 * a whole VMA only; a piece gets the type that a look-up gives, whatever it
 * asked for, and stays unrecorded, so that others can map its frames with
 * another type. The patched kernel treats a piece like any other request.
 */
PAT_FIXTURE(piece)

FIXTURE_VARIANT(piece)
{
	enum frame frame;
	int asked;
	int stock;
	int patched;
};

#define PIECE(frame_, asked_, stock_, patched_)					\
	FIXTURE_VARIANT_ADD(piece, asked_##_over_##frame_)			\
	{									\
		.frame = frame_, .asked = PAT_TEST_##asked_,			\
		.stock = stock_, .patched = patched_,				\
	}

PIECE(BAR_FREE,		WC,		PAT_TEST_UC_MINUS, PAT_TEST_WC);
PIECE(BAR_FREE,		UC_MINUS,	PAT_TEST_UC_MINUS, PAT_TEST_UC_MINUS);
PIECE(BAR_FREE,		UC,		PAT_TEST_UC_MINUS, PAT_TEST_UC);
PIECE(BAR_WC,		UC_MINUS,	PAT_TEST_WC,	   PAT_TEST_WC);
PIECE(BAR_WC,		WT,		PAT_TEST_WC,	   PAT_REFUSED);
PIECE(BAR_UC,		WC,		PAT_TEST_UC,	   PAT_TEST_UC);
PIECE(FIRMWARE_WB,	WC,		PAT_TEST_WB,	   PAT_REFUSED);
PIECE(FIRMWARE_WB,	WB,		PAT_TEST_WB,	   PAT_TEST_WB);

TEST_F(piece, is_a_request)
{
	struct pat_mapping holder;
	uint64_t phys = make_frame(_metadata, self->driver, variant->frame,
				   &holder);
	struct pat_test_chunk chunk = {
		.offset = PAT_PAGE,
		.pfn = phys / PAT_PAGE,
		.size = PAT_PAGE,
		.type = variant->asked,
		.method = PAT_TEST_REMAP_PFN_RANGE,
	};
	int want = !self->pat ? pat_type_without_pat(variant->asked) :
		   pat_on_stock() ? variant->stock : variant->patched;
	bool held = is_held(variant->frame);
	bool recorded = !pat_on_stock();
	char *at;

	pat_set_program(_metadata, self->driver, &chunk, 1, 0);
	if (want == PAT_REFUSED)
		pat_expect_message(PAT_CONFLICT_MESSAGE);
	at = mmap(NULL, 2 * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		  self->driver, 0);
	if (want == PAT_REFUSED) {
		pat_expect_done();
		EXPECT_EQ(MAP_FAILED, at);
		EXPECT_EQ(EINVAL, errno);
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE, held,
				   frames[variant->frame].type);
	} else {
		ASSERT_NE(MAP_FAILED, at) TH_LOG("%s", strerror(errno));
		EXPECT_EQ(want, pat_user_type(_metadata, self->driver,
					      at + PAT_PAGE, phys, PAT_PAGE));
		pat_expect_records(_metadata, self->pat, phys, PAT_PAGE,
				   held + recorded, want);
		ASSERT_EQ(0, munmap(at, 2 * PAT_PAGE));
	}
	drop_frame(_metadata, self->driver, variant->frame, &holder);
}

/* --- the question KVM asks ---------------------------------------------------- */

PAT_FIXTURE(lookup)

FIXTURE_VARIANT(lookup)
{
	enum frame frame;
	bool immune;
};

#define LOOKUP(frame_, immune_)							\
	FIXTURE_VARIANT_ADD(lookup, frame_)					\
	{									\
		.frame = frame_, .immune = immune_,				\
	}

LOOKUP(BAR_FREE,	true);
LOOKUP(BAR_WC,		true);
LOOKUP(BAR_UC_MINUS,	true);
LOOKUP(BAR_UC,		true);
LOOKUP(BAR_WT,		false);
LOOKUP(FIRMWARE_WB,	false);
LOOKUP(ISA,		false);
LOOKUP(RAM_WB,		false);
LOOKUP(RAM_WC,		true);
LOOKUP(RAM_UC_MINUS,	true);

TEST_F(lookup, immune_to_uc_mtrr)
{
	struct pat_mapping holder;
	uint64_t phys = make_frame(_metadata, self->driver, variant->frame,
				   &holder);
	struct pat_test_lookup lookup = { .pfn = phys / PAT_PAGE };

	ASSERT_EQ(0, ioctl(self->driver, PAT_TEST_LOOKUP, &lookup));
	EXPECT_EQ(self->pat ? 0 : -ENODEV, lookup.err);
	if (self->pat) {
		EXPECT_EQ(variant->immune, lookup.immune);
	}
	drop_frame(_metadata, self->driver, variant->frame, &holder);
}

/* --- reading and writing /dev/mem ----------------------------------------------- */

/*
 * They map for the moment, with whatever type is there, and leave nothing. It
 * works up to the end of RAM only.
 */
PAT_FIXTURE(devmem_io)

FIXTURE_VARIANT(devmem_io)
{
	enum frame frame;
	bool write;
	int err;
};

#define DEVMEM_READ(frame_, err_)						\
	FIXTURE_VARIANT_ADD(devmem_io, read_##frame_)				\
	{									\
		.frame = frame_, .err = err_,					\
	}

#define DEVMEM_WRITE(frame_, err_)						\
	FIXTURE_VARIANT_ADD(devmem_io, write_##frame_)				\
	{									\
		.frame = frame_, .write = true, .err = err_,			\
	}

DEVMEM_READ(BIOS_FREE,		0);
DEVMEM_READ(BIOS_WC,		0);
DEVMEM_READ(ISA,		0);
DEVMEM_READ(RAM_WB,		0);
DEVMEM_READ(RAM_WC,		0);
DEVMEM_READ(BAR_FREE,		EFAULT);
DEVMEM_READ(BAR_WC,		EFAULT);
DEVMEM_READ(FIRMWARE_WB,	EFAULT);
DEVMEM_WRITE(RAM_WB,		0);
DEVMEM_WRITE(RAM_WC,		0);
DEVMEM_WRITE(BAR_FREE,		EFAULT);

TEST_F(devmem_io, leaves_no_record)
{
	struct pat_mapping holder;
	uint64_t phys = make_frame(_metadata, self->driver, variant->frame,
				   &holder);
	ssize_t want = variant->err ? -1 : (ssize_t)sizeof(uint64_t);
	uint64_t value = 0x5a17ec0ffee00000ULL, seen = 0;
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	errno = 0;
	if (variant->write) {
		EXPECT_EQ(want, pwrite(fd, &value, sizeof(value), phys));
		EXPECT_EQ(variant->err, errno);
	}
	EXPECT_EQ(want, pread(fd, &seen, sizeof(seen), phys));
	EXPECT_EQ(variant->err, errno);
	if (variant->write && !variant->err) {
		EXPECT_EQ(value, seen);
	}
	close(fd);
	pat_expect_records(_metadata, self->pat, phys, PAT_PAGE,
			   is_held(variant->frame), frames[variant->frame].type);
	drop_frame(_metadata, self->driver, variant->frame, &holder);
}

TEST_HARNESS_MAIN
