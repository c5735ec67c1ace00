/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of the monitor: start, wait with Ctrl-C, report.
 *
 * While a program runs in the foreground, a task "ctrl-c" reads the keys, and the
 * monitor sleeps in proc_wait. When the program itself waits for input, the keys
 * are left to it.
 *
 * Owns: the list of background programs, the watching task.
 * Does not: load or end programs (proc/).
 *
 * Invariants:
 * W1 at most one program is in the foreground.
 *
 * Yields: program_start, program_wait, and what prints.
 * See: proc/proc.h.
 */
#include "app/monitor/program.h"

#include <stdio.h>
#include <string.h>

#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/sched.h"
#include "kern/task.h"
#include "lib/assert.h"

#define CTRL_C 3
#define WATCH_US 100000u /* longest time between two looks at stop */
#define BACKGROUND_MAX 16

struct watch {
	uint32_t pid;
	bool running;
	bool stop;
};

static struct watch watch;

struct background {
	uint32_t pid;            /* 0 = free */
	char name[PROC_NAME_BYTES];
};

static struct background background[BACKGROUND_MAX];

int
program_path(const char *name, char path[PROGRAM_PATH_BYTES])
{
	size_t bytes = strlen(name);
	bool is_elf = bytes > 4 && strcmp(name + bytes - 4, ".elf") == 0;
	int used;

	if (strchr(name, '/') != NULL)
		used = snprintf(path, PROGRAM_PATH_BYTES, "%s", name);
	else
		used = snprintf(path, PROGRAM_PATH_BYTES, "/apps/%s%s", name, is_elf ? "" : ".elf");
	return (used < PROGRAM_PATH_BYTES ? 0 : ERR_NAMETOOLONG);
}

/* Is there such a file? Most mistakes are found here, before a process exists. */
static int
program_look(const char *who, const char *path)
{
	struct vnode *vp;
	int err = vfs_lookup(path, &vp);

	if (err == 0) {
		if (vp->is_directory)
			err = ERR_ISDIR;
		vnode_unref(vp);
	}
	if (err == ERR_NODEV)
		kprintf("%s: %s: no file system is mounted; see the messages at boot\n", who, path);
	else if (err == ERR_NOENT || err == ERR_NOTDIR)
		kprintf("%s: %s: no such program; ls /apps lists them\n", who, path);
	else if (err == ERR_CORRUPT || err == ERR_IO)
		kprintf("%s: %s: %s; write the card again with make sdcard\n", who, path,
		    err_string(err));
	else if (err != 0)
		kprintf("%s: %s: %s\n", who, path, err_string(err));
	return (err);
}

int
program_start(const char *who, char *words[], int count, uint32_t *pid)
{
	char path[PROGRAM_PATH_BYTES];
	int err;

	err = program_path(words[0], path);
	if (err != 0) {
		kprintf("%s: %.60s...: a program's path has at most %u bytes\n", who, words[0],
		    PROGRAM_PATH_BYTES - 1);
		return (err);
	}
	err = program_look(who, path);
	if (err != 0)
		return (err);
	err = proc_spawn(path, (const char *const *)words, (uint32_t)count, 0, pid);
	if (err == ERR_INVAL)
		kprintf("%s: %s: arguments too long; expected at most %u of %u bytes in all\n", who,
		    path, PROC_ARGS_MAX, PROC_ARG_BYTES);
	else if (err != 0)
		kprintf("%s: %s: cannot start: %s; end other programs first\n", who, path,
		    err_string(err));
	return (err);
}

/* Does the program wait for the keys itself? */
static bool
program_reads_keys(uint32_t pid)
{
	struct proc *p = proc_find(pid);

	return (p != NULL && p->task != NULL && p->task->wmesg != NULL &&
	    strcmp(p->task->wmesg, "ttyin") == 0);
}

static void
watch_task(void *arg)
{
	(void)arg;
	while (!watch.stop) {
		if (program_reads_keys(watch.pid))
			tsleep(&watch.stop, "ctrl-c", WATCH_US);
		else if (console_getc(WATCH_US) == CTRL_C &&
		    proc_kill_tree(watch.pid, EBB_KILL_USER) == 0)
			kprintf("^C: ending process %u\n", watch.pid);
	}
	watch.running = false;
	wakeup(&watch.running);
}

int
program_wait(uint32_t pid, struct proc_exit *out)
{
	struct task *t;
	int err;

	KASSERT(!watch.running, "W1: one program in the foreground");
	watch = (struct watch){ .pid = pid, .running = true };
	/* Without memory for the task the program just cannot be interrupted. */
	if (task_create(&t, "ctrl-c", MONITOR_PRIORITY, watch_task, NULL) != 0)
		watch.running = false;
	err = proc_wait(0, pid, out);
	watch.stop = true;
	wakeup(&watch.stop);
	while (watch.running)
		tsleep(&watch.running, "ctrl-c", SLEEP_FOREVER);
	return (err);
}

/* What to do about a program that could not be loaded. */
static const char *
exec_advice(int err)
{
	if (err == ERR_NOEXEC || err == ERR_CORRUPT || err == ERR_IO)
		return ("; write the card again with make sdcard");
	if (err == ERR_NOMEM)
		return ("; end other programs, or boot with a larger mem=");
	return ("");
}

void
program_report(const char *who, const char *name, const struct proc_exit *exit)
{
	char status[64];

	if (exit->exec_error != 0) {
		kprintf("%s: %s%s\n", who,
		    exit->exec_message[0] != '\0' ? exit->exec_message : name,
		    exec_advice(exit->exec_error));
		return;
	}
	proc_status_text(exit->status, status, sizeof(status));
	kprintf("%s: %s: %s; %lu.%03lu s, %lu faults, %lu page-ins, %lu page-outs\n", who, name,
	    status, (unsigned long)(exit->elapsed_us / 1000000),
	    (unsigned long)(exit->elapsed_us / 1000 % 1000), (unsigned long)exit->usage.faults,
	    (unsigned long)exit->usage.page_ins, (unsigned long)exit->usage.page_outs);
}

void
program_background_add(uint32_t pid, const char *name)
{
	uint32_t i;

	for (i = 0; i < BACKGROUND_MAX; i++) {
		if (background[i].pid != 0)
			continue;
		background[i].pid = pid;
		snprintf(background[i].name, sizeof(background[i].name), "%s", name);
		return;
	}
}

uint32_t
program_background_count(void)
{
	uint32_t i, count = 0;

	for (i = 0; i < BACKGROUND_MAX; i++)
		count += background[i].pid != 0;
	return (count);
}

void
program_background_report(void)
{
	struct proc_exit exit;
	uint32_t i;

	while (proc_reap(0, &exit) == 0) {
		char who[24];
		char name[PROC_NAME_BYTES] = "program";

		for (i = 0; i < BACKGROUND_MAX; i++) {
			if (background[i].pid != exit.pid)
				continue;
			memcpy(name, background[i].name, sizeof(name));
			background[i].pid = 0;
		}
		snprintf(who, sizeof(who), "[%u]", exit.pid);
		program_report(who, name, &exit);
	}
}
