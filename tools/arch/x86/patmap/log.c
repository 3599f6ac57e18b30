// SPDX-License-Identifier: GPL-2.0-only
/*
 * Complaints about memory types in the kernel log, of stock kernels and of
 * those with the PAT series:
 *
 *	C:P conflicting memory types S-E T<->T [in "R"[, asked by A][, [mem S-E] held by H][, got T|, refused]]
 *	memtype_reserve failed [mem S-E], track T, req T
 *	C:P map pfn expected mapping type T for [mem S-E], got T
 *	C:P map pfn RAM range|page req T for [mem S-E], got T[, by F]
 *	C:P freeing invalid memtype [mem S-E]
 *	RAM page A freed while T, by C:P
 *	RAM page A cannot become T: C:P maps it[, F asked]
 *	ioremap memtype_reserve failed E
 *	ioremap error for S-E, requested N, got N
 *
 * The first has an exclusive end, those in brackets have an inclusive one.  A
 * stock kernel's first line names two types that are both there already, in
 * two parts of the range: what was asked for is in the second line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "patmap.h"

const char * const complaint_names[NR_COMPLAINTS] = {
	[COMPLAINT_CONFLICT]	= "conflict",
	[COMPLAINT_RESERVE]	= "reserve-failed",
	[COMPLAINT_EXPECTED]	= "mmap-refused",
	[COMPLAINT_IOREMAP]	= "ioremap-refused",
	[COMPLAINT_RAM_WISH]	= "ram-other-type",
	[COMPLAINT_RAM_BUSY]	= "ram-cannot-change",
	[COMPLAINT_RAM_FREED]	= "ram-freed",
	[COMPLAINT_FREE]	= "free-invalid",
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

static uint64_t complaint_hash(const struct complaint *c)
{
	uint64_t hash = hash_text(0xcbf29ce484222325ull, c->comm);

	hash = hash_number(hash, c->start);
	hash = hash_number(hash, c->end);
	return hash_number(hash, c->kind << 16 | c->want << 8 | c->held << 4 | c->other);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_complaint(const struct complaint *a, const struct complaint *b)
{
	return a->kind == b->kind && a->start == b->start && a->end == b->end &&
	       a->want == b->want && a->held == b->held && a->other == b->other &&
	       a->got == b->got && same_text(a->comm, b->comm) &&
	       same_text(a->holder.name, b->holder.name);
}

static size_t *seen_slot(struct machine *m, const struct complaint *c)
{
	size_t i = complaint_hash(c) & (m->seen_size - 1);

	while (m->seen[i] != NO_INDEX &&
	       !same_complaint(&m->complaints[m->seen[i]], c))
		i = (i + 1) & (m->seen_size - 1);
	return &m->seen[i];
}

static void seen_grow(struct machine *m)
{
	size_t i;

	m->seen_size = m->seen_size ? m->seen_size * 2 : 64;
	m->seen = xrealloc(m->seen, m->seen_size * sizeof(*m->seen));
	for (i = 0; i < m->seen_size; i++)
		m->seen[i] = NO_INDEX;
	for (i = 0; i < m->nr_complaints; i++)
		*seen_slot(m, &m->complaints[i]) = i;
}

/* Add @c, or count it with its like. */
static void add_complaint(struct machine *m, const struct complaint *c)
{
	struct complaint *old;
	size_t *slot;

	if (2 * m->nr_complaints >= m->seen_size)
		seen_grow(m);
	slot = seen_slot(m, c);
	if (*slot != NO_INDEX) {
		old = &m->complaints[*slot];
		old->count++;
		old->last = c->last;
		old->pid = c->pid;
		return;
	}
	m->complaints = grow(m->complaints, m->nr_complaints,
			     &m->cap_complaints, sizeof(*m->complaints));
	*slot = m->nr_complaints;
	m->complaints[m->nr_complaints++] = *c;
}

/* "COMM:PID" of @length; the command may hold colons and spaces. */
static void parse_who(struct complaint *c, char *text, size_t length)
{
	char *colon;

	text[length] = '\0';
	colon = strrchr(text, ':');
	if (!colon)
		return;
	*colon = '\0';
	c->comm = text;
	c->pid = strtol(colon + 1, NULL, 10);
}

/* "[mem 0x...-0x...]" with an inclusive end. */
static bool parse_mem_inclusive(const char **text, uint64_t *start, uint64_t *end)
{
	const char *p = *text;

	if (!parse_word(&p, "[mem ") || !parse_range(&p, start, end) ||
	    *p++ != ']' || *start > *end || *end == UINT64_MAX)
		return false;
	++*end;
	*text = p;
	return true;
}

/* What the PAT series adds: in "R", asked by A, [mem S-E] held by H, refused. */
static void parse_conflict_tail(struct complaint *c, char *p)
{
	static const char refused[] = ", refused";
	char *in, *asked, *mem, *held, *got;
	size_t length = strlen(p);
	const char *q;

	if (length >= strlen(refused) &&
	    !strcmp(p + length - strlen(refused), refused))
		p[length - strlen(refused)] = '\0';

	/* From the end, since names may hold anything. */
	got = strstr(p, ", got ");
	while (got && (q = strstr(got + 1, ", got ")))
		got += q - got;
	if (got) {
		*got = '\0';
		q = got + 6;
		c->got = parse_type(&q);
	}
	held = strstr(p, "] held by ");
	mem = held ? strstr(p, "[mem 0x") : NULL;
	if (held && mem && mem < held) {
		q = mem;
		parse_mem_inclusive(&q, &c->held_start, &c->held_end);
		parse_holder(held + 10, &c->holder, NULL, NULL);
		*mem = '\0';
	}
	asked = strstr(p, ", asked by ");
	if (asked) {
		*asked = '\0';
		asked += 11;
		length = strlen(asked);
		if (length >= 2 && !strcmp(asked + length - 2, ", "))
			asked[length - 2] = '\0';
		parse_holder(asked, &c->asker, NULL, NULL);
	}
	in = strstr(p, " in \"");
	if (in) {
		char *quote = strrchr(in + 5, '"');

		if (quote) {
			*quote = '\0';
			c->resource = in + 5;
		}
	}
}

static bool parse_conflict(struct complaint *c, char *line)
{
	static const char mark[] = " conflicting memory types ";
	char *at = strstr(line, mark);
	const char *p;

	if (!at)
		return false;
	p = at + sizeof(mark) - 1;
	if (!parse_range(&p, &c->start, &c->end) || c->start >= c->end ||
	    *p++ != ' ')
		return false;
	c->other = parse_type(&p);
	if (!parse_word(&p, "<->"))
		return false;
	c->held = parse_type(&p);
	if (c->held == TYPE_NONE || c->other == TYPE_NONE)
		return false;
	c->kind = COMPLAINT_CONFLICT;
	parse_who(c, line, at - line);
	/* Only the series tells what was wanted in this line. */
	if (strstr(p, " held by ") || strstr(p, ", asked by ") || strstr(p, ", got ")) {
		c->want = c->other;
		c->other = TYPE_NONE;
		parse_conflict_tail(c, line + (p - line));
	}
	return true;
}

/* COMM:PID MARK TYPE for [mem ...], got TYPE */
static bool parse_map_pfn(struct complaint *c, char *line, const char *mark,
			  enum complaint_kind kind)
{
	char *at = strstr(line, mark);
	const char *p;

	if (!at)
		return false;
	p = at + strlen(mark);
	c->want = parse_type(&p);
	if (!parse_word(&p, " for ") ||
	    !parse_mem_inclusive(&p, &c->start, &c->end) ||
	    !parse_word(&p, ", got "))
		return false;
	c->held = parse_type(&p);
	if (c->want == TYPE_NONE || c->held == TYPE_NONE)
		return false;
	c->kind = kind;
	if (kind == COMPLAINT_RAM_WISH)
		c->got = c->held;
	if (parse_word(&p, ", by "))
		parse_holder(line + (p - line), &c->asker, NULL, NULL);
	parse_who(c, line, at - line);
	return true;
}

static bool parse_free(struct complaint *c, char *line)
{
	static const char mark[] = " freeing invalid memtype ";
	char *at = strstr(line, mark);
	const char *p;

	if (!at)
		return false;
	p = at + sizeof(mark) - 1;
	if (!parse_mem_inclusive(&p, &c->start, &c->end))
		return false;
	c->kind = COMPLAINT_FREE;
	parse_who(c, line, at - line);
	return true;
}

/* RAM page 0x... freed while TYPE, by C:P; RAM page 0x... cannot become TYPE: C:P maps it[, F asked] */
static bool parse_ram_page(struct complaint *c, char *line)
{
	const char *p = line;
	char *who, *end;

	if (!parse_word(&p, "RAM page ") || !parse_hex(&p, &c->start) ||
	    c->start > UINT64_MAX - 4096)
		return false;
	c->end = c->start + 4096;
	if (parse_word(&p, " freed while ")) {
		c->kind = COMPLAINT_RAM_FREED;
		c->held = parse_type(&p);
		if (!parse_word(&p, ", by "))
			return c->held != TYPE_NONE;
		who = line + (p - line);
		parse_who(c, who, strlen(who));
		return c->held != TYPE_NONE;
	}
	if (!parse_word(&p, " cannot become "))
		return false;
	c->kind = COMPLAINT_RAM_BUSY;
	c->want = parse_type(&p);
	if (parse_word(&p, ": ")) {
		who = line + (p - line);
		end = strstr(who, " maps it");
		if (end) {
			char *asker = strstr(end, ", ");
			char *asked = strstr(end, " asked");

			if (asker && asked && asker < asked) {
				*asked = '\0';
				parse_holder(asker + 2, &c->asker, NULL, NULL);
			}
			parse_who(c, who, end - who);
		}
	}
	return c->want != TYPE_NONE;
}

static enum mem_type type_of_number(uint64_t number)
{
	return number < NR_TYPES ? (enum mem_type)number : TYPE_NONE;
}

/* ioremap error for 0xS-0xE, requested 0xN, got 0xN */
static bool parse_ioremap(struct complaint *c, const char *p)
{
	uint64_t want, held;

	if (!parse_word(&p, "ioremap error for ") ||
	    !parse_range(&p, &c->start, &c->end) || c->start >= c->end ||
	    !parse_word(&p, ", requested ") || !parse_hex(&p, &want) ||
	    !parse_word(&p, ", got ") || !parse_hex(&p, &held))
		return false;
	c->kind = COMPLAINT_IOREMAP;
	c->want = type_of_number(want);
	c->held = type_of_number(held);
	return true;
}

/* memtype_reserve failed [mem ...], track TYPE, req TYPE */
static bool parse_reserve(struct complaint *c, const char *p)
{
	if (!parse_word(&p, "memtype_reserve failed ") ||
	    !parse_mem_inclusive(&p, &c->start, &c->end) ||
	    !parse_word(&p, ", track ") || parse_type(&p) == TYPE_NONE ||
	    !parse_word(&p, ", req "))
		return false;
	c->kind = COMPLAINT_RESERVE;
	c->want = parse_type(&p);
	return c->want != TYPE_NONE;
}

/*
 * The seconds after boot that a line begins with: "6,339,5140900,-;text" as in
 * /dev/kmsg, "[    5.140900] text" as in dmesg, after "<6>" or a date and a host.
 */
static double parse_time(const char *line, const char *text)
{
	const char *p = line, *open;
	char *end;
	double time;

	for (; isdigit((unsigned char)*p); p++)
		;
	if (p > line && *p == ',') {
		while (isdigit((unsigned char)*++p))
			;
		if (*p == ',') {
			time = strtod(p + 1, &end);
			if (end > p + 1 && *end == ',' && time >= 0)
				return time / 1e6;
		}
	}
	for (open = line; (open = strchr(open, '[')) && open < text; open++) {
		time = strtod(open + 1, &end);
		if (*end == ']' && end > open + 1 && time >= 0)
			return time;
	}
	return -1;
}

static bool parse_complaint(struct complaint *c, char *line)
{
	static const char tag[] = "x86/PAT: ";
	char *text = strstr(line, tag);
	double time;
	bool found;

	if (!text) {
		text = strstr(line, "ioremap error for ");
		if (!text)
			return false;
		time = parse_time(line, text);
		found = parse_ioremap(c, text);
	} else {
		time = parse_time(line, text);
		text += sizeof(tag) - 1;
		found = parse_conflict(c, text) ||
			parse_reserve(c, text) ||
			parse_ram_page(c, text) ||
			parse_map_pfn(c, text, " map pfn expected mapping type ", COMPLAINT_EXPECTED) ||
			parse_map_pfn(c, text, " map pfn RAM range req ", COMPLAINT_RAM_WISH) ||
			parse_map_pfn(c, text, " map pfn RAM page req ", COMPLAINT_RAM_WISH) ||
			parse_free(c, text);
	}
	c->first = c->last = time;
	return found;
}

/* What the log says about PAT as a whole. */
static void parse_state(struct machine *m, const char *line)
{
	static const struct {
		const char *text, *reason;
	} offs[] = {
		{ "PAT support disabled via boot option", "nopat is on the kernel's command line" },
		{ "PAT not supported by the CPU", "the CPU has none" },
		{ "PAT support disabled by the firmware", "firmware or the hypervisor left its register zero" },
		{ "CONFIG_X86_PAT is disabled", "the kernel was built without CONFIG_X86_PAT" },
	};
	size_t i;

	if (!strstr(line, "x86/PAT: "))
		return;
	/* It is written without PAT, too, but then has no WC. */
	if (strstr(line, "Configuration [0-7]:") && strstr(line, "WC "))
		m->pat = PAT_ON;
	for (i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		if (!strstr(line, offs[i].text))
			continue;
		m->pat = PAT_OFF;
		m->pat_reason = offs[i].reason;
	}
}

/* Stock tells of one refusal in two lines: the second has the type that was asked for. */
static bool completes(const struct complaint *conflict, const struct complaint *c)
{
	return conflict->kind == COMPLAINT_CONFLICT &&
	       c->kind == COMPLAINT_RESERVE && conflict->want == TYPE_NONE &&
	       conflict->start == c->start && conflict->end == c->end;
}

void parse_log(struct machine *m, char *text)
{
	struct complaint pending, c;
	bool waits = false;
	char *line;

	while ((line = next_line(&text))) {
		parse_state(m, line);
		memset(&c, 0, sizeof(c));
		c.want = c.held = c.other = c.got = TYPE_NONE;
		c.pid = c.asker.pid = c.holder.pid = -1;
		c.count = 1;
		if (!parse_complaint(&c, line))
			continue;
		if (waits && completes(&pending, &c)) {
			pending.want = c.want;
			add_complaint(m, &pending);
			waits = false;
			continue;
		}
		if (waits)
			add_complaint(m, &pending);
		waits = c.kind == COMPLAINT_CONFLICT && c.want == TYPE_NONE;
		if (waits)
			pending = c;
		else
			add_complaint(m, &c);
	}
	if (waits)
		add_complaint(m, &pending);
}
