/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files by name, and directories: stat, lstat, access, <dirent.h>.
 *
 * Owns: the state of each open directory.
 * Does not: know links or rights: FAT has none.
 * Invariants:
 *   none
 * Yields: every call may block.
 * See: newlib_calls.c for files that are open.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/libebb/ebb.h"
#include "app/libebb/result.h"

int _link(const char *from, const char *to);
int _stat(const char *path, struct stat *out);

struct ebb_directory {
	int fd;
	uint32_t next;
	struct dirent entry;
};

int
_stat(const char *path, struct stat *out)
{
	int fd = open(path, O_RDONLY);

	return (fd < 0 ? -1 : close_after(fd, fstat(fd, out)));
}

/* There are no symbolic links. */
int
lstat(const char *path, struct stat *out)
{
	return (_stat(path, out));
}

/* POSIX's answer of a file system without links; newlib's rename asks for one. */
int
_link(const char *from, const char *to)
{
	(void)from;
	(void)to;
	errno = EPERM;
	return (-1);
}

/* Whoever may be opened for writing may be written; all else may be read. */
int
access(const char *path, int mode)
{
	struct stat st;
	int fd;

	if ((mode & ~(R_OK | W_OK | X_OK)) != 0) {
		errno = EINVAL;
		return (-1);
	}
	if (_stat(path, &st) != 0)
		return (-1);
	if ((mode & W_OK) == 0 || S_ISDIR(st.st_mode))
		return (0);
	fd = open(path, O_RDWR);
	return (fd < 0 ? -1 : close_after(fd, 0));
}

int
truncate(const char *path, off_t bytes)
{
	int fd = open(path, O_WRONLY);

	return (fd < 0 ? -1 : close_after(fd, ftruncate(fd, bytes)));
}

DIR *
fdopendir(int fd)
{
	struct stat st;
	DIR *dir;

	if (fstat(fd, &st) != 0)
		return (NULL);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return (NULL);
	}
	dir = calloc(1, sizeof(*dir));
	if (dir != NULL)
		dir->fd = fd;
	return (dir);
}

DIR *
opendir(const char *path)
{
	int fd = open(path, O_RDONLY);
	DIR *dir;

	if (fd < 0)
		return (NULL);
	dir = fdopendir(fd);
	if (dir == NULL)
		(void)close_after(fd, -1);
	return (dir);
}

struct dirent *
readdir(DIR *dir)
{
	struct ebb_dirent entry;
	int64_t result = ebb_syscall(EBB_SYS_READDIR, (uint64_t)dir->fd, dir->next,
	    (uintptr_t)&entry);

	if (result == -ENOENT) /* the end is no error: errno stays */
		return (NULL);
	if (checked(result) != 0)
		return (NULL);
	dir->next++;
	dir->entry.d_ino = (ino_t)dir->next;
	dir->entry.d_type = entry.is_directory != 0 ? DT_DIR : DT_REG;
	memcpy(dir->entry.d_name, entry.name, sizeof(dir->entry.d_name));
	return (&dir->entry);
}

void
rewinddir(DIR *dir)
{
	dir->next = 0;
}

int
dirfd(DIR *dir)
{
	return (dir->fd);
}

int
closedir(DIR *dir)
{
	int fd = dir->fd;

	free(dir);
	return (close(fd));
}
