/* Symbols that Rust's standard library for x86_64-unknown-linux-gnu needs from its C library and musl's libc.a lacks.
 *
 * A Xen host of 2006 needs programs linked with musl: today's static glibc crashes at start on Linux 2.6.18. If rustup's musl
 * target is not installed, `make` links the gnu target with musl-gcc and this file. Upstream does not support the combination:
 * a missing symbol fails at link time, and tests/layout.c compares the layouts of structures.
 *
 * Compiled with musl-gcc. Linked before libc.a, so these definitions take precedence. no_unwind.rs has the unwinder's symbols. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* std reads MAJOR.MINOR: from 2.24 on it starts processes with posix_spawn. musl's too reports a failed exec. */
const char *gnu_get_libc_version(void) { return "2.24"; }

/* std calls it after a failed host name lookup if glibc is older than 2.26. */
int __res_init(void) { return 0; }

/* std asks for the main thread's stack only for its message about an overflow; musl would find it with some thirty calls of
 * mremap. If this fails, std does without it, as its musl targets do. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr) { (void)thread; (void)attr; return 38 /* ENOSYS */; }

/* std starts a thread with a name and looks for glibc's own functions by dlsym, of which a static program finds none. For the text
 * of either musl would link printf: 10 KiB. */
int pthread_setname_np(pthread_t thread, const char *name) { (void)thread; (void)name; return 0; }
void *dlsym(void *handle, const char *name) { (void)handle; (void)name; return 0; }

/* The names ending in 64, which std calls. musl's libc.a has them as aliases up to 1.2.3 only. off_t and struct stat are the same
 * under either name. */
#define ALIAS(type, name, params, call) \
  __attribute__((weak)) type name params { return call; }
#undef open64
#undef openat64
#undef stat64
#undef lstat64
#undef fstat64
#undef fstatat64
#undef ftruncate64
#undef lseek64
#undef mmap64
#undef readdir64
ALIAS(int, stat64, (const char *path, struct stat *st), stat(path, st))
ALIAS(int, lstat64, (const char *path, struct stat *st), lstat(path, st))
ALIAS(int, fstat64, (int fd, struct stat *st), fstat(fd, st))
ALIAS(int, fstatat64, (int fd, const char *path, struct stat *st, int flags), fstatat(fd, path, st, flags))
ALIAS(int, ftruncate64, (int fd, off_t length), ftruncate(fd, length))
ALIAS(off_t, lseek64, (int fd, off_t offset, int whence), lseek(fd, offset, whence))
ALIAS(void *, mmap64, (void *at, size_t length, int prot, int flags, int fd, off_t offset),
      mmap(at, length, prot, flags, fd, offset))
ALIAS(struct dirent *, readdir64, (DIR *folder), readdir(folder))

__attribute__((weak)) int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	return open(path, flags, mode);
}

__attribute__((weak)) int openat64(int fd, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	return openat(fd, path, flags, mode);
}
