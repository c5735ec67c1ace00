/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expected errors, as negative numbers that every layer passes on unchanged.
 *
 * A function that can fail returns one of these (0 = success) and is marked
 * ERR_MUST_CHECK. Impossible situations are not errors: they are KASSERTs.
 * proc/syscall.c is the one place that turns these into errno values.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#define ERR_MUST_CHECK __attribute__((warn_unused_result))

enum ebb_error {
	ERR_OK = 0,
	ERR_NOMEM = -1,     /* no page, record or slot can be had right now */
	ERR_FAULT = -2,     /* address not mapped, or access denied */
	ERR_INVAL = -3,     /* argument outside its documented range */
	ERR_NOENT = -4,     /* no such name */
	ERR_IO = -5,        /* device reported failure, after its retries */
	ERR_TIMEDOUT = -6,  /* time limit passed first */
	ERR_BUSY = -7,      /* in use; try again later */
	ERR_EXIST = -8,     /* already there */
	ERR_NODEV = -9,     /* no such device, or it is gone */
	ERR_RANGE = -10,    /* outside the device, file or area */
	ERR_NOSPC = -11,    /* no space left on the device or swap area */
	ERR_CORRUPT = -12,  /* on-disk structure or checksum is wrong */
	ERR_NOEXEC = -13,   /* not a program that this kernel can run */
	ERR_PERM = -14,     /* not allowed for this caller */
	ERR_NOSYS = -15,    /* no such system call */
	ERR_BADF = -16,     /* no such open file */
	ERR_ISDIR = -17,    /* a directory where a file is needed */
	ERR_NOTDIR = -18,   /* a file where a directory is needed */
	ERR_NAMETOOLONG = -19,
	ERR_MFILE = -20,    /* too many open files */
	ERR_AGAIN = -21,    /* transient shortage; the same call may succeed later */
	ERR_CHILD = -22,    /* no such child process */
	ERR_KILLED = -23,   /* the caller's process has been killed */
	ERR_NOTSUP = -24,   /* the device or file system cannot do this */
	ERR_ROFS = -25,     /* read-only file system or device */
	ERR_PIPE = -26,     /* nobody reads what is written there */
	ERR_SPIPE = -27,    /* a pipe or console has no places to go to */
	ERR_NFILE = -28,    /* too many pipes in the system */
	ERR_SRCH = -29,     /* no such process */
};

/* A short English phrase for err ("I/O error"); never NULL. Does not yield. */
const char *err_string(int err);

#endif
