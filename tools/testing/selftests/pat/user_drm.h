/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of graphics drivers have in common.
 */
#ifndef PAT_USER_DRM_H
#define PAT_USER_DRM_H

#include "drm_ioctl.h"
#include "users.h"

/* Opens the first card of the driver @name, -1 if there is none. */
static inline int user_open_card(const char *name)
{
	for (unsigned int i = 0; i < 16; i++) {
		char path[32], found[32] = "";
		struct drm_version version = {
			.name_len = sizeof(found) - 1,
			.name = found,
		};
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%u", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(found, name))
			return fd;
		close(fd);
	}
	return -1;
}

/* A buffer of @nr pages: its handle. */
static inline uint32_t user_create_dumb(struct __test_metadata *_metadata,
					int card, unsigned int nr)
{
	struct drm_mode_create_dumb dumb = {
		.width = PAT_PAGE / 4,
		.height = nr,
		.bpp = 32,
	};

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		TH_LOG("CREATE_DUMB: %s", strerror(errno));
	ASSERT_EQ(nr * PAT_PAGE, dumb.size);
	return dumb.handle;
}

static inline char *user_map_at(struct __test_metadata *_metadata, int card,
				uint64_t offset, unsigned int nr)
{
	char *at = mmap(NULL, nr * PAT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			card, offset);

	ASSERT_NE(MAP_FAILED, at) TH_LOG("mmap: %s", strerror(errno));
	return at;
}

static inline char *user_map_dumb(struct __test_metadata *_metadata, int card,
				  uint32_t handle, unsigned int nr)
{
	struct drm_mode_map_dumb map = { .handle = handle };

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map))
		TH_LOG("MAP_DUMB: %s", strerror(errno));
	return user_map_at(_metadata, card, map.offset, nr);
}

static inline void user_close_handle(struct __test_metadata *_metadata, int card,
				     uint32_t handle)
{
	struct drm_gem_close close = { .handle = handle };

	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_GEM_CLOSE, &close))
		TH_LOG("GEM_CLOSE: %s", strerror(errno));
}

#endif /* PAT_USER_DRM_H */
