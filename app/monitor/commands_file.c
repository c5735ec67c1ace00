/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ls, cat, rm.
 *
 * Owns: cat's buffer. Does not: know file systems (kern/vnode.h).
 *
 * Invariants:
 * M3 what cat prints holds no control characters but tabs and newlines: a file
 *    cannot drive the terminal.
 *
 * Yields: all commands.
 * See: kern/vnode.h.
 */
#include <stddef.h>
#include <string.h>

#include "app/monitor/commands.h"
#include "app/monitor/monitor.h"
#include "kern/console.h"
#include "kern/vnode.h"
#include "mm/file_pager.h"
#include "proc/proc.h"

#define CHUNK_BYTES 4096

/* One line about a path that cannot be used. */
static void
path_refused(const struct monitor_call *call, const char *path, int err)
{
	monitor_fail();
	if (err == ERR_NODEV)
		kprintf("%s: no file system is mounted; see the messages at boot\n",
		    call->command->name);
	else if (err == ERR_NOENT)
		kprintf("%s: %.200s: no such file; ls lists what is there\n", call->command->name,
		    path);
	else if (err == ERR_ISDIR)
		kprintf("%s: %.200s: a directory; ls lists it\n", call->command->name, path);
	else
		kprintf("%s: %.200s: %s\n", call->command->name, path, err_string(err));
}

static void
print_entry(const char *name, uint64_t size_bytes, bool is_directory)
{
	if (is_directory)
		kprintf("%12s %.400s/\n", "", name);
	else
		kprintf("%12lu %.400s\n", (unsigned long)size_bytes, name);
}

static void
list_directory(const struct monitor_call *call, const char *path, struct vnode *vp)
{
	static struct vnode_dirent e;
	uint32_t i;
	int err;

	for (i = 0; (err = vfs_readdir(vp, i, &e)) == 0; i++)
		print_entry(e.name, e.size_bytes, e.is_directory);
	if (err != ERR_NOENT)
		path_refused(call, path, err);
	else if (i == 0)
		kprintf("ls: %.200s: empty\n", path);
}

void
cmd_ls(const struct monitor_call *call)
{
	const char *path = call->argc > 1 ? call->argv[1] : "/";
	struct vnode *vp;
	int err = vfs_lookup(path, &vp);

	if (err != 0) {
		path_refused(call, path, err);
		return;
	}
	if (vp->is_directory)
		list_directory(call, path, vp);
	else
		print_entry(path, vp->size_bytes, false);
	vnode_unref(vp);
}

/* Make bytes fit for a terminal; '\r' vanishes. Returns the bytes left. */
static uint32_t
text_clean(char *bytes, uint32_t count)
{
	uint32_t i, used = 0;

	for (i = 0; i < count; i++) {
		uint8_t c = (uint8_t)bytes[i];

		if (c == '\r')
			continue;
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			c = '.';
		bytes[used++] = (char)c;
	}
	return (used);
}

static int
print_object(struct vm_object *object)
{
	static char chunk[CHUNK_BYTES];
	static struct console_writer writer;
	uint64_t at = 0, size = object->vnode->size_bytes;
	int64_t got;

	for (;;) {
		got = file_pager_read(object, at, chunk, sizeof(chunk));
		if (got <= 0)
			break;
		console_write(&writer, chunk, text_clean(chunk, (uint32_t)got));
		at += (uint64_t)got;
		if (monitor_key_pressed(NULL, 1))
			break;
	}
	console_flush(&writer);
	if (got > 0 && at < size)
		kprintf("cat: stopped by a key after %lu of %lu bytes\n", (unsigned long)at,
		    (unsigned long)size);
	return (got < 0 ? (int)got : 0);
}

static int
print_file(struct vnode *vp)
{
	struct vm_object *object = file_pager_alloc(vp);
	int err;

	if (object == NULL)
		return (ERR_NOMEM);
	err = print_object(object);
	vm_object_deallocate(object);
	return (err);
}

void
cmd_cat(const struct monitor_call *call)
{
	struct vnode *vp;
	int err;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a file");
		return;
	}
	err = vfs_lookup(call->argv[1], &vp);
	if (err == 0) {
		err = vp->is_directory ? ERR_ISDIR : vp->is_swap ? ERR_BUSY : print_file(vp);
		vnode_unref(vp);
	}
	if (err != 0)
		path_refused(call, call->argv[1], err);
}

void
cmd_rm(const struct monitor_call *call)
{
	int err;

	if (call->argc < 2) {
		monitor_expected(call, "expected the name of a file");
		return;
	}
	err = proc_file_unlink(call->argv[1]);
	if (err != 0)
		monitor_fail();
	if (err == ERR_ISDIR)
		kprintf("rm: %.200s: a directory; only files are removed\n", call->argv[1]);
	else if (err == ERR_BUSY)
		kprintf("rm: %.200s: a program runs from it, or it is a swap area\n",
		    call->argv[1]);
	else if (err != 0)
		path_refused(call, call->argv[1], err);
}
