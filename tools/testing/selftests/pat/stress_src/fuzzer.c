// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random system calls on a window of the address space. It expects nothing but
 * that the kernel stays in order: what it maps has no model.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frames.h"
#include "touch.h"
#include "worker.h"

/* The same in all fuzzers: they advise each other, too. */
#define WINDOW		((char *)0x7e0000000000)
#define WINDOW_PAGES	1024
#define MAX_PAGES	64

#define ISA_PAGES	0xa0
#define NR_ISA_PAGES	0x60

static int memory;		/* /dev/mem, read-only */

struct piece {
	char *addr;
	size_t size;
};

static struct piece any_piece(struct random *random)
{
	unsigned int nr = random_from(random, 1, MAX_PAGES);
	unsigned int first = random_below(random, WINDOW_PAGES - nr);

	/* Often at a place that many others begin at, too. */
	if (random_one_in(random, 2))
		first &= ~15;
	return (struct piece) { WINDOW + first * PAGE, nr * PAGE };
}

static int any_protection(struct random *random)
{
	static const int protections[] = {
		PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_NONE,
	};

	return protections[random_below(random, 4)];
}

static void map_frames(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	enum source source = random_below(&w->random, SOURCE_DRIVER);
	unsigned int page = random_below(&w->random, HOT_PAGES);

	mmap(piece.addr, piece.size, any_protection(&w->random), MAP_FIXED |
	     (random_one_in(&w->random, 3) ? MAP_PRIVATE : MAP_SHARED),
	     frames_file(source), frames_offset(source, page));
}

/* Memory that belongs to others: by a file that cannot be written to, ever. */
static void map_memory(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	uint64_t page = random_one_in(&w->random, 2) ?
			ISA_PAGES + random_below(&w->random, NR_ISA_PAGES) :
			random_below(&w->random, 1 << 18);

	mmap(piece.addr, piece.size, PROT_READ, MAP_FIXED | MAP_SHARED, memory,
	     page * PAGE);
}

/* A driver that fills in many ways, at once or at faults. */
static void map_by_driver(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	unsigned int page = random_below(&w->random, HOT_PAGES);
	struct pat_test_chunk chunk = {
		.pfn = frames_phys(page) / PAGE,
		.size = piece.size,
		.type = random_below(&w->random, PAT_TEST_WT + 1),
		.method = random_below(&w->random, PAT_TEST_VM_INSERT_PAGE),
	};
	struct pat_test_program program = {
		.chunks = (uintptr_t)&chunk,
		.nr = 1,
		.flags = random_below(&w->random, 2) ? PAT_TEST_AT_FAULT : 0,
	};

	if (driver_do(PAT_TEST_PROGRAM, &program))
		mmap(piece.addr, piece.size, PROT_READ | PROT_WRITE, MAP_FIXED |
		     (random_one_in(&w->random, 4) ? MAP_PRIVATE : MAP_SHARED),
		     frames_file(SOURCE_DRIVER), frames_offset(SOURCE_DRIVER, page));
}

static void map_anonymous(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	mmap(piece.addr, piece.size, any_protection(&w->random),
	     MAP_FIXED | MAP_ANONYMOUS |
	     (random_one_in(&w->random, 2) ? MAP_PRIVATE : MAP_SHARED), -1, 0);
}

static void map_memfd(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	int fd = memfd_create("stress", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (!ftruncate(fd, piece.size))
		mmap(piece.addr, piece.size, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_SHARED, fd, 0);
	close(fd);
}

static void unmap(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	munmap(piece.addr, piece.size);
}

static void move(struct worker *w)
{
	static const int flags[] = {
		0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
	};
	struct piece from = any_piece(&w->random), to = any_piece(&w->random);

	if (random_one_in(&w->random, 2))
		to.size = from.size;
	if (random_one_in(&w->random, 20))
		from.size = 0;
	mremap(from.addr, from.size, to.size, flags[random_below(&w->random, 4)],
	       to.addr);
}

static void protect(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	mprotect(piece.addr, piece.size, any_protection(&w->random));
}

/* Not those that take pages away from the machine for good. */
static const int advices[] = {
	MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
	MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
	MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP,
	MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT,
	MADV_POPULATE_READ, MADV_POPULATE_WRITE, 24 /* DONTNEED_LOCKED */,
	25 /* COLLAPSE */,
};

#define ADVICES (sizeof(advices) / sizeof(advices[0]))

static void advise(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	madvise(piece.addr, piece.size, advices[random_below(&w->random, ADVICES)]);
}

static void advise_other(struct worker *w)
{
	static const int allowed[] = { MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, 25 };
	struct piece piece = any_piece(&w->random);
	struct iovec range = { piece.addr, piece.size };
	pid_t pid = w->shared->slots[random_below(&w->random, MAX_WORKERS)].pid;
	int fd = pid ? syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return;
	syscall(SYS_process_madvise, fd, &range, 1,
		allowed[random_below(&w->random, 4)], 0);
	close(fd);
}

static void read_other(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	pid_t pid = w->shared->slots[random_below(&w->random, MAX_WORKERS)].pid;
	char buffer[64];
	struct iovec here = { buffer, sizeof(buffer) };
	struct iovec there = { piece.addr, sizeof(buffer) };

	if (pid)
		process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static void lock_memory(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	if (random_one_in(&w->random, 2))
		mlock(piece.addr, piece.size);
	else
		munlock(piece.addr, piece.size);
}

static void ask_resident(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	unsigned char resident[MAX_PAGES];

	mincore(piece.addr, piece.size, resident);
}

static void place(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	unsigned long nodes = 1;
	void *pages[4];
	int where[4] = {}, status[4];

	if (random_one_in(&w->random, 2)) {
		syscall(SYS_mbind, piece.addr, piece.size, MPOL_BIND, &nodes, 8,
			MPOL_MF_MOVE);
		return;
	}
	for (int i = 0; i < 4; i++)
		pages[i] = any_piece(&w->random).addr;
	syscall(SYS_move_pages, 0, 4, pages,
		random_one_in(&w->random, 2) ? where : NULL, status, MPOL_MF_MOVE);
}

/* Closed before anything can fault and wait for an answer. */
static void watch_faults(struct worker *w)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct piece piece = any_piece(&w->random);
	struct uffdio_register range = {
		.range = { (uintptr_t)piece.addr, piece.size },
		.mode = random_one_in(&w->random, 2) ?
			UFFDIO_REGISTER_MODE_MISSING : UFFDIO_REGISTER_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (!ioctl(fd, UFFDIO_API, &api))
		ioctl(fd, UFFDIO_REGISTER, &range);
	close(fd);
}

static void register_buffer(struct worker *w)
{
	struct io_uring_params parameters = {};
	struct piece piece = any_piece(&w->random);
	struct iovec buffer = { piece.addr, piece.size };
	int fd = syscall(SYS_io_uring_setup, 4, &parameters);

	if (fd < 0)
		return;
	syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buffer, 1);
	close(fd);
}

static void touch(struct worker *w)
{
	struct piece piece = any_piece(&w->random);

	if (random_one_in(&w->random, 2))
		touch_read(piece.addr);
	else
		touch_write(piece.addr);
}

static void zap(struct worker *w)
{
	struct piece piece = any_piece(&w->random);
	struct pat_test_zap req = {
		.method = random_below(&w->random, PAT_TEST_NR_ZAP_METHODS),
		.start = (uintptr_t)piece.addr,
		.size = piece.size,
	};

	if (req.method == PAT_TEST_UNMAP_MAPPING_RANGE)
		req.start = frames_offset(SOURCE_DRIVER,
					  random_below(&w->random, HOT_PAGES));
	driver_do(PAT_TEST_ZAP, &req);
}

static void have_child(struct worker *w);

/* Each as often as it stands here. */
static void (*const calls[])(struct worker *w) = {
	map_frames, map_frames, map_frames, map_frames,
	map_memory, map_by_driver, map_by_driver, map_anonymous, map_anonymous,
	map_memfd, unmap, unmap, unmap, move, move, move, protect, protect,
	advise, advise, advise, advise_other, read_other, lock_memory,
	ask_resident, place, watch_faults, register_buffer, touch, touch, touch,
	zap, have_child,
};

static void call_any(struct worker *w)
{
	calls[random_below(&w->random, sizeof(calls) / sizeof(calls[0]))](w);
}

static void have_child(struct worker *w)
{
	pid_t parent = getpid(), child;

	/* No generations of them. */
	if (parent != w->slot->pid)
		return;
	child = fork();
	if (!child) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(0);
		for (int i = random_below(&w->random, 20); i > 0; i--)
			call_any(w);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void clear_window(struct worker *w)
{
	munlockall();
	mmap(WINDOW, WINDOW_PAGES * PAGE, PROT_NONE, MAP_FIXED |
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void operation(struct worker *w)
{
	if (random_one_in(&w->random, 500))
		clear_window(w);
	else
		call_any(w);
}

void fuzzer_run(struct worker *w)
{
	touch_prepare();
	memory = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		worker_failed(w, "/dev/mem: %s", strerror(errno));
	worker_repeat(w, operation);
}
