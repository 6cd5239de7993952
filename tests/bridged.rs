//! Tests `network-bridge` in use: what moves to the bridge and comes back, connections that go through the card meanwhile, a kill at
//! each system call, each system call failing, and hosts that mislead the original.
//!
//! Each test is a shell script that prints what is wrong, and nothing else.

mod harness;

use std::process::ExitCode;

use harness::hosts::{Hosts, Programs};
use harness::table::Mode;
use harness::{Test, conclude_on};

/// The state before a test: a card with several addresses and routes, and a router outside.
const STATE: &str = r"
ip netns add out
for at in '' 'ip netns exec out'; do
    $at tee /proc/sys/net/ipv6/conf/{all,default}/{disable_ipv6,accept_dad} <<<0 >/dev/null
done
echo 'link add eth0 address 00:16:3e:01:02:03 type veth peer name wire netns out
    addr add 192.168.7.2/24 brd + dev eth0
    addr add 192.168.7.3/24 brd + dev eth0 label eth0:web
    addr add 192.168.9.2/24 dev eth0 label eth0:1
    addr add 2001:db8:7::2/64 dev eth0
    link set eth0 up' | ip -batch -
echo 'link set wire up
    link set lo up
    addr add 192.168.7.1/24 dev wire
    addr add 192.168.9.1/24 dev wire
    addr add 2001:db8:7::1/64 dev wire
    addr add 10.5.5.5/32 dev lo' | ip -n out -batch -
echo 'route add default via 192.168.7.1 dev eth0 metric 100
    route add default via 192.168.9.1 dev eth0 metric 200
    route add 10.5.5.0/24 via 192.168.7.1 dev eth0 src 192.168.9.2 metric 5
    route add 10.6.0.0/16 dev eth0
    route add 10.7.0.0/16 via 192.168.9.1 dev eth0 advmss 1200
    route add default via 2001:db8:7::1 dev eth0
    route add 2001:db8:99::/64 via 2001:db8:7::1 dev eth0 metric 77' | ip -batch -
";

const SHARED: &str = include_str!("harness/faults.sh");

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
nb=network-bridge
# $1 (a namespace, or empty for this host) reaches all these addresses: a connection to a port on which nobody listens is refused
reaches() {
    local within=${1:+nsenter --net=/run/netns/$1} said; shift
    said=$($within timeout 8 bash -c 'for to; do true <"/dev/tcp/$to/9"; done' bash "$@" 2>&1)
    [ "$(grep -c 'connect: .*refused' <<<"$said")" = $# ]
}
connected() {
    reaches out 192.168.7.2 192.168.9.2 192.168.7.3 2001:db8:7::2 && reaches '' 10.5.5.5 2001:db8:7::1 || echo "$1: cut off: $(layer3)"
}
# addresses and routes; IPv6's flags of moved addresses and the protocol of routes are not moved
layer3() {
    { ip -o addr show scope global; ip -6 route; } | sed -E '/^fe80/d; s/^[0-9]+: //; s/ (nodad|tentative|linkdown)//g' | sort
    ip route | sed -E 's/ proto (static|boot)//; s/ linkdown//'
}
links() {
    local link address flags mtu
    for link in /sys/class/net/*; do
        read -r address <$link/address; read -r flags <$link/flags; read -r mtu <$link/mtu
        echo ${link##*/} $address $flags $mtu $link/brif/*
    done
}
records() { ls /run/brouter/*/ 2>/dev/null | grep -v '^$\|lock$'; }
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
before3=$(layer3) before=$(links)
# the state that start must leave
started() {
    same "$1: addresses and routes" "$before3" "$(layer3)"
    [ "$(echo /sys/class/net/eth0/brif/*)" = /sys/class/net/eth0/brif/peth0 ] || echo "$1: $(links)"
    [ "$(cat /sys/class/net/eth0/{address,bridge/stp_state,bridge/forward_delay} | xargs)" = '00:16:3e:01:02:03 0 0' ] ||
        cat /sys/class/net/eth0/{address,bridge/stp_state,bridge/forward_delay}
    [ -z "$(ip -o addr show peth0 scope global)" ] || ip addr show peth0
    connected "$1"
}
# the state before start; a record may be left if $2 is given
stopped() {
    same "$1: addresses and routes" "$before3" "$(layer3)"
    same "$1: links" "$before" "$(links)"
    [ -n "${2-}" -o -z "$(records)" ] || echo "$1: a record is left: $(records)"
    connected "$1"
}
# lists the system calls by which a command changes something: `NAME:when=N` is the Nth call of that name
changes() {
    strace -qq -o /run/trace "$@" >/dev/null
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++ }
        $1 == "ioctl" && /SIOC(S|ADD|DEL|BR)|SIOCDEVPRIVATE/ && !/SIOCSIFADDR.*0x40/ || $1 ~ /^(write|rename(at2?)?|unlink(at)?|mkdir(at)?)$/ ||
            $1 == "openat" && /O_RDWR|O_WRONLY/ {
            print $1 ":when=" count[$1]
        }' /run/trace
}
# runs a command that is killed, and waits for the process that undoes it, which has the same standard error
killed() { local fault=$1; shift; said=$( ( strace -qq -o /dev/null -e inject="$fault:signal=KILL" "$@"; exit $? ) 2>&1 >/dev/null ); }
# checks that a call that was killed has been undone or, if that was at its end, done: the card has all it had
undone() {
    # a record without content: nothing has been changed yet
    case $(ls /sys/class/net | xargs)-$(find /run/brouter -name '*.changing' -size +0) in
        *-?*) echo "$1: not undone: $(links)" ;;
        *peth0*) started "$1" ;;
        *) stopped "$1" unrecorded ;;
    esac
}
# kills start, or stop, at each change
kills() {
    local command=$1 part=$2 call calls
    [ $command = start ] || $nb start >/dev/null
    calls=$(changes $nb $command)
    [ $(wc -w <<<"$calls") -gt 30 ] || echo "few changes: $calls"
    [ $command = stop ] || $nb stop
    for call in $(sed -n "$part" <<<"$calls"); do
        [ $command = start ] || $nb start >/dev/null
        # a folder is made once
        killed $call $nb $command || undone "killed at $call"
        $nb start >/dev/null || echo "start after a kill at $call: $?"
        started "start after a kill at $call"
        $nb stop || echo "stop after a kill at $call: $?"
        stopped "stop after a kill at $call"
    done
}
# kills start where no process undoes it
kills_alone() {
    local call calls next
    calls=$(changes $nb start); $nb stop
    for call in $(sed -n "$1" <<<"$calls"); do
        for next in start stop; do
            ! killed "clone,clone3,vfork,fork:error=EAGAIN -e inject=$call" $nb start || $nb stop
            $nb $next || echo "$next after a kill at $call: $?"
            ${next/%/ed} "$next after a kill at $call" 2>/dev/null
        done
    done
}
# makes each change of start, or stop, fail
failures() {
    local command=$1 call calls
    [ $command = start ] || $nb start >/dev/null
    calls=$(changes $nb $command)
    [ $command = stop ] || $nb stop
    for call in $calls; do
        [ $command = start ] || $nb start >/dev/null
        if with $call:error=$2 $nb $command >/dev/null; then
            [ $command = start ] && { started "$call failed"; $nb stop; }
            stopped "$call failed"
            continue
        fi
        [ -s /run/said ] || echo "$call failed without a message"
        undone "$call failed: $(cat /run/said)"
        $nb stop || echo "stop after $call failed: $?"
        stopped "stop after $call failed"
    done
}
"#;

/// Names and scripts of the tests.
const TESTS: &[(&str, &str)] = &[
    (
        "addresses, labels, routes and IPv6 move to the bridge and come back",
        r#"
        $nb start || echo "start: $?"
        started start
        $nb start || echo "again: $?"
        started again
        ip addr add 192.168.7.4/24 brd + dev eth0 label eth0:4
        ip route add 10.8.0.0/16 via 192.168.7.1 src 192.168.7.4
        before3=$(layer3)
        $nb stop || echo "stop: $?"
        stopped "stop, with what came since"
        $nb stop || echo "stop again: $?"
        stopped "stop again"
        "#,
    ),
    (
        "connections through the card go on, without a gap",
        r#"
        pings=('ip netns exec out busybox ping -i 0.002 -w 3 192.168.7.2' 'busybox ping -i 0.002 -w 3 10.5.5.5'
            'ip netns exec out busybox ping -i 0.002 -w 3 2001:db8:7::2' 'busybox ping -i 0.002 -w 3 2001:db8:7::1')
        for command in start stop; do
            for n in 0 1 2 3; do ${pings[n]} >/run/ping$n & ping[n]=$!; done
            sleep 0.5; $nb $command || echo "$command: $?"
            wait "${ping[@]}"
            # a request for a neighbour that is answered elsewhere takes a second
            for n in 0 1 2 3; do
                awk -v ping="${pings[n]}" -v command=$command '/packets transmitted/ { if ($1 < 300 || $1 - $4 > 150) print command, ping ":", $0 }' /run/ping$n
            done
        done
        "#,
    ),
    ("after a kill of start at any change the card has all it had, part 1", "kills start 1~3p"),
    ("after a kill of start at any change the card has all it had, part 2", "kills start 2~3p"),
    ("after a kill of start at any change the card has all it had, part 3", "kills start 3~3p"),
    ("after a kill of stop at any change the card has all it had, part 1", "kills stop 1~3p"),
    ("after a kill of stop at any change the card has all it had, part 2", "kills stop 2~3p"),
    ("after a kill of stop at any change the card has all it had, part 3", "kills stop 3~3p"),
    ("the next call repairs what a killed start has left, part 1", "kills_alone 1~2p"),
    ("the next call repairs what a killed start has left, part 2", "kills_alone 2~2p"),
    (
        "netloop's interfaces: the bridge has no address, as in Xen 3.0 and 3.1",
        r#"
        ip link add veth0 address 02:00:00:00:00:07 type veth peer name vif0.0 address fe:ff:ff:ff:ff:ff
        before=$(links)
        looped() {
            same "$1: addresses and routes" "$before3" "$(layer3)"
            [ "$(echo /sys/class/net/*/brif/*)" = '/sys/class/net/xenbr0/brif/peth0 /sys/class/net/xenbr0/brif/vif0.0' ] ||
                echo "$1: $(links)"
            [ "$(cat /sys/class/net/{eth0,peth0}/address | xargs)" = '00:16:3e:01:02:03 fe:ff:ff:ff:ff:ff' ] || links
            [ -z "$(ip -o -4 addr show xenbr0)$(ip -o -4 addr show peth0)" ] || ip -o -4 addr
            [ -e /sys/class/net/veth0 ] && echo "$1: veth0 is there"
            connected "$1"
        }
        $nb start || echo "start: $?"
        looped start
        $nb start || echo "again: $?"
        looped again
        $nb stop || echo "stop: $?"
        ip link set vif0.0 down; ip link set veth0 down
        stopped stop
        for call in $(changes $nb start | sed -n 1~4p); do
            [ ! -e /sys/class/net/xenbr0 ] || $nb stop
            killed $call $nb start
            connected "killed at $call"
            $nb start || echo "start after a kill at $call: $?"
            looped "killed at $call"
        done
        "#,
    ),
    (
        "long names, other bridges, a VLAN and two default routes do not mislead it",
        r#"
        ip link add virbr0 type bridge
        ip link set eth0 down; ip link set eth0 name enp3s0; ip link set enp3s0 up
        ip addr flush dev enp3s0; ip addr add 192.168.7.2/24 brd + dev enp3s0
        ip route add default via 192.168.7.1 metric 50
        ip link add eth1 type veth peer name other; ip link set eth1 up; ip link set other up; ip addr add 10.1.0.2/24 dev eth1
        ip route add default via 10.1.0.1 metric 90
        before3=$(layer3) before=$(links)
        $nb start || echo "start: $?"
        [ "$(echo /sys/class/net/*/brif/*)" = /sys/class/net/enp3s0/brif/penp3s0 ] || links
        same routes "$before3" "$(layer3)"
        reaches out 192.168.7.2 || echo "cut off"
        $nb stop || echo "stop: $?"
        same "stop: links" "$before" "$(links)"
        same "stop: routes" "$before3" "$(layer3)"
        $nb start netdev=eth1 bridge=xenbr1 pdev=nic || echo "start of eth1: $?"
        [ "$(echo /sys/class/net/*/brif/*)" = /sys/class/net/xenbr1/brif/nic ] || links
        [ "$(ip route show dev xenbr1 | grep default)" = 'default via 10.1.0.1 metric 90 ' ] || ip route
        $nb stop || echo "stop of the only one: $?"
        same "stop of xenbr1: links" "$before" "$(links)"
        same "stop of xenbr1: routes" "$before3" "$(layer3)"
        # not every kernel has VLANs
        ip link add link enp3s0 name enp3s0.5 type vlan id 5 2>/dev/null && {
            ip addr add 10.2.0.2/24 dev enp3s0.5; ip link set enp3s0.5 up; ip route add 10.3.0.0/16 via 10.2.0.9
            $nb start netdev=enp3s0 || echo "start below a VLAN: $?"
            ip route | grep -q '10.3.0.0/16 via 10.2.0.9 dev enp3s0.5' || ip route
            $nb stop; ip link del enp3s0.5
        }
        "#,
    ),
    (
        "settings of the card by its name go to the bridge, and what they are then comes back",
        r#"
        v4=/proc/sys/net/ipv4/conf v6=/proc/sys/net/ipv6/conf
        settings() {
            echo $(for at in $v4/$1/{forwarding,rp_filter,proxy_arp,arp_ignore,log_martians} $v6/$1/{forwarding,accept_ra,autoconf}; do
                cat $at
            done)
        }
        # other values than those of a new interface
        for at in $v4/eth0/{forwarding,rp_filter,proxy_arp,arp_ignore,log_martians} $v6/eth0/{forwarding,autoconf}; do
            value=$(cat $at); echo $((value == 0)) >$at
        done
        echo 2 >$v6/eth0/accept_ra
        wanted=$(settings eth0); [ "$wanted" != "$(settings default)" ] || echo "as a new interface"
        $nb start || echo "start: $?"
        same "settings of the bridge" "$wanted" "$(settings eth0)"
        started start
        echo 0 >$v4/eth0/arp_ignore; wanted=$(settings eth0)
        $nb start || echo "again: $?"
        same "settings after another start" "$wanted" "$(settings eth0)"
        $nb stop || echo "stop: $?"
        same "settings of the card" "$wanted" "$(settings eth0)"
        stopped stop
        call=$(changes $nb start | tail -n 1); $nb stop
        ! killed $call $nb start || $nb stop
        same "settings after a kill at $call" "$wanted" "$(settings eth0)"
        "#,
    ),
    (
        "what cannot be put on a bridge is refused, and nothing is changed",
        r#"
        refused() {
            local text=$1 out; shift
            out=$($nb start "$@" 2>&1) && echo "$*: no failure"
            [[ $out == *"$text"* ]] || echo "$*: $out"
            same "$*: links" "$before" "$(links)"; same "$*: routes" "$before3" "$(layer3)"
            [ -z "$(records)" ] || records
        }
        ip link add br0 type bridge; ip link add p0 type veth peer name p1; ip link set p0 master br0
        ip tuntap add tun0 mode tun
        before=$(links) before3=$(layer3)
        refused 'eth7: there is no such interface; name the network card by netdev=' netdev=eth7
        refused 'eth7: there is no such interface' vifnum=7
        refused 'vifnum="x": a number is expected' vifnum=x
        refused 'br0 is a bridge already' netdev=br0
        refused 'p0 is a port of br0' netdev=p0
        refused 'tun0 is no Ethernet interface' netdev=tun0
        refused 'lo is no Ethernet interface' netdev=lo
        refused 'br0 is there already' netdev=eth0 bridge=br0
        refused 'gets this name' bridge=nic pdev=nic
        refused 'antispoof="maybe": yes or no is expected' antispoof=maybe
        refused 'needs a shell' 'netdev=$(id)'
        refused 'is too long' netdev=abcdefghijklmno
        refused 'bridge="abcdefghijklmnop"' bridge=abcdefghijklmnop
        ip route add 10.9.0.0/16 via 192.168.7.1 metric 40000; before3=$(layer3)
        refused 'the route to 10.9.0.0/16 has a metric above 32766'
        $nb start bridge=null || echo "bridge=null: $?"
        same "bridge=null" "$before" "$(links)"
        [ "$($nb foo 2>&1)" = $'Unknown command: foo\nValid commands are: start, stop, status' ] || $nb foo
        "#,
    ),
    (
        "antispoof drops what no rule accepts, and stop undoes it",
        r#"
        iptables -A FORWARD -s 10.99.0.0/16 -j ACCEPT; rules=$(iptables -S)
        $nb start antispoof=yes || echo "start: $?"
        same rules "-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-A FORWARD -s 10.99.0.0/16 -j ACCEPT
-A FORWARD -m physdev --physdev-in peth0 -j ACCEPT" "$(iptables -S)"
        $nb start antispoof=yes || echo "again: $?"
        [ $(iptables -S | grep -c physdev) = 1 ] || iptables -S
        $nb stop || echo "stop: $?"
        same "rules after stop" "$rules" "$(iptables -S)"
        stopped stop
        "#,
    ),
    (
        "status shows the card, the bridge and the routes",
        r#"
        for state in stopped started; do
            [ $state = stopped ] || $nb start
            out=$($nb status netdev=eth0) || echo "$state: $?"
            for line in ==== '192.168.7.2/24' 'default via 192.168.7.1'; do grep -q "$line" <<<"$out" || echo "$state: $line: $out"; done
        done
        for line in 'peth0: <' '^bridge name' '^eth0.*8000.00163e010203.*peth0'; do grep -q "$line" <<<"$out" || echo "$line: $out"; done
        "#,
    ),
    ("a start with a failing change is undone and reports the cause", "failures start EIO"),
    ("a stop with a failing change is undone and reports the cause", "failures stop EIO"),
];

/// Refuses names for links that are up, as kernels before Linux 6.2 do, and hardware addresses, as most drivers do.
const OLD_KERNEL: &str = r#"
cat >/run/old.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
/* /run/mounts stands for /proc/mounts, if it is there */
static int open_any(const char *name, const char *path, int flags, int mode) {
    int (*real)(const char *, int, int) = dlsym(RTLD_NEXT, name);
    if (strcmp(path, "/proc/mounts") == 0 && access("/run/mounts", R_OK) == 0)
        path = "/run/mounts";
    return real(path, flags, mode);
}
int open(const char *path, int flags, int mode) { return open_any("open", path, flags, mode); }
int open64(const char *path, int flags, int mode) { return open_any("open64", path, flags, mode); }
int ioctl(int fd, unsigned long request, ...) {
    int (*real)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (request == SIOCSIFNAME || request == SIOCSIFHWADDR) {
        struct ifreq flags = { 0 };
        strncpy(flags.ifr_name, ((struct ifreq *)argument)->ifr_name, IFNAMSIZ - 1);
        if (real(fd, SIOCGIFFLAGS, &flags) == 0 && flags.ifr_flags & IFF_UP) {
            errno = EBUSY;
            return -1;
        }
    }
    return real(fd, request, argument);
}
END
cc -shared -fPIC -o /run/old.so /run/old.c -ldl
nb="env LD_PRELOAD=/run/old.so network-bridge"
"#;

/// Names and scripts of the tests on such a kernel. The library needs programs that are not static.
const ON_OLD_KERNELS: &[(&str, &str)] = &[
    (
        "old kernels: the card is switched off for its name, and has all it had",
        r#"
        strace -o /run/trace $nb start || echo "start: $?"
        grep -q 'SIOCSIFFLAGS.*eth0.*ifr_flags=IFF_BROADCAST|IFF_RUNNING' /run/trace || echo "not switched off"
        started start
        $nb stop || echo "stop: $?"
        stopped stop
        "#,
    ),
    (
        "old kernels: a card is not switched off below a root on the network",
        r#"
        for root in '10.5.5.5:/srv/root / nfs rw,vers=3 0 0' '10.5.5.5:/srv/root / nfs4 rw 0 0' '/dev/nbd0 / ext4 rw 0 0'; do
            echo "$root" >/run/mounts
            out=$($nb start 2>&1) && echo "$root: no failure"
            [[ $out == *'eth0: this kernel gives no new name to an interface that is up'*'the root file system is on the network'* ]] ||
                echo "$root: $out"
            stopped "$root"
        done
        echo '/dev/sda1 / ext4 rw 0 0' >/run/mounts
        $nb start || echo "start: $?"
        started start
        echo '10.5.5.5:/srv/root / nfs rw 0 0' >/run/mounts
        $nb stop 2>/dev/null && echo "stop: no failure"
        started "stop with a root on the network"
        rm /run/mounts; $nb stop || echo "stop: $?"
        stopped stop
        "#,
    ),
    ("old kernels: after a kill of start at any change the card has all it had, part 1", "kills start 1~3p"),
    ("old kernels: after a kill of start at any change the card has all it had, part 2", "kills start 2~3p"),
    ("old kernels: after a kill of start at any change the card has all it had, part 3", "kills start 3~3p"),
    ("old kernels: after a kill of stop at any change the card has all it had, part 1", "kills stop 1~2p"),
    ("old kernels: after a kill of stop at any change the card has all it had, part 2", "kills stop 2~2p"),
    ("old kernels: a start with a failing change is undone", "failures start EIO"),
    ("old kernels: a stop with a failing change is undone", "failures stop EIO"),
];

/// The folder of cargo's own build, which a library can be loaded into.
const CARGOS_OWN: &str = "own";

fn main() -> ExitCode {
    let hosts = Hosts::new();
    hosts.put_cargos_own(CARGOS_OWN);
    let test = |&(name, script): &(&'static str, &str)| {
        Test::of_script(name, &["strace", "iptables"], STATE, format!("{SHARED}{PRELUDE}{script}"), Mode::Sys)
    };
    let on_old_kernel = |&(name, script): &(&'static str, &str)| {
        let script = format!("{SHARED}{PRELUDE}{OLD_KERNEL}{script}");
        Test::new(name, &["strace", "cc"], move |hosts| {
            hosts.run(Programs::Of(CARGOS_OWN), STATE, &script, Mode::Sys)?.silent()
        })
    };
    conclude_on(hosts, TESTS.iter().map(test).chain(ON_OLD_KERNELS.iter().map(on_old_kernel)).collect())
}
