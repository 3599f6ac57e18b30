// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that have no business with a PFN mapping, or an unusual one.
 *
 * Most are refused, some do nothing, and after each of them every frame is held
 * and mapped as before. Those that do work on such a mapping (a memory policy
 * and a seal, remap_file_pages()) keep the records exact.
 *
 * Stock: right, but for what splits or replaces a part.
 */
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/uio.h>

#include "life.h"

#define NR 8

/* Newer than some C libraries' headers. */
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* UFFDIO_MOVE and its feature bit. */
struct uffd_move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};
#define UFFD_MOVE_REQUEST _IOWR(UFFDIO, 0x05, struct uffd_move)
#define UFFD_MOVE_FEATURE (1ULL << 16)

enum answer {
	REFUSED,
	EITHER,			/* does nothing, but need not say so */
};

/* Each gets the addresses of a piece of the mapping. */
struct call {
	const char *name;
	long (*call)(char *at, size_t size, int arg);
	int arg;
	enum answer answer;
};

static long call_madvise(char *at, size_t size, int advice)
{
	return madvise(at, size, advice);
}

static long call_process_madvise(char *at, size_t size, int advice)
{
	struct iovec piece = { at, size };
	int self = syscall(SYS_pidfd_open, getpid(), 0);
	long got = syscall(SYS_process_madvise, self, &piece, 1, advice, 0);

	close(self);
	return got;
}

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static long call_uffd_register(char *at, size_t size, int mode)
{
	struct uffdio_register request = {
		.range = { (uintptr_t)at, size },
		.mode = mode,
	};
	int fd = open_uffd(0);
	long got = fd < 0 ? 0 : ioctl(fd, UFFDIO_REGISTER, &request);

	close(fd);
	return got;
}

/* Would take the page table entries away from here. */
static long call_uffd_move(char *at, size_t size, int unused)
{
	char *dst = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register request = {
		.range = { (uintptr_t)dst, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffd_move move = {
		.dst = (uintptr_t)dst,
		.src = (uintptr_t)at,
		.len = size,
	};
	int fd = open_uffd(UFFD_MOVE_FEATURE);
	long got = 0;

	if (fd >= 0 && !ioctl(fd, UFFDIO_REGISTER, &request))
		got = ioctl(fd, UFFD_MOVE_REQUEST, &move);
	close(fd);
	munmap(dst, size);
	return got;
}

static long call_process_vm_readv(char *at, size_t size, int unused)
{
	char buffer[64];
	struct iovec to = { buffer, sizeof(buffer) }, from = { at, sizeof(buffer) };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}

static long call_vmsplice(char *at, size_t size, int flags)
{
	struct iovec piece = { at, size };
	int ends[2];
	long got;

	if (pipe(ends))
		return 0;
	got = vmsplice(ends[1], &piece, 1, flags);
	close(ends[0]);
	close(ends[1]);
	return got;
}

static long call_mlock(char *at, size_t size, int unused)
{
	return mlock(at, size) ?: munlock(at, size);
}

static long call_move_pages(char *at, size_t size, int unused)
{
	void *pages[] = { at };
	int nodes[] = { 0 }, status[] = { 0 };

	syscall(SYS_move_pages, 0, 1, pages, nodes, status, 0);
	errno = -status[0];
	return status[0] < 0 ? -1 : 0;
}

#define ADVICE(advice, answer) { #advice, call_madvise, advice, answer }

static const struct call calls[] = {
	ADVICE(MADV_DONTNEED, REFUSED),
	ADVICE(MADV_FREE, REFUSED),
	ADVICE(MADV_COLD, REFUSED),
	ADVICE(MADV_PAGEOUT, REFUSED),
	ADVICE(MADV_POPULATE_READ, REFUSED),
	ADVICE(MADV_POPULATE_WRITE, REFUSED),
	ADVICE(MADV_COLLAPSE, REFUSED),
	ADVICE(MADV_DODUMP, REFUSED),
	ADVICE(MADV_DOFORK, REFUSED),
	ADVICE(MADV_WIPEONFORK, REFUSED),
	ADVICE(MADV_HWPOISON, REFUSED),
	ADVICE(MADV_SOFT_OFFLINE, REFUSED),
	ADVICE(MADV_REMOVE, EITHER),
	ADVICE(MADV_WILLNEED, EITHER),
	ADVICE(MADV_MERGEABLE, EITHER),
	ADVICE(MADV_UNMERGEABLE, EITHER),
	{ "process_madvise COLD", call_process_madvise, MADV_COLD, REFUSED },
	{ "process_madvise PAGEOUT", call_process_madvise, MADV_PAGEOUT, REFUSED },
	{ "process_madvise COLLAPSE", call_process_madvise, MADV_COLLAPSE, REFUSED },
	{ "process_madvise WILLNEED", call_process_madvise, MADV_WILLNEED, EITHER },
	{ "UFFDIO_REGISTER missing", call_uffd_register,
	  UFFDIO_REGISTER_MODE_MISSING, REFUSED },
	{ "UFFDIO_REGISTER wp", call_uffd_register, UFFDIO_REGISTER_MODE_WP, REFUSED },
	{ "UFFDIO_MOVE", call_uffd_move, 0, REFUSED },
	{ "process_vm_readv", call_process_vm_readv, 0, REFUSED },
	{ "vmsplice", call_vmsplice, 0, REFUSED },
	{ "vmsplice gift", call_vmsplice, SPLICE_F_GIFT, REFUSED },
	{ "mlock", call_mlock, 0, EITHER },
	{ "move_pages", call_move_pages, 0, REFUSED },
};

FIXTURE(calls) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(calls) {
	enum life_source source;
};

FIXTURE_VARIANT_ADD(calls, devmem) { .source = LIFE_DEVMEM };
FIXTURE_VARIANT_ADD(calls, resource_wc) { .source = LIFE_RESOURCE_WC };
FIXTURE_VARIANT_ADD(calls, driver) { .source = LIFE_DRIVER };

FIXTURE_SETUP(calls)
{
	life_open(_metadata, &self->life, LIFE_REFUSE_PAGES, NR,
		  ROW_STOCK_IS_RIGHT);
	life_area_open(_metadata, &self->area, NR);
	life_map(_metadata, &self->life, &self->area, 0, variant->source, 0, NR);
}

FIXTURE_TEARDOWN(calls)
{
	life_close(&self->life);
}

static const struct {
	unsigned int first;
	unsigned int nr;
} call_pieces[] = { { 0, NR }, { 3, 2 } };

TEST_F(calls, change_nothing)
{
	for (unsigned int i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *call = &calls[i / 2];
		long got = call->call(self->area.at +
				      call_pieces[i % 2].first * PAT_PAGE,
				      call_pieces[i % 2].nr * PAT_PAGE, call->arg);

		EXPECT_TRUE(call->answer == EITHER || got < 0)
			TH_LOG("%s: %ld", call->name, got);
		life_claim(_metadata, &self->life, &self->area, call->name);
	}
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_verdict(_metadata, &self->life);
}

/* What is sealed cannot be unmapped, only end with its process. */
static void seal_and_try(struct life_area *area)
{
	const size_t size = NR * PAT_PAGE;
	char *there = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (syscall(SYS_mseal, area->at + 2 * PAT_PAGE, 3 * PAT_PAGE, 0))
		_exit(1);
	if (!munmap(area->at, size) || errno != EPERM)
		_exit(2);
	if (!munmap(area->at + 3 * PAT_PAGE, PAT_PAGE) || errno != EPERM)
		_exit(3);
	if (!mprotect(area->at + 2 * PAT_PAGE, PAT_PAGE, PROT_READ) ||
	    errno != EPERM)
		_exit(4);
	if (mremap(area->at + 2 * PAT_PAGE, PAT_PAGE, PAT_PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, there) != MAP_FAILED ||
	    errno != EPERM)
		_exit(5);
}

static bool order_seal(struct life *life, struct life_area *area, int unused)
{
	seal_and_try(area);
	return true;
}

/* --- what works on a part --------------------------------------------------------- */

FIXTURE(parts) {
	struct life life;
	struct life_area area;
};

FIXTURE_VARIANT(parts) {
	enum life_source source;
	unsigned int slice;
};

FIXTURE_VARIANT_ADD(parts, devmem) { .source = LIFE_DEVMEM, .slice = 0 };
FIXTURE_VARIANT_ADD(parts, resource_wc) { .source = LIFE_RESOURCE_WC, .slice = 1 };

#define NR_PARTS_TESTS 3

static void open_part(struct __test_metadata *_metadata, struct life *life,
		      struct life_area *area, enum life_source source,
		      unsigned int slice, unsigned int test)
{
	life_open(_metadata, life,
		  LIFE_REFUSE_PAGES + (1 + slice * NR_PARTS_TESTS + test) * NR,
		  NR, ROW_STOCK_HAS_BUG);
	life_area_open(_metadata, area, NR);
	life_map(_metadata, life, area, 0, source, 0, NR);
}

FIXTURE_SETUP(parts)
{
}

FIXTURE_TEARDOWN(parts)
{
	life_close(&self->life);
}

TEST_F(parts, seal)
{
	struct life_child child;

	open_part(_metadata, &self->life, &self->area, variant->source,
		  variant->slice, 0);
	ASSERT_TRUE(life_child_fork(&self->life, &self->area, &child));
	life_fork_counts(&self->life, &self->area, 1);
	EXPECT_TRUE(life_child_do(&child, order_seal, 0));
	life_claim(_metadata, &self->life, &self->area, "the child has sealed");
	EXPECT_TRUE(life_child_end(&child, 0));
	life_fork_counts(&self->life, &self->area, -1);
	life_claim(_metadata, &self->life, &self->area, "the child's exit");
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_verdict(_metadata, &self->life);
}

TEST_F(parts, memory_policy)
{
	unsigned long node_0 = 1;

	open_part(_metadata, &self->life, &self->area, variant->source,
		  variant->slice, 1);
	ASSERT_EQ(0, syscall(SYS_mbind, self->area.at + 2 * PAT_PAGE, 3 * PAT_PAGE,
			     MPOL_BIND, &node_0, 8 * sizeof(node_0), 0))
		TH_LOG("mbind: %s", strerror(errno));
	life_claim(_metadata, &self->life, &self->area, "mbind of a part");
	life_munmap(_metadata, &self->life, &self->area, 3, 3);
	life_claim(_metadata, &self->life, &self->area, "munmap across its end");
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_verdict(_metadata, &self->life);
}

/* The old way to map other frames of the same file, today an mmap(). */
TEST_F(parts, remap_file_pages)
{
	unsigned long offset;

	open_part(_metadata, &self->life, &self->area, variant->source,
		  variant->slice, 2);
	offset = variant->source == LIFE_DEVMEM ?
			 life_phys(&self->life, 4) / PAT_PAGE : self->life.page + 4;
	ASSERT_EQ(0, remap_file_pages(self->area.at, 2 * PAT_PAGE, 0, offset, 0))
		TH_LOG("remap_file_pages: %s", strerror(errno));
	life_forget(&self->life, &self->area, 0, 2);
	for (unsigned int i = 0; i < 2; i++) {
		self->life.frames[4 + i].count++;
		self->area.frame[i] = 4 + i;
	}
	life_claim(_metadata, &self->life, &self->area, "remap_file_pages");
	life_munmap(_metadata, &self->life, &self->area, 4, 1);
	life_claim(_metadata, &self->life, &self->area, "munmap");
	life_munmap(_metadata, &self->life, &self->area, 0, NR);
	life_verdict(_metadata, &self->life);
}

TEST_HARNESS_MAIN
