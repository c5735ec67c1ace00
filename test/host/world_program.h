/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of test/model/model_world.c: what they do, and what the oracle knows of it.
 *
 *   program:  private memory | memory shared with its relatives | file 0 | file 1
 *             (copied by fork)  (the same after fork)             (private or shared)
 *
 * A page is full of one value; the oracle keeps it for each program, each family and each
 * file.
 */
#ifndef TEST_WORLD_PROGRAM_H
#define TEST_WORLD_PROGRAM_H

#include "kern/sched.h"
#include "mm/vm_map.h"
#include "test/host/sim_file.h"

#define PROGRAMS   4u
#define PRIVATE    44u /* pages */
#define SHARED     6u
#define FILES      2u
#define FILE_PAGES 10u

/* What a family shares; it lives as long as one of them. */
struct family {
	uint32_t members;
	uint8_t holds[SHARED];
};

enum mapping { UNMAPPED, MAPPED_PRIVATE, MAPPED_SHARED };

struct program {
	uint32_t pid;
	struct vmspace *vm;       /* NULL: between two lives */
	struct task *task;
	bool killed;
	bool waiting;             /* for a life that a fork may give */
	uint8_t holds[PRIVATE];
	bool maybe_zero[PRIVATE]; /* after MADV_FREE */
	struct family *family;
	enum mapping file[FILES];
	bool own[FILES][FILE_PAGES]; /* private mapping: written since */
	uint8_t copy[FILES][FILE_PAGES];
};

extern struct program programs[PROGRAMS];
extern struct sim_file files[FILES];
extern uint8_t file_holds[FILES][FILE_PAGES];

/* Counted, for the report. */
struct world_seen {
	uint32_t reads, writes, forks, maps, wires, advices, syncs, swapoffs, refused, kills,
	    io_deaths, exits;
};
extern struct world_seen seen;

/* Changes whenever reads begin or cease to fail; do reads of some disk fail now? */
extern uint32_t world_epoch;
bool world_reads_fail(void);
extern bool world_stopping;

/* No programs, nothing seen. */
void world_program_init(void);
/* One random operation of p; true = p is dead now. May yield. */
bool world_operation(struct program *p);
/* Give p an address space: as the child of another one, or as a first program. None when
 * the world stops. May yield. */
void world_get_life(struct program *p);
/* Take it away again. May yield. */
void world_lose_life(struct program *p);

#endif
