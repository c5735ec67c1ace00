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

static struct background background[PROGRAM_BACKGROUND_MAX];

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

bool
program_exists(const char *name)
{
	char path[PROGRAM_PATH_BYTES];
	struct vnode *vp;
	bool is_file;

	if (name[0] == '\0' || program_path(name, path) != 0 || vfs_lookup(path, &vp) != 0)
		return (false);
	is_file = !vp->is_directory;
	vnode_unref(vp);
	return (is_file);
}

static int
file_open(const char *who, const char *path, uint64_t mode, struct proc_file **file)
{
	int err = path == NULL ? 0 : proc_file_open(file, path, mode);

	if (err != 0)
		kprintf("%s: %.200s: %s\n", who, path, err_string(err));
	return (err);
}

static void
file_drop(struct proc_file *file)
{
	if (file != NULL)
		proc_file_unref(file);
}

/* Start the program with descriptors 0 and 1 for the files, or the console for NULL. */
static int
spawn(const char *path, char *words[], int count, struct proc_file *files[2], uint32_t *pid)
{
	int fd, err;

	err = proc_spawn(path, (const char *const *)words, (uint32_t)count, 0, pid);
	for (fd = 0; fd < 2; fd++) {
		if (err == 0 && files[fd] != NULL)
			proc_file_give(*pid, fd, files[fd]);
		else
			file_drop(files[fd]);
	}
	return (err);
}

static int
path_of(const char *who, const char *name, char path[PROGRAM_PATH_BYTES])
{
	int err = program_path(name, path);

	if (err == 0)
		return (program_look(who, path));
	kprintf("%s: %.60s...: a program's path has at most %u bytes\n", who, name,
	    PROGRAM_PATH_BYTES - 1);
	return (err);
}

int
program_start(const char *who, char *words[], int count, const struct args_line *files,
    uint32_t *pid)
{
	static const struct args_line none;
	struct proc_file *open[2] = { NULL, NULL };
	char path[PROGRAM_PATH_BYTES];
	int err = path_of(who, words[0], path);

	files = files == NULL ? &none : files;
	if (err == 0)
		err = file_open(who, files->in, EBB_O_RDONLY, &open[0]);
	/* The keys are the prompt's. */
	if (err == 0 && files->background && open[0] == NULL)
		open[0] = proc_file_empty();
	if (err == 0)
		err = file_open(who, files->out, EBB_O_WRONLY | EBB_O_CREAT |
		    (files->append ? EBB_O_APPEND : EBB_O_TRUNC), &open[1]);
	if (err != 0) {
		file_drop(open[0]);
		return (err);
	}
	err = spawn(path, words, count, open, pid);
	if (err == ERR_INVAL)
		kprintf("%s: %s: arguments too long; expected at most %u of %u bytes in all\n", who,
		    path, PROC_ARGS_MAX, PROC_ARG_BYTES);
	else if (err != 0)
		kprintf("%s: %s: cannot start: %s; end other programs first\n", who, path,
		    err_string(err));
	return (err);
}

/* Does a program of the job wait for the keys itself? */
static bool
program_reads_keys(uint32_t pid)
{
	struct proc *p;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p))
		if (p->job_pid == pid && p->task != NULL && p->task->wmesg != NULL &&
		    strcmp(p->task->wmesg, "ttyin") == 0)
			return (true);
	return (false);
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

	for (i = 0; i < PROGRAM_BACKGROUND_MAX; i++) {
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

	for (i = 0; i < PROGRAM_BACKGROUND_MAX; i++)
		count += background[i].pid != 0;
	return (count);
}

void
program_background_report(void)
{
	struct proc_exit exit;
	uint32_t i;

	while (proc_reap(0, 0, &exit) == 0) {
		char who[24];
		char name[PROC_NAME_BYTES] = "program";

		for (i = 0; i < PROGRAM_BACKGROUND_MAX; i++) {
			if (background[i].pid != exit.pid)
				continue;
			memcpy(name, background[i].name, sizeof(name));
			background[i].pid = 0;
		}
		snprintf(who, sizeof(who), "[%u]", exit.pid);
		program_report(who, name, &exit);
	}
}

static uint32_t
job_processes(uint32_t pid)
{
	struct proc *p;
	uint32_t count = 0;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p))
		count += p->job_pid == pid && p->task != NULL;
	return (count);
}

uint32_t
program_background_list(struct program_job jobs[PROGRAM_BACKGROUND_MAX])
{
	uint32_t count = 0, last = 0, i;

	/* In the order of their numbers: again and again the next one. */
	for (;;) {
		const struct background *next = NULL;

		for (i = 0; i < PROGRAM_BACKGROUND_MAX; i++)
			if (background[i].pid > last &&
			    (next == NULL || background[i].pid < next->pid))
				next = &background[i];
		if (next == NULL)
			return (count);
		last = next->pid;
		jobs[count].pid = last;
		jobs[count].processes = job_processes(last);
		memcpy(jobs[count++].name, next->name, sizeof(next->name));
	}
}

uint32_t
program_background_take(uint32_t pid, char name[PROC_NAME_BYTES])
{
	uint32_t i, newest = 0;

	for (i = 0; i < PROGRAM_BACKGROUND_MAX; i++)
		newest = background[i].pid > newest ? background[i].pid : newest;
	pid = pid == 0 ? newest : pid;
	for (i = 0; pid != 0 && i < PROGRAM_BACKGROUND_MAX; i++) {
		if (background[i].pid != pid)
			continue;
		memcpy(name, background[i].name, PROC_NAME_BYTES);
		background[i].pid = 0;
		return (pid);
	}
	return (0);
}
