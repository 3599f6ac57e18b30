// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of PFN mappings are charged to the memory cgroup of who makes them.
 *
 *	each mmap(), each split		costs the group as much as the record
 *	no memory left in the group	the call fails with ENOMEM and has changed
 *					nothing: held is what is mapped
 *	all is unmapped			the group gets everything back
 *
 * The process under test is exempt from the OOM killer, which else would end
 * it before a call can fail.
 *
 * Stock: does not charge what it keeps of a mapping, and leaks pieces.
 */
#include "life.h"
#include "life_cgroup.h"

#define NR 64
#define MANY 600		/* mappings of one page each */
#define RECORD_SIZE 200		/* at least: there is a vm_area_struct in it */
#define LIMITS 12
#define SETTLE_MS 15000

static struct cgroup group;

FIXTURE(memcg) {
	struct life life;
	struct life_area area;
};

FIXTURE_SETUP(memcg)
{
}

FIXTURE_TEARDOWN(memcg)
{
	life_close(&self->life);
}

static long slab(void)
{
	return cgroup_read(&group, "memory.stat", "slab");
}

/*
 * The kernel adds up what its CPUs have counted every two seconds, or later if it
 * is busy, and so it is with what RCU frees: this waits until nothing changes.
 */
static long slab_added_up(void)
{
	long last = -1, now = slab();

	for (unsigned int same = 0, i = 0; same < 2 && i < 20; i++) {
		usleep(2500000);
		last = now;
		now = slab();
		same = now == last ? same + 1 : 0;
	}
	return now;
}

/* What is freed after an RCU grace period takes a moment to be given back. */
static bool slab_falls_to(long limit)
{
	for (int waited = 0; waited < SETTLE_MS; waited += 50) {
		if (slab() <= limit)
			return true;
		usleep(50000);
	}
	return false;
}

/*
 * At the limit a page fault of the process would be tried again for ever: all
 * it needs later it gets now.
 */
static bool order_enter(struct life *life, struct life_area *area, int unused)
{
	volatile char stack[64 * 1024];

	for (size_t i = 0; i < sizeof(stack); i += PAT_PAGE)
		stack[i] = 0;
	return cgroup_enter(&group) &&
	       cgroup_write("/proc/self", "oom_score_adj", "-1000") &&
	       !mlockall(MCL_CURRENT);
}

/* --- the price of a record -------------------------------------------------------- */

static char *mapped[MANY];

/* MANY mappings of one page each, of /dev/mem or of a file without records. */
static bool map_many(int fd, uint64_t offset)
{
	for (unsigned int i = 0; i < MANY; i++) {
		mapped[i] = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, fd,
				 offset + i % NR * PAT_PAGE);
		if (mapped[i] == MAP_FAILED)
			return false;
	}
	return true;
}

static bool order_map_many(struct life *life, struct life_area *area, int fd)
{
	return map_many(fd, fd == life->row.devmem ? life_phys(life, 0) : 0);
}

static bool order_unmap_many(struct life *life, struct life_area *area, int unused)
{
	bool good = true;

	for (unsigned int i = 0; i < MANY; i++)
		good &= !munmap(mapped[i], PAT_PAGE);
	return good;
}

/* What MANY mappings of @fd cost the group, and whether that comes back. */
static long price(struct __test_metadata *_metadata, struct life *life,
		  struct life_child *child, int fd)
{
	long before, cost;

	/* The first time fills caches that stay. */
	ASSERT_TRUE(life_child_do(child, order_map_many, fd));
	ASSERT_TRUE(life_child_do(child, order_unmap_many, 0));

	before = slab_added_up();
	ASSERT_TRUE(life_child_do(child, order_map_many, fd));
	cost = slab_added_up() - before;
	ASSERT_TRUE(life_child_do(child, order_unmap_many, 0));
	ROW_CLAIM(&life->row, slab_falls_to(before + MANY * RECORD_SIZE / 4),
		  "%ld of %ld bytes do not come back", slab() - before, cost);
	return cost;
}

TEST_F(memcg, records_are_charged)
{
	struct life *life = &self->life;
	int plain = memfd_create("plain", MFD_CLOEXEC);
	struct life_child child;
	long with, without;

	life_open(_metadata, life, MEMCG_PAGES, NR, ROW_STOCK_HAS_BUG);
	ASSERT_LE(0, plain);
	ASSERT_EQ(0, ftruncate(plain, NR * PAT_PAGE));
	cgroup_open(_metadata, &group, "price");
	ASSERT_TRUE(life_child_fork(life, NULL, &child));
	ASSERT_TRUE(life_child_do(&child, order_enter, 0));

	without = price(_metadata, life, &child, plain);
	with = price(_metadata, life, &child, life->row.devmem);
	TH_LOG("%d mappings cost %ld bytes, of a file without records %ld", MANY,
	       with, without);
	if (life->row.pat_is_on)
		ROW_CLAIM(&life->row, with - without >= MANY * RECORD_SIZE,
			  "%d records are charged with %ld bytes", MANY,
			  with - without);

	ASSERT_TRUE(life_child_end(&child, 0));
	cgroup_close(_metadata, &group);
	close(plain);
	life_verdict(_metadata, life);
}

/* --- at the limit ------------------------------------------------------------------- */

/* What the child tells of itself; shared with the parent. */
struct told {
	unsigned int mapped;
	unsigned int pieces;
	int error;
};

static struct told *told;

/* What is mapped to the limit: /dev/mem would say EAGAIN whatever the reason. */
static int resource;
static uint64_t resource_offset;

/* Maps page after page until that fails. */
static bool order_map_to_the_limit(struct life *life, struct life_area *area,
				   int unused)
{
	told->error = 0;
	for (told->mapped = 0; told->mapped < MANY; told->mapped++) {
		mapped[told->mapped] = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED,
					    resource, resource_offset);
		if (mapped[told->mapped] == MAP_FAILED) {
			told->error = errno;
			break;
		}
	}
	return true;
}

static bool order_unmap_mapped(struct life *life, struct life_area *area,
			       int unused)
{
	bool good = true;

	while (told->mapped)
		good &= !munmap(mapped[--told->mapped], PAT_PAGE);
	return good;
}

/* Has the area's every second page protected, one after the other. */
static bool order_split_to_the_limit(struct life *life, struct life_area *area,
				     int unused)
{
	told->error = 0;
	for (told->pieces = 1; told->pieces < area->nr - 1; told->pieces += 2) {
		if (!mprotect(area->at + told->pieces * PAT_PAGE, PAT_PAGE,
			      PROT_READ))
			continue;
		told->error = errno;
		break;
	}
	return true;
}

static bool order_claim_entries(struct life *life, struct life_area *area,
				int unused)
{
	for (unsigned int i = 0; i < area->nr; i++) {
		struct pat_test_pte pte = {
			.addr = (uintptr_t)area->at + i * PAT_PAGE,
		};

		if (ioctl(life->row.driver, PAT_TEST_READ_PTE, &pte) ||
		    pte.pfn != life_phys(life, i) / PAT_PAGE)
			return false;
	}
	return true;
}

/*
 * Forks a child that does nothing, and kills it. Where the limit lets that succeed,
 * neither of them may write before the other is gone: a page that they share is
 * copied then, which the limit does not allow, and the fault is tried again for
 * ever. So all of it is in registers. Returns the pid, or a negative errno.
 */
static long fork_and_kill(void)
{
	long pid;

	asm volatile("syscall\n"
		     "	testq %%rax, %%rax\n"
		     "	js 2f\n"
		     "	jnz 1f\n"
		     "0:	pause\n"
		     "	jmp 0b\n"
		     "1:	movq %%rax, %%rbx\n"
		     "	movl %%eax, %%edi\n"
		     "	movl %[sigkill], %%esi\n"
		     "	movl %[kill], %%eax\n"
		     "	syscall\n"
		     "	movq %%rbx, %%rax\n"
		     "2:\n"
		     : "=a" (pid)
		     : "0" ((long)SYS_fork), [kill] "i" (SYS_kill),
		       [sigkill] "i" (SIGKILL)
		     : "rbx", "rcx", "rdi", "rsi", "r11", "cc", "memory");
	return pid;
}

static bool order_fork(struct life *life, struct life_area *area, int unused)
{
	long pid = fork_and_kill();

	told->error = pid < 0 ? -pid : 0;
	return pid < 0 || waitpid(pid, NULL, 0) == pid;
}

/* A child in a group of its own, and a page in which it tells about itself. */
static void open_child(struct __test_metadata *_metadata, struct life *life,
		       struct life_area *area, struct life_child *child,
		       const char *name)
{
	told = mmap(NULL, PAT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, told);
	cgroup_open(_metadata, &group, name);
	ASSERT_TRUE(life_child_fork(life, area, child));
	ASSERT_TRUE(life_child_do(child, order_enter, 0));
	/* "Out of memory and no killable processes", with a trace. */
	pat_expect_message("Call Trace");
}

static void close_child(struct __test_metadata *_metadata, struct life *life,
			struct life_child *child)
{
	ASSERT_TRUE(life_child_end(child, 0));
	cgroup_close(_metadata, &group);
}

/*
 * So much more than it has now. A limit of 0 first: that takes away what each
 * CPU keeps in store for the group.
 */
static void limit_to(struct __test_metadata *_metadata, long more)
{
	cgroup_limit(_metadata, &group, 0);
	cgroup_limit(_metadata, &group,
		     cgroup_read(&group, "memory.current", NULL) + more);
}

static void limit_no_more(struct __test_metadata *_metadata)
{
	ASSERT_TRUE(cgroup_write(group.dir, "memory.max", "max"));
}

TEST_F(memcg, mmap_at_the_limit)
{
	struct life *life = &self->life;
	struct life_child child;
	unsigned int failures = 0;
	char text[48];

	/* Stock warns if it is the page tables that there is no memory for. */
	life_open(_metadata, life, MEMCG_PAGES + NR, NR, ROW_STOCK_VARIES);
	resource = life_source_open(_metadata, life, LIFE_RESOURCE, 0, 1,
				    &resource_offset);
	ASSERT_LE(0, resource);
	open_child(_metadata, life, NULL, &child, "mmap");
	life->frames[0].type = PAT_TEST_UC_MINUS;
	for (unsigned int i = 0; i < LIMITS; i++) {
		limit_to(_metadata, i * PAT_PAGE);
		ASSERT_TRUE(life_child_do(&child, order_map_to_the_limit, 0));
		limit_no_more(_metadata);
		if (told->error) {
			EXPECT_EQ(ENOMEM, told->error);
			failures++;
		}
		life->frames[0].count = told->mapped;
		snprintf(text, sizeof(text), "%u mapped with %u pages more",
			 told->mapped, i);
		life_claim(_metadata, life, NULL, text);
		ASSERT_TRUE(life_child_do(&child, order_unmap_mapped, 0));
		life->frames[0].count = 0;
		life_claim_records(_metadata, life, "munmap");
	}
	EXPECT_LT(0, failures) TH_LOG("the limit was never felt");
	TH_LOG("%u of %u times the limit was felt", failures, LIMITS);
	close_child(_metadata, life, &child);
	close(resource);
	life_verdict(_metadata, life);
	pat_expect_done();
}

TEST_F(memcg, split_and_fork_at_the_limit)
{
	struct life *life = &self->life;
	struct life_area *area = &self->area;
	unsigned int failures = 0, forks = 0;
	struct life_child child;
	char text[48];

	life_open(_metadata, life, MEMCG_PAGES + 2 * NR, NR, ROW_STOCK_HAS_BUG);
	life_area_open(_metadata, area, NR);
	open_child(_metadata, life, area, &child, "split");
	for (unsigned int i = 0; i < LIMITS; i++) {
		/* A child of its own each time, with the mapping whole. */
		struct life_child splitter;

		life_map(_metadata, life, area, 0, LIFE_DEVMEM, 0, NR);
		ASSERT_TRUE(life_child_fork(life, area, &splitter));
		life_fork_counts(life, area, 1);
		ASSERT_TRUE(life_child_do(&splitter, order_enter, 0));
		life_munmap(_metadata, life, area, 0, NR);

		limit_to(_metadata, i * PAT_PAGE);
		ASSERT_TRUE(life_child_do(&splitter, order_split_to_the_limit, 0));
		if (told->error) {
			EXPECT_EQ(ENOMEM, told->error);
			failures++;
		}
		ASSERT_TRUE(life_child_do(&splitter, order_fork, 0));
		forks += told->error != 0;
		limit_no_more(_metadata);
		snprintf(text, sizeof(text), "%u pieces with %u pages more",
			 told->pieces, i);
		for (unsigned int j = 0; j < NR; j++)
			life->frames[j].count = 1;
		life_claim(_metadata, life, area, text);
		ROW_CLAIM(&life->row, life_child_do(&splitter, order_claim_entries, 0),
			  "%s: not everything is mapped", text);

		/* It can go on where it was stopped. */
		ASSERT_TRUE(life_child_do(&splitter, order_split_to_the_limit, 0));
		EXPECT_EQ(0, told->error);
		life_claim(_metadata, life, area, "all pieces");
		ASSERT_TRUE(life_child_end(&splitter, 0));
		for (unsigned int j = 0; j < NR; j++)
			life->frames[j].count = 0;
		life_claim(_metadata, life, area, "its exit");
	}
	EXPECT_LT(0, failures) TH_LOG("the limit was never felt");
	TH_LOG("%u splits and %u forks of %u failed", failures, forks, LIMITS);
	close_child(_metadata, life, &child);
	life_verdict(_metadata, life);
	pat_expect_done();
}

TEST_HARNESS_MAIN
