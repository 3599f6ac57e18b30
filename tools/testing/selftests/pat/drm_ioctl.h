/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few ioctls of DRM that tests and clients of graphics drivers need. The
 * kernel's own headers for them are not always installed.
 */
#ifndef PAT_DRM_IOCTL_H
#define PAT_DRM_IOCTL_H

#include <linux/ioctl.h>
#include <stddef.h>
#include <stdint.h>

struct drm_version {
	int version[3];
	size_t name_len;
	char *name;
	size_t date_len;
	char *date;
	size_t desc_len;
	char *desc;
};
#define DRM_IOCTL_VERSION		_IOWR('d', 0x00, struct drm_version)

struct drm_gem_close {
	uint32_t handle, pad;
};
#define DRM_IOCTL_GEM_CLOSE		_IOW('d', 0x09, struct drm_gem_close)

struct drm_prime_handle {
	uint32_t handle, flags;
	int32_t fd;
};
#define DRM_IOCTL_PRIME_HANDLE_TO_FD	_IOWR('d', 0x2d, struct drm_prime_handle)

/* Pointers to arrays, and how many they have room for, or there are. */
struct drm_mode_card_res {
	uint64_t fbs, crtcs, connectors, encoders;
	uint32_t count_fbs, count_crtcs, count_connectors, count_encoders;
	uint32_t min_width, max_width, min_height, max_height;
};
#define DRM_IOCTL_MODE_GETRESOURCES	_IOWR('d', 0xa0, struct drm_mode_card_res)

struct drm_mode_modeinfo {
	uint32_t clock;
	uint16_t hdisplay, hsync_start, hsync_end, htotal, hskew;
	uint16_t vdisplay, vsync_start, vsync_end, vtotal, vscan;
	uint32_t vrefresh, flags, type;
	char name[32];
};

struct drm_mode_crtc {
	uint64_t connectors;
	uint32_t count_connectors;
	uint32_t crtc_id;
	uint32_t fb_id;
	uint32_t x, y;
	uint32_t gamma_size;
	uint32_t mode_valid;
	struct drm_mode_modeinfo mode;
};
#define DRM_IOCTL_MODE_SETCRTC		_IOWR('d', 0xa2, struct drm_mode_crtc)

struct drm_mode_get_connector {
	uint64_t encoders, modes, props, prop_values;
	uint32_t count_modes, count_props, count_encoders;
	uint32_t encoder_id;
	uint32_t connector_id;
	uint32_t connector_type, connector_type_id;
	uint32_t connection;
	uint32_t mm_width, mm_height, subpixel, pad;
};
#define DRM_CONNECTED			1
#define DRM_IOCTL_MODE_GETCONNECTOR	_IOWR('d', 0xa7, struct drm_mode_get_connector)

struct drm_mode_fb_cmd {
	uint32_t fb_id;
	uint32_t width, height, pitch, bpp, depth;
	uint32_t handle;
};
#define DRM_IOCTL_MODE_ADDFB		_IOWR('d', 0xae, struct drm_mode_fb_cmd)
#define DRM_IOCTL_MODE_RMFB		_IOWR('d', 0xaf, unsigned int)

struct drm_mode_fb_dirty_cmd {
	uint32_t fb_id;
	uint32_t flags, color, num_clips;
	uint64_t clips;
};
#define DRM_IOCTL_MODE_DIRTYFB		_IOWR('d', 0xb1, struct drm_mode_fb_dirty_cmd)

struct drm_mode_create_dumb {
	uint32_t height, width, bpp, flags;
	uint32_t handle, pitch;
	uint64_t size;
};
#define DRM_IOCTL_MODE_CREATE_DUMB	_IOWR('d', 0xb2, struct drm_mode_create_dumb)

struct drm_mode_map_dumb {
	uint32_t handle, pad;
	uint64_t offset;
};
#define DRM_IOCTL_MODE_MAP_DUMB		_IOWR('d', 0xb3, struct drm_mode_map_dumb)

/* qxl's own: a buffer in the card's memory. */
struct drm_qxl_alloc {
	uint32_t size, handle;
};
#define DRM_IOCTL_QXL_ALLOC		_IOWR('d', 0x40, struct drm_qxl_alloc)

struct drm_qxl_map {
	uint64_t offset;
	uint32_t handle, pad;
};
#define DRM_IOCTL_QXL_MAP		_IOWR('d', 0x41, struct drm_qxl_map)

#endif
