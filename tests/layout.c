/* Prints sizes, offsets and constants of the C library types that Rust's standard library and our code pass to it.
 *
 * If rustup's musl target is not installed, Rust code compiled for glibc is linked with musl (compat/musl). Both must then agree on
 * these types: a difference would silently corrupt memory. static_programs.rs compiles this file with either library and compares
 * the output.
 *
 * On 32-bit machines std calls glibc's functions whose names end in 64, so the types are compared with _FILE_OFFSET_BITS=64; and
 * times have 32 bits there, for which musl keeps older functions beside those in its headers: of its struct stat the older members
 * count, and struct timespec, which no header of musl has in its older form, is not compared. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ == 4 && !defined __GLIBC__
#define SIZE_OF_STAT offsetof(struct stat, st_atim)
#define TIME_OF_STAT(field) FIELD_AS(struct stat, st_##field, __st_##field##32)
#else
#define SIZE_OF_STAT sizeof(struct stat)
#define TIME_OF_STAT(field) FIELD_AS(struct stat, st_##field, st_##field)
#endif
#define FIELD_AS(type, name, field) \
	printf("%s.%s: %zu bytes at %zu\n", #type, #name, sizeof(((type *)0)->field), offsetof(type, field))
#define SIZE(type) printf("%s: %zu bytes, aligned to %zu\n", #type, sizeof(type), _Alignof(type))
#define FIELD(type, field) \
	printf("%s.%s: %zu bytes at %zu\n", #type, #field, sizeof(((type *)0)->field), offsetof(type, field))
#define VALUE(name) printf("%s: %lld\n", #name, (long long)(name))

int main(void)
{
	/* files */
	SIZE(mode_t); SIZE(off_t); SIZE(dev_t); SIZE(ino_t); SIZE(nlink_t); SIZE(uid_t); SIZE(gid_t); SIZE(blksize_t);
	printf("struct stat: %zu bytes\n", SIZE_OF_STAT);
	FIELD(struct stat, st_dev); FIELD(struct stat, st_ino); FIELD(struct stat, st_nlink); FIELD(struct stat, st_mode);
	FIELD(struct stat, st_uid); FIELD(struct stat, st_gid); FIELD(struct stat, st_rdev); FIELD(struct stat, st_size);
	FIELD(struct stat, st_blksize); FIELD(struct stat, st_blocks);
	TIME_OF_STAT(atim); TIME_OF_STAT(mtim); TIME_OF_STAT(ctim);
	SIZE(struct dirent);
	FIELD(struct dirent, d_ino); FIELD(struct dirent, d_off); FIELD(struct dirent, d_reclen);
	FIELD(struct dirent, d_type); FIELD(struct dirent, d_name);
	SIZE(struct flock);
	FIELD(struct flock, l_type); FIELD(struct flock, l_whence); FIELD(struct flock, l_start); FIELD(struct flock, l_len);
	FIELD(struct flock, l_pid);
	SIZE(struct iovec); FIELD(struct iovec, iov_base); FIELD(struct iovec, iov_len);
	SIZE(struct pollfd); FIELD(struct pollfd, fd); FIELD(struct pollfd, events); FIELD(struct pollfd, revents);
	VALUE(O_RDONLY); VALUE(O_WRONLY); VALUE(O_RDWR); VALUE(O_CREAT); VALUE(O_EXCL); VALUE(O_TRUNC); VALUE(O_APPEND);
	VALUE(O_CLOEXEC); VALUE(O_DIRECTORY); VALUE(O_NOFOLLOW); VALUE(O_NONBLOCK); VALUE(O_PATH); VALUE(O_TMPFILE);
	VALUE(AT_FDCWD); VALUE(AT_SYMLINK_NOFOLLOW); VALUE(AT_REMOVEDIR);
	VALUE(F_DUPFD); VALUE(F_DUPFD_CLOEXEC); VALUE(F_GETFD); VALUE(F_SETFD); VALUE(F_GETFL); VALUE(F_SETFL); VALUE(FD_CLOEXEC);
	VALUE(F_GETLK); VALUE(F_SETLK); VALUE(F_SETLKW);
	VALUE(S_IFMT); VALUE(S_IFDIR); VALUE(S_IFLNK); VALUE(S_IFREG); VALUE(DT_DIR); VALUE(DT_LNK); VALUE(DT_REG); VALUE(DT_UNKNOWN);
	VALUE(POLLIN); VALUE(POLLNVAL); VALUE(PATH_MAX); VALUE(NAME_MAX);
	VALUE(R_OK); VALUE(W_OK); VALUE(X_OK); VALUE(F_OK);

	/* the network */
	SIZE(socklen_t); SIZE(sa_family_t);
	SIZE(struct ifreq); FIELD(struct ifreq, ifr_name); FIELD(struct ifreq, ifr_addr); FIELD(struct ifreq, ifr_data);
	SIZE(struct ifconf); FIELD(struct ifconf, ifc_len); FIELD(struct ifconf, ifc_req);
	SIZE(struct rtentry); FIELD(struct rtentry, rt_dst); FIELD(struct rtentry, rt_gateway); FIELD(struct rtentry, rt_genmask);
	FIELD(struct rtentry, rt_flags); FIELD(struct rtentry, rt_metric); FIELD(struct rtentry, rt_dev); FIELD(struct rtentry, rt_mtu);
	FIELD(struct rtentry, rt_window); FIELD(struct rtentry, rt_irtt);
	SIZE(struct sockaddr); SIZE(struct sockaddr_in); SIZE(struct sockaddr_in6); SIZE(struct sockaddr_storage);
	SIZE(struct sockaddr_un); FIELD(struct sockaddr_un, sun_path);
	VALUE(AF_UNIX); VALUE(AF_INET); VALUE(AF_INET6); VALUE(SOCK_STREAM); VALUE(SOCK_DGRAM); VALUE(SOCK_CLOEXEC); VALUE(SOCK_NONBLOCK);
	VALUE(MSG_NOSIGNAL); VALUE(TIOCGWINSZ);
	SIZE(struct winsize);

	/* processes, signals, time */
	SIZE(struct sigaction);
	FIELD(struct sigaction, sa_handler); FIELD(struct sigaction, sa_mask); FIELD(struct sigaction, sa_flags);
	SIZE(sigset_t); SIZE(siginfo_t); FIELD(siginfo_t, si_addr); FIELD(siginfo_t, si_code);
	SIZE(stack_t); FIELD(stack_t, ss_sp); FIELD(stack_t, ss_flags); FIELD(stack_t, ss_size);
	VALUE(SIGPIPE); VALUE(SIGSEGV); VALUE(SIGBUS); VALUE(SIGCHLD); VALUE(SA_SIGINFO); VALUE(SA_ONSTACK); VALUE(SIG_SETMASK);
	SIZE(pid_t); SIZE(posix_spawnattr_t); SIZE(posix_spawn_file_actions_t);
	VALUE(POSIX_SPAWN_SETSIGMASK); VALUE(POSIX_SPAWN_SETSIGDEF); VALUE(POSIX_SPAWN_SETPGROUP); VALUE(WNOHANG);
#if __SIZEOF_POINTER__ == 8
	SIZE(time_t); SIZE(struct timespec); FIELD(struct timespec, tv_sec); FIELD(struct timespec, tv_nsec);
#endif
	VALUE(CLOCK_REALTIME); VALUE(CLOCK_MONOTONIC);
	SIZE(struct utsname); FIELD(struct utsname, release); FIELD(struct utsname, machine);

	/* threads and memory, used at startup */
	SIZE(pthread_t); SIZE(pthread_attr_t); SIZE(pthread_key_t); SIZE(pthread_mutex_t); SIZE(pthread_cond_t); SIZE(pthread_rwlock_t);
	SIZE(cpu_set_t);
	VALUE(MAP_PRIVATE); VALUE(MAP_ANONYMOUS); VALUE(MAP_STACK); VALUE(PROT_READ); VALUE(PROT_WRITE); VALUE(PROT_NONE);
	VALUE(_SC_PAGESIZE); VALUE(_SC_NPROCESSORS_ONLN); VALUE(_SC_GETPW_R_SIZE_MAX); VALUE(_SC_IOV_MAX);

	/* error numbers, which our table of texts contains */
	VALUE(EPERM); VALUE(ENOENT); VALUE(EINTR); VALUE(EAGAIN); VALUE(EBUSY); VALUE(EEXIST); VALUE(ENODEV); VALUE(EINVAL); VALUE(ENOTTY);
	VALUE(EPIPE); VALUE(ERANGE); VALUE(ENOSYS); VALUE(ELOOP); VALUE(ENOPKG); VALUE(EOPNOTSUPP); VALUE(EADDRNOTAVAIL); VALUE(ENETUNREACH);
	return 0;
}
