/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file pager: objects whose pages are those of a file (OBJT_VNODE). There is one for
 * each file in use, so whoever maps, reads or writes a file sees the same pages.
 * Public: file_pager_* below are also used by proc and the monitor.
 */
#ifndef MM_FILE_PAGER_H
#define MM_FILE_PAGER_H

#include "kern/vnode.h"
#include "mm/vm_pager.h"

void file_pager_init(void);
/* Create task fileio, which settles writes; from now on objects of which nothing is left go
 * when memory is low. Once, at boot. ERR_NOMEM. */
int file_pager_start(void) ERR_MUST_CHECK;

/*
 * The object of file vp (no directory), with one more reference, which the caller drops
 * by vm_object_deallocate; NULL without memory. The object holds a reference to vp as
 * long as it lives. May yield.
 */
struct vm_object *file_pager_alloc(struct vnode *vp);

/*
 * Page pindex of a file's object, valid and held (the caller ends by vm_page_unhold), with
 * up to ahead further ones read along if it has to be read. ERR_RANGE (past the end),
 * ERR_IO, ERR_CORRUPT; ERR_KILLED when *killed became true while it waited for memory. The
 * caller has a reference to object. May yield.
 */
int file_pager_page(struct vm_object *object, vm_pindex_t pindex, uint32_t ahead,
    const bool *killed, struct vm_page **out) ERR_MUST_CHECK;
/* Copy what the file holds at byte `at`, up to count bytes and the end of the page, to a wired
 * buffer: how many (0: the end of the file), or as file_pager_page. May yield. */
int64_t file_pager_read(struct vm_object *object, uint64_t at, void *buffer,
    uint32_t count) ERR_MUST_CHECK;
/* The caller has changed m, a page from file_pager_page that it still holds: it will be
 * written back. May yield (while m is being written). */
void file_pager_changed(struct vm_page *m);

/*
 * Write the dirty pages of [start, end) back (end 0: all) with flags OBJPC_* of
 * mm/vm_launder.h. With OBJPC_SYNC returns when they are on the disk, and the error of any
 * earlier write that nobody has been told of. ERR_IO and what else the disk says, ERR_ROFS;
 * ERR_AGAIN with nowait while writes are suspended. The caller has a reference to object.
 * May yield.
 */
int file_pager_sync(struct vm_object *object, vm_pindex_t start, vm_pindex_t end, uint32_t flags,
    bool nowait) ERR_MUST_CHECK;

/*
 * Make the file at least size_bytes long, with zeros; ERR_NOSPC (it may have grown in part),
 * ERR_BUSY (a program runs from it, or it is a swap area), ERR_IO, ERR_CORRUPT, ERR_ROFS,
 * ERR_KILLED as file_pager_page. The caller has a reference to object. May yield.
 */
int file_pager_extend(struct vm_object *object, uint64_t size_bytes,
    const bool *killed) ERR_MUST_CHECK;
/* Make the file at most size_bytes long, durably no longer at the end (what has not been synced may
 * not be there yet). ERR_BUSY also: what would go is
 * wired (mlock). The caller has a reference to vp. May yield. */
int file_pager_truncate(struct vnode *vp, uint64_t size_bytes) ERR_MUST_CHECK;
/* The name of vp is gone: so are pages that are kept for nobody. May yield. */
void file_pager_forget(struct vnode *vp);

/* The next object of a file with dirty pages, perhaps, or an untold error, in order of ids;
 * NULL after the last. Never yields. */
struct vm_object *file_pager_next_dirty(uint32_t after_id);
/* Verify the list: the words of what is broken, or NULL. Never yields. */
const char *file_pager_check(void);

extern const struct vm_pager_ops file_pager_ops;

#endif
