/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of pat_test.ko, the driver behind the PAT selftests.
 *
 * The driver gives user space what only a driver can do: map physical ranges
 * into the kernel, change the memory type of pages it owns, fill its own
 * mmap()s with PFN mappings, and read page table entries back.
 *
 * Rules that hold for every call
 *
 * - ioctl() itself returns 0 when the request was well formed and carried out,
 *   whatever the API under test said; that API's own answer is in `err`
 *   (0, a negative errno, or PAT_TEST_NULL if the API returns a pointer and
 *   that was NULL). ioctl() returns -1 with EINVAL, EFAULT, ENOENT (no such
 *   handle), E2BIG (over a limit below), EBUSY or ENOMEM for a bad request.
 * - Memory types are read from page table entries and from the PAT MSR of the
 *   CPU, not from any table of the kernel. A CPU without PAT uses the two
 *   legacy bits: WB, WT, UC-, UC. A kernel booted with "nopat" leaves the
 *   MSR's firmware value, which is read like any other.
 * - Handles and the mmap program belong to the open file. When the last
 *   reference to it goes (mmap()ed areas hold one each), everything it still
 *   has is unmapped, set back to write-back and freed.
 */
#ifndef _PAT_TEST_IOCTL_H
#define _PAT_TEST_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PAT_TEST_DEVICE		"/dev/pat_test"

/* `err` of an API that tells failure by returning a NULL pointer. */
#define PAT_TEST_NULL		(-1000)

/* Limits; a request over one of them fails with E2BIG. */
#define PAT_TEST_MAX_HANDLES	8192	/* per open file, maps and pages together */
#define PAT_TEST_MAX_PAGES	16384	/* per PAT_TEST_ALLOC */
#define PAT_TEST_MAX_ORDER	10	/* per PAT_TEST_ALLOC */
#define PAT_TEST_MAX_CHUNKS	4096	/* per PAT_TEST_PROGRAM */

/* Memory types, with the numbers of the kernel's enum page_cache_mode. */
enum pat_test_type {
	PAT_TEST_WB		= 0,
	PAT_TEST_WC		= 1,
	PAT_TEST_UC_MINUS	= 2,
	PAT_TEST_UC		= 3,
	PAT_TEST_WT		= 4,
	PAT_TEST_WP		= 5,
	/* Only ever returned: */
	PAT_TEST_NOT_MAPPED	= -1,	/* no present entry */
	PAT_TEST_MIXED		= -2,	/* entries of one mapping differ in type */
	PAT_TEST_WRONG_FRAME	= -3,	/* an entry maps another frame than asked for */
	PAT_TEST_RESERVED	= -4,	/* the MSR's slot holds a reserved value */
	PAT_TEST_NO_ADDRESS	= -5,	/* the API makes no mapping (a reservation) */
};

/* --- what the kernel and the CPU say about PAT ------------------------ */

struct pat_test_info {
	__u32 pat_enabled;	/* out: pat_enabled() */
	__u32 cpu_has_pat;	/* out: the CPU's feature bit */
	__u64 pat_msr;		/* out: MSR 0x277 of this CPU; 0 without the feature */
	__u32 phys_bits;	/* out: physical address bits of the CPU */
	__u32 pad;
};
#define PAT_TEST_INFO		_IOR('P', 0x40, struct pat_test_info)

/* --- kernel mappings of physical ranges ------------------------------- */

enum pat_test_map_api {
	PAT_TEST_IOREMAP,
	PAT_TEST_IOREMAP_UC,
	PAT_TEST_IOREMAP_WC,
	PAT_TEST_IOREMAP_WT,
	PAT_TEST_IOREMAP_CACHE,
	PAT_TEST_IOREMAP_PROT,		/* with the type given in `type` */
	PAT_TEST_MEMREMAP_WB,
	PAT_TEST_MEMREMAP_WT,
	PAT_TEST_MEMREMAP_WC,
	PAT_TEST_RESERVE_WC,		/* arch_io_reserve_memtype_wc() */
	PAT_TEST_NR_MAP_APIS,
};

/*
 * phys and size go to the API as they are. On success the entries of the whole
 * mapping are read: got is their common type.
 */
struct pat_test_map {
	__u32 api;		/* in: enum pat_test_map_api */
	__s32 type;		/* in: enum pat_test_type, PAT_TEST_IOREMAP_PROT only */
	__u64 phys;		/* in */
	__u64 size;		/* in: bytes */
	__s32 err;		/* out */
	__s32 got;		/* out, if !err: enum pat_test_type */
	__u32 handle;		/* out, if !err: never 0 */
	__u32 level;		/* out, if !err: level of the first entry: 1 4K, 2 2M, 3 1G */
	__u64 vaddr;		/* out, if !err: kernel address; 0 for a reservation */
};
#define PAT_TEST_MAP		_IOWR('P', 0x41, struct pat_test_map)

/* Undo PAT_TEST_MAP. The argument is the handle itself. */
#define PAT_TEST_UNMAP		_IO('P', 0x42)

/* --- pages the driver owns -------------------------------------------- */

/*
 * nr pages of order 0 each (order 0), or one contiguous block of 1 << order
 * pages (nr must be 1 << order). Zeroed, in the direct map, never highmem.
 */
struct pat_test_alloc {
	__u32 nr;		/* in */
	__u32 order;		/* in */
	__u64 pfns;		/* in: user pointer to nr __u64, filled in */
	__u32 handle;		/* out: never 0 */
	__u32 pad;
};
#define PAT_TEST_ALLOC		_IOWR('P', 0x43, struct pat_test_alloc)

/*
 * Set back to WB what is not and free. The argument is the handle itself.
 * EBUSY while any mmap() of this open file lives.
 */
#define PAT_TEST_FREE		_IO('P', 0x44)

enum pat_test_set_api {
	PAT_TEST_SET_MEMORY_UC,
	PAT_TEST_SET_MEMORY_WC,
	PAT_TEST_SET_MEMORY_WB,
	PAT_TEST_SET_PAGES_UC,
	PAT_TEST_SET_PAGES_WB,
	PAT_TEST_SET_PAGES_ARRAY_UC,
	PAT_TEST_SET_PAGES_ARRAY_WC,
	PAT_TEST_SET_PAGES_ARRAY_WB,
	PAT_TEST_NR_SET_APIS,
};

/*
 * One call of the API on pages [first, first + count) of an allocation. All
 * but the array ones take an address and a count, so on more than one page
 * they need a contiguous block (EINVAL otherwise).
 */
struct pat_test_set {
	__u32 handle;		/* in */
	__u32 api;		/* in: enum pat_test_set_api */
	__u32 first;		/* in */
	__u32 count;		/* in: at least 1 */
	__s32 err;		/* out */
	__u32 pad;
};
#define PAT_TEST_SET_TYPE	_IOWR('P', 0x45, struct pat_test_set)

/*
 * Pages in use by somebody else (or this driver's own), in this order and as
 * often as they are named: a process's, of the page cache, parts of huge pages.
 * Each is held with a reference meanwhile, so that it may be unmapped but is
 * not freed. The handle is for PAT_TEST_SET_TYPE and PAT_TEST_FREE, which sets
 * what is not WB back and gives the references up, whatever is mapped; pages
 * whose frames follow one another are a contiguous block. EINVAL for a frame
 * that is not a page of RAM in use.
 */
struct pat_test_adopt {
	__u64 pfns;		/* in: user pointer to nr __u64 */
	__u32 nr;		/* in: 1 to PAT_TEST_MAX_PAGES */
	__u32 handle;		/* out: never 0 */
};
#define PAT_TEST_ADOPT		_IOWR('P', 0x70, struct pat_test_adopt)

/* --- reading entries back --------------------------------------------- */

/* A frame's entry in the kernel's direct map. */
struct pat_test_direct {
	__u64 pfn;		/* in */
	__s32 got;		/* out: enum pat_test_type; PAT_TEST_NOT_MAPPED */
	__u32 level;		/* out: 1 4K, 2 2M, 3 1G */
};
#define PAT_TEST_DIRECT_MAP	_IOWR('P', 0x46, struct pat_test_direct)

/* The same of nr frames from pfn on. */
struct pat_test_direct_run {
	__u64 pfn;		/* in */
	__u64 nr;		/* in */
	__u64 types;		/* in: user pointer to __s8[nr], which gets the types */
};
#define PAT_TEST_DIRECT_MAP_RUN	_IOW('P', 0x4d, struct pat_test_direct_run)

/* The caller's own page table entry for an address; nothing is faulted in. */
struct pat_test_pte {
	__u64 addr;		/* in */
	__u64 pfn;		/* out: the frame of this address, also inside a huge entry */
	__s32 got;		/* out: enum pat_test_type; PAT_TEST_NOT_MAPPED */
	__u32 level;		/* out: 1 4K, 2 2M, 3 1G */
	__u32 special;		/* out: software bit "special" (4K entries) */
	__u32 writable;		/* out */
	__u32 accessed;		/* out */
	__u32 dirty;		/* out */
};
#define PAT_TEST_READ_PTE	_IOWR('P', 0x47, struct pat_test_pte)

/*
 * The entries of nr pages from addr on of any process, or of the kernel (pid 0).
 * ESRCH if there is no such process, or it has no memory.
 */
struct pat_test_ptes {
	__u64 addr;		/* in */
	__u64 ptes;		/* in: user pointer to struct pat_test_pte[nr] */
	__u32 nr;		/* in */
	__s32 pid;		/* in */
};
#define PAT_TEST_READ_PTES	_IOW('P', 0x4e, struct pat_test_ptes)

/* Indirect look-up of a frame's type: pat_pfn_immune_to_uc_mtrr(). */
struct pat_test_lookup {
	__u64 pfn;		/* in */
	__s32 err;		/* out: -ENODEV if PAT is off (not to be called then) */
	__u32 immune;		/* out: type is one of UC, UC-, WC */
};
#define PAT_TEST_LOOKUP		_IOWR('P', 0x48, struct pat_test_lookup)

/* What a pgprot_*() helper makes of a protection that has a type already. */
enum pat_test_pgprot_api {
	PAT_TEST_PGPROT_NONCACHED,
	PAT_TEST_PGPROT_WRITECOMBINE,
	PAT_TEST_PGPROT_WRITETHROUGH,
	PAT_TEST_NR_PGPROT_APIS,
};

struct pat_test_pgprot {
	__u32 api;		/* in: enum pat_test_pgprot_api */
	__s32 type;		/* in: type that is there before */
	__s32 got;		/* out: type that is there after */
	__u32 pad;
};
#define PAT_TEST_PGPROT		_IOWR('P', 0x49, struct pat_test_pgprot)

/* --- programs for mmap() ---------------------------------------------- */

/*
 * A program is a list of chunks which the next mmap() of this file executes in
 * order and stops at the first error, which mmap() returns (the kernel then
 * undoes the VMA as for any driver). It stays set until replaced; without one,
 * mmap() fails with ENODATA.
 *
 * The first four methods make PFN mappings, the others mixed ones; a program
 * holds methods of one kind only. pfn and type are the driver's arguments as
 * they are; the methods that insert struct pages need pfns that this file
 * allocated. vm_map_pages fills all of the VMA with the pages of its chunk, from
 * that of the file's offset on, whatever the chunk's offset is.
 *
 * With PAT_TEST_AT_FAULT the chunks are not executed by mmap() but page by page
 * as they are touched: a fault outside of every chunk, or whose insertion
 * fails, is SIGBUS. The methods that take a whole range cannot do that, and a
 * ->fault that returns its page can do nothing else (EINVAL).
 *
 * vmf_insert_pfn* cannot fill a private writable mapping (mmap() fails with
 * EINVAL).
 *
 * vma->vm_page_prot has the type of the first chunk: what vmf_insert_pfn,
 * vmf_insert_mixed and the struct page methods start from. The others pass their
 * chunk's own.
 */
enum pat_test_method {
	PAT_TEST_REMAP_PFN_RANGE,
	PAT_TEST_IO_REMAP_PFN_RANGE,
	PAT_TEST_VMF_INSERT_PFN,
	PAT_TEST_VMF_INSERT_PFN_PROT,
	PAT_TEST_VMF_INSERT_MIXED,
	PAT_TEST_VM_INSERT_PAGE,
	PAT_TEST_VM_INSERT_PAGES,
	PAT_TEST_VM_MAP_PAGES,
	PAT_TEST_FAULT_PAGE,		/* ->fault returns the page */
	PAT_TEST_NR_METHODS,
};

struct pat_test_chunk {
	__u64 offset;		/* bytes from the VMA's start, page aligned */
	__u64 pfn;
	__u64 size;		/* bytes, not 0; inside the VMA once rounded up to pages */
	__s32 type;		/* enum pat_test_type */
	__u32 method;		/* enum pat_test_method */
};

#define PAT_TEST_AT_FAULT	1

struct pat_test_program {
	__u64 chunks;		/* in: user pointer to struct pat_test_chunk */
	__u32 nr;		/* in: 0 clears the program */
	__u32 flags;		/* in: 0 or PAT_TEST_AT_FAULT */
};
#define PAT_TEST_PROGRAM	_IOW('P', 0x4a, struct pat_test_program)

/* How far the last mmap() of this file came (or the last fault). */
struct pat_test_result {
	__u32 done;		/* out: chunks that succeeded */
	__s32 err;		/* out: 0, or the error that stopped it */
};
#define PAT_TEST_RESULT		_IOR('P', 0x4b, struct pat_test_result)

/* --- revocation by the driver ------------------------------------------ */

enum pat_test_zap_method {
	PAT_TEST_ZAP_VMA_PTES,		/* start: address; one PFN VMA of this file */
	PAT_TEST_UNMAP_MAPPING_RANGE,	/* start: offset in the file, as given to mmap() */
	PAT_TEST_NR_ZAP_METHODS,
};

/*
 * unmap_mapping_range works on the device's inode, so it also hits mappings
 * that other open files made at the same offsets.
 */
struct pat_test_zap {
	__u64 start;		/* in: page aligned */
	__u64 size;		/* in: bytes, page aligned, not 0 */
	__u32 method;		/* in: enum pat_test_zap_method */
	__u32 pad;
};
#define PAT_TEST_ZAP		_IOW('P', 0x4c, struct pat_test_zap)

/* --- mappings made later ------------------------------------------------- */

/*
 * remap_pfn_range() into a VMA that mmap() of this file made, at addresses that
 * have no entries (EBUSY otherwise); EINVAL if it is not one VMA of this file
 * with PFN mappings.
 */
struct pat_test_remap {
	__u64 addr;		/* in: page aligned */
	__u64 pfn;		/* in */
	__u64 size;		/* in: bytes, page aligned, not 0 */
	__s32 type;		/* in: enum pat_test_type */
	__s32 err;		/* out */
};
#define PAT_TEST_REMAP		_IOWR('P', 0x60, struct pat_test_remap)

/* --- claims of a region ---------------------------------------------------- */

/*
 * request_mem_region(). With IO_STRICT_DEVMEM this takes the range away from
 * the processes that have mapped it through /dev/mem and PCI resource files.
 *
 * PAT_TEST_CLAIM_EXCLUSIVE: request_mem_region_exclusive(), which nobody else
 * may map while the kernel is strict about it ("iomem=strict").
 * PAT_TEST_CLAIM_EXCLUSIVE_RAM: that, as System RAM, as drivers of pluggable
 * memory do; strict or not, nobody else may map it.
 */
#define PAT_TEST_CLAIM_EXCLUSIVE	1
#define PAT_TEST_CLAIM_EXCLUSIVE_RAM	2

struct pat_test_claim {
	__u64 phys;		/* in */
	__u64 size;		/* in: bytes, not 0 */
	__s32 err;		/* out: 0 or PAT_TEST_NULL */
	__u32 handle;		/* out, if !err: never 0 */
	__u32 how;		/* in: 0 or one of the above */
	__u32 pad;
};
#define PAT_TEST_CLAIM		_IOWR('P', 0x61, struct pat_test_claim)

/* Undo PAT_TEST_CLAIM. The argument is the handle itself. */
#define PAT_TEST_UNCLAIM	_IO('P', 0x62)

#endif /* _PAT_TEST_IOCTL_H */
