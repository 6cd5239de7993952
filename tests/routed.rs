//! Tests `vif-route` and `vif-nat` in use: what a routed guest reaches and who reaches it, a kill at each system call, each system call
//! failing, calls that are repeated, crossed or many at once.
//!
//! Each test is a shell script on a host with a real xenstored. It prints what is wrong, and nothing else.

mod harness;

use std::process::ExitCode;

use harness::hosts::STATIC;
use harness::table::Mode;
use harness::{Test, conclude};

/// The state before a test: a guest behind an interface as netback creates it, and a neighbour outside in the same network.
const STATE: &str = r"
xenstored
export vif=vif1.0 XENBUS_PATH=/local/domain/0/backend/vif/1/0
xenstore-write $XENBUS_PATH/ip 192.168.7.50
ip netns add guest
ip netns add neighbour
echo 'link add eth0 address 02:00:00:00:07:02 type veth peer name eth0 netns neighbour
    link set eth0 up
    addr add 192.168.7.2/24 brd + dev eth0
    link add vif1.0 address fe:ff:ff:ff:ff:ff type veth peer name eth0 address 00:16:3e:00:00:01 netns guest' | ip -batch -
echo 'link set eth0 up
    link set lo up
    addr add 192.168.7.9/24 dev eth0' | ip -n neighbour -batch -
echo 'link set eth0 up
    link set lo up
    addr add 192.168.7.50/24 dev eth0
    route add default via 192.168.7.2' | ip -n guest -batch -
export xenstored_pid xen
";

const SHARED: &str = include_str!("harness/faults.sh");

/// Shell functions about routes.
const PRELUDE: &str = r#"
# $1 (a namespace, or empty for this host) can reach $2: a connection to a port on which nobody listens is refused
reaches() { ${1:+ip netns exec $1} timeout ${3-0.7} bash -c "</dev/tcp/$2/9" 2>&1 | grep -q refused; }
script=vif-route
# what the scripts change
conf() { grep -s '' /proc/sys/net/ipv4/conf/{eth0,vif1.0,guest0}/{proxy_arp,rp_filter,forwarding}; }
state() {
    local name=vif1.0
    [ ! -e /sys/class/net/guest0 ] || name=guest0
    ip -o addr show $name | sed 's/^[0-9]*//'
    cat /sys/class/net/$name/{flags,mtu,address}
    ip route; ip -6 route show dev $name; conf
    grep ' 0xc ' /proc/net/arp
}
# prints what differs from the state that online must leave
online() {
    case $(ip route show dev ${1-vif1.0}) in
        '192.168.7.50 scope link src 192.168.7.2 metric 2 ') ;;
        *) echo "$2: routes: $(ip route show dev ${1-vif1.0})" ;;
    esac
    case $(cat /sys/class/net/${1-vif1.0}/flags) in *[13579bdf]) ;; *) echo "$2: not up" ;; esac
    [ "$(key hotplug-status)" = connected ] || echo "$2: hotplug-status is $(key hotplug-status)"
    grep -q '^192.168.7.50 .* 0xc .* eth0' /proc/net/arp || echo "$2: not published"
    [ $(ip -o -4 addr show ${1-vif1.0} | wc -l) = 1 ] || ip addr show ${1-vif1.0}
}
offline() {
    [ -z "$(ip route show dev vif1.0 2>/dev/null)" ] || echo "$1: routes: $(ip route show dev vif1.0)"
    ! grep -q '^192.168.7.50 .* 0xc ' /proc/net/arp || echo "$1: still published"
}
# the state before a call: forwarding off everywhere
reset() {
    vif-route offline
    [ ! -e /sys/class/net/guest0 ] || { ip link set guest0 down; ip link set guest0 name vif1.0; }
    ip link set vif1.0 down; ip addr flush dev vif1.0
    tee /proc/sys/net/ipv4/conf/{eth0,vif1.0}/forwarding /proc/sys/net/ipv4/conf/vif1.0/{proxy_arp,rp_filter} <<<0 >/dev/null
    rm -f $log; xenstore-rm $XENBUS_PATH/hotplug-status 2>/dev/null; xenstore-rm $XENBUS_PATH/hotplug-error 2>/dev/null
}
# online with each of its system calls failing with errno $1: the old state and a message, or success
online_faults() {
    local call calls name=vif1.0 before
    [ -z "$(key vifname)" ] || name=guest0
    reset; before=$(state)
    calls=$(calls $script online | grep -E "$failing")
    [ $(wc -w <<<"$calls") -gt 35 ] || echo "calls: $calls"
    for call in $calls; do
        reset
        # some calls are not essential
        if with $call:error=$1 $script online; then online $name "$call"; continue; fi
        [ -s $log -o -s /run/said ] || echo "$call failed without a message"
        [ "$(key hotplug-status)" = error ] || echo "$call failed, and hotplug-status is $(key hotplug-status): $(cat $log)"
        got=$(state); [ "$got" = "$before" ] || echo "$call failed and left $(diff <(echo "$before") <(echo "$got")); $(cat $log)"
    done
}
# offline with each of its system calls failing with errno $1: nothing left, or a message, and the next offline succeeds
offline_faults() {
    local call calls
    vif-route online; calls=$(calls $script offline | grep -E "$failing")
    [ $(wc -w <<<"$calls") -gt 12 ] || echo "calls: $calls"
    for call in $calls; do
        vif-route online; rm -f $log
        if with $call:error=$1 $script offline; then offline "$call"; continue; fi
        [ -s $log -o -s /run/said ] || echo "$call failed without a message"
        vif-route offline || echo "offline after $call: $(tail -1 $log)"
        offline "offline after $call"
    done
}
"#;

/// The same functions for vif-nat: the guest has 10.7.0.5, and this host 10.7.0.132 beside it.
const NAT: &str = r#"
xenstore-write $XENBUS_PATH/ip 10.7.0.5
vif-route() { command vif-nat "$@"; }
script=vif-nat
online() {
    case $(ip route show dev ${1-vif1.0}) in
        '10.7.0.5 scope link src 10.7.0.132 ') ;;
        *) echo "$2: routes: $(ip route show dev ${1-vif1.0})" ;;
    esac
    case $(cat /sys/class/net/${1-vif1.0}/flags) in *[13579bdf]) ;; *) echo "$2: not up" ;; esac
    [ "$(key hotplug-status)" = connected ] || echo "$2: hotplug-status is $(key hotplug-status)"
    [ $(ip -o -4 addr show ${1-vif1.0} | wc -l) = 1 ] || ip addr show ${1-vif1.0}
}
offline() {
    case $(cat /sys/class/net/vif1.0/flags 2>/dev/null) in *[13579bdf]) echo "$1: still up" ;; esac
    [ -z "$(ip route show dev vif1.0 2>/dev/null)" ] || echo "$1: routes: $(ip route show dev vif1.0)"
}
"#;

/// Names and scripts of the tests of vif-nat.
const NAT_TESTS: [(&str, &str); 8] = [
    (
        "vif-nat: a guest reaches this host, its router, and the outside if that is masqueraded",
        r#"
        ip netns exec guest sh -c 'ip addr flush dev eth0; ip addr add 10.7.0.5/16 dev eth0; ip route add default via 10.7.0.132'
        vif-nat online || cat $log
        online vif1.0 online
        reaches '' 10.7.0.5 3 || echo "the guest is not reachable"
        reaches guest 10.7.0.132 3 || echo "this host is not reachable"
        reaches guest 192.168.7.9 && echo "the outside is reachable without masquerading"
        network-nat start netdev=eth0 || echo "network-nat: $?"
        reaches guest 192.168.7.9 3 || echo "the outside is not reachable"
        network-nat stop || echo "network-nat: $?"
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || echo "forwarding is on"
        reaches guest 192.168.7.9 && echo "the outside is still reachable"
        vif-nat offline || cat $log
        offline offline
        "#,
    ),
    (
        "vif-nat: 64 interfaces at once",
        r#"
        for n in {1..64}; do echo "link add vif9.$n type veth peer name h$n"; echo "link set h$n up"; done | ip -batch -
        for n in {1..64}; do
            xenstore-write backend/vif/9/$n/ip 10.8.$n.5
            vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-nat online & hooks[n]=$!
        done
        for n in {1..64}; do wait ${hooks[n]} || echo "online $n failed: $(cat $log)"; done
        for n in {1..64}; do
            [ "$(ip route show dev vif9.$n)" = "10.8.$n.5 scope link src 10.8.$n.132 " ] || ip route show dev vif9.$n
        done
        for n in {1..64}; do vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-nat offline & hooks[n]=$!; done
        for n in {1..64}; do wait ${hooks[n]} || echo "offline $n failed: $(cat $log)"; done
        ip route | grep vif9; ls /run/xen-hotplug
        "#,
    ),
    (
        "vif-nat: online and offline at the same time leave all or nothing",
        r#"
        for round in {1..20}; do
            vif-nat online & one=$!
            vif-nat offline & other=$!
            wait $one || echo "online failed: $(cat $log)"
            wait $other || echo "offline failed: $(cat $log)"
            case $(cat /sys/class/net/vif1.0/flags) in *[13579bdf]) up=1 ;; *) up=0 ;; esac
            routes=$(ip route show dev vif1.0 | wc -l)
            [ $routes = $up ] || echo "round $round: $routes routes, up: $up"
        done
        vif-nat online; online vif1.0 'in the end'
        "#,
    ),
    (
        "vif-nat: after a kill at any system call of online, online completes it and offline removes it",
        r#"
        reset; calls=$(calls vif-nat online)
        [ $(wc -w <<<"$calls") -gt 40 ] || echo "calls: $calls"
        for call in $calls; do
            for next in online offline; do
                reset
                with $call:signal=KILL vif-nat online
                vif-nat $next || echo "$next after a kill at $call: $(tail -1 $log)"
                $next ${next/on*/vif1.0} "killed at $call" 2>/dev/null
            done
        done
        "#,
    ),
    (
        "vif-nat: online with any failing system call restores everything and reports the cause, EIO",
        "online_faults EIO",
    ),
    (
        "vif-nat: online with any failing system call restores everything and reports the cause, EMFILE",
        "online_faults EMFILE",
    ),
    (
        "vif-nat: online with any failing system call restores a renamed interface, EPERM",
        "xenstore-write $XENBUS_PATH/vifname guest0; online_faults EPERM",
    ),
    (
        "vif-nat: offline with any failing system call switches the interface off or reports the cause",
        "for errno in EIO EPERM; do offline_faults $errno; done",
    ),
];

/// Names and scripts of the tests of vif-route.
const TESTS: [(&str, &str); 15] = [
    (
        "a guest reaches a neighbour outside, and is reached, without any setting by hand",
        r#"
        vif-route online || cat $log
        online vif1.0 online
        for way in ' 192.168.7.50' 'guest 192.168.7.2' 'guest 192.168.7.9' 'neighbour 192.168.7.50'; do
            reaches "${way% *}" ${way#* } 3 || echo "$way is not reachable"
        done
        # no other address is answered for
        reaches neighbour 192.168.7.51 && echo "192.168.7.51 is reachable"
        ip -n neighbour neigh | grep -q '192.168.7.51.*lladdr' && ip -n neighbour neigh
        vif-route offline || cat $log
        offline offline
        ip -n neighbour neigh flush all
        reaches neighbour 192.168.7.50 && echo "still reachable"
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || echo "the whole host forwards"
        "#,
    ),
    (
        "with reach=none the guest is reached from this host only",
        r#"
        vif-route online reach=none || cat $log
        reaches '' 192.168.7.50 3 || echo "not reachable"
        reaches neighbour 192.168.7.50 && echo "reachable from outside"
        grep ' 0xc ' /proc/net/arp
        grep -q 1 /proc/sys/net/ipv4/conf/{eth0,vif1.0}/forwarding && echo "forwards"
        "#,
    ),
    (
        "what a guest sends from another address is dropped, unless antispoof=no",
        r#"
        ip -n guest addr add 192.168.7.77/32 dev eth0
        ip -n guest route add 192.168.7.2 dev eth0 src 192.168.7.77
        # the answer finds its way
        ip route add 192.168.7.77 dev eth0
        ip -n neighbour route add 192.168.7.77 via 192.168.7.2
        vif-route online || cat $log
        reaches guest 192.168.7.2 && echo "a foreign source gets through"
        reaches guest 192.168.7.9 3 || echo "an honest one does not"
        vif-route offline; ip route del 192.168.7.77; ip link set vif1.0 down; echo 0 >/proc/sys/net/ipv4/conf/vif1.0/rp_filter
        xenstore-write $XENBUS_PATH/ip '192.168.7.50 192.168.7.77'
        vif-route online || cat $log
        reaches guest 192.168.7.2 3 || echo "an address of its own does not get through"
        "#,
    ),
    (
        "an IPv6 network is routed to a guest",
        r#"
        tee /proc/sys/net/ipv6/conf/{lo,vif1.0}/{disable_ipv6,accept_dad} <<<0 >/dev/null
        ip netns exec guest tee /proc/sys/net/ipv6/conf/{lo,eth0}/{disable_ipv6,accept_dad} <<<0 >/dev/null
        ip -n guest addr add fd00::50/128 dev eth0
        ip -n guest route add default via fe80::fcff:ffff:feff:ffff dev eth0
        xenstore-write $XENBUS_PATH/ip '192.168.7.50 fd00::50'
        ip addr add fd00::1/128 dev lo
        vif-route online || cat $log
        for n in {1..100}; do ip addr show vif1.0 | grep -q 'fe80.*tentative' || break; sleep 0.05; done
        reaches '' fd00::50 5 || { ip -6 route; ip -6 addr; echo "not reachable"; }
        reaches guest fd00::1 5 || echo "this host is not reachable"
        vif-route offline || cat $log
        ip -6 route | grep fd00::50
        "#,
    ),
    (
        "executables in vif-post.d are run, and what the originals read is not",
        r#"
        cp -a /etc /run/etc; mount --bind /run/etc /etc
        hooks=/etc/xen/scripts/vif-post.d; mkdir -p $hooks
        hook() { printf '#!/bin/sh\n%s\n' "$2" >"$hooks/$1"; chmod ${3-755} "$hooks/$1"; }
        hook 10-mine 'env | sort >/run/hook.$command; echo said; echo so >&2'
        hook 20-last 'echo $command >>/run/order'
        hook 15-first 'echo first >>/run/order'
        for bad in old.hook '.hidden' 'a b' '30-backup~'; do hook "$bad" 'echo bad >>/run/order'; done
        hook 40-off 'echo off >>/run/order' 644
        vif-route online || cat $log
        online vif1.0 online
        wanted="PATH=$(sed -n 's/^PATH=//p' /run/hook.online)
PWD=$PWD
XENBUS_PATH=$XENBUS_PATH
command=online
dev=vif1.0
ip=192.168.7.50
main_ip=192.168.7.2
type_if=vif
vif=vif1.0"
        [ "$(grep -v '^_=' /run/hook.online)" = "$wanted" ] || diff <(echo "$wanted") /run/hook.online
        [ "$(cat /run/order)" = $'first\nonline' ] || cat /run/order
        grep -q "^vif-route: $hooks/10-mine: said.so" $log || cat $log
        grep -q "$hooks: hooks are parts of a shell script, and are not run" $log || cat $log
        vif-route offline || cat $log
        grep -q dev=vif1.0 /run/hook.offline || cat /run/hook.offline
        # one that fails
        reset; before=$(state)
        hook 12-bad 'exit 3'
        vif-route online && echo "no failure"
        [ "$(key hotplug-error)" = "$hooks/12-bad: exit status: 3" ] || key hotplug-error
        [ "$(state)" = "$before" ] || diff <(echo "$before") <(state)
        "#,
    ),
    (
        "the routes stay when this host's own network is started again",
        r#"
        vif-route online || cat $log
        ip link set eth0 down; ip addr flush dev eth0; ip addr add 192.168.7.2/24 brd + dev eth0; ip link set eth0 up
        # what eth0 published went with it: an online brings it back
        vif-route online || cat $log
        online vif1.0 again
        reaches neighbour 192.168.7.50 5 || echo "not reachable"
        "#,
    ),
    (
        "the same address for two guests at once is an error for one of them",
        r#"
        for round in {1..10}; do
            ip link add vif2.0 type veth peer name h2
            export other=backend/vif/2/0
            xenstore-write $other/ip 192.168.7.50
            vif-route online & one=$!
            vif=vif2.0 XENBUS_PATH=$other vif-route online & two=$!
            ended=; wait $one && ended+=1; wait $two && ended+=2
            case $ended in 1 | 2) ;; *) echo "round $round: connected: '$ended'" ;; esac
            [ "$(ip route show 192.168.7.50 | wc -l)" = 1 ] || ip route
            [ $ended = 1 ] && loser=$other || loser=$XENBUS_PATH
            case "$(xenstore-read $loser/hotplug-error)" in '192.168.7.50/32 is routed over vif'*) ;; *) xenstore-ls ;; esac
            vif-route offline; vif=vif2.0 XENBUS_PATH=$other vif-route offline
            ip link del vif2.0; xenstore-rm $other; reset
        done
        "#,
    ),
    (
        "an address stays published if another interface of the guest has taken it over",
        r#"
        vif-route online || cat $log
        ip link add vif2.0 type veth peer name h2
        ip link del vif1.0
        xenstore-write backend/vif/2/0/ip 192.168.7.50
        vif=vif2.0 XENBUS_PATH=backend/vif/2/0 vif-route online || cat $log
        vif-route offline || cat $log
        grep -q '^192.168.7.50 .* 0xc .* eth0' /proc/net/arp || echo "not published"
        "#,
    ),
    (
        "64 interfaces at once",
        r#"
        for n in {1..64}; do echo "link add vif9.$n type veth peer name h$n"; echo "link set h$n up"; done | ip -batch -
        for n in {1..64}; do
            xenstore-write backend/vif/9/$n/ip 192.168.7.1$((n + 30))
            vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-route online & hooks[n]=$!
        done
        for n in {1..64}; do wait ${hooks[n]} || echo "online $n failed: $(cat $log)"; done
        for n in {1..64}; do
            [ "$(ip route show dev vif9.$n)" = "192.168.7.1$((n + 30)) scope link src 192.168.7.2 metric 2 " ] || ip route show dev vif9.$n
        done
        [ "$(grep -c ' 0xc ' /proc/net/arp)" = 64 ] || cat /proc/net/arp
        for n in {1..64}; do vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-route offline & hooks[n]=$!; done
        for n in {1..64}; do wait ${hooks[n]} || echo "offline $n failed: $(cat $log)"; done
        ip route | grep vif9; grep ' 0xc ' /proc/net/arp; ls /run/xen-hotplug
        "#,
    ),
    (
        "online and offline at the same time leave all or nothing",
        r#"
        for round in {1..20}; do
            vif-route online & one=$!
            vif-route offline & other=$!
            wait $one || echo "online failed: $(cat $log)"
            wait $other || echo "offline failed: $(cat $log)"
            routes=$(ip route show dev vif1.0 | wc -l) published=$(grep -c ' 0xc ' /proc/net/arp)
            [ $routes = $published ] || echo "round $round: $routes routes, $published published"
        done
        vif-route online; online vif1.0 'in the end'
        "#,
    ),
    (
        "after a kill at any system call of online, online completes it and offline removes it",
        r#"
        reset; calls=$(calls vif-route online)
        for call in $calls; do
            for next in online offline; do
                reset
                with $call:signal=KILL vif-route online
                vif-route $next || echo "$next after a kill at $call: $(tail -1 $log)"
                $next ${next/on*/vif1.0} "killed at $call" 2>/dev/null
            done
        done
        "#,
    ),
    ("online with any failing system call restores everything and reports the cause, EIO", "online_faults EIO"),
    ("online with any failing system call restores everything and reports the cause, EMFILE", "online_faults EMFILE"),
    (
        "online with any failing system call restores a renamed interface, EPERM",
        "xenstore-write $XENBUS_PATH/vifname guest0; online_faults EPERM",
    ),
    (
        "offline with any failing system call takes the routes away or reports the cause",
        "for errno in EIO EPERM; do offline_faults $errno; done",
    ),
];

/// The script of "few system calls and no child process", for static programs: a dynamic linker makes more calls.
const FEW_CALLS: &str = r#"
    for command in online offline; do
        strace -f -qq -o /run/trace vif-route $command || echo "$command failed"
        count=$(grep -c '(' /run/trace)
        [ $count -lt 120 ] || echo "$command: $count system calls"
        grep -E 'fork|clone|AF_NETLINK' /run/trace
        [ $command = offline ] || online vif1.0 traced
    done
    "#;

fn main() -> ExitCode {
    let test = |name, script: &str, needs: &[&str]| {
        let script = format!("{SHARED}{PRELUDE}{script}");
        Test::of_script(name, &[&["xen", "strace"], needs].concat(), STATE, script, Mode::Sys)
    };
    let mut tests: Vec<Test> = TESTS.into_iter().map(|(name, script)| test(name, script, &[])).collect();
    tests.extend(NAT_TESTS.into_iter().map(|(name, script)| test(name, &[NAT, script].concat(), &["iptables"])));
    tests.push(test("few system calls and no child process", FEW_CALLS, &[STATIC]));
    conclude(tests)
}
