// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sound through a controller that does not snoop the caches: snd_hda_intel with
 * snoop=0, which needs QEMU's intel-hda and hda-duplex. The driver makes what it
 * shares with the controller write-combining with set_memory_wc(), one block at
 * a time, and the buffer of each stream that is opened. A buffer of one block is
 * put into processes by remap_pfn_range(); one of several, for want of a block
 * that is large enough, by vm_map_pages(), through its struct pages.
 */
#include <sound/asound.h>

#include "users.h"

/* The largest buffer there is has 4 MiB: a whole block, if one is free. */
#define SMALL_PAGES 16
#define BIG_PAGES 1024

#define DRIVER_DIR "/sys/bus/pci/drivers/snd_hda_intel"

#define PATIENCE 20000	/* steps of 1 ms: until something has failed */

/* --- the driver -------------------------------------------------------------- */

/* The PCI address of the controller, if the driver has it. */
static bool find_controller(char *address, size_t size)
{
	DIR *dir = opendir(DRIVER_DIR);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		found = entry->d_type == DT_LNK && strchr(entry->d_name, ':');
		if (found)
			snprintf(address, size, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool tell_driver(const char *file, const char *address)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", DRIVER_DIR, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, address, strlen(address)) == (ssize_t)strlen(address);
	close(fd);
	return done;
}

/* The driver makes its devices some time after it got the controller. */
static int open_stream(struct __test_metadata *_metadata)
{
	static const char path[] = "/dev/snd/pcmC0D0p";
	unsigned int waited = 0;
	int pcm;

	while ((pcm = open(path, O_RDWR | O_CLOEXEC)) < 0) {
		ASSERT_TRUE(errno == ENOENT || errno == ENODEV || errno == EBUSY)
			TH_LOG("%s: %s", path, strerror(errno));
		ASSERT_LT(waited++, PATIENCE)
			TH_LOG("%s: no such device (QEMU -device intel-hda -device hda-duplex)",
			       path);
		pat_sleep_ms(1);
	}
	return pcm;
}

/* --- hw_params ------------------------------------------------------------------ */

static void set_mask(struct snd_pcm_hw_params *params, int nr, unsigned int bit)
{
	struct snd_mask *mask =
		&params->masks[nr - SNDRV_PCM_HW_PARAM_FIRST_MASK];

	memset(mask, 0, sizeof(*mask));
	mask->bits[bit / 32] = 1U << bit % 32;
}

static void set_interval(struct snd_pcm_hw_params *params, int nr,
			 unsigned int value)
{
	struct snd_interval *interval =
		&params->intervals[nr - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

	*interval = (struct snd_interval){
		.min = value,
		.max = value,
		.integer = 1,
	};
}

/* Gives the stream a buffer of @nr pages, to be mapped. */
static void set_buffer(struct __test_metadata *_metadata, int pcm,
		       unsigned int nr)
{
	struct snd_pcm_hw_params params = {};

	memset(params.masks, 0xff, sizeof(params.masks));
	for (unsigned int i = 0; i < ARRAY_SIZE(params.intervals); i++)
		params.intervals[i].max = -1;
	params.rmask = -1;
	params.info = -1;
	set_mask(&params, SNDRV_PCM_HW_PARAM_ACCESS,
		 SNDRV_PCM_ACCESS_MMAP_INTERLEAVED);
	set_mask(&params, SNDRV_PCM_HW_PARAM_FORMAT, SNDRV_PCM_FORMAT_S16_LE);
	set_interval(&params, SNDRV_PCM_HW_PARAM_CHANNELS, 2);
	set_interval(&params, SNDRV_PCM_HW_PARAM_RATE, 48000);
	set_interval(&params, SNDRV_PCM_HW_PARAM_PERIODS, 4);
	set_interval(&params, SNDRV_PCM_HW_PARAM_BUFFER_BYTES, nr * PAT_PAGE);
	ASSERT_EQ(0, ioctl(pcm, SNDRV_PCM_IOCTL_HW_PARAMS, &params))
		TH_LOG("HW_PARAMS: %s", strerror(errno));
}

static char *map_buffer(struct __test_metadata *_metadata, int pcm,
			unsigned int nr)
{
	char *at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			pcm, SNDRV_PCM_MMAP_OFFSET_DATA);

	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

/* --- the tests --------------------------------------------------------------------- */

FIXTURE(hda)
{
	struct user user;
};

FIXTURE_VARIANT(hda)
{
	unsigned int pages;
};

FIXTURE_VARIANT_ADD(hda, small)
{
	SMALL_PAGES
};

FIXTURE_VARIANT_ADD(hda, largest)
{
	BIG_PAGES
};

FIXTURE_SETUP(hda)
{
	/* The devices are there, so the driver has what it needs for itself. */
	close(open_stream(_metadata));
	user_begin(_metadata, &self->user);
	EXPECT_LT(0, self->user.census.not_wb)
		TH_LOG("the driver has nothing write-combining (snd_hda_intel.snoop=0?)");
}

FIXTURE_TEARDOWN(hda)
{
	user_end(_metadata, &self->user);
}

TEST_F(hda, stream)
{
	int pcm = open_stream(_metadata);
	static uint64_t pfns[BIG_PAGES];
	char *at;

	user_expect_as_before(_metadata, &self->user);
	set_buffer(_metadata, pcm, variant->pages);
	user_expect_more(_metadata, &self->user, variant->pages);
	at = map_buffer(_metadata, pcm, variant->pages);
	user_touch(at, variant->pages);
	user_expect_entries(_metadata, &self->user, at, variant->pages,
			    PAT_TEST_WC, pfns);
	user_expect_pages(_metadata, &self->user, pfns, variant->pages,
			  PAT_TEST_WC);
	/* The controller is told where the buffer is. */
	ASSERT_EQ(0, ioctl(pcm, SNDRV_PCM_IOCTL_PREPARE))
		TH_LOG("PREPARE: %s", strerror(errno));
	/* The buffer cannot go while it is mapped. */
	ASSERT_EQ(-1, ioctl(pcm, SNDRV_PCM_IOCTL_HW_FREE));
	EXPECT_EQ(EBADFD, errno);
	user_expect_more(_metadata, &self->user, variant->pages);

	ASSERT_EQ(0, munmap(at, variant->pages * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, variant->pages,
			  PAT_TEST_WC);
	ASSERT_EQ(0, ioctl(pcm, SNDRV_PCM_IOCTL_HW_FREE));
	user_expect_pages(_metadata, &self->user, pfns, variant->pages,
			  PAT_TEST_WB);
	user_expect_as_before(_metadata, &self->user);

	/* Once more, freed by closing. */
	set_buffer(_metadata, pcm, variant->pages);
	user_expect_more(_metadata, &self->user, variant->pages);
	close(pcm);
}

/* The mapping keeps the stream. */
TEST_F(hda, closed_while_mapped)
{
	int pcm = open_stream(_metadata);
	static uint64_t pfns[BIG_PAGES];
	char *at;

	set_buffer(_metadata, pcm, variant->pages);
	at = map_buffer(_metadata, pcm, variant->pages);
	close(pcm);
	user_touch(at, variant->pages);
	user_expect_entries(_metadata, &self->user, at, variant->pages,
			    PAT_TEST_WC, pfns);
	/* In pieces. */
	ASSERT_EQ(0, munmap(at, 4 * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, variant->pages,
			  PAT_TEST_WC);
	ASSERT_EQ(0, munmap(at + 4 * PAT_PAGE, (variant->pages - 4) * PAT_PAGE));
	user_expect_pages(_metadata, &self->user, pfns, variant->pages,
			  PAT_TEST_WB);
}

TEST_F(hda, seen_through_devmem)
{
	int pcm = open_stream(_metadata);
	static uint64_t pfns[BIG_PAGES];
	uint64_t pfn;
	char *at, *seen;

	set_buffer(_metadata, pcm, variant->pages);
	at = map_buffer(_metadata, pcm, variant->pages);
	user_touch(at, variant->pages);
	user_expect_entries(_metadata, &self->user, at, variant->pages,
			    PAT_TEST_WC, pfns);
	pfn = pfns[variant->pages - 1];
	seen = user_map_devmem(_metadata, &self->user, pfn);
	user_expect_devmem(_metadata, &self->user, seen, pfn, PAT_TEST_WC);
	ASSERT_EQ(0, munmap(at, variant->pages * PAT_PAGE));
	user_expect_devmem(_metadata, &self->user, seen, pfn, PAT_TEST_WC);
	close(pcm);
	user_expect_devmem(_metadata, &self->user, seen, pfn, PAT_TEST_WB);
	user_unmap_devmem(seen);
}

static bool use_stream(struct __test_metadata *_metadata, unsigned int pages)
{
	int pcm = open_stream(_metadata);
	char *at;

	set_buffer(_metadata, pcm, pages);
	at = map_buffer(_metadata, pcm, pages);
	user_touch(at, pages);
	return user_sees(at, pages);
}

TEST_F(hda, killed)
{
	USER_KILL_AFTER(use_stream(_metadata, variant->pages));
	user_expect_as_before(_metadata, &self->user);
}

/*
 * Without its driver the machine has no page that is not write-back. This comes
 * last, and leaves it so for the programs that follow.
 */
FIXTURE(driver)
{
	struct user user;
	char address[32];
};

FIXTURE_SETUP(driver)
{
	close(open_stream(_metadata));
	ASSERT_TRUE(find_controller(self->address, sizeof(self->address)))
		TH_LOG("%s has no device", DRIVER_DIR);
	ASSERT_TRUE(tell_driver("unbind", self->address))
		TH_LOG("unbind: %s", strerror(errno));
	user_begin(_metadata, &self->user);
}

FIXTURE_TEARDOWN(driver)
{
	user_end(_metadata, &self->user);
}

TEST_F(driver, unbound)
{
	struct user_census now;

	EXPECT_EQ(0, self->user.census.not_wb);
	ASSERT_TRUE(tell_driver("bind", self->address))
		TH_LOG("bind: %s", strerror(errno));
	close(open_stream(_metadata));
	now = user_census_now(_metadata, self->user.driver);
	EXPECT_LT(0, now.not_wb);
	user_census_free(&now);
	ASSERT_TRUE(tell_driver("unbind", self->address))
		TH_LOG("unbind: %s", strerror(errno));
	user_expect_as_before(_metadata, &self->user);
}

TEST_HARNESS_MAIN
