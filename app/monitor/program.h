/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs started by the monitor: by name, in the foreground or background.
 */
#ifndef APP_MONITOR_PROGRAM_H
#define APP_MONITOR_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "app/monitor/args.h"
#include "lib/err.h"
#include "proc/proc.h"

#define PROGRAM_PATH_BYTES 128
#define PROGRAM_BACKGROUND_MAX 16

/* The file that name means: a path as it is, else /apps/NAME.elf. ERR_NAMETOOLONG.
 * Does not yield. */
int program_path(const char *name, char path[PROGRAM_PATH_BYTES]) ERR_MUST_CHECK;

/* Is there a program of that name? May yield. */
bool program_exists(const char *name);

/*
 * Start words[0] with the words as its arguments; files (NULL: none) says what its descriptors
 * 0 and 1 are, if not the console. On failure one line, beginning with who, says why. May yield.
 */
int program_start(const char *who, char *words[], int count, const struct args_line *files,
    uint32_t *pid) ERR_MUST_CHECK;

/* Wait for it to end; Ctrl-C kills it. May yield. */
int program_wait(uint32_t pid, struct proc_exit *out) ERR_MUST_CHECK;

/* One line: "who: name: exited with 0; 1.234 s, 5 faults, 6 page-ins, ...". May
 * yield. */
void program_report(const char *who, const char *name, const struct proc_exit *exit);

/* Programs in the background: remember one, how many there are, and a line for
 * each that has ended since. The last may yield. */
void program_background_add(uint32_t pid, const char *name);
uint32_t program_background_count(void);
void program_background_report(void);

/* A job in the background: what the monitor has started there, with its descendants. */
struct program_job {
	uint32_t pid;
	uint32_t processes;      /* of it that have not ended */
	char name[PROC_NAME_BYTES];
};
/* Copy them, the oldest first; how many. Does not yield. */
uint32_t program_background_list(struct program_job jobs[PROGRAM_BACKGROUND_MAX]);
/* pid (0: the newest) is in the background no longer, its name in name: its number, or 0
 * when there is none such. Does not yield. */
uint32_t program_background_take(uint32_t pid, char name[PROC_NAME_BYTES]);

#endif
