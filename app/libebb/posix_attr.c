/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file is beside its bytes: utime and its kin; chmod and chown.
 *
 * A directory entry keeps when a file was changed, in steps of two seconds from 1980 to 2107.
 * It keeps no time of access that is worth the name, no rights and no owner: every file has
 * mode 0777 and belongs to 0. chmod and chown succeed where they ask for just that, and say
 * EPERM where they ask for something else, so nobody relies on what is not there.
 *
 * Owns: nothing.
 * Does not: know what time it is: "now" is EINVAL.
 * Invariants:
 *   none
 * Yields: every call may block.
 * See: lib/ebb_abi.h; <sys/stat.h>; stat is posix_dir.c's.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

#define RIGHTS 07777

static int
fail(int error)
{
	errno = error;
	return (-1);
}

/* ---- times */

static int
set_time(int fd, time_t modified)
{
	int64_t seconds = (int64_t)modified - EBB_EPOCH_S;

	if (seconds < 0 || seconds > UINT32_MAX)
		return (fail(EINVAL));
	return ((int)checked(ebb_syscall(EBB_SYS_UTIME, (uint64_t)fd, (uint64_t)seconds, 0)));
}

static int
set_time_of(const char *path, time_t modified)
{
	int fd = open(path, O_RDONLY);

	return (fd < 0 ? -1 : close_after(fd, set_time(fd, modified)));
}

int
utime(const char *path, const struct utimbuf *times)
{
	return (times == NULL ? fail(EINVAL) : set_time_of(path, times->modtime));
}

int
utimes(const char *path, const struct timeval *times)
{
	if (times == NULL || times[1].tv_usec < 0 || times[1].tv_usec >= 1000000)
		return (fail(EINVAL));
	return (set_time_of(path, times[1].tv_sec));
}

int
futimens(int fd, const struct timespec *times)
{
	struct stat st;

	if (times != NULL && times[1].tv_nsec == UTIME_OMIT)
		return (fstat(fd, &st));
	if (times == NULL || times[1].tv_nsec < 0 || times[1].tv_nsec >= 1000000000)
		return (fail(EINVAL));
	return (set_time(fd, times[1].tv_sec));
}

/* ---- rights and owners */

static int
change_mode(const struct stat *st, mode_t mode)
{
	return (((st->st_mode ^ mode) & RIGHTS) == 0 ? 0 : fail(EPERM));
}

static int
change_owner(const struct stat *st, uid_t owner, gid_t group)
{
	if ((owner == (uid_t)-1 || owner == st->st_uid) &&
	    (group == (gid_t)-1 || group == st->st_gid))
		return (0);
	return (fail(EPERM));
}

int
chmod(const char *path, mode_t mode)
{
	struct stat st;

	return (stat(path, &st) != 0 ? -1 : change_mode(&st, mode));
}

int
fchmod(int fd, mode_t mode)
{
	struct stat st;

	return (fstat(fd, &st) != 0 ? -1 : change_mode(&st, mode));
}

int
chown(const char *path, uid_t owner, gid_t group)
{
	struct stat st;

	return (stat(path, &st) != 0 ? -1 : change_owner(&st, owner, group));
}

int
fchown(int fd, uid_t owner, gid_t group)
{
	struct stat st;

	return (fstat(fd, &st) != 0 ? -1 : change_owner(&st, owner, group));
}
