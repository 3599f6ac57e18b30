// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory type of a RAM page is changed while somebody is about to map it.
 *
 *	CPU 0					CPU 1
 *	mmap: looks the page's type up: WB
 *						set_memory_wc: finds no entry
 *						that maps the page, succeeds
 *	sets the entry, WB
 *
 * Each test holds one of the two where the other one's turn is, for a while: the
 * process that maps, forks, moves, unmaps, or exits in the midst of that, or the
 * owner of the page between two steps of a change. Meanwhile no page is mapped
 * write-back and write-combining at a time; when both are through, all entries
 * have the page's type.
 *
 * Where a task is held nobody may need a lock that it spins with: CPU 1 has those
 * who would wait, and the one who is to release it.
 *
 * Stock changes no entry that is there already: it has the bug wherever one is
 * left in the end.
 */
#include "pat_delay.h"
#include "pat_fault.h"
#include "ram_block.h"

#define ORDER		1
#define NR		(1 << ORDER)

/* Steps of 1 ms for who may have to wait for the task that is held. */
#define TURN		300

/* Below all else that a process has: the first mapping that fork copies. */
#define LOWEST		((char *)(1 << 21) - PAT_PAGE)

/* Witnesses among the processes. */
enum {
	FIRST,
	CHILD,
	NR_WITNESSES,
};

/* What the processes of a test tell each other. */
struct stage {
	volatile bool ready;		/* it has what it is to have before */
	volatile bool act;		/* it is its turn */
	volatile bool acted;
	volatile bool clashed;		/* when it had acted */
	volatile bool changed;		/* by the owner */
	volatile bool look;		/* all is done: what is there? */
	volatile bool looked[NR_WITNESSES];
	struct ram_odd odd[NR_WITNESSES];
};

struct scene {
	struct row row;
	int delay;
	struct stage *stage;
	struct ram_block block;
	struct ram_wish before;
	struct ram_wish after;
	char what[64];			/* for messages */
};

static void scene_open(struct __test_metadata *_metadata, struct scene *scene,
		       enum row_stock stock)
{
	row_open(_metadata, &scene->row, stock);
	if (_metadata->exit_code)
		return;
	ASSERT_TRUE(delay_run_on(DELAY_CPU_OTHERS))
		TH_LOG("this needs two CPUs: %s", strerror(errno));
	scene->delay = delay_open(_metadata);
	scene->stage = mmap(NULL, sizeof(*scene->stage), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, scene->stage);
	scene->block = ram_alloc(_metadata, &scene->row, ORDER);
}

static void scene_close(struct __test_metadata *_metadata, struct scene *scene)
{
	if (scene->stage) {
		ram_free(_metadata, &scene->row, &scene->block);
		munmap(scene->stage, sizeof(*scene->stage));
		close(scene->delay);
	}
	row_close(&scene->row);
}

static int api_for(int type)
{
	switch (type) {
	case PAT_TEST_WC:
		return PAT_TEST_SET_MEMORY_WC;
	case PAT_TEST_UC_MINUS:
		return PAT_TEST_SET_MEMORY_UC;
	}
	return PAT_TEST_SET_MEMORY_WB;
}

static void scene_set(struct __test_metadata *_metadata, struct scene *scene,
		      int type)
{
	ASSERT_EQ(0, ram_set(scene->row.driver, &scene->block, api_for(type), 0,
			     NR));
}

/*
 * Who asks for the type that a page has just had gets another, and a message. To
 * stock, fork is such a request.
 */
static void expect_requests(struct __test_metadata *_metadata)
{
	ASSERT_TRUE(pat_expect_message(PAT_CONFLICT_MESSAGE));
}

static void expect_no_requests(struct __test_metadata *_metadata,
			       struct row *row)
{
	ASSERT_TRUE(pat_expect_done());
	ASSERT_LE(0, lseek(row->kmsg, 0, SEEK_END));
}

/* --- what processes do --------------------------------------------------------- */

/* The calling task is held when it calls @symbol for the @nth time. */
static bool hold_at(const struct scene *scene, const char *symbol,
		    unsigned int nth)
{
	struct pat_delay_arm arm = {
		.nth = nth,
		.range_arg = PAT_DELAY_ANY_RANGE,
	};

	snprintf(arm.symbol, sizeof(arm.symbol), "%s", symbol);
	return !ioctl(scene->delay, PAT_DELAY_ARM, &arm);
}

/* What the driver's program says, at an address that has no page tables. */
static char *map(const struct scene *scene, char *at)
{
	if (!at)
		return MAP_FAILED;
	return mmap(at, NR * PAT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, scene->row.driver, 0);
}

static char *map_anywhere(const struct scene *scene)
{
	return map(scene, fault_address(1));
}

static char *move(char *from)
{
	char *to = fault_address(1);

	return !to ? MAP_FAILED : mremap(from, NR * PAT_PAGE, NR * PAT_PAGE,
					 MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void wait_for(const volatile bool *flag)
{
	while (!*flag)
		pat_sleep_ms(1);
}

/* The same for who watches the process. */
static void await(struct __test_metadata *_metadata, const volatile bool *flag)
{
	for (unsigned int i = 0; i < DELAY_PATIENCE && !*flag; i++)
		pat_sleep_ms(1);
	ASSERT_TRUE(*flag) TH_LOG("the process does not get so far");
}

/* When all is done: are pages [first, NR), mapped at @at, as they must be? */
static void look(struct scene *scene, unsigned int who, const char *at,
		 unsigned int first)
{
	struct stage *stage = scene->stage;
	struct ram_odd odd = ram_odd_entries(&scene->row, &scene->block,
					     &scene->after, at, first,
					     NR - first);

	if (odd.odd && !stage->odd[who].odd)
		stage->odd[who] = odd;
	stage->looked[who] = true;
}

static void wait_and_look(struct scene *scene, unsigned int who, const char *at)
{
	wait_for(&scene->stage->look);
	look(scene, who, at, 0);
}

static bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && !status;
}

/* --- the owner changes a page while a process is held --------------------------- */

/* Each returns whether all went as it should, and looks before. */

static bool held_map(struct scene *scene, const char *symbol, unsigned int nth)
{
	char *at = fault_address(1);

	if (!hold_at(scene, symbol, nth) || map(scene, at) == MAP_FAILED)
		return false;
	wait_and_look(scene, FIRST, at);
	return true;
}

static bool held_fork(struct scene *scene, const char *symbol, unsigned int nth)
{
	char *at = map(scene, LOWEST);
	pid_t child;

	if (at == MAP_FAILED || !hold_at(scene, symbol, nth))
		return false;
	child = fork();
	if (!child) {
		wait_and_look(scene, CHILD, at);
		_exit(0);
	}
	wait_and_look(scene, FIRST, at);
	return ended_well(child);
}

static bool held_move_from(struct scene *scene, char *at, const char *symbol,
			   unsigned int nth)
{
	if (at == MAP_FAILED || !hold_at(scene, symbol, nth))
		return false;
	at = move(at);
	if (at == MAP_FAILED)
		return false;
	wait_and_look(scene, FIRST, at);
	return true;
}

/* Both pages are in one page table, and get into two. */
static bool held_move(struct scene *scene, const char *symbol, unsigned int nth)
{
	return held_move_from(scene, map(scene, fault_address(NR)), symbol, nth);
}

/* The page table of the first page is moved as a whole. */
static bool held_move_table(struct scene *scene, const char *symbol,
			    unsigned int nth)
{
	return held_move_from(scene, map_anywhere(scene), symbol, nth);
}

/* The second page stays. */
static bool held_unmap(struct scene *scene, const char *symbol, unsigned int nth)
{
	char *at = map_anywhere(scene);

	if (at == MAP_FAILED || !hold_at(scene, symbol, nth) ||
	    munmap(at, PAT_PAGE))
		return false;
	wait_for(&scene->stage->look);
	look(scene, FIRST, at + PAT_PAGE, 1);
	return true;
}

/* Nothing stays. */
static bool held_exit(struct scene *scene, const char *symbol, unsigned int nth)
{
	return map_anywhere(scene) != MAP_FAILED && hold_at(scene, symbol, nth);
}

/* It changes the page once, or twice, in a thread: it may have to wait. */
struct owner {
	pthread_t thread;
	struct scene *scene;
	int types[2];
	int errs[2];
	volatile bool done;
};

static void *owner_runs(void *arg)
{
	struct owner *owner = arg;
	struct scene *scene = owner->scene;

	for (unsigned int i = 0; i < 2; i++)
		if (owner->types[i] >= 0)
			owner->errs[i] = ram_set(scene->row.driver, &scene->block,
						 api_for(owner->types[i]), 0, NR);
	owner->done = true;
	return NULL;
}

FIXTURE(process_is_held) {
	struct scene scene;
};

FIXTURE_VARIANT(process_is_held) {
	bool (*run)(struct scene *scene, const char *symbol, unsigned int nth);
	const char *symbol;
	const char *stock_symbol;	/* where nobody calls that one */
	unsigned int nth;
	unsigned int witnesses;		/* who are left in the end */
	enum row_stock stock;
};

#define PROCESS(name, ...)						\
	FIXTURE_VARIANT_ADD(process_is_held, name) {			\
		__VA_ARGS__						\
	}

PROCESS(map_before_record, held_map, "remap_pfn_range", NULL, 1, 1,
	ROW_STOCK_IS_RIGHT);
/* The record is linked, and no entry is set. */
PROCESS(map_before_entries, held_map, "__pte_alloc", NULL, 1, 1, ROW_STOCK_HAS_BUG);
/* One of two entries is set. */
PROCESS(map_between_entries, held_map, "__pte_alloc", NULL, 2, 1, ROW_STOCK_HAS_BUG);
/* All are set, and the record still says that they are being set. */
PROCESS(map_after_entries, held_map, "pfnmap_populated", "perf_event_mmap", 1, 1,
	ROW_STOCK_HAS_BUG);
PROCESS(fork_before_records, held_fork, "copy_page_range", NULL, 1, 2,
	ROW_STOCK_HAS_BUG);
PROCESS(fork_before_entries, held_fork, "__pte_alloc", NULL, 1, 2,
	ROW_STOCK_HAS_BUG);
PROCESS(fork_between_entries, held_fork, "__pte_alloc", NULL, 2, 2,
	ROW_STOCK_HAS_BUG);
PROCESS(move_before_entries, held_move, "move_page_tables", NULL, 1, 1,
	ROW_STOCK_HAS_BUG);
PROCESS(move_between_entries, held_move, "__pte_alloc", NULL, 2, 1,
	ROW_STOCK_HAS_BUG);
PROCESS(move_after_table, held_move_table, "__pte_alloc", NULL, 1, 1,
	ROW_STOCK_HAS_BUG);
/* The entries are cleared, the record is there. */
PROCESS(unmap_before_record_goes, held_unmap, "__pfnmap_zap_end", "free_pgtables",
	1, 1, ROW_STOCK_HAS_BUG);
/* So they are here, and nobody uses the address space any more. */
PROCESS(exit_before_record_goes, held_exit, "pfnmap_exit", "free_pgtables", 1, 0,
	ROW_STOCK_IS_RIGHT);

FIXTURE_SETUP(process_is_held)
{
	scene_open(_metadata, &self->scene, variant->stock);
}

FIXTURE_TEARDOWN(process_is_held)
{
	scene_close(_metadata, &self->scene);
}

static void claim_looks(struct __test_metadata *_metadata, struct scene *scene,
			unsigned int witnesses)
{
	static const char *const names[] = { "the process", "its child" };

	for (unsigned int who = 0; who < witnesses; who++) {
		ASSERT_TRUE(scene->stage->looked[who]);
		ram_claim(_metadata, &scene->row, scene->what, names[who],
			  scene->stage->odd[who]);
	}
}

static void change_while_held(struct __test_metadata *_metadata,
			      struct scene *scene,
			      const FIXTURE_VARIANT(process_is_held) *variant,
			      int from, int first, int second)
{
	bool as_stock = pat_on_stock() || !scene->row.pat_is_on;
	const char *symbol = as_stock && variant->stock_symbol ?
			     variant->stock_symbol : variant->symbol;
	struct owner owner = { .scene = scene, .types = { first, second } };
	int to = second < 0 ? first : second;
	pid_t process;

	snprintf(scene->what, sizeof(scene->what), "from %s to %s%s",
		 pat_type_word(from), second < 0 ? "" : "write-back to ",
		 pat_type_word(to));
	memset(scene->stage, 0, sizeof(*scene->stage));
	scene->before = ram_all(&scene->block, from);
	scene->after = ram_all(&scene->block, to);
	scene_set(_metadata, scene, from);
	if (!scene->row.pat_is_on)
		scene->before = ram_all(&scene->block, PAT_TEST_WB);
	ASSERT_TRUE(ram_program(scene->row.driver, &scene->block,
				&scene->before));

	expect_requests(_metadata);
	process = fork();
	ASSERT_LE(0, process);
	if (!process) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!(delay_run_on(DELAY_CPU_HELD) &&
			variant->run(scene, symbol, variant->nth)));
	}
	delay_wait_held(_metadata, scene->delay);
	ASSERT_EQ(0, pthread_create(&owner.thread, NULL, owner_runs, &owner));
	for (unsigned int i = 0; i < TURN && !owner.done; i++)
		pat_sleep_ms(1);
	if (!owner.done)
		TH_LOG("%s: waits for the process", scene->what);
	delay_release(_metadata, scene->delay);
	ASSERT_EQ(0, pthread_join(owner.thread, NULL));
	ROW_CLAIM(&scene->row, !owner.errs[0] && !owner.errs[1],
		  "%s: errors %d, %d", scene->what, owner.errs[0],
		  owner.errs[1]);
	scene->stage->look = true;
	ASSERT_TRUE(ended_well(process));
	expect_no_requests(_metadata, &scene->row);
	claim_looks(_metadata, scene, variant->witnesses);
	ram_claim_block(_metadata, &scene->row, &scene->block, &scene->after,
			scene->what);
	row_claim_valid(_metadata, &scene->row, scene->what);
	scene_set(_metadata, scene, PAT_TEST_WB);
}

TEST_F(process_is_held, entries_follow)
{
	struct scene *scene = &self->scene;

	change_while_held(_metadata, scene, variant, PAT_TEST_WB, PAT_TEST_WC, -1);
	change_while_held(_metadata, scene, variant, PAT_TEST_WC, PAT_TEST_WB, -1);
	/* Twice: it is not enough to see that something has changed. */
	change_while_held(_metadata, scene, variant, PAT_TEST_UC_MINUS,
			  PAT_TEST_WB, PAT_TEST_WC);
	row_verdict(_metadata, &scene->row);
}

/* --- a process acts while the owner is held -------------------------------------- */

enum act {
	ACT_MAP,		/* the pages, once more */
	ACT_FORK,
	ACT_MOVE,
	ACT_PROTECT,		/* no access, for a while */
	ACT_UNMAP_PART,
	ACT_REMAP,		/* the driver takes a page away and maps it again */
	ACT_UNMAP,
	ACT_DIE,
};

FIXTURE(owner_is_held) {
	struct scene scene;
};

FIXTURE_VARIANT(owner_is_held) {
	enum act act;
	unsigned int witnesses;
	enum row_stock stock;
};

#define ACT(name, act_, witnesses_, stock_)				\
	FIXTURE_VARIANT_ADD(owner_is_held, name) {			\
		.act = ACT_##act_,					\
		.witnesses = witnesses_,				\
		.stock = ROW_STOCK_##stock_,				\
	}

ACT(map, MAP, 1, HAS_BUG);
ACT(fork, FORK, 2, HAS_BUG);
ACT(move, MOVE, 1, HAS_BUG);
ACT(protect, PROTECT, 1, HAS_BUG);
ACT(unmap_part, UNMAP_PART, 1, HAS_BUG);
ACT(remap, REMAP, 1, HAS_BUG);
ACT(unmap, UNMAP, 0, IS_RIGHT);
ACT(die, DIE, 0, IS_RIGHT);

FIXTURE_SETUP(owner_is_held)
{
	scene_open(_metadata, &self->scene, variant->stock);
}

FIXTURE_TEARDOWN(owner_is_held)
{
	scene_close(_metadata, &self->scene);
}

static bool remap_first_page(struct scene *scene, char *at)
{
	struct pat_test_zap zap = {
		.start = (uintptr_t)at,
		.size = PAT_PAGE,
		.method = PAT_TEST_ZAP_VMA_PTES,
	};
	struct pat_test_remap remap = {
		.addr = (uintptr_t)at,
		.pfn = scene->block.pfn,
		.size = PAT_PAGE,
		.type = scene->before.inside,
	};

	return !ioctl(scene->row.driver, PAT_TEST_ZAP, &zap) &&
	       !ioctl(scene->row.driver, PAT_TEST_REMAP, &remap) && !remap.err;
}

/* Is a page cached by one of two mappings, and write-combined by the other? */
static bool clashes(const struct scene *scene, const char *at)
{
	for (unsigned int i = 0; i < NR; i++) {
		struct pat_test_pte pte = { .addr = (uintptr_t)at + i * PAT_PAGE };
		struct pat_test_direct direct = { .pfn = scene->block.pfn + i };

		if (ioctl(scene->row.driver, PAT_TEST_READ_PTE, &pte) ||
		    ioctl(scene->row.driver, PAT_TEST_DIRECT_MAP, &direct))
			return true;
		if ((pte.got == PAT_TEST_WB && direct.got == PAT_TEST_WC) ||
		    (pte.got == PAT_TEST_WC && direct.got == PAT_TEST_WB))
			return true;
	}
	return false;
}

/* The second half of it is when the change is done. */
static bool process_acts(struct scene *scene, enum act act)
{
	struct stage *stage = scene->stage;
	char *at = map_anywhere(scene), *second = NULL;
	const size_t size = NR * PAT_PAGE;
	unsigned int first = 0;
	bool good = true;
	pid_t child = 0;

	if (at == MAP_FAILED)
		return false;
	stage->ready = true;
	wait_for(&stage->act);

	switch (act) {
	case ACT_MAP:
		second = map_anywhere(scene);
		good = second != MAP_FAILED;
		break;
	case ACT_FORK:
		child = fork();
		if (!child) {
			wait_and_look(scene, CHILD, at);
			_exit(0);
		}
		good = child > 0;
		break;
	case ACT_MOVE:
		at = move(at);
		good = at != MAP_FAILED;
		break;
	case ACT_PROTECT:
		good = !mprotect(at, size, PROT_NONE);
		break;
	case ACT_UNMAP_PART:
		good = !munmap(at, PAT_PAGE);
		first = 1;
		break;
	case ACT_REMAP:
		good = remap_first_page(scene, at);
		break;
	case ACT_UNMAP:
		good = !munmap(at, size);
		first = NR;
		break;
	case ACT_DIE:
		raise(SIGKILL);
	}
	/* What is not mapped any more clashes with nothing. */
	if (good)
		stage->clashed = clashes(scene, at) ||
				 (second && clashes(scene, second));
	stage->acted = true;
	if (!good)
		return false;

	wait_for(&stage->look);
	if (act == ACT_PROTECT && mprotect(at, size, PROT_READ | PROT_WRITE))
		return false;
	look(scene, FIRST, at + first * PAT_PAGE, first);
	if (second)
		look(scene, FIRST, second, 0);
	return !child || ended_well(child);
}

struct held_owner {
	const char *symbol;		/* NULL: there is nothing like it */
	unsigned int nth;
	const char *stock_symbol;	/* the same */
};

/* From the first step of a change to the last. */
static const struct held_owner held_owners[] = {
	/* Nothing has been done. */
	{ "pat_cpa_begin", 1, "memtype_reserve" },
	/* The pages are claimed, and said to be in transit. */
	{ "pat_fix", 1, NULL },
	/* The first entry is fixed, and may be in TLBs; new records wait. */
	{ "flush_tlb_mm_range", 1, NULL },
	/* All entries are fixed. */
	{ "vm_unmap_aliases", 1, "vm_unmap_aliases" },
	/* The direct map is changed, but to UC- only: for write-combining. */
	{ NULL, 2, "vm_unmap_aliases" },
	/* The direct map is changed. */
	{ "pat_cpa_end", 1, NULL },
	/* The pages are not in transit any more. */
	{ "pat_fix", 2, NULL },
};

/* It also has, once it is dead. */
static bool has_acted(const struct stage *stage, pid_t process)
{
	siginfo_t info = {};

	return stage->acted ||
	       (!waitid(P_PID, process, &info, WEXITED | WNOHANG | WNOWAIT) &&
		info.si_pid == process);
}

static const char *held_symbol(const struct held_owner *held)
{
	return pat_on_stock() ? held->stock_symbol : held->symbol;
}

static void act_while_held(struct __test_metadata *_metadata,
			   struct scene *scene,
			   const FIXTURE_VARIANT(owner_is_held) *variant,
			   const struct held_owner *held, int from, int to)
{
	const char *symbol = held_symbol(held);
	struct stage *stage = scene->stage;
	pid_t owner, process;
	int status;

	snprintf(scene->what, sizeof(scene->what), "at %s %u, %s to %s",
		 symbol, held->nth, pat_type_word(from), pat_type_word(to));
	memset(stage, 0, sizeof(*stage));
	scene->before = ram_all(&scene->block, from);
	scene->after = ram_all(&scene->block, to);
	scene_set(_metadata, scene, from);
	if (!scene->row.pat_is_on)
		scene->before = ram_all(&scene->block, PAT_TEST_WB);
	ASSERT_TRUE(ram_program(scene->row.driver, &scene->block,
				&scene->before));

	process = fork();
	ASSERT_LE(0, process);
	if (!process) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!process_acts(scene, variant->act));
	}
	await(_metadata, &stage->ready);
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!(delay_run_on(DELAY_CPU_HELD) &&
			hold_at(scene, symbol, held->nth) &&
			!ram_set(scene->row.driver, &scene->block, api_for(to),
				 0, NR) &&
			(stage->changed = true)));
	}
	delay_wait_held(_metadata, scene->delay);
	ROW_CLAIM(&scene->row, !stage->changed, "%s: that is not called",
		  scene->what);
	expect_requests(_metadata);
	stage->act = true;
	for (unsigned int i = 0; i < TURN && !has_acted(stage, process); i++)
		pat_sleep_ms(1);
	/* Else the types may be those of different moments. */
	if (has_acted(stage, process))
		ROW_CLAIM(&scene->row, !stage->clashed,
			  "%s: write-back and write-combining at a time",
			  scene->what);
	else
		TH_LOG("%s: the process waits", scene->what);
	delay_release(_metadata, scene->delay);
	ROW_CLAIM(&scene->row, ended_well(owner), "%s: fails", scene->what);
	if (variant->act == ACT_DIE) {
		ASSERT_EQ(process, waitpid(process, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
	} else {
		await(_metadata, &stage->acted);
		stage->look = true;
		ASSERT_TRUE(ended_well(process)) TH_LOG("%s", scene->what);
		claim_looks(_metadata, scene, variant->witnesses);
	}
	expect_no_requests(_metadata, &scene->row);
	ram_claim_block(_metadata, &scene->row, &scene->block, &scene->after,
			scene->what);
	row_claim_valid(_metadata, &scene->row, scene->what);
	scene_set(_metadata, scene, PAT_TEST_WB);
}

TEST_F(owner_is_held, entries_follow)
{
	struct scene *scene = &self->scene;

	for (size_t i = 0; i < ARRAY_SIZE(held_owners); i++) {
		const struct held_owner *held = &held_owners[i];
		const char *symbol = held_symbol(held);

		if (!symbol)
			continue;
		/* Where PAT is off the direct map is all there is to change. */
		if (!scene->row.pat_is_on && strcmp(symbol, "vm_unmap_aliases"))
			continue;
		act_while_held(_metadata, scene, variant, held, PAT_TEST_WB,
			       PAT_TEST_WC);
		/* Stock reserves nothing to make a page write-back. */
		if (pat_on_stock() && !strcmp(symbol, "memtype_reserve"))
			continue;
		/* It becomes that in one step. */
		if (!strcmp(symbol, "vm_unmap_aliases") && held->nth == 2)
			continue;
		act_while_held(_metadata, scene, variant, held, PAT_TEST_WC,
			       PAT_TEST_WB);
	}
	row_verdict(_metadata, &scene->row);
}

TEST_HARNESS_MAIN
