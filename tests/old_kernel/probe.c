/* Prints how the kernel answers system calls and flags that some of the emulated kernels lack. Linked with musl. old_kernels.rs
 * compares the output with that of the real kernels. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void answer(const char *what, long result)
{
	printf("%s: %s\n", what, result >= 0 ? "yes" : errno == ENOSYS ? "ENOSYS" : errno == EINVAL ? "EINVAL" : "another error");
}

int main(void)
{
	struct utsname name;
	int pair[2], word = 0;
	char byte;
	uname(&name);
	printf("%s\n", name.release);
	answer("SOCK_CLOEXEC", syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	answer("socket", syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0));
	answer("F_DUPFD_CLOEXEC", syscall(SYS_fcntl, 1, F_DUPFD_CLOEXEC, 0));
	answer("FUTEX_PRIVATE_FLAG", syscall(SYS_futex, &word, 1 /* FUTEX_WAKE */ | 128 /* FUTEX_PRIVATE_FLAG */, 1));
	answer("pipe2", syscall(SYS_pipe2, pair, O_CLOEXEC));
	answer("ppoll", syscall(SYS_ppoll, 0, 0, &(struct timespec){0, 0}, 0, 0));
	answer("getrandom", syscall(SYS_getrandom, &byte, 1, 0));
	answer("AT_EMPTY_PATH", syscall(SYS_newfstatat, 1, "", (char[256]){0}, 0x1000));
	answer("clone3", syscall(SYS_clone3, 0, 0) < 0 && errno == EINVAL ? 0 : -1);
	int file = syscall(SYS_open, "/", O_RDONLY | O_CLOEXEC);
	printf("O_CLOEXEC: %s\n", fcntl(file, F_GETFD) & FD_CLOEXEC ? "yes" : "ignored");
	printf("AT_RANDOM: %s\n", getauxval(AT_RANDOM) ? "yes" : "missing");
	printf("AT_SYSINFO_EHDR: %s\n", getauxval(AT_SYSINFO_EHDR) ? "yes" : "missing");
	printf("AT_PAGESZ: %s\n", getauxval(AT_PAGESZ) ? "yes" : "missing");
	return 0;
}
