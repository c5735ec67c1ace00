/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the VideoCore firmware measures and does to the board: temperature, clocks, voltage,
 * throttling. As statistics hw.* (drivers/drivers.params); what this firmware does not tell
 * stays PARAM_ABSENT.
 */
#ifndef DRIVERS_HWMON_H
#define DRIVERS_HWMON_H

#include <stdint.h>

#include "lib/err.h"

/*
 * Boot, with the mailbox attached and a console: raise the ARM cores' clock to the highest
 * that the firmware permits, say in one line what came of it, and take a first sample.
 * core_changed is called, here and later from task context, each time the VideoCore's core
 * clock is seen to have another rate than before; may be NULL. Does not yield.
 */
void hwmon_attach(void (*core_changed)(uint32_t core_hz));

/* Start task "hwmon", which samples every hw.sample seconds. Errors of task_create. */
int hwmon_start(void) ERR_MUST_CHECK;

#endif
