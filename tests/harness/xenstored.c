/*
 * A shim that lets oxenstored run without Xen, and a syslogd.
 *
 * Compiled as a library and loaded before libxenevtchn, it emulates the event channels by which guests would call: a single one
 * that never fires. Compiled as a program, it prints each message sent to /dev/log as a line on standard output.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

int xenevtchn_fd(void *handle)
{
	static int fd = -1;

	(void)handle;
	if (fd < 0)
		fd = eventfd(0, 0);
	return fd;
}

int xenevtchn_bind_virq(void *handle, unsigned int virq) { (void)handle; (void)virq; return 1; }
int xenevtchn_unmask(void *handle, uint32_t port) { (void)handle; (void)port; return 0; }
int xenevtchn_pending(void *handle) { (void)handle; return -1; }

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	char message[4096];
	ssize_t length;
	int log = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (bind(log, (struct sockaddr *)&address, sizeof address) < 0) {
		perror("/dev/log");
		return 1;
	}
	while ((length = recv(log, message, sizeof message, 0)) >= 0) {
		printf("%.*s\n", (int)length, message);
		fflush(stdout);
	}
	return 0;
}
