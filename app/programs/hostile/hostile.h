/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks, and what they share.
 */
#ifndef APP_PROGRAMS_HOSTILE_H
#define APP_PROGRAMS_HOSTILE_H

#include <stdint.h>

#include "lib/ebb_abi.h"

/* How an attack ends: EXITS with 0, or a kill for a reason (a mask, by bit). */
#define EXITS  1u
#define FAULT  (1u << EBB_KILL_FAULT)
#define INSN   (1u << EBB_KILL_INSN)
#define OOM    (1u << EBB_KILL_OOM)
#define USER   (1u << EBB_KILL_USER)

struct attack {
	const char *name;
	int (*fn)(void);   /* its exit status */
	uint32_t ends;     /* mask */
	const char *about;
};

extern const struct attack cpu_attacks[], memory_attacks[], process_attacks[];

/* One thing that a processor can be told to do. */
struct deed {
	const char *name;
	void (*fn)(void);
};

/* True: `forever` on the command line. */
extern int for_ever;
extern uint64_t random_state;
/* Below bound. */
uint32_t random_below(uint32_t bound);

/* Do fn(argument) in a child: how that ends, as a mask. */
uint32_t end_of(void (*fn)(uintptr_t argument), uintptr_t argument);
/* In a child each, up to the one without a name; number of those that do not end so. */
int all_end(const struct deed *deeds, uint32_t ends);

#endif
