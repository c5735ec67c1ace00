/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walk everything, verify every numbered invariant of mm.
 */
#ifndef MM_VM_CHECK_H
#define MM_VM_CHECK_H

#include <stdint.h>

struct vm_check_result {
	uint32_t pages, free_pages, cached_pages, queued_pages, wired_pages, objects, swap_slots;
	uint32_t broken;         /* rules found broken */
	char first_broken[128];  /* the first one, in words with page and object */
};

/* Never yields; reads only. Public (monitor `check`, model test after each step). */
void vm_check(struct vm_check_result *out);

#endif
