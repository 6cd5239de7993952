/* Symbols that Rust's standard library for glibc (x86_64, i686, aarch64) needs from its C library and musl's libc.a lacks.
 *
 * A Xen host of 2006 needs programs linked with musl: today's static glibc crashes at start on Linux 2.6.18. If rustup's musl
 * target is not installed, `make` links the gnu target with musl and this file. Upstream does not support the combination:
 * a missing symbol fails at link time, and tests/layout.c compares the layouts of structures.
 *
 * Compiled with musl-gcc. Linked before libc.a, so these definitions take precedence. no_unwind.rs has the unwinder's symbols. */
#include <stdarg.h>
#include <stddef.h>

/* std reads MAJOR.MINOR: from 2.24 on it starts processes with posix_spawn. musl's too reports a failed exec. */
const char *gnu_get_libc_version(void) { return "2.24"; }

/* std calls it after a failed host name lookup if glibc is older than 2.26. */
int __res_init(void) { return 0; }

/* std asks for the main thread's stack only for its message about an overflow; musl would find it with some thirty calls of
 * mremap. If this fails, std does without it, as its musl targets do. */
int pthread_getattr_np(void *thread, void *attr) { (void)thread; (void)attr; return 38 /* ENOSYS */; }

/* std starts a thread with a name and looks for glibc's own functions by dlsym, of which a static program finds none. For the text
 * of either musl would link printf: 10 KiB. */
int pthread_setname_np(void *thread, const char *name) { (void)thread; (void)name; return 0; }
void *dlsym(void *handle, const char *name) { (void)handle; (void)name; return 0; }

/* The names ending in 64, which std calls. musl's libc.a has them as aliases up to 1.2.3 only.
 *
 * They are bound to musl's symbols, not to its headers: on 32-bit machines a header renames stat to __stat_time64, with a time_t of
 * 64 bits. The symbol `stat` still takes the structure that std has from glibc for stat64.
 *
 * The names without 64 are a trap there: to glibc they have an off_t of 32 bits, to musl one of 64. So on 32-bit machines the
 * linker renames each in link-args (--wrap), except in this file: a crate that calls one does not link. */
#if __SIZEOF_POINTER__ == 4
#define MUSL(name) __asm__("__real_" #name)
#else
#define MUSL(name) __asm__(#name)
#endif
#define ALIAS(type, name, params, values) \
	extern type musl_##name params MUSL(name); \
	__attribute__((weak)) type name##64 params { return musl_##name values; }
ALIAS(int, stat, (const char *path, void *st), (path, st))
ALIAS(int, lstat, (const char *path, void *st), (path, st))
ALIAS(int, fstat, (int fd, void *st), (fd, st))
ALIAS(int, fstatat, (int fd, const char *path, void *st, int flags), (fd, path, st, flags))
ALIAS(int, ftruncate, (int fd, long long length), (fd, length))
ALIAS(long long, lseek, (int fd, long long offset, int whence), (fd, offset, whence))
ALIAS(ptrdiff_t, sendfile, (int to, int from, long long *offset, size_t count), (to, from, offset, count))
ALIAS(void *, mmap, (void *at, size_t length, int prot, int flags, int fd, long long offset), (at, length, prot, flags, fd, offset))
ALIAS(void *, readdir, (void *folder), (folder))
ALIAS(ptrdiff_t, pread, (int fd, void *to, size_t count, long long at), (fd, to, count, at))
ALIAS(ptrdiff_t, pwrite, (int fd, const void *from, size_t count, long long at), (fd, from, count, at))
ALIAS(ptrdiff_t, preadv, (int fd, const void *to, int count, long long at), (fd, to, count, at))
ALIAS(ptrdiff_t, pwritev, (int fd, const void *from, int count, long long at), (fd, from, count, at))
ALIAS(int, truncate, (const char *path, long long length), (path, length))

/* An argument that was not passed has any value, which the kernel ignores. */
extern int musl_open(const char *path, int flags, ...) __asm__("open");
extern int musl_openat(int fd, const char *path, int flags, ...) __asm__("openat");

__attribute__((weak)) int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	unsigned mode = va_arg(rest, unsigned);
	va_end(rest);
	return musl_open(path, flags, mode);
}

__attribute__((weak)) int openat64(int fd, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	unsigned mode = va_arg(rest, unsigned);
	va_end(rest);
	return musl_openat(fd, path, flags, mode);
}
