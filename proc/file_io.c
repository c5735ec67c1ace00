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
 * Owns: proc_file.object, its place and that of a sequential read.
 * Does not: know descriptors (file.c), wait for the disk in write but to read a page in.
 * Invariants:
 *   I1 a file that is open for writing counts in its vnode's writer_count, and runs no
 *      program
 * Yields: all.
 * See: mm/file_pager.h; kern/vnode.h.
 */
#include <string.h>

#include "lib/assert.h"
#include "mm/file_pager.h"
#include "mm/vm_launder.h"
#include "proc/proc_internal.h"

#define READ_AHEAD_PAGES 15 /* with the wanted one: 64 KiB */

/* Bytes between the program's memory and a file. */
struct copy {
	uint64_t user, bytes;
	bool write; /* to the file */
};

bool
proc_file_writable(const struct proc_file *file)
{
	return (file->mode == EBB_O_WRONLY || file->mode == EBB_O_RDWR);
}

int
proc_file_open(struct proc_file **out, const char *path, uint64_t mode)
{
	struct proc_file *file = NULL;
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
	if (error == 0)
		file = proc_file_new(PROC_FILE_VNODE);
	if (file == NULL) {
		vnode_unref(vp);
		return (error != 0 ? error : ERR_NOMEM);
	}
	vp->writer_count += mode != EBB_O_RDONLY;
	file->vnode = vp;
	file->mode = (uint8_t)mode;
	*out = file;
	return (0);
}

void
proc_file_end(struct proc_file *file)
{
	struct vnode *vp = file->vnode;

	if (proc_file_writable(file)) {
		KASSERT(vp->writer_count > 0, "I1: a writer that ends was counted");
		vp->writer_count--;
	}
	if (file->object != NULL)
		vm_object_deallocate(file->object);
	vnode_unref(vp);
}

/* The file's pages; several processes may ask at once. */
static int
have_object(struct proc_file *file)
{
	struct vm_object *object;

	if (file->object != NULL)
		return (0);
	if (file->vnode->is_swap)
		return (ERR_BUSY); /* opened before it became one: others' memory */
	object = file_pager_alloc(file->vnode);
	if (object == NULL)
		return (ERR_NOMEM);
	if (file->object == NULL)
		file->object = object;
	else
		vm_object_deallocate(object);
	return (0);
}

/* The page with offset, held. */
static int
page_at(struct proc *p, struct proc_file *file, uint64_t offset, struct vm_page **m)
{
	uint64_t index = offset >> PAGE_SHIFT;
	uint32_t ahead = index == file->next_index ? READ_AHEAD_PAGES : 0;
	int error = have_object(file);

	if (error != 0)
		return (error);
	file->next_index = index + 1;
	return (file_pager_page(file->object, (vm_pindex_t)index, ahead, &p->killed, m));
}

static int
copy_at(struct proc *p, struct proc_file *file, uint64_t offset, const struct copy *c)
{
	struct vm_page *m;
	uint8_t *at;
	int error = page_at(p, file, offset, &m);

	if (error != 0)
		return (error);
	at = (uint8_t *)vm_page_address(m) + (offset & PAGE_MASK);
	error = c->write ? copyin(c->user, at, c->bytes) : copyout(at, c->user, c->bytes);
	if (c->write)
		file_pager_changed(m); /* a copy that failed may have come half way */
	vm_page_unhold(m);
	return (error);
}

/* Copy a piece that lies in one page; its length, or ERR_*. The place moves on before
 * anything yields: who shares it goes on behind the piece. */
static int64_t
copy_piece(struct proc *p, struct proc_file *file, struct copy c)
{
	uint64_t offset = file->offset;
	uint64_t left = file->vnode->size_bytes - offset;
	uint64_t n = PAGE_SIZE - (offset & PAGE_MASK);
	int error;

	c.bytes = c.bytes < n ? c.bytes : n;
	c.bytes = c.bytes < left ? c.bytes : left;
	file->offset += c.bytes;
	error = copy_at(p, file, offset, &c);
	if (error == 0)
		return ((int64_t)c.bytes);
	if (file->offset == offset + c.bytes)
		file->offset = offset;
	return (error);
}

static int64_t
copy_all(struct proc *p, struct proc_file *file, uint64_t user, uint64_t bytes, bool write)
{
	uint64_t done = 0;
	int64_t n = 0;

	while (done < bytes && file->offset < file->vnode->size_bytes && !p->killed) {
		n = copy_piece(p, file, (struct copy){ user + done, bytes - done, write });
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
