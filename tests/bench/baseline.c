/* Makes only the system calls that network-virtual needs: a baseline for `make bench`, not a program to use.
 *
 *   baseline start BRIDGE ADDRESS MASK
 *   baseline stop BRIDGE
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* linux/sockios.h and linux/if_bridge.h, which musl-gcc does not find */
#define SIOCBRADDBR 0x89a0
#define SIOCBRDELBR 0x89a1
#define BRCTL_SET_BRIDGE_FORWARD_DELAY 8
#define BRCTL_SET_BRIDGE_STP_STATE 14

static int control;

static int set_bridge(const char *bridge, unsigned long command, unsigned long value) {
    unsigned long words[4] = {command, value, 0, 0};
    struct ifreq request = {.ifr_data = (void *)words};
    strncpy(request.ifr_name, bridge, IFNAMSIZ - 1);
    return ioctl(control, SIOCDEVPRIVATE, &request);
}

static int set_address(const char *bridge, unsigned long number, const char *address) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct ifreq request = {0};
    strncpy(request.ifr_name, bridge, IFNAMSIZ - 1);
    inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&request.ifr_addr, &in, sizeof in);
    return ioctl(control, number, &request);
}

static int set_up(const char *bridge, int up) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, bridge, IFNAMSIZ - 1);
    if (ioctl(control, SIOCGIFFLAGS, &request))
        return -1;
    request.ifr_flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    return ioctl(control, SIOCSIFFLAGS, &request);
}

int main(int count, char **words) {
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (count == 5 && !strcmp(words[1], "start"))
        return ioctl(control, SIOCBRADDBR, words[2]) || set_bridge(words[2], BRCTL_SET_BRIDGE_STP_STATE, 0) ||
               set_bridge(words[2], BRCTL_SET_BRIDGE_FORWARD_DELAY, 0) || set_address(words[2], SIOCSIFADDR, words[3]) ||
               set_address(words[2], SIOCSIFNETMASK, words[4]) || set_address(words[2], SIOCSIFBRDADDR, "0.0.0.0") ||
               set_up(words[2], 1);
    if (count == 3 && !strcmp(words[1], "stop"))
        return set_up(words[2], 0) || ioctl(control, SIOCBRDELBR, words[2]);
    return 2;
}
