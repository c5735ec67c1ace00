/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot mm in a host test: simulated RAM, one domain, empty tables. Each call is a
 * new boot; nothing of the former one may be used any more.
 */
#ifndef TEST_SIM_MM_H
#define TEST_SIM_MM_H

#include <stdint.h>

/* A pool of frames page frames, thresholds set; no swap, no page daemon. */
void sim_mm_boot(uint32_t frames);
/* The same with frames split into domains of equal size, one behind the other. */
void sim_mm_boot_domains(uint32_t frames, uint32_t domains);
/* The same without the thresholds: all zero, so that every frame can be had. */
void sim_mm_boot_bare(uint32_t frames);
/* Take frames (wired) until the pool is severely short; how many. */
struct vm_page;
uint32_t sim_mm_exhaust(struct vm_page **taken);
/* Take frames away from everybody (wired), or give them back, until wanted are taken, or as
 * many of them as can be had; 0 before the test ends. */
void sim_mm_take_frames(uint32_t wanted);
/* vm_check and sim_pmap_check; fails the test, naming the rule. */
void sim_mm_check(void);

#endif
