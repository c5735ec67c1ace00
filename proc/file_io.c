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
 * last program lets go of the file. What is written past the end makes the file longer
 * first, with zeros (mm/file_pager_size.c).
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

#include "kern/console.h"
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

#define O_ACCESS 3
#define O_KNOWN (O_ACCESS | EBB_O_CREAT | EBB_O_EXCL | EBB_O_TRUNC | EBB_O_APPEND)
#define GROW_BYTES 65536u /* at most so much is zeros before it is what was written */

bool
proc_file_writable(const struct proc_file *file)
{
	return (file->mode == EBB_O_WRONLY || file->mode == EBB_O_RDWR);
}

/* The vnode of path, made if it is not there and may be. */
static int
find_or_create(const char *path, uint64_t mode, struct vnode **vp)
{
	int error = vfs_lookup(path, vp);

	if (error == 0 && (mode & (EBB_O_CREAT | EBB_O_EXCL)) == (EBB_O_CREAT | EBB_O_EXCL)) {
		vnode_unref(*vp);
		return (ERR_EXIST);
	}
	if (error == ERR_NOENT && (mode & EBB_O_CREAT) != 0) {
		error = vfs_create(path, vp);
		if (error == ERR_EXIST && (mode & EBB_O_EXCL) == 0)
			error = vfs_lookup(path, vp); /* somebody else was faster */
	}
	return (error);
}

/* May vp be opened so? */
static int
check_open(const struct vnode *vp, uint64_t mode)
{
	if (vp->is_swap)
		return (ERR_BUSY);
	if ((mode & O_ACCESS) == EBB_O_RDONLY)
		return (0);
	return (vp->is_directory   ? ERR_ISDIR :
		vp->is_text        ? ERR_BUSY :
		vp->dev->read_only ? ERR_ROFS :
				     0);
}

int
proc_file_open(struct proc_file **out, const char *path, uint64_t mode)
{
	bool writes = (mode & O_ACCESS) != EBB_O_RDONLY;
	struct proc_file *file = NULL;
	struct vnode *vp;
	int error;

	if ((mode & O_ACCESS) > EBB_O_RDWR || (mode & ~(uint64_t)O_KNOWN) != 0 ||
	    (!writes && (mode & EBB_O_TRUNC) != 0))
		return (ERR_INVAL);
	error = find_or_create(path, mode, &vp);
	if (error != 0)
		return (error);
	error = check_open(vp, mode);
	if (error == 0 && (mode & EBB_O_TRUNC) != 0)
		error = file_pager_truncate(vp, 0);
	if (error == 0 && writes)
		error = check_open(vp, mode); /* it may have been run meanwhile */
	if (error == 0)
		file = proc_file_new(PROC_FILE_VNODE);
	if (file == NULL) {
		vnode_unref(vp);
		return (error != 0 ? error : ERR_NOMEM);
	}
	vp->writer_count += writes;
	file->vnode = vp;
	file->mode = (uint8_t)(mode & O_ACCESS);
	file->append = (mode & EBB_O_APPEND) != 0;
	*out = file;
	return (0);
}

/* The last writer of a file that grew is going: what it wrote goes to the disk, and the size. */
static void
settle_size(struct proc_file *file)
{
	int error = file->vnode->is_unlinked ? 0 : proc_file_sync(file);

	if (error != 0)
		kprintf("file: %s: what was written last may be lost: %s\n", file->vnode->name,
		    err_string(error));
}

void
proc_file_end(struct proc_file *file)
{
	struct vnode *vp = file->vnode;

	if (proc_file_writable(file)) {
		KASSERT(vp->writer_count > 0, "I1: a writer that ends was counted");
		vp->writer_count--;
	}
	if (vp->size_changed && vp->writer_count == 0)
		settle_size(file);
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
	/* Somebody has cut the file meanwhile: its end is here. */
	return (done > 0 ? (int64_t)done : n == ERR_RANGE ? 0 : n);
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

/*
 * Write bytes, of which some lie past the end: first the file becomes longer. With grow_lock, so
 * that nobody else writes there meanwhile.
 */
static int64_t
write_longer(struct proc *p, struct proc_file *file, uint64_t from, uint64_t bytes)
{
	struct vnode *vp = file->vnode;
	uint64_t before = vp->size_bytes, start = file->offset, end = before;
	int64_t n;
	int cut, error = have_object(file);

	if (error == 0)
		error = file_pager_extend(file->object, start + bytes, &p->killed);
	n = copy_all(p, file, from, bytes, true);
	if (n > 0 && start + (uint64_t)n > before)
		end = start + (uint64_t)n;
	/* What did not fit or could not be fetched from the program has not been written. */
	if (end < start + bytes && end < vp->size_bytes) {
		cut = file_pager_truncate(vp, end);
		error = error != 0 ? error : cut;
	}
	return (n != 0 ? n : error);
}

static int64_t
write_all(struct proc *p, struct proc_file *file, uint64_t from, uint64_t bytes)
{
	uint64_t done = 0, piece;
	int64_t n = 0;

	while (done < bytes && n >= 0 && !p->killed) {
		piece = bytes - done < GROW_BYTES ? bytes - done : GROW_BYTES;
		if (file->offset + piece > file->vnode->size_bytes)
			n = write_longer(p, file, from + done, piece);
		else
			n = copy_all(p, file, from + done, piece, true);
		if (n > 0)
			done += (uint64_t)n;
		if (n > 0 && (uint64_t)n < piece)
			break; /* after 0 once more: it was cut below the place, or p is killed */
	}
	return (done > 0 ? (int64_t)done : n);
}

int64_t
proc_file_write(struct proc *p, struct proc_file *file, uint64_t from, uint64_t bytes)
{
	struct vnode *vp = file->vnode;
	int64_t n;

	if (!proc_file_writable(file))
		return (ERR_BADF);
	if (bytes > INT64_MAX - file->offset)
		bytes = INT64_MAX - file->offset;
	if (!file->append && file->offset + bytes <= vp->size_bytes) {
		n = copy_all(p, file, from, bytes, true);
		if (n != 0 || bytes == 0)
			return (n);
	}
	sleep_lock_acquire(&vp->grow_lock);
	if (file->append)
		file->offset = vp->size_bytes;
	n = write_all(p, file, from, bytes);
	sleep_lock_release(&vp->grow_lock);
	return (n);
}

/* Bytes of the kernel at the file's place, where the file is long enough. */
static int
put_pieces(struct proc_file *file, const uint8_t *from, uint32_t count)
{
	static const bool killed;
	struct vm_page *m;
	int error = 0;

	while (count > 0 && error == 0) {
		uint64_t in_page = file->offset & PAGE_MASK, n = PAGE_SIZE - in_page;

		n = count < n ? count : n;
		error = file_pager_page(file->object, (vm_pindex_t)(file->offset >> PAGE_SHIFT), 0,
		    &killed, &m);
		if (error != 0)
			break;
		memcpy((uint8_t *)vm_page_address(m) + in_page, from, n);
		file_pager_changed(m);
		vm_page_unhold(m);
		file->offset += n;
		from += n;
		count -= (uint32_t)n;
	}
	return (error);
}

int
proc_file_put(struct proc_file *file, const void *bytes, uint32_t count)
{
	static const bool killed;
	struct vnode *vp = file->vnode;
	int error;

	if (!proc_file_writable(file))
		return (ERR_BADF);
	sleep_lock_acquire(&vp->grow_lock);
	error = have_object(file);
	if (file->append)
		file->offset = vp->size_bytes;
	if (error == 0 && file->offset + count > vp->size_bytes)
		error = file_pager_extend(file->object, file->offset + count, &killed);
	if (error == 0)
		error = put_pieces(file, bytes, count);
	sleep_lock_release(&vp->grow_lock);
	return (error);
}

int
proc_file_truncate(struct proc *p, struct proc_file *file, int64_t bytes)
{
	struct vnode *vp = file->vnode;
	int error;

	if (!proc_file_writable(file))
		return (ERR_BADF);
	if (bytes < 0)
		return (ERR_INVAL);
	sleep_lock_acquire(&vp->grow_lock);
	error = have_object(file);
	if (error == 0)
		error = (uint64_t)bytes <= vp->size_bytes ?
		    file_pager_truncate(vp, (uint64_t)bytes) :
		    file_pager_extend(file->object, (uint64_t)bytes, &p->killed);
	sleep_lock_release(&vp->grow_lock);
	return (error);
}

int
proc_file_unlink(const char *path)
{
	struct vnode *vp;
	int error = vfs_unlink(path, &vp);

	if (error != 0)
		return (error);
	file_pager_forget(vp);
	vnode_unref(vp);
	return (vfs_sync());
}

int
proc_file_sync(struct proc_file *file)
{
	struct vm_object *object;
	int error;

	if (file->vnode->is_directory ||
	    (file->vnode->object == NULL && !file->vnode->size_changed))
		return (0);
	object = file_pager_alloc(file->vnode);
	if (object == NULL)
		return (ERR_NOMEM);
	error = file_pager_sync(object, 0, 0, OBJPC_SYNC, false);
	vm_object_deallocate(object);
	return (error);
}
