/* Makes only the system calls that a listing of links needs without netlink: a baseline for `make bench`, not a program to use.
 *
 *   links link     prints what `ip link show` prints of a host of bridges, taps and veths
 *   links addr     prints what `ip addr show` prints there, if no link has IPv6
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/sockios.h and linux/ethtool.h, which musl-gcc does not find */
#define SIOCETHTOOL 0x8946
#define ETHTOOL_GDRVINFO 3
#define ETHTOOL_GLINK 10
#define LINKS 4096

struct link {
    int index;
    char name[IFNAMSIZ];
};

struct driver {
    unsigned command;
    char name[32];
    char rest[160];
};

struct value {
    unsigned command, data;
};

static struct link links[LINKS];
static struct ifreq labels[2 * LINKS];
static int count, labelled, control, folder;

static struct ifreq ask(const char *name, unsigned long number) {
    struct ifreq request = {0};
    memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    ioctl(control, number, &request);
    return request;
}

static int ethtool(const char *name, void *structure) {
    struct ifreq request = {.ifr_data = structure};
    memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    return ioctl(control, SIOCETHTOOL, &request);
}

static const char *file(const char *name, const char *file) {
    static char text[512];
    char path[64];
    snprintf(path, sizeof path, "%s/%s", name, file);
    int descriptor = openat(folder, path, O_RDONLY);
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[length > 0 ? length - 1 : 0] = 0;
    return text;
}

static int by_index(const void *one, const void *other) {
    return ((const struct link *)one)->index - ((const struct link *)other)->index;
}

static int by_name(const void *one, const void *other) {
    return strcmp(((const struct ifreq *)one)->ifr_name, ((const struct ifreq *)other)->ifr_name);
}

static void print_hardware(const struct sockaddr *address) {
    const unsigned char *octets = (const unsigned char *)address->sa_data;
    for (int i = 0; i < 6; i++)
        printf("%s%02x", i ? ":" : "", octets[i]);
}

static struct in_addr address_of(struct ifreq label, unsigned long number) {
    ioctl(control, number, &label);
    return ((struct sockaddr_in *)&label.ifr_addr)->sin_addr;
}

/* The addresses, which are one for each link at most. */
static void print_addresses(const char *name) {
    struct ifreq key = {0};
    memcpy(key.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    struct ifreq *label = bsearch(&key, labels, labelled, sizeof key, by_name);
    if (!label)
        return;
    char text[INET_ADDRSTRLEN];
    struct in_addr own = ((struct sockaddr_in *)&label->ifr_addr)->sin_addr;
    struct in_addr mask = address_of(*label, SIOCGIFNETMASK), broadcast = address_of(*label, SIOCGIFBRDADDR);
    address_of(*label, SIOCGIFDSTADDR);
    printf("    inet %s/%d", inet_ntop(AF_INET, &own, text, sizeof text), __builtin_popcount(mask.s_addr));
    if (broadcast.s_addr)
        printf(" brd %s", inet_ntop(AF_INET, &broadcast, text, sizeof text));
    printf(" scope %s %s\n       valid_lft forever preferred_lft forever\n", own.s_addr == htonl(INADDR_LOOPBACK) ? "host" : "global", name);
}

static void print_link(const struct link *link, int with_addresses) {
    const char *name = link->name;
    struct ifreq hardware = ask(name, SIOCGIFHWADDR), flags = ask(name, SIOCGIFFLAGS), mtu = ask(name, SIOCGIFMTU);
    struct ifreq queue = ask(name, SIOCGIFTXQLEN);
    struct driver driver = {.command = ETHTOOL_GDRVINFO};
    ethtool(name, &driver);
    int up = flags.ifr_flags & IFF_UP, carrier = 0, has_lower = strcmp(driver.name, "bridge") && strcmp(driver.name, "tun");
    char state[16] = "down";
    if (up) {
        struct value value = {.command = ETHTOOL_GLINK};
        snprintf(state, sizeof state, "%s", file(name, "operstate"));
        carrier = !ethtool(name, &value) && value.data;
    }
    for (char *letter = state; *letter; letter++)
        *letter -= 'a' - 'A';
    int group = atoi(file(name, "netdev_group"));
    char broadcast[64], path[64], master[256];
    snprintf(broadcast, sizeof broadcast, "%s", file(name, "broadcast"));
    int lower = has_lower ? atoi(file(name, "iflink")) : link->index;
    snprintf(path, sizeof path, "%s/master", name);
    ssize_t length = readlinkat(folder, path, master, sizeof master - 1);
    master[length > 0 ? length : 0] = 0;
    struct link *other = NULL;
    if (lower != link->index) {
        struct link key = {.index = lower};
        other = bsearch(&key, links, count, sizeof key, by_index);
    }
    int other_down = other && !(ask(other->name, SIOCGIFFLAGS).ifr_flags & IFF_UP);
    printf("%d: %s%s%s: <", link->index, name, other ? "@" : "", other ? other->name : "");
    static const struct {
        int flag;
        const char *name;
    } names[] = {{IFF_LOOPBACK, "LOOPBACK"}, {IFF_BROADCAST, "BROADCAST"}, {IFF_POINTOPOINT, "POINTOPOINT"},
                 {IFF_MULTICAST, "MULTICAST"}, {IFF_NOARP, "NOARP"}, {IFF_UP, "UP"}};
    const char *comma = "";
    if (up && !(flags.ifr_flags & IFF_RUNNING))
        printf("NO-CARRIER"), comma = ",";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags.ifr_flags & names[i].flag)
            printf("%s%s", comma, names[i].name), comma = ",";
    printf("%s%s> mtu %d qdisc %s ", carrier ? ",LOWER_UP" : "", other_down ? ",M-DOWN" : "", mtu.ifr_mtu,
           !up ? "noop" : !strcmp(driver.name, "tun") ? "pfifo_fast" : "noqueue");
    if (*master)
        printf("master %s ", strrchr(master, '/') + 1);
    printf("state %s %s", state, with_addresses ? "" : "mode DEFAULT ");
    printf(group ? "group %d " : "group default ", group);
    printf("qlen %d\n", queue.ifr_ifindex);
    printf("    link/%s ", hardware.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK ? "loopback" : "ether");
    print_hardware(&hardware.ifr_hwaddr);
    printf(" brd %s\n", broadcast);
    if (with_addresses)
        return print_addresses(name);
    const char *alias = file(name, "ifalias");
    if (*alias)
        printf("    alias %s\n", alias);
}

int main(int words, char **word) {
    int with_addresses = words == 2 && !strcmp(word[1], "addr");
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    folder = open("/sys/devices/virtual/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *net = opendir("/sys/class/net");
    for (struct dirent *entry; net && count < LINKS && (entry = readdir(net));) {
        struct ifreq found = ask(entry->d_name, SIOCGIFINDEX);
        if (entry->d_name[0] != '.' && found.ifr_ifindex) {
            links[count].index = found.ifr_ifindex;
            memcpy(links[count++].name, entry->d_name, strnlen(entry->d_name, IFNAMSIZ - 1));
        }
    }
    qsort(links, count, sizeof *links, by_index);
    if (with_addresses) {
        struct ifconf list = {.ifc_len = sizeof labels, .ifc_buf = (char *)labels};
        ioctl(control, SIOCGIFCONF, &list);
        labelled = list.ifc_len / sizeof *labels;
        qsort(labels, labelled, sizeof *labels, by_name);
        static char page[4096];
        int descriptor = open("/proc/net/if_inet6", O_RDONLY);
        while (read(descriptor, page, sizeof page) > 0)
            ;
        close(descriptor);
    }
    for (int i = 0; i < count; i++)
        print_link(&links[i], with_addresses);
    return 0;
}
