/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the file pager share. Nobody else includes it.
 */
#ifndef MM_FILE_PAGER_INTERNAL_H
#define MM_FILE_PAGER_INTERNAL_H

#include "mm/file_pager.h"
#include "mm/mm_params.h"

#define FILE_IO_PAGES  BIO_SEGMENTS_MAX
#define PAGE_SECTORS   ((uint32_t)(PAGE_SIZE / 512))
#define FILE_ASYNC_MAX 4 /* page daemon's writes in flight */

/* A transfer of consecutive pages of a file, a piece (one bio) after the other. */
struct file_io {
	struct bio bio;
	struct vnode *vp;
	struct vm_page **m;
	uint32_t count;      /* pages, at most FILE_IO_PAGES */
	struct vnode_run runs[VNODE_RUNS_MAX]; /* where they lie; the end of the file ends them */
	uint32_t run_count;
	/* the piece under way */
	uint32_t run, run_done;        /* index; sectors of it */
	uint32_t done, piece;          /* sectors before it; of it */
	/* what went wrong */
	uint32_t failed;     /* bit i: page m[i] */
	int error;           /* the first; 0 = none */
	uint32_t error_page; /* file page where ... */
	uint64_t error_sector;
};

static inline vm_pindex_t
file_pages(const struct vnode *vp)
{
	return ((vm_pindex_t)((vp->size_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT));
}

/* ---- file_pager_io.c */
/* Find out where as many of m[0..count-1] as fit into one file_io lie: how many (at least
 * one), or ERR_*. May yield. */
int file_io_map(struct file_io *io, struct vnode *vp, struct vm_page **m,
    uint32_t count) ERR_MUST_CHECK;
/* Set up io->bio for the next piece; false when all is done. Never yields. */
bool file_io_next(struct file_io *io, enum bio_op op, enum bio_priority priority);
/* The piece has ended with error. Never yields. */
void file_io_note(struct file_io *io, int error);
/* All pieces, one after the other. May yield. */
void file_io_run(struct file_io *io, enum bio_op op, enum bio_priority priority);
/* Zero what page m, the file's last, holds past its end. Never yields. */
void file_io_zero_tail(const struct vnode *vp, struct vm_page *m);
/* The outcome of a page whose transfer ended with error. */
enum vm_pager_outcome file_io_outcome(int error);

/* ---- file_pager_read.c */
bool file_has_page(struct vm_object *object, vm_pindex_t pindex, uint32_t *before,
    uint32_t *after);
enum vm_pager_outcome file_get_pages(struct vm_object *object, struct vm_page **m,
    uint32_t count, uint32_t wanted);

/* ---- file_pager_write.c */
void file_write_init(void);
int file_write_start(void) ERR_MUST_CHECK;
void file_put_pages(struct vm_object *object, struct vm_page **m, uint32_t count,
    uint32_t flags, enum vm_pager_outcome *outcomes);

#endif
