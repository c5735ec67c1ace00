/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read and write of open files: by way of the file's pages (mm/file_pager).
 *
 *   program's memory <--copyout, copyin--> page of the file's object <--> sectors
 *
 * The pages are the same that mappings of the file show, so all see the same bytes at
 * once. A page is held while bytes are copied: it stays where it is, but nobody who needs
 * it busy has to wait, so a program may read a file into a mapping of that file.
 *
 * What is written reaches the disk by fsync, the syncer, the page daemon, and when the
 * last program lets go of the file. A file never becomes longer.
 *
 * Owns: proc_file.object and the place of a sequential read.
 * Does not: know descriptors (sys_file.c), wait for the disk in write but to read a page in.
 * Invariants:
 *   I1 a file that is open for writing counts in its vnode's writer_count, and runs no
 *      program
 * Yields: all but proc_file_copy.
 * See: mm/file_pager.h; kern/vnode.h.
 */
#include <string.h>

#include "lib/assert.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "proc/proc_internal.h"

#define READ_AHEAD_PAGES 15 /* with the wanted one: 64 KiB */

bool
proc_file_writable(const struct proc_file *file)
{
	return (file->mode == EBB_O_WRONLY || file->mode == EBB_O_RDWR);
}

int
proc_file_open(struct proc_file *file, const char *path, uint64_t mode)
{
	struct vnode *vp;
	int error;

	if (mode > EBB_O_RDWR)
		return (ERR_INVAL);
	error = vfs_lookup(path, &vp);
	if (error != 0)
		return (error);
	if (vp->is_swap)
		error = ERR_BUSY;
	else if (mode != EBB_O_RDONLY)
		error = vp->is_directory ? ERR_ISDIR : vp->is_text ? ERR_BUSY :
		    vp->dev->read_only ? ERR_ROFS : 0;
	if (error != 0) {
		vnode_unref(vp);
		return (error);
	}
	vp->writer_count += mode != EBB_O_RDONLY;
	*file = (struct proc_file){ .vnode = vp, .kind = PROC_FILE_VNODE, .mode = (uint8_t)mode };
	return (0);
}

void
proc_file_copy(struct proc_file *to, const struct proc_file *from)
{
	*to = *from;
	if (to->kind != PROC_FILE_VNODE)
		return;
	vnode_ref(to->vnode);
	to->vnode->writer_count += proc_file_writable(to);
	if (to->object != NULL)
		vm_object_reference(to->object);
}

void
proc_file_end(struct proc_file *file)
{
	struct vnode *vp = file->vnode;
	struct vm_object *object = file->object;

	if (file->kind == PROC_FILE_VNODE && proc_file_writable(file)) {
		KASSERT(vp->writer_count > 0, "I1: a writer that ends was counted");
		vp->writer_count--;
	}
	memset(file, 0, sizeof(*file));
	if (object != NULL)
		vm_object_deallocate(object);
	if (vp != NULL)
		vnode_unref(vp);
}

/* The page with the file's present place, held; what of it there is to copy in *bytes. */
static int
page_at(struct proc *p, struct proc_file *file, uint64_t *bytes, struct vm_page **m)
{
	uint64_t index = file->offset >> PAGE_SHIFT;
	uint64_t left = file->vnode->size_bytes - file->offset;
	uint64_t n = PAGE_SIZE - (file->offset & PAGE_MASK);
	uint32_t ahead = index == file->next_index ? READ_AHEAD_PAGES : 0;

	*bytes = *bytes < n ? *bytes : n;
	*bytes = *bytes < left ? *bytes : left;
	if (file->object == NULL && file->vnode->is_swap)
		return (ERR_BUSY); /* opened before it became one: others' memory */
	if (file->object == NULL)
		file->object = file_pager_alloc(file->vnode);
	if (file->object == NULL)
		return (ERR_NOMEM);
	file->next_index = index + 1;
	return (file_pager_page(file->object, (vm_pindex_t)index, ahead, &p->killed, m));
}

/* Copy a piece that lies in one page; its length, or ERR_*. */
static int64_t
copy_piece(struct proc *p, struct proc_file *file, uint64_t user, uint64_t bytes, bool write)
{
	struct vm_page *m;
	uint8_t *at;
	int error = page_at(p, file, &bytes, &m);

	if (error != 0)
		return (error);
	at = (uint8_t *)vm_page_address(m) + (file->offset & PAGE_MASK);
	error = write ? copyin(user, at, bytes) : copyout(at, user, bytes);
	if (write)
		file_pager_changed(m); /* a copy that failed may have come half way */
	vm_page_unhold(m);
	if (error != 0)
		return (error);
	file->offset += bytes;
	return ((int64_t)bytes);
}

static int64_t
copy_all(struct proc *p, struct proc_file *file, uint64_t user, uint64_t bytes, bool write)
{
	uint64_t done = 0;
	int64_t n = 0;

	while (done < bytes && file->offset < file->vnode->size_bytes && !p->killed) {
		n = copy_piece(p, file, user + done, bytes - done, write);
		if (n < 0)
			break;
		done += (uint64_t)n;
	}
	return (done > 0 ? (int64_t)done : n);
}

int64_t
proc_file_read(struct proc *p, struct proc_file *file, uint64_t to, uint64_t bytes)
{
	if (file->vnode->is_directory)
		return (ERR_ISDIR);
	if (file->mode == EBB_O_WRONLY)
		return (ERR_BADF);
	return (copy_all(p, file, to, bytes, false));
}

int64_t
proc_file_write(struct proc *p, struct proc_file *file, uint64_t from, uint64_t bytes)
{
	if (!proc_file_writable(file))
		return (ERR_BADF);
	if (bytes != 0 && file->offset >= file->vnode->size_bytes)
		return (ERR_NOSPC); /* it never becomes longer */
	return (copy_all(p, file, from, bytes, true));
}

int
proc_file_sync(struct proc_file *file)
{
	struct vm_object *object;
	int error;

	if (file->vnode->is_directory || file->vnode->object == NULL)
		return (0);
	object = file_pager_alloc(file->vnode);
	if (object == NULL)
		return (ERR_NOMEM);
	error = file_pager_sync(object, 0, 0, OBJPC_SYNC, false);
	vm_object_deallocate(object);
	return (error);
}
