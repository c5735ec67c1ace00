/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests: the saved context of a task is a fiber of sim_machdep.c. */
#ifndef MACHINE_TASK_MD_H
#define MACHINE_TASK_MD_H

struct sim_fiber;

struct md_task {
	struct sim_fiber *fiber;
};

#endif
