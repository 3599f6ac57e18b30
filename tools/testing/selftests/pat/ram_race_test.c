// SPDX-License-Identifier: GPL-2.0-only
/*
 * The owner of some RAM pages changes their memory types again and again, while
 * processes map them, through the driver and /dev/mem, unmap, move and protect
 * pieces of that, have them taken away and mapped again, fork, exit, and are
 * killed.
 *
 *	owner		sets ranges of the pages: WC, WB, UC-, WB, ...
 *	actors		do what they do at random, each in an arena of its own
 *	children	of the actors: have what they inherit, and watch
 *
 * Nobody's mapping can be judged while that goes on. So it is done in rounds, that
 * last until everybody has done enough; at the end of each all pause, and all
 * entries there are must have the types of the pages.
 *
 * PAT_SEED in the environment repeats what each of them does, if not when.
 */
#include <pthread.h>
#include <sched.h>

#include "life.h"
#include "ram_block.h"

#define ORDER		4
#define NR		(1 << ORDER)
#define ARENA		64	/* pages */
#define PIECE		8	/* pages, at most, that one operation is about */
#define NONE		(-1)

#define ACTORS		4
#define ROUNDS		10
#define ENOUGH_FLIPS	12	/* of the owner in a round */
#define ENOUGH_ACTS	24	/* of each actor in a round */

/* What all processes share. */
struct race {
	pthread_barrier_t barrier;	/* the owner and the actors */
	volatile bool stop;
	volatile unsigned int paused;	/* rounds that have come to their pause */
	bool devmem;			/* it maps RAM */
	uint64_t pfn;
	uint32_t seed;
	int types[NR];			/* valid in a pause */
	unsigned int busy;		/* who has not done enough in this round */
	unsigned int seen;		/* entries that were there in a pause */
	unsigned int seen_by_children;
	unsigned int victims;
	unsigned int broken;
	char first[160];
	volatile unsigned int victim_maps[ACTORS];
};

static struct race *race;
static const struct row *the_row;

#define RACE_CLAIM(holds, ...)						\
	do {								\
		if (!(holds) &&						\
		    !__atomic_fetch_add(&race->broken, 1, __ATOMIC_RELAXED)) \
			snprintf(race->first, sizeof(race->first),	\
				 __VA_ARGS__);				\
	} while (0)

static void done_enough(void)
{
	__atomic_fetch_sub(&race->busy, 1, __ATOMIC_RELAXED);
}

static bool others_are_busy(void)
{
	return __atomic_load_n(&race->busy, __ATOMIC_RELAXED);
}

/* --- an actor ----------------------------------------------------------------- */

static struct {
	unsigned int number;
	uint32_t random;
	int driver;			/* a file of its own, for its programs */
	int devmem;
	char *arena;
	/* Each page of the arena: */
	int page[ARENA];		/* of the block, or NONE */
	bool there[ARENA];		/* false: taken away by the driver */
	bool by_devmem[ARENA];
	pid_t child;
} me;

/* Byte 0 of the block in the driver's file: elsewhere for every actor. */
static uint64_t my_offset(void)
{
	return (uint64_t)me.number << 30;
}

static char *arena_at(unsigned int i)
{
	return me.arena + i * PAT_PAGE;
}

static unsigned int below(unsigned int limit)
{
	return life_random(&me.random, limit);
}

/* Nothing is in pages [at, at + nr) of the arena, and nobody else's mmap() gets there. */
static void keep(unsigned int at, unsigned int nr)
{
	char *where = mmap(arena_at(at), nr * PAT_PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	RACE_CLAIM(where != MAP_FAILED, "mmap of nothing: %s", strerror(errno));
	for (unsigned int i = at; i < at + nr; i++)
		me.page[i] = NONE;
}

static void pick(unsigned int *at, unsigned int *nr)
{
	*nr = 1 + below(PIECE);
	*at = below(ARENA - *nr + 1);
}

/* In one chunk, or one for each page. */
static void program(unsigned int first, unsigned int nr)
{
	struct pat_test_chunk chunks[PIECE];
	unsigned int each = below(2) ? nr : 1;
	struct pat_test_program program = {
		.chunks = (uintptr_t)chunks,
		.nr = nr / each,
	};

	for (unsigned int i = 0; i < program.nr; i++)
		chunks[i] = (struct pat_test_chunk) {
			.offset = i * each * PAT_PAGE,
			.pfn = race->pfn + first + i * each,
			.size = each * PAT_PAGE,
			.type = PAT_TEST_WB,
			.method = PAT_TEST_REMAP_PFN_RANGE,
		};
	RACE_CLAIM(!ioctl(me.driver, PAT_TEST_PROGRAM, &program),
		   "PAT_TEST_PROGRAM: %s", strerror(errno));
}

static void act_map(void)
{
	bool by_devmem = race->devmem && below(2);
	unsigned int at, nr, first;
	char *where;

	pick(&at, &nr);
	first = below(NR - nr + 1);
	if (!by_devmem)
		program(first, nr);
	where = mmap(arena_at(at), nr * PAT_PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, by_devmem ? me.devmem : me.driver,
		     by_devmem ? (race->pfn + first) * PAT_PAGE :
				 my_offset() + first * PAT_PAGE);
	if (where == MAP_FAILED) {
		RACE_CLAIM(false, "mmap by %s: %s",
			   by_devmem ? "/dev/mem" : "the driver",
			   strerror(errno));
		keep(at, nr);
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		me.page[at + i] = first + i;
		me.there[at + i] = true;
		me.by_devmem[at + i] = by_devmem;
	}
}

static void act_unmap(void)
{
	unsigned int at, nr;

	pick(&at, &nr);
	RACE_CLAIM(!munmap(arena_at(at), nr * PAT_PAGE), "munmap: %s",
		   strerror(errno));
	keep(at, nr);
}

/* A piece that is of several VMAs is refused, after what was in its way has gone. */
static void act_move(void)
{
	unsigned int from, to, nr;

	pick(&from, &nr);
	to = below(ARENA - nr + 1);
	if (to < from + nr && from < to + nr)
		return;
	if (mremap(arena_at(from), nr * PAT_PAGE, nr * PAT_PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, arena_at(to)) == MAP_FAILED) {
		RACE_CLAIM(errno == EFAULT, "mremap: %s", strerror(errno));
		keep(to, nr);
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		me.page[to + i] = me.page[from + i];
		me.there[to + i] = me.there[from + i];
		me.by_devmem[to + i] = me.by_devmem[from + i];
	}
	keep(from, nr);
}

/* Who has no access has an entry nevertheless. */
static void act_protect(void)
{
	unsigned int at, nr;

	pick(&at, &nr);
	RACE_CLAIM(!mprotect(arena_at(at), nr * PAT_PAGE,
			     below(2) ? PROT_NONE : PROT_READ | PROT_WRITE),
		   "mprotect: %s", strerror(errno));
}

static void act_zap(void)
{
	struct pat_test_zap zap = { .method = PAT_TEST_ZAP_VMA_PTES };
	unsigned int at, nr;

	pick(&at, &nr);
	zap.start = (uintptr_t)arena_at(at);
	zap.size = nr * PAT_PAGE;
	if (!ioctl(me.driver, PAT_TEST_ZAP, &zap))
		memset(me.there + at, false, nr);
	else
		RACE_CLAIM(errno == EINVAL, "zap_vma_ptes: %s", strerror(errno));
}

/* Also what the children have. */
static void act_zap_everywhere(void)
{
	unsigned int nr = 1 + below(PIECE), first = below(NR - nr + 1);
	struct pat_test_zap zap = {
		.method = PAT_TEST_UNMAP_MAPPING_RANGE,
		.start = my_offset() + first * PAT_PAGE,
		.size = nr * PAT_PAGE,
	};

	RACE_CLAIM(!ioctl(me.driver, PAT_TEST_ZAP, &zap),
		   "unmap_mapping_range: %s", strerror(errno));
	for (unsigned int i = 0; i < ARENA; i++)
		if (!me.by_devmem[i] && me.page[i] >= (int)first &&
		    me.page[i] < (int)(first + nr))
			me.there[i] = false;
}

/* Maps again what was taken away. */
static void act_remap(void)
{
	for (unsigned int i = 0; i < ARENA; i++) {
		struct pat_test_remap remap = {
			.addr = (uintptr_t)arena_at(i),
			.size = PAT_PAGE,
			.type = PAT_TEST_WB,
		};

		if (me.page[i] == NONE || me.there[i] || below(2))
			continue;
		remap.pfn = race->pfn + me.page[i];
		me.there[i] = !ioctl(me.driver, PAT_TEST_REMAP, &remap) &&
			      !remap.err;
		RACE_CLAIM(me.there[i], "remap: %s, %d", strerror(errno),
			   remap.err);
	}
}

/* Is a page of the arena as it must be? A child's may have been taken away. */
static bool look_at(unsigned int i, bool may_be_gone)
{
	struct pat_test_pte pte = { .addr = (uintptr_t)arena_at(i) };
	bool there = me.page[i] != NONE && me.there[i];
	int want = PAT_TEST_NOT_MAPPED;

	if (there)
		want = the_row->pat_is_on ? race->types[me.page[i]] :
					    PAT_TEST_WB;
	RACE_CLAIM(!ioctl(me.driver, PAT_TEST_READ_PTE, &pte),
		   "PAT_TEST_READ_PTE: %s", strerror(errno));
	if (there && may_be_gone && pte.got == PAT_TEST_NOT_MAPPED)
		return false;
	RACE_CLAIM(pte.got == want &&
		   (!there || pte.pfn == race->pfn + me.page[i]),
		   "page %d of the block, by %s: pfn 0x%llx %s, must be %s",
		   me.page[i], me.by_devmem[i] ? "/dev/mem" : "the driver",
		   (unsigned long long)pte.pfn, pat_type_word(pte.got),
		   pat_type_word(want));
	return there;
}

/* In a pause. Returns how many entries there were. */
static unsigned int look(bool may_be_gone)
{
	unsigned int seen = 0;

	RACE_CLAIM(!mprotect(me.arena, ARENA * PAT_PAGE, PROT_READ | PROT_WRITE),
		   "mprotect of all: %s", strerror(errno));
	for (unsigned int i = 0; i < ARENA; i++)
		seen += look_at(i, may_be_gone);
	return seen;
}

/* A child that lives until the pause, and looks then. */
static void act_fork(void)
{
	unsigned int round = race->paused;
	unsigned int at, nr;

	if (me.child)
		return;
	pick(&at, &nr);
	me.child = fork();
	if (me.child) {
		RACE_CLAIM(me.child > 0, "fork: %s", strerror(errno));
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	munmap(arena_at(at), nr * PAT_PAGE);
	keep(at, nr);
	while (race->paused == round)
		usleep(1000);
	__atomic_fetch_add(&race->seen_by_children, look(true),
			   __ATOMIC_RELAXED);
	_exit(0);
}

static void reap(pid_t child)
{
	int status = 0;

	RACE_CLAIM(child <= 0 || (waitpid(child, &status, 0) == child && !status),
		   "a child ended with status 0x%x", status);
}

/* One that ends at once, with all that it has inherited. */
static void act_fork_exit(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	RACE_CLAIM(child > 0, "fork: %s", strerror(errno));
	reap(child);
}

/* One that maps and unmaps, and is killed in the midst of it. */
static void act_kill(void)
{
	volatile unsigned int *maps = &race->victim_maps[me.number];
	unsigned int enough = 1 + below(4);
	int status = 0;
	pid_t victim;

	*maps = 0;
	victim = fork();
	if (!victim) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			act_map();
			++*maps;
			act_unmap();
		}
	}
	RACE_CLAIM(victim > 0, "fork: %s", strerror(errno));
	if (victim < 0)
		return;
	while (*maps < enough && !waitpid(victim, &status, WNOHANG))
		sched_yield();
	kill(victim, SIGKILL);
	RACE_CLAIM(waitpid(victim, &status, 0) == victim && WIFSIGNALED(status),
		   "a victim ended by itself, with status 0x%x", status);
	__atomic_fetch_add(&race->victims, 1, __ATOMIC_RELAXED);
}

static void act(void)
{
	/* Each as often as it stands here. */
	static void (*const acts[])(void) = {
		act_map, act_map, act_map, act_map, act_map, act_map,
		act_unmap, act_unmap, act_unmap,
		act_move, act_move, act_move,
		act_protect, act_protect,
		act_zap, act_zap, act_zap_everywhere,
		act_remap, act_remap, act_remap,
		act_fork, act_fork,
		act_fork_exit, act_kill,
	};

	acts[below(ARRAY_SIZE(acts))]();
}

static void act_a_round(void)
{
	unsigned int acts = 0;

	while (acts < ENOUGH_ACTS || others_are_busy()) {
		act();
		if (++acts == ENOUGH_ACTS)
			done_enough();
	}
}

static void __attribute__((noreturn)) actor_runs(unsigned int number)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me.number = number;
	me.random = (race->seed ^ number * 2654435761u) ?: 1;
	me.driver = open(PAT_TEST_DEVICE, O_RDWR);
	me.devmem = open("/dev/mem", O_RDWR);
	me.arena = mmap(NULL, ARENA * PAT_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	RACE_CLAIM(me.driver >= 0 && me.devmem >= 0 && me.arena != MAP_FAILED,
		   "an actor cannot begin: %s", strerror(errno));
	keep(0, ARENA);

	while (pthread_barrier_wait(&race->barrier), !race->stop) {
		act_a_round();
		pthread_barrier_wait(&race->barrier);
		/* The owner says that this is the pause. */
		pthread_barrier_wait(&race->barrier);
		__atomic_fetch_add(&race->seen, look(false), __ATOMIC_RELAXED);
		reap(me.child);
		me.child = 0;
		pthread_barrier_wait(&race->barrier);
	}
	_exit(0);
}

/* --- the owner ------------------------------------------------------------------ */

FIXTURE(ram_race) {
	struct row row;
	struct ram_block block;
};

FIXTURE_SETUP(ram_race)
{
	row_open(_metadata, &self->row, ROW_STOCK_HAS_BUG);
	if (_metadata->exit_code)
		return;
	self->block = ram_alloc(_metadata, &self->row, ORDER);
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, race);
	the_row = &self->row;
}

FIXTURE_TEARDOWN(ram_race)
{
	if (self->block.nr)
		ram_free(_metadata, &self->row, &self->block);
	row_close(&self->row);
}

struct owner {
	const struct row *row;
	const struct ram_block *block;
	uint32_t random;
};

static void owner_sets(struct owner *owner, unsigned int first, unsigned int nr,
		       int type)
{
	static const unsigned int apis[][3] = {
		[PAT_TEST_WB] = { PAT_TEST_SET_MEMORY_WB, PAT_TEST_SET_PAGES_WB,
				  PAT_TEST_SET_PAGES_ARRAY_WB },
		[PAT_TEST_WC] = { PAT_TEST_SET_MEMORY_WC,
				  PAT_TEST_SET_PAGES_ARRAY_WC,
				  PAT_TEST_SET_MEMORY_WC },
		[PAT_TEST_UC_MINUS] = { PAT_TEST_SET_MEMORY_UC,
					PAT_TEST_SET_PAGES_UC,
					PAT_TEST_SET_PAGES_ARRAY_UC },
	};
	unsigned int api = apis[type][life_random(&owner->random, 3)];
	int err = ram_set(owner->row->driver, owner->block, api, first, nr);

	RACE_CLAIM(!err, "pages %u to %u cannot become %s by API %u: error %d",
		   first, first + nr - 1, pat_type_word(type), api, err);
	for (unsigned int i = first; i < first + nr; i++)
		race->types[i] = type;
}

/* Ends with some pages of each type. */
static void owner_flips_a_round(struct owner *owner)
{
	static const int types[] = { PAT_TEST_WC, PAT_TEST_UC_MINUS };
	unsigned int flips = 0, first, nr;

	owner_sets(owner, 0, NR, PAT_TEST_WB);
	while (flips < ENOUGH_FLIPS || others_are_busy()) {
		nr = 1 + life_random(&owner->random, NR);
		first = life_random(&owner->random, NR - nr + 1);
		for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
			owner_sets(owner, first, nr, types[i]);
			owner_sets(owner, first, nr, PAT_TEST_WB);
		}
		if (++flips == ENOUGH_FLIPS)
			done_enough();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		nr = 1 + life_random(&owner->random, NR / 4);
		first = i * NR / 2 + life_random(&owner->random, NR / 4);
		owner_sets(owner, first, nr, types[i]);
	}
}

static void claim_pause(struct __test_metadata *_metadata, struct row *row,
			const struct ram_block *block)
{
	for (unsigned int i = 0; i < NR; i++) {
		struct ram_block page = { .nr = 1, .pfn = block->pfn + i };
		struct ram_wish wish = ram_all(&page, race->types[i]);

		ram_claim_block(_metadata, row, &page, &wish, "in a pause");
	}
	row_claim_valid(_metadata, row, "in a pause");
}

static void run_rounds(struct __test_metadata *_metadata, struct row *row,
		       struct owner *owner)
{
	for (unsigned int round = 0; round < ROUNDS && !row->broken; round++) {
		race->busy = ACTORS + 1;
		pthread_barrier_wait(&race->barrier);
		owner_flips_a_round(owner);
		pthread_barrier_wait(&race->barrier);
		race->paused++;
		pthread_barrier_wait(&race->barrier);
		claim_pause(_metadata, row, owner->block);
		pthread_barrier_wait(&race->barrier);
		ROW_CLAIM(row, !race->broken, "round %u: %s", round,
			  race->first);
	}
	race->stop = true;
	pthread_barrier_wait(&race->barrier);
}

/* Does /dev/mem map RAM? It must, but for a kernel that cannot keep the types. */
static bool devmem_maps_ram(struct __test_metadata *_metadata, struct row *row,
			    const struct ram_block *block)
{
	int devmem = open("/dev/mem", O_RDWR);
	char *at;
	bool maps;

	ASSERT_LE(0, devmem);
	at = mmap(NULL, PAT_PAGE, PROT_READ, MAP_SHARED, devmem,
		  block->pfn * PAT_PAGE);
	maps = at != MAP_FAILED;
	ROW_CLAIM(row, maps || pat_on_stock(), "mmap of RAM by /dev/mem: %s",
		  strerror(errno));
	if (maps)
		munmap(at, PAT_PAGE);
	close(devmem);
	return maps;
}

TEST_F(ram_race, entries_follow)
{
	struct row *row = &self->row;
	struct owner owner = { .row = row, .block = &self->block };
	struct ram_wish wb = ram_all(&self->block, PAT_TEST_WB);
	pthread_barrierattr_t shared;
	pid_t actors[ACTORS];

	race->pfn = self->block.pfn;
	race->seed = life_seed(_metadata);
	owner.random = race->seed;
	race->devmem = devmem_maps_ram(_metadata, row, &self->block);
	ASSERT_EQ(0, pthread_barrierattr_init(&shared));
	ASSERT_EQ(0, pthread_barrierattr_setpshared(&shared,
						    PTHREAD_PROCESS_SHARED));
	ASSERT_EQ(0, pthread_barrier_init(&race->barrier, &shared, ACTORS + 1));

	/* An actor asks for write-back whatever a page is. */
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
	for (unsigned int i = 0; i < ACTORS; i++) {
		actors[i] = fork();
		ASSERT_LE(0, actors[i]) TH_LOG("fork: %s", strerror(errno));
		if (!actors[i])
			actor_runs(i);
	}
	run_rounds(_metadata, row, &owner);
	for (unsigned int i = 0; i < ACTORS; i++) {
		int status;

		ASSERT_EQ(actors[i], waitpid(actors[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_TRUE(pat_expect_done());
	ASSERT_LE(0, lseek(row->kmsg, 0, SEEK_END));

	TH_LOG("%u entries seen, %u by children; %u processes killed",
	       race->seen, race->seen_by_children, race->victims);
	ROW_CLAIM(row, race->seen && race->seen_by_children && race->victims,
		  "not everything has been tried");
	owner_sets(&owner, 0, NR, PAT_TEST_WB);
	ram_claim_block(_metadata, row, &self->block, &wb, "in the end");
	row_verdict(_metadata, row);
}

TEST_HARNESS_MAIN
