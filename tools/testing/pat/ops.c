// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interpreter: each operation takes its bytes, asks the reference what has
 * to come of it, does it, and compares.
 *
 * Two operations concern the next one: FAIL makes an allocation in it fail,
 * RACE runs another inside it, at a point at which it holds no lock that the
 * other needs.  What comes of an operation with others in it is not foretold;
 * the state after it is checked all the same.
 */

#include "ops.h"
#include "reference.h"

/* Everything is compared after so many operations. */
#define COMPARE_EVERY	32

bool ops_thorough;

/* Of the operation, from 0 on in each episode. */
static unsigned long number;

static const uint8_t *input, *input_end;
static int race_in;		/* preemption points until the other runs */
static bool raced, nested;

/* Bytes */

static unsigned int take(unsigned int below)
{
	return input < input_end ? *input++ % below : 0;
}

static int take_length(int most)
{
	/* Short ones more often. */
	return 1 + (take(2) ? take(4) % most : take(most));
}

static unsigned long take_frame(void)
{
	/* Most of them where others are likely to be: a device's, and RAM. */
	switch (take(4)) {
	case 0:
		return take(TOY_FRAMES);
	case 1:
		return 80 + take(32);
	case 2:
		return TOY_HOTPLUG_START + take(64);
	default:
		return 24 + take(56);
	}
}

/* What was done last, for the report of a failure */

#define TRACE_LENGTH	32
static struct trace {
	unsigned long	number;
	const char	*what;
	long		args[6];
	long		result;
} trace[TRACE_LENGTH];
static unsigned int trace_next;
static struct trace *trace_now;

static void note(const char *what, long a, long b, long c, long d, long e)
{
	trace_now = &trace[trace_next++ % TRACE_LENGTH];
	*trace_now = (struct trace) {
		.number = number, .what = what,
		.args = { a, b, c, d, e }, .result = 1,
	};
}

static void note_result(struct trace *t, long result)
{
	t->result = result;
}

void ops_trace(void)
{
	unsigned int i;

	for (i = 0; i < TRACE_LENGTH; i++) {
		const struct trace *t =
			&trace[(trace_next + i) % TRACE_LENGTH];

		if (!t->what)
			continue;
		fprintf(stderr, "  %8lu %-10s %4ld %4ld %4ld %4ld %4ld", t->number,
			t->what, t->args[0], t->args[1], t->args[2],
			t->args[3], t->args[4]);
		if (t->result <= 0)
			fprintf(stderr, "  = %ld\n", t->result);
		else
			fprintf(stderr, "  ...\n");
	}
}

bool ops_racing(void)
{
	return raced;
}

/* Judge what a call returned: @expect, or no memory where that was made so. */
static void judge(int err, int expect, unsigned long failures)
{
	if (raced || nested) {
		SHIM_CHECK(!err || err == -EINVAL || err == -EBUSY ||
			   err == -ENOMEM);
		return;
	}
	if (shim_failures != failures && err == -ENOMEM)
		return;
	SHIM_CHECK(err == expect);
}

/* Nobody waits for a purge unless something with another type lingers. */
static void judge_purges(unsigned long before, bool expected)
{
	if (!raced && !nested && !expected)
		SHIM_CHECK(shim_purges == before);
}

/* Processes */

static struct toy_mm *take_mm(int *slot)
{
	int i, first = take(TOY_MMS);

	for (i = 0; i < TOY_MMS; i++) {
		*slot = (first + i) % TOY_MMS;
		if (toy_mms[*slot] && !toy_mms[*slot]->away &&
		    atomic_read(&toy_mms[*slot]->mm.mm_users) == 1 &&
		    !toy_mms[*slot]->ending &&
		    !shim_rwsem_held(&toy_mms[*slot]->mm.mmap_lock))
			return toy_mms[*slot];
	}
	return NULL;
}

static int free_slot(void)
{
	int i;

	for (i = 0; i < TOY_MMS; i++)
		if (!toy_mms[i])
			return i;
	return -1;
}

static struct toy_vma *take_vma(struct toy_mm *toy)
{
	struct toy_vma *area;
	unsigned int nr = 0;

	for (area = toy->vmas; area; area = area->next)
		nr++;
	if (!nr)
		return NULL;
	nr = take(nr);
	for (area = toy->vmas; nr; nr--)
		area = area->next;
	return area;
}

/* The same, but one in which a driver maps frames, or pages. */
static struct toy_vma *take_vma_for(struct toy_mm *toy, vm_flags_t flag)
{
	struct toy_vma *area = take_vma(toy);

	return area && area->vma.vm_flags & flag ? area : NULL;
}

static struct toy_zap *take_zap(void)
{
	int i, first = take(TOY_ZAPS);

	for (i = 0; i < TOY_ZAPS; i++)
		if (toy_zaps[(first + i) % TOY_ZAPS].toy &&
		    !toy_zaps[(first + i) % TOY_ZAPS].ending)
			return &toy_zaps[(first + i) % TOY_ZAPS];
	return NULL;
}

/* Is one of these frames no memory any more, but perhaps still mapped? */
static bool is_removed(unsigned long frame, unsigned long end)
{
	for (; frame < end; frame++)
		if (toy_kind[frame] == TOY_REMOVED)
			return true;
	return false;
}

static void do_remap_frame(struct toy_mm *toy, struct toy_vma *area, int page,
			   int nr, unsigned long frame)
{
	unsigned long failures = shim_failures;
	enum page_cache_mode type = take(TOY_TYPES);
	int fail_at = take(8) ? TOY_PAGES : take(nr);
	u8 types[TOY_PAGES];
	unsigned long purges = shim_purges;
	int expect, err, i;
	bool waits = false;
	struct trace *t;

	frame = min(frame, TOY_FRAMES - nr);
	if (is_removed(frame, frame + nr))
		return;
	expect = ref_map(frame, nr, type, types);
	for (i = 0; i < nr; i++)
		waits |= expect || ref_lingers(frame + i, types[i]);
	if (!expect && fail_at < nr)
		expect = -ENOMEM;
	note("remap", page, frame, nr, type, fail_at);
	t = trace_now;
	err = toy_remap(toy, area, page, frame, nr, type, fail_at);
	note_result(t, err);
	judge(err, expect, failures);
	judge_purges(purges, waits);
	for (i = 0; !err && !raced && !nested && i < nr; i++)
		SHIM_CHECK(toy_pte(toy, page + i).type == types[i]);
	compare_frames(frame, nr);
}

static void do_remap(struct toy_mm *toy, struct toy_vma *area, int page, int nr)
{
	do_remap_frame(toy, area, page, nr, take_frame());
}

static void op_map(void)
{
	int slot, start, nr, piece, done;
	struct toy_vma *area;
	struct toy_mm *toy = take_mm(&slot);

	if (!toy) {
		slot = free_slot();
		if (slot < 0)
			return;
		toy = toy_new(slot);
	}
	start = take(TOY_PAGES);
	nr = min(take_length(12), TOY_PAGES - start);
	if (!toy_unmapped(toy, start, start + nr))
		return;
	down_write(&toy->mm.mmap_lock);
	note("mmap", slot, start, nr, 0, 0);
	area = toy_mmap(toy, start, start + nr);
	/* In one piece, or in several, or not all of it. */
	for (done = take(4) ? 0 : take(nr); done < nr; done += piece) {
		piece = take(3) ? nr - done : take_length(nr - done);
		do_remap(toy, area, start + done, piece);
		if (!take(4))
			break;
	}
	up_write(&toy->mm.mmap_lock);
}

/* A driver maps more of its VMA, frames that follow or others. */
static void op_remap(void)
{
	int slot, page, nr, i;
	struct toy_vma *area;
	struct toy_mm *toy = take_mm(&slot);

	area = toy ? take_vma_for(toy, VM_PFNMAP) : NULL;
	if (!area)
		return;
	nr = vma_pages(&area->vma);
	page = TOY_PAGE(area->vma.vm_start) + take(nr);
	nr = take_length(TOY_PAGE(area->vma.vm_end) - page);
	for (i = 0; i < nr; i++)
		if (toy_frame(toy, page + i) != TOY_NONE)
			return;
	down_write(&toy->mm.mmap_lock);
	/* Just after a page that is mapped: a driver that goes on. */
	do_remap(toy, area, page, nr);
	up_write(&toy->mm.mmap_lock);
}

/* Frame by frame, as drivers do 100,000 times: one record has to do for all. */
static void do_pages(struct toy_mm *toy, struct toy_vma *area, int page, int nr)
{
	unsigned long frame = min(take_frame(), TOY_FRAMES - nr), failures;
	enum page_cache_mode type = take(TOY_TYPES);
	int i, err, expect;
	u8 got;

	if (is_removed(frame, frame + nr))
		return;

	note("pages", page, frame, nr, type, 0);
	for (i = 0; i < nr; i++) {
		failures = shim_failures;
		expect = ref_map(frame + i, 1, type, &got);
		err = toy_remap(toy, area, page + i, frame + i, 1, type,
				TOY_PAGES);
		judge(err, expect, failures);
	}
	compare_frames(frame, nr);
}

static void op_map_pages(void)
{
	struct toy_vma *area;
	int slot, start, nr;
	struct toy_mm *toy = take_mm(&slot);

	if (!toy)
		return;
	start = take(TOY_PAGES);
	nr = min(1 + (int)take(12), TOY_PAGES - start);
	if (!toy_unmapped(toy, start, start + nr))
		return;
	down_write(&toy->mm.mmap_lock);
	area = toy_mmap(toy, start, start + nr);
	do_pages(toy, area, start, nr);
	up_write(&toy->mm.mmap_lock);
}

/* A driver maps again what a zap is still busy with. */
static void op_remap_beside_zap(void)
{
	struct toy_zap *zap = take_zap();
	struct toy_vma *area;
	struct toy_mm *toy;
	int page, nr, i;

	if (!zap || zap->toy->away || zap->toy->ending ||
	    shim_rwsem_held(&zap->toy->mm.mmap_lock))
		return;
	toy = zap->toy;
	area = zap->area;
	if (!(area->vma.vm_flags & VM_PFNMAP))
		return;
	page = zap->start + take(zap->end - zap->start);
	nr = take_length(TOY_PAGE(area->vma.vm_end) - page);
	for (i = 0; i < nr; i++)
		if (toy_frame(toy, page + i) != TOY_NONE)
			return;
	down_write(&toy->mm.mmap_lock);
	if (take(2))
		do_remap(toy, area, page, nr);
	else
		do_pages(toy, area, page, nr);
	up_write(&toy->mm.mmap_lock);
}

static void op_munmap(void)
{
	unsigned long failures = shim_failures;
	int slot, start, nr, err;
	struct trace *t;
	struct toy_mm *toy = take_mm(&slot);

	if (!toy)
		return;
	start = take(TOY_PAGES);
	nr = min(take_length(TOY_PAGES), TOY_PAGES - start);
	down_write(&toy->mm.mmap_lock);
	note("munmap", slot, start, nr, 0, 0);
	t = trace_now;
	err = toy_munmap(toy, start, start + nr);
	note_result(t, err);
	up_write(&toy->mm.mmap_lock);
	judge(err, 0, failures);
}

/* unmap_mapping_range() of a part of a VMA begins; NULL if it may not, or cannot. */
static struct toy_zap *begin_zap(const char *name)
{
	int slot, start, nr;
	struct toy_vma *area;
	struct toy_mm *toy;

	toy = toy_mms[slot = take(TOY_MMS)];
	area = toy ? take_vma(toy) : NULL;
	if (!area)
		return NULL;
	nr = vma_pages(&area->vma);
	start = TOY_PAGE(area->vma.vm_start) + take(nr);
	nr = take_length(TOY_PAGE(area->vma.vm_end) - start);
	if (!toy_may_zap(toy, area, start, start + nr))
		return NULL;
	note(name, slot, start, nr, 0, 0);
	return toy_zap_begin(toy, area, start, start + nr);
}

static void op_zap_begin(void)
{
	struct toy_zap *zap = begin_zap("zap-begin");

	if (zap)
		toy_zap_step(zap, take(4));
}

static void op_zap_step(void)
{
	struct toy_zap *zap = take_zap();

	if (!zap)
		return;
	note("zap-step", zap - toy_zaps, 0, 0, 0, 0);
	toy_zap_step(zap, 1 + take(8));
}

static void op_zap_end(void)
{
	struct toy_zap *zap = take_zap();

	if (!zap)
		return;
	note("zap-end", zap - toy_zaps, zap->start, zap->end - zap->start, 0, 0);
	toy_zap_end(zap);
}

/* unmap_mapping_range() of a part, undisturbed. */
static void op_zap(void)
{
	struct toy_zap *zap = begin_zap("zap");

	if (zap)
		toy_zap_end(zap);
}

static void op_fork(void)
{
	unsigned long failures = shim_failures;
	int from, to = free_slot(), fail_at, err;
	struct toy_mm *toy = take_mm(&from);
	struct trace *t;

	if (!toy || to < 0)
		return;
	fail_at = take(4) ? TOY_PAGES : take(TOY_PAGES);
	note("fork", from, to, fail_at, 0, 0);
	t = trace_now;
	down_write(&toy->mm.mmap_lock);
	err = toy_fork(from, to, fail_at);
	note_result(t, err);
	up_write(&toy->mm.mmap_lock);
	/* fail_at may lie where nothing is mapped. */
	judge(err, err && fail_at < TOY_PAGES ? -ENOMEM : 0, failures);
}

static void op_mremap(void)
{
	unsigned long failures = shim_failures;
	int slot, start, nr, to, fail_at, err;
	struct toy_vma *area;
	struct trace *t;
	struct toy_mm *toy = take_mm(&slot);

	area = toy ? take_vma(toy) : NULL;
	if (!area)
		return;
	nr = vma_pages(&area->vma);
	start = TOY_PAGE(area->vma.vm_start) + take(nr);
	nr = take_length(TOY_PAGE(area->vma.vm_end) - start);
	to = take(TOY_PAGES - nr);
	if (!toy_unmapped(toy, to, to + nr))
		return;
	fail_at = take(4) ? nr : take(nr);
	note("mremap", slot, start, nr, to, fail_at);
	t = trace_now;
	down_write(&toy->mm.mmap_lock);
	err = toy_mremap(toy, start, nr, to, fail_at);
	note_result(t, err);
	up_write(&toy->mm.mmap_lock);
	judge(err, fail_at < nr ? -ENOMEM : 0, failures);
}

static void op_exit(void)
{
	int slot;

	if (!take_mm(&slot))
		return;
	note("exit", slot, 0, 0, 0, 0);
	toy_exit(slot);
}

/* Another one, beside the worker: that may hold mmap_lock for reading. */
static void op_exit_begin(void)
{
	int slot = take(TOY_MMS);
	struct toy_mm *toy = toy_mms[slot];

	if (!toy || toy->away || toy->mm.mmap_lock.writer ||
	    atomic_read(&toy->mm.mm_users) > 1)
		return;
	note("exit-begin", slot, 0, 0, 0, 0);
	toy_exit_begin(slot);
}

static void finish_exits(void)
{
	int i;

	for (i = 0; i < TOY_MMS; i++)
		if (toy_mms[i] && toy_mms[i]->away)
			toy_exit_end(i);
}

/* The kernel's own mappings */

static struct ref_kernel *free_kernel(void)
{
	int i;

	for (i = 0; i < REF_KERNEL; i++)
		if (!ref_kernel[i].used)
			return &ref_kernel[i];
	return NULL;
}

enum reserve { RESERVE_EXACT, RESERVE_ANY, RESERVE_PFNMAP, RESERVE_IOREMAP };

static int call_reserve(enum reserve how, struct ref_kernel *k,
			enum page_cache_mode want,
			enum page_cache_mode *granted)
{
	u64 start = PFN_PHYS(k->frame), end = PFN_PHYS(k->frame + k->nr);
	pgprot_t prot = pat_pgprot(__pgprot(0), want);
	int err;

	switch (how) {
	case RESERVE_EXACT:
		*granted = ref_effective(k->frame, k->nr, want);
		return memtype_reserve(start, end, want, NULL);
	case RESERVE_ANY:
		return memtype_reserve(start, end, want, granted);
	case RESERVE_PFNMAP:
		err = pfnmap_reserve(k->frame, end - start, &prot);
		*granted = pgprot2cachemode(prot);
		return err;
	default:
		return memtype_reserve_ioremap(&k->area, want, granted);
	}
}

/* Is somebody changing one of these frames, or keeps it? */
static bool is_busy(unsigned long frame, unsigned long end)
{
	for (; frame < end; frame++)
		if (ref_busy[frame] || ref_kept[frame])
			return true;
	return false;
}

static void set_busy(unsigned long frame, unsigned long end, bool busy)
{
	memset(ref_busy + frame, busy, end - frame);
}

static void do_reserve(enum reserve how)
{
	unsigned long frame = take_frame(), failures = shim_failures, i;
	unsigned long nr = min((unsigned long)take_length(24), TOY_FRAMES - frame);
	enum page_cache_mode want = take(TOY_TYPES), granted, expect_type;
	unsigned long purges = shim_purges;
	struct ref_kernel *k = free_kernel();
	bool records, waits = false;
	int err, expect;
	struct trace *t;

	/* UC for RAM warns; ioremap() refuses RAM before it comes here. */
	if (!k || is_busy(frame, frame + nr) || is_removed(frame, frame + nr) ||
	    (toy_kind[frame] == TOY_RAM &&
		   (want == _PAGE_CACHE_MODE_UC || how == RESERVE_IOREMAP)))
		return;
	k->frame = frame;
	k->nr = nr;
	k->area = (struct vm_struct) {
		.phys_addr = PFN_PHYS(frame),
		.size = nr << PAGE_SHIFT,
		.caller = do_reserve,
	};
	if (how == RESERVE_IOREMAP)
		k->area.addr = (void *)(0xffffc90000000000UL +
					(k - ref_kernel) * (32UL << PAGE_SHIFT));
	expect = ref_reserve(frame, nr, want, how == RESERVE_EXACT, &records,
			     &expect_type);
	for (i = frame; i < frame + nr; i++)
		waits |= expect || !records || ref_lingers(i, expect_type);
	if (!expect && (how == RESERVE_PFNMAP || how == RESERVE_IOREMAP) &&
	    records && !ref_serves(want, expect_type))
		expect = -EBUSY;
	note(how == RESERVE_IOREMAP ? "ioremap" : "reserve", frame, nr, want, how,
	     k - ref_kernel);
	t = trace_now;
	/* Not for one that runs inside, and not to be released yet. */
	k->used = true;
	k->type = TOY_TYPES;
	set_busy(frame, frame + nr, toy_kind[frame] == TOY_RAM);
	err = call_reserve(how, k, want, &granted);
	set_busy(frame, frame + nr, false);
	note_result(t, err);
	judge(err, expect, failures);
	judge_purges(purges, waits);
	k->used = !err && records;
	if (err)
		return;
	if (records) {
		SHIM_CHECK(raced || nested || granted == expect_type);
		k->type = granted;
		for (i = frame; i < frame + nr; i++)
			ref_hold(i, granted);
	} else if (toy_kind[frame] == TOY_RAM) {
		for (i = frame; i < frame + nr; i++)
			ref_ram_type[i] = want;
	}
	compare_frames(frame, nr);
}

static void op_reserve(void)
{
	do_reserve(take(RESERVE_IOREMAP));
}

static void op_ioremap(void)
{
	do_reserve(RESERVE_IOREMAP);
}

static void op_release(void)
{
	struct ref_kernel *k = &ref_kernel[take(REF_KERNEL)];
	unsigned long i;
	u64 start = PFN_PHYS(k->frame), end = PFN_PHYS(k->frame + k->nr);

	if (!k->used || k->type == TOY_TYPES)
		return;
	note("release", k->frame, k->nr, k->type, !!k->area.addr, k - ref_kernel);
	if (k->area.addr)
		ref_retire(k->frame, k->nr, k->type);
	k->type = TOY_TYPES;	/* on its way */
	if (k->area.addr)
		memtype_free_ioremap(&k->area);
	else if (take(4))
		SHIM_CHECK(!memtype_free(start, end));
	else
		pfnmap_release(k->frame, end - start);
	k->used = false;
	for (i = k->frame; i < k->frame + k->nr; i++)
		ref_drop(i);
	compare_frames(k->frame, k->nr);
}

/* A range that nobody has reserved cannot be freed. */
static void op_release_wrong(void)
{
	unsigned long frame = take_frame(), nr = 1 + take(4);
	int i;

	if (frame + nr > TOY_FRAMES || toy_kind[frame] != TOY_RESERVED ||
	    toy_isa(frame))
		return;
	for (i = 0; i < REF_KERNEL; i++)
		if (ref_kernel[i].used && ref_kernel[i].frame == frame &&
		    ref_kernel[i].nr == nr && !ref_kernel[i].area.addr)
			return;
	note("wrong", frame, nr, 0, 0, 0);
	SHIM_CHECK(memtype_free(PFN_PHYS(frame), PFN_PHYS(frame + nr)) ==
		   -EINVAL);
}

/* RAM */

static bool write_back(unsigned long frame, unsigned long end)
{
	for (; frame < end; frame++)
		if (ref_ram_type[frame])
			return false;
	return true;
}

static bool is_mapped(unsigned long frame, unsigned long end)
{
	for (; frame < end; frame++)
		if (ref_mapped[frame])
			return true;
	return false;
}

/* cpa: set_memory_*(), set_pages_array_*() and the like */

#define CPA_MOST	16

static enum page_cache_mode take_ram_type(void)
{
	static const enum page_cache_mode types[] = {
		_PAGE_CACHE_MODE_WB, _PAGE_CACHE_MODE_WB, _PAGE_CACHE_MODE_WC,
		_PAGE_CACHE_MODE_WC, _PAGE_CACHE_MODE_UC_MINUS,
		_PAGE_CACHE_MODE_WT,
	};

	return types[take(ARRAY_SIZE(types))];
}

static unsigned long take_ram(void)
{
	return take(4) ? 24 + take(56) : TOY_HOTPLUG_START + take(64);
}

/* What has to come of it, the pages being RAM and nobody else's. */
static int expect_cpa(const unsigned long *frames, int nr,
		      enum page_cache_mode type)
{
	int i, j;

	for (i = 0; i < nr; i++) {
		enum page_cache_mode now = ref_ram_type[frames[i]];

		if (type != _PAGE_CACHE_MODE_WB && now != _PAGE_CACHE_MODE_WB)
			return -EBUSY;
		if (type != now && ref_mapped[frames[i]])
			return -EBUSY;
		for (j = 0; type != _PAGE_CACHE_MODE_WB && j < i; j++)
			if (frames[j] == frames[i])
				return -EBUSY;
	}
	return 0;
}

static unsigned long cpa_frame;		/* where cpa is, or was last */

static void do_cpa(struct pat_cpa *cpa, const unsigned long *frames,
		   enum page_cache_mode type, int expect)
{
	unsigned long failures = shim_failures;
	struct trace *t = trace_now;
	int err, i;

	cpa_frame = frames[0];
	for (i = 0; i < cpa->nr; i++)
		ref_busy[frames[i]] = true;
	err = pat_cpa_change(cpa, type);
	for (i = 0; i < cpa->nr; i++)
		ref_busy[frames[i]] = false;
	note_result(t, err);
	judge(err, expect, failures);
	for (i = 0; i < cpa->nr; i++)
		if (!err && toy_kind[frames[i]] == TOY_RAM)
			ref_ram_type[frames[i]] = type;
	for (i = 0; i < cpa->nr; i++)
		compare_frames(frames[i], 1);
	compare_users();
}

static bool all_kind(unsigned long start, unsigned long end, enum toy_kind kind)
{
	for (; start < end; start++)
		if (toy_kind[start] != kind)
			return false;
	return true;
}

/* Frames that follow one another, and are all RAM, or not. */
static void do_cpa_range(unsigned long frame)
{
	enum page_cache_mode type = take_ram_type();
	unsigned long frames[CPA_MOST];
	struct pat_cpa cpa = {
		.addr = (unsigned long)__va(PFN_PHYS(frame)),
		.pfn = frame,
		.nr = take_length(CPA_MOST),
		.caller = do_cpa_range,
	};
	enum toy_kind kind = toy_kind[frame];
	int expect, i;

	for (i = 0; i < cpa.nr; i++)
		frames[i] = frame + i;
	if (!take(32))
		cpa.nr = 0;
	if (is_busy(frame, frame + cpa.nr) || is_removed(frame, frame + cpa.nr))
		return;
	if (!cpa.nr || !all_kind(frame, frame + cpa.nr, kind))
		expect = -EINVAL;
	else if (kind == TOY_RAM)
		expect = expect_cpa(frames, cpa.nr, type);
	else if (kind == TOY_OFFLINE)
		expect = type == _PAGE_CACHE_MODE_WB ? 0 : -EINVAL;
	else
		return;		/* has no direct map */
	note("cpa", frame, cpa.nr, type, 0, 0);
	do_cpa(&cpa, frames, type, expect);
}

static void op_cpa(void)
{
	do_cpa_range(take_ram());
}

/* Frames that a process has mapped, and some beside them. */
static void op_cpa_mapped(void)
{
	struct toy_mm *toy = toy_mms[take(TOY_MMS)];
	int page = take(TOY_PAGES), frame, i;

	for (i = 0; toy && i < TOY_PAGES; i++) {
		frame = toy_frame(toy, (page + i) % TOY_PAGES);
		if (frame == TOY_NONE || toy_kind[frame] != TOY_RAM)
			continue;
		do_cpa_range(max(frame - (int)take(3), (int)TOY_LOW));
		return;
	}
}

/* Somebody only looks whether entries are right. */
static void op_look(void)
{
	if (cpa_frame >= TOY_LOW && all_kind(cpa_frame, cpa_frame + 4, TOY_RAM))
		pat_fix_due(cpa_frame, 4);
}

/* A driver maps what cpa is at, and what lies beside it. */
static void op_map_busy(void)
{
	int slot, page = take(TOY_PAGES), nr, i;
	struct toy_mm *toy = take_mm(&slot);
	unsigned long frame = cpa_frame;

	if (!toy || frame < TOY_LOW)
		return;
	nr = min(take_length(8), TOY_PAGES - page);
	for (i = 0; i < TOY_PAGES && !toy_unmapped(toy, page, page + nr); i++)
		page = (page + 1) % (TOY_PAGES - nr + 1);
	if (i == TOY_PAGES)
		return;
	down_write(&toy->mm.mmap_lock);
	do_remap_frame(toy, toy_mmap(toy, page, page + nr), page, nr,
		       frame - take(2) + take(8));
	up_write(&toy->mm.mmap_lock);
}

/* An array of pages: runs, in any order, and the same page twice. */
static void op_cpa_array(void)
{
	enum page_cache_mode type = take_ram_type();
	unsigned long frames[CPA_MOST];
	struct page *pages[CPA_MOST];
	struct pat_cpa cpa = { .pages = pages, .caller = op_cpa_array };
	int most = 1 + take(CPA_MOST), run;
	unsigned long frame;

	while (cpa.nr < most) {
		frame = take_ram();
		for (run = take_length(6); run && cpa.nr < most; run--, frame++) {
			if (toy_kind[frame] != TOY_RAM ||
			    is_busy(frame, frame + 1))
				return;
			frames[cpa.nr] = frame;
			pages[cpa.nr++] = pfn_to_page(frame);
		}
	}
	note("cpa-array", frames[0], cpa.nr, type, frames[cpa.nr - 1], 0);
	do_cpa(&cpa, frames, type, expect_cpa(frames, cpa.nr, type));
}

/* The owner frees a block, and may have forgotten to set it back. */
static void op_free(void)
{
	unsigned int order = take(4);
	unsigned long frame = take_ram() & ~((1UL << order) - 1);
	unsigned long end = frame + (1UL << order);

	if (!all_kind(frame, end, TOY_RAM) || is_busy(frame, end) ||
	    is_mapped(frame, end))
		return;
	note("free", frame, order, 0, 0, 0);
	toy_free(frame, order);
}

/* The kernel makes one large page of many small ones. */
static void op_collapse(void)
{
	unsigned long frame = TOY_LOW + take(TOY_FRAMES - TOY_LOW);

	note("collapse", frame, 0, 0, 0, 0);
	toy_direct_collapse(frame);
}

/* Pages that are mapped through their struct page: cpa lets them alone */

static bool take_page(unsigned long *frame)
{
	*frame = take_ram();
	return toy_kind[*frame] == TOY_RAM && !is_busy(*frame, *frame + 1);
}

/* A driver's vm_insert_page(). */
static void op_insert(void)
{
	int slot, page, nr;
	unsigned long frame;
	struct toy_vma *area = NULL;
	struct toy_mm *toy = take_mm(&slot);

	if (!toy || !take_page(&frame))
		return;
	if (take(2))
		area = take_vma_for(toy, VM_MIXEDMAP);
	if (area) {
		page = TOY_PAGE(area->vma.vm_start) +
		       take(vma_pages(&area->vma));
	} else {
		page = take(TOY_PAGES);
		nr = min(1 + (int)take(4), TOY_PAGES - page);
		if (!toy_unmapped(toy, page, page + nr))
			return;
		area = toy_mmap(toy, page, page + nr);
		area->vma.vm_flags = VM_MIXEDMAP;
	}
	if (toy_frame(toy, page) != TOY_NONE)
		return;
	note("insert", slot, page, frame, 0, 0);
	down_read(&toy->mm.mmap_lock);
	toy_insert(toy, area, page, frame);
	up_read(&toy->mm.mmap_lock);
}

/* A write to a page of a private mapping of RAM. */
static void op_cow(void)
{
	int slot, page = take(TOY_PAGES);
	struct toy_mm *toy = take_mm(&slot);
	unsigned long frame;
	struct toy_pte pte;

	if (!toy || !take_page(&frame) || ref_ram_type[frame])
		return;
	pte = toy_pte(toy, page);
	if (pte.frame == TOY_NONE || !pte.special || !pte.reachable ||
	    ref_typed(pte.frame) || pte.frame == frame ||
	    toy_bag_has(&toy->extra[page], frame))
		return;
	note("cow", slot, page, pte.frame, frame, 0);
	down_read(&toy->mm.mmap_lock);
	toy_cow(toy, page, frame);
	up_read(&toy->mm.mmap_lock);
}

static void op_protect(void)
{
	int slot;
	struct toy_mm *toy = take_mm(&slot);
	struct toy_vma *area = toy ? take_vma(toy) : NULL;
	bool reachable = take(2);

	if (!area)
		return;
	note("protect", slot, TOY_PAGE(area->vma.vm_start),
	     vma_pages(&area->vma), reachable, 0);
	down_write(&toy->mm.mmap_lock);
	toy_protect(toy, TOY_PAGE(area->vma.vm_start),
		    TOY_PAGE(area->vma.vm_end), reachable);
	up_write(&toy->mm.mmap_lock);
}

/* A huge page's one entry maps all of a large folio, or does not any more. */
static void op_map_folio(void)
{
	unsigned long frame = 32 + 4 * take(2);

	if (toy_kind[frame] != TOY_RAM || is_busy(frame, frame + 4) ||
	    !write_back(frame, frame + 4))
		return;
	note("folio", frame, 0, 0, 0, 0);
	toy_map_folio(frame, !folio_entire_mapcount(page_folio(pfn_to_page(frame))));
}

/* What a change back to write-back has come to, whose result nobody hears. */
static void note_freed(unsigned long frame, unsigned long nr,
		       unsigned long failures)
{
	bool mapped = false, back;
	unsigned long i;

	for (i = frame; i < frame + nr; i++)
		mapped |= ref_mapped[i] && ref_ram_type[i];
	back = pat_lookup(frame) == _PAGE_CACHE_MODE_WB;
	if (!raced && !nested)
		SHIM_CHECK(mapped ? !back : back || shim_failures != failures);
	for (i = frame; back && i < frame + nr; i++)
		ref_ram_type[i] = _PAGE_CACHE_MODE_WB;
	compare_frames(frame, nr);
}

static void op_ram_type(void)
{
	unsigned long frame = 24 + take(168), nr = take_length(8), i;
	enum page_cache_mode type = ref_ram_type[frame];
	unsigned long failures = shim_failures;

	for (i = frame; i < frame + nr; i++)
		if (toy_kind[i] != TOY_RAM || ref_ram_type[i] != type)
			return;
	if (type == _PAGE_CACHE_MODE_WB || is_busy(frame, frame + nr))
		return;
	note("ram-back", frame, nr, type, 0, 0);
	set_busy(frame, frame + nr, true);
	SHIM_CHECK(!memtype_free(PFN_PHYS(frame), PFN_PHYS(frame + nr)));
	set_busy(frame, frame + nr, false);
	note_freed(frame, nr, failures);
}

static void op_ram_claim(void)
{
	static const enum page_cache_mode wants[] = {
		_PAGE_CACHE_MODE_WC, _PAGE_CACHE_MODE_UC_MINUS,
		_PAGE_CACHE_MODE_WT, _PAGE_CACHE_MODE_WP,
	};
	unsigned long frame = 24 + take(160), nr = take_length(8), i;
	enum page_cache_mode want = wants[take(4)], granted, expect_type;
	unsigned long failures = shim_failures;
	struct trace *t;
	int expect, err;
	bool records;

	for (i = frame; i < frame + nr; i++)
		if (toy_kind[i] != TOY_RAM)
			return;
	if (is_busy(frame, frame + nr))
		return;
	expect = ref_reserve(frame, nr, want, false, &records, &expect_type);
	note("ram-claim", frame, nr, want, 0, 0);
	t = trace_now;
	set_busy(frame, frame + nr, true);
	err = memtype_reserve(PFN_PHYS(frame), PFN_PHYS(frame + nr), want,
			      &granted);
	set_busy(frame, frame + nr, false);
	note_result(t, err);
	judge(err, expect, failures);
	for (i = frame; !err && i < frame + nr; i++)
		ref_ram_type[i] = want;
	compare_frames(frame, nr);
}

/* Are these frames of no interest to anybody? */
static bool idle(unsigned long frame, unsigned long end)
{
	unsigned long i;
	int m, p;

	for (i = frame; i < end; i++)
		if (ref_holds[i])
			return false;
	for (m = 0; m < TOY_MMS; m++)
		for (p = 0; toy_mms[m] && p < TOY_PAGES; p++) {
			const struct toy_mm *toy = toy_mms[m];

			if (toy_frame(toy, p) >= (int)frame &&
			    toy_frame(toy, p) < (int)end)
				return false;
			if (toy->extra[p].nr || toy->cow[p] != TOY_NONE)
				return false;
		}
	return true;
}

static int notify(unsigned long action, unsigned long start, unsigned long end)
{
	struct memory_notify range = {
		.start_pfn = start, .nr_pages = end - start,
	};
	int ret = shim_memory_notify(NULL, action, &range);

	return ret == NOTIFY_OK ? 0 : ret;
}

static void set_kind(unsigned long start, unsigned long end, enum toy_kind kind)
{
	memset(toy_kind + start, kind, end - start);
}

static void op_hotplug(void)
{
	unsigned long sections = (TOY_HOTPLUG_END - TOY_HOTPLUG_START) /
				 TOY_SECTION;
	unsigned long start = take(sections), nr = 1 + take(3), end;
	unsigned long failures = shim_failures, grace;
	bool remove;
	int err;

	nr = min(nr, sections - start);
	start = TOY_HOTPLUG_START + start * TOY_SECTION;
	end = start + nr * TOY_SECTION;
	if (toy_kind[start] == TOY_REMOVED ||
	    !all_kind(start, end, toy_kind[start]) || !write_back(start, end) ||
	    is_busy(start, end) || is_mapped(start, end))
		return;
	/* Nobody uses memory that comes; what goes may be mapped as RAM. */
	remove = toy_kind[start] == TOY_OFFLINE && !take(3);
	if (toy_kind[start] == TOY_RESERVED && !idle(start, end))
		return;
	switch (toy_kind[start]) {
	case TOY_RESERVED:
		note("add", start, end, 0, 0, 0);
		err = pat_ram_add(PFN_PHYS(start), PFN_PHYS(end - start));
		judge(err, 0, failures);
		if (!err)
			set_kind(start, end, TOY_OFFLINE);
		break;
	case TOY_OFFLINE:
		if (remove) {
			note("remove", start, end, 0, 0, 0);
			set_kind(start, end, TOY_REMOVED);
			pat_ram_remove(PFN_PHYS(start), PFN_PHYS(end - start));
			break;
		}
		note("online", start, end, 0, 0, 0);
		/* The struct pages are there before anybody may look. */
		set_kind(start, end, TOY_RAM);
		err = notify(MEM_GOING_ONLINE, start, end);
		judge(err, 0, failures);
		if (err || !take(4))
			notify(MEM_CANCEL_ONLINE, start, end);
		else
			break;
		set_kind(start, end, TOY_OFFLINE);
		break;
	default:
		note("offline", start, end, 0, 0, 0);
		grace = shim_grace_periods;
		notify(MEM_OFFLINE, start, end);
		SHIM_CHECK(shim_grace_periods != grace);
		set_kind(start, end, TOY_OFFLINE);
		break;
	}
	compare_frames(start > 8 ? start - 8 : 0, min(end + 8, TOY_FRAMES) -
		       (start > 8 ? start - 8 : 0));
}

static bool at_rest(void)
{
	return !toy_zaps_any() && !shim_work_pending();
}

static void forget_removed(struct toy_mm *toy, int page)
{
	struct toy_bag *extra = &toy->extra[page];
	struct toy_pte pte = toy_pte(toy, page);
	int i;

	SHIM_CHECK(pte.frame == TOY_NONE || toy_kind[pte.frame] != TOY_REMOVED);
	for (i = extra->nr - 1; i >= 0; i--)
		if (toy_kind[extra->frames[i]] == TOY_REMOVED)
			toy_bag_take(extra, extra->frames[i]);
	if (toy->cow[page] != TOY_NONE &&
	    toy_kind[toy->cow[page]] == TOY_REMOVED)
		toy->cow[page] = TOY_NONE;
}

/* At rest what was removed is not mapped any more, and may come again. */
static void finish_removals(void)
{
	unsigned long frame;
	int i;

	if (!is_removed(TOY_HOTPLUG_START, TOY_HOTPLUG_END) || !at_rest())
		return;
	SHIM_CHECK(!pat_removal_pending());
	for (i = 0; i < TOY_MMS * TOY_PAGES; i++)
		if (toy_mms[i / TOY_PAGES])
			forget_removed(toy_mms[i / TOY_PAGES], i % TOY_PAGES);
	for (frame = TOY_HOTPLUG_START; frame < TOY_HOTPLUG_END; frame++)
		if (toy_kind[frame] == TOY_REMOVED)
			toy_kind[frame] = TOY_RESERVED;
}

/* Look-ups and what is no range */

static void op_lookup(void)
{
	unsigned long frame = take(TOY_FRAMES), nr = take_length(16), run;
	pgprot_t prot = pat_pgprot(__pgprot(0), take(TOY_TYPES));
	static const struct vm_area_struct vma;
	enum page_cache_mode type;

	/* Writers get in between, often enough to make it take the lock. */
	shim_retries = take(4) ? 0 : take(40);
	nr = min(nr, TOY_FRAMES - frame);
	note("lookup", frame, nr, 0, 0, 0);
	pfnmap_lookup_prot(&vma, &prot, __pfn_to_pfn_t(frame, PFN_DEV));
	SHIM_CHECK(pgprot2cachemode(prot) == ref_lookup(frame));
	run = pfnmap_run(frame, nr << PAGE_SHIFT, &prot) >> PAGE_SHIFT;
	SHIM_CHECK(run >= 1 && run <= nr);
	SHIM_CHECK(pgprot2cachemode(prot) == ref_lookup(frame));
	for (type = ref_lookup(frame); run && !ref_typed(frame); run--)
		SHIM_CHECK(ref_lookup(frame++) == type);
	shim_retries = 0;
}

/* A huge page can be mapped if all its frames are alike. */
static void op_lookup_huge(void)
{
	unsigned int order = take(6);
	unsigned long nr = 1UL << order, i;
	unsigned long frame = take_frame() & ~(nr - 1);
	enum page_cache_mode type = ref_lookup(frame);
	pgprot_t prot = __pgprot(0);
	bool uniform = true, got;

	if (is_removed(frame, frame + nr))
		return;

	for (i = frame + 1; i < frame + nr; i++)
		if (toy_isa(i) != toy_isa(frame) || toy_kind[i] != toy_kind[frame] ||
		    ref_lookup(i) != type)
			uniform = false;
	note("huge", frame, nr, uniform, 0, 0);
	got = pfnmap_lookup_huge(&prot, __pfn_to_pfn_t(frame, PFN_DEV), order);
	SHIM_CHECK(got == uniform);
	if (got)
		SHIM_CHECK(pgprot_val(prot) ==
			   pgprot_val(pgprot_4k_2_large(pat_pgprot(__pgprot(0),
								   type))));
}

static void op_wrap(void)
{
	u64 start = take(2) ? PFN_PHYS(take(TOY_FRAMES)) :
			      -PFN_PHYS(1 + take(4));
	u64 end = take(2) ? start : start - PFN_PHYS(take(4));
	enum page_cache_mode type;
	int slot;
	pgprot_t prot = __pgprot(0);
	struct toy_vma *area;
	struct toy_mm *toy = take_mm(&slot);

	note("wrap", start >> PAGE_SHIFT, end >> PAGE_SHIFT, 0, 0, 0);
	/* The last page of all, up to the end of the number's range, is none. */
	if (end <= start && (end & __PHYSICAL_MASK)) {
		SHIM_CHECK(memtype_reserve(start, end, _PAGE_CACHE_MODE_WC,
					   &type) == -EINVAL);
		SHIM_CHECK(memtype_free(start, end) == -EINVAL);
	}
	area = toy ? take_vma_for(toy, VM_PFNMAP) : NULL;
	if (!area || vma_pages(&area->vma) < 2)
		return;
	/* Two pages of which the second is beyond all physical memory. */
	SHIM_CHECK(pfnmap_record(&area->vma, area->vma.vm_start,
				 PHYS_PFN(__PHYSICAL_MASK), 2 * PAGE_SIZE,
				 &prot) == -EINVAL);
}

/* The worker that unmaps what was removed takes any mmap_lock. */
static bool worker_would_wait(void)
{
	int i;

	for (i = 0; i < TOY_MMS && pat_removal_pending(); i++)
		if (toy_mms[i] && toy_mms[i]->mm.mmap_lock.writer)
			return true;
	return false;
}

static void op_worker(void)
{
	static short before[TOY_MMS][TOY_PAGES];
	struct toy_mm *toy;
	int i, frame;

	if (shim_work_running() || worker_would_wait())
		return;
	note("worker", 0, 0, 0, 0, 0);
	for (i = 0; i < TOY_MMS * TOY_PAGES; i++) {
		toy = toy_mms[i / TOY_PAGES];
		before[i / TOY_PAGES][i % TOY_PAGES] = !toy ? TOY_NONE :
			toy_frame(toy, i % TOY_PAGES);
	}
	shim_run_work();
	/* It unmaps what was removed, and nothing else. */
	for (i = 0; i < TOY_MMS * TOY_PAGES && !raced && !nested; i++) {
		toy = toy_mms[i / TOY_PAGES];
		frame = before[i / TOY_PAGES][i % TOY_PAGES];
		if (frame != TOY_NONE && toy_kind[frame] != TOY_REMOVED)
			SHIM_CHECK(toy_frame(toy, i % TOY_PAGES) == frame);
	}
}

static void op_purge_begin(void)
{
	note("purge", 0, 0, 0, 0, 0);
	shim_purge_begin();
}

static void op_purge_end(void)
{
	note("purged", 0, 0, 0, 0, 0);
	shim_purge_end();
}

static void op_fail(void)
{
	shim_fail_at = 1 + take(6);
	shim_fail_length = 1 + take(3) * take(8);
	note("fail", shim_fail_at, shim_fail_length, 0, 0, 0);
}

static void op_race(void)
{
	race_in = 1 + take(10);
	note("race", race_in, 0, 0, 0, 0);
}

/* What may run inside another operation: whatever does not take its locks. */
static void (* const racers[])(void) = {
	op_zap_begin, op_zap_begin, op_zap_step, op_zap_end, op_zap_end, op_zap,
	op_zap, op_worker, op_map, op_munmap, op_fork, op_exit_begin,
	op_purge_begin, op_purge_end,
	op_reserve, op_ioremap, op_release, op_release, op_remap,
	op_cpa, op_cpa_mapped, op_cpa_mapped, op_cpa_mapped, op_cpa_array,
	op_map_busy, op_map_busy, op_map_busy, op_look, op_free, op_insert, op_cow,
	op_mremap, op_protect,
};

static void preempt(void)
{
	if (nested || !race_in || --race_in)
		return;
	raced = true;
	nested = true;
	racers[take(ARRAY_SIZE(racers))]();
	nested = false;
	if (take(2))
		race_in = 1 + take(8);
}

/* Page table entries are copied, or moved, while cpa looks at others. */
static void between_tables(void)
{
	if (nested && toy_in_transit() && take(2))
		toy_go_on();
}

static void (* const ops[])(void) = {
	op_map, op_map, op_map, op_map, op_map,
	op_map_pages, op_map_pages, op_purge_begin, op_purge_end,
	op_remap, op_remap, op_remap, op_remap_beside_zap, op_remap_beside_zap,
	op_munmap, op_munmap, op_munmap, op_munmap,
	op_zap, op_zap, op_zap,
	op_zap_begin, op_zap_step, op_zap_end, op_zap_end, op_zap_end,
	op_fork, op_fork,
	op_mremap, op_mremap,
	op_exit,
	op_reserve, op_reserve, op_ioremap, op_ioremap,
	op_release, op_release, op_release, op_release, op_release,
	op_release_wrong,
	op_ram_type, op_ram_type, op_ram_claim,
	op_cpa, op_cpa, op_cpa, op_cpa_mapped, op_cpa_mapped, op_cpa_mapped,
	op_cpa_array, op_cpa_array, op_cpa_array, op_map_busy,
	op_free, op_collapse, op_collapse, op_insert, op_insert, op_cow, op_cow, op_protect,
	op_map_folio,
	op_hotplug, op_hotplug,
	op_lookup, op_lookup, op_lookup_huge, op_lookup_huge,
	op_wrap,
	op_worker, op_worker, op_worker,
};

/* With these two, the operation that follows is part of the same. */
static void (* const prefixes[])(void) = { op_fail, op_race };

static void step(void)
{
	unsigned int prefix = take(8);
	bool loose = !at_rest(), raced_before;

	if (prefix < 2)
		prefixes[prefix]();
	raced = false;
	ops[take(ARRAY_SIZE(ops))]();
	number++;
	race_in = 0;
	finish_exits();
	finish_removals();
	raced_before = raced;
	raced = false;
	shim_fail_at = 0;
	if (ops_thorough || number % COMPARE_EVERY == 0)
		compare_all();
	else if (loose || raced_before || !at_rest())
		compare_part(number % COMPARE_PARTS);
}

/* Everything goes, in an order that the input does not choose. */
void ops_shut_down(void)
{
	int i;

	for (i = 0; i < TOY_ZAPS; i++)
		if (toy_zaps[i].toy)
			toy_zap_end(&toy_zaps[i]);
	/* A worker may need several turns, but not for ever. */
	for (i = 0; shim_work_pending(); i++) {
		SHIM_CHECK(i < 100);
		shim_run_work();
	}
	finish_removals();
	compare_all();
	for (i = 0; i < TOY_MMS; i++)
		if (toy_mms[i]) {
			/* Nobody else has the mm in use still. */
			SHIM_CHECK(atomic_read(&toy_mms[i]->mm.mm_users) == 1);
			toy_exit(i);
		}
	compare_all();
	for (i = 0; i < REF_KERNEL; i++) {
		struct ref_kernel *k = &ref_kernel[i];
		u64 start = PFN_PHYS(k->frame), end = PFN_PHYS(k->frame + k->nr);
		unsigned long frame;

		if (!k->used)
			continue;
		if (k->area.addr)
			memtype_free_ioremap(&k->area);
		else
			SHIM_CHECK(!memtype_free(start, end));
		k->used = false;
		for (frame = k->frame; frame < k->frame + k->nr; frame++)
			ref_drop(frame);
	}
	for (i = 0; i < TOY_FRAMES; i++)
		SHIM_CHECK(!ref_busy[i] && !ref_kept[i]);
	for (i = 32; i < 40; i += 4)
		if (folio_entire_mapcount(page_folio(pfn_to_page(i))))
			toy_map_folio(i, false);
	for (i = 0; i < TOY_FRAMES; i++)
		SHIM_CHECK(!ref_mapped[i]);
	for (i = 0; i < TOY_FRAMES; i++)
		if (ref_ram_type[i]) {
			SHIM_CHECK(!memtype_free(PFN_PHYS(i), PFN_PHYS(i + 1)));
			ref_ram_type[i] = 0;
		}
	pat_ram_remove(PFN_PHYS(TOY_HOTPLUG_START),
		       PFN_PHYS(TOY_HOTPLUG_END - TOY_HOTPLUG_START));
	toy_reset();
	/* What is purged is freed by the next who frees something. */
	vm_unmap_aliases();
	SHIM_CHECK(memtype_free(0, PAGE_SIZE) == -EINVAL);
	while (shim_work_pending())
		shim_run_work();
	compare_all();
}

void ops_init(void)
{
	toy_reset();
	pat_ram_init();
	/* The table that is in use from now on is not the one of the boot. */
	pat_ram_remove(PFN_PHYS(TOY_HOTPLUG_START), PFN_PHYS(TOY_SECTION));
	shim_preempt = preempt;
	shim_observe = toy_observe;
	toy_between_tables = between_tables;
	compare_all();
}

unsigned long ops_run(const uint8_t *bytes, size_t size, unsigned long limit)
{
	long live = shim_live;

	input = bytes;
	input_end = bytes + size;
	number = 0;
	cpa_frame = 0;
	while (input < input_end && number < limit)
		step();
	input = input_end;
	ops_shut_down();
	/* The table of RAM is one allocation whatever is in it. */
	SHIM_CHECK(shim_live == live);
	return number;
}
