/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call that lists a directory, an entry at a time.
 *
 * Owns: nothing.
 * Does not: keep a place: the caller counts. An entry that is added or removed
 *     meanwhile may shift the others.
 * Invariants:
 *   none
 * Yields: the call.
 * See: kern/vnode.h.
 */
#include <string.h>

#include "proc/proc_internal.h"

int64_t
sys_readdir(struct proc *p, const uint64_t *a)
{
	const struct proc_file *file = proc_file_of(p, a[0]);
	struct vnode_dirent entry;
	struct ebb_dirent out = { 0 };
	int error;

	if (file == NULL || file->kind != PROC_FILE_VNODE)
		return (ERR_BADF);
	if (!file->vnode->is_directory)
		return (ERR_NOTDIR);
	if (a[1] >= UINT32_MAX)
		return (ERR_NOENT);
	error = vfs_readdir(file->vnode, (uint32_t)a[1], &entry);
	if (error != 0)
		return (error);
	memcpy(out.name, entry.name, strnlen(entry.name, sizeof(out.name) - 1));
	out.size_bytes = entry.size_bytes;
	out.is_directory = entry.is_directory;
	return (copyout(&out, a[2], sizeof(out)));
}
