/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syncer: dirty pages of files do not stay in memory for ever. Public.
 */
#ifndef MM_VM_SYNCER_H
#define MM_VM_SYNCER_H

#include "lib/err.h"

/* Create task syncer. Once, at boot. ERR_NOMEM. */
int vm_syncer_start(void) ERR_MUST_CHECK;

/*
 * Write the dirty pages of all files to the disk, now: 0, or the first error. For those
 * who are about to switch the board off, and the monitor. May yield.
 */
int vm_syncer_sync(void) ERR_MUST_CHECK;

#endif
