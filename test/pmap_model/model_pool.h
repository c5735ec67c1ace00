/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of pages for tests of the pmap, in place of mm/: allocation with injected
 * refusals, and what the model of the MMU must know about each frame.
 */
#ifndef TEST_MODEL_POOL_H
#define TEST_MODEL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/vm_page.h"

#define MODEL_POOL_PAGES 512u

struct model_frame {
	bool in_use;
	uint8_t level;          /* of the table it holds; 0 = no table known */
	bool zeroes_unpublished; /* cleared since the last DSB */
	bool icache_ok;         /* the instruction cache agrees with its contents */
};
extern struct model_frame model_frames[MODEL_POOL_PAGES];

/* All pages free, as after boot. */
void model_pool_reset(void);
/* The allocation after skip further ones is refused, once; UINT32_MAX = none. */
void model_pool_refuse(uint32_t skip);
/* Pages in use now. */
uint32_t model_pool_used(void);

/* A page as the pager hands it over: filled with code or data, not mapped. */
struct vm_page *model_page_new(void);
void model_page_fill(struct vm_page *m);

struct model_frame *model_frame_of(uint64_t pa);

#endif
