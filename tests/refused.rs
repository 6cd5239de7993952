//! Tests every command of `ip` and `brctl` that changes something while its system calls fail, one at a time; and that no count
//! which a system call returns is believed beyond the buffer that the call was given.
//!
//! A failed command must print why, and leave the state from before; or print what is left; or leave a state that the original can
//! leave as well. brctl attaches one port after the other, and the kernel sets one value of a netlink request after the other: what
//! was done before the failure stays. Such states are listed with the command, as commands of the original that make them.
//!
//! strace injects the failures. Each test is a shell script that prints what is wrong, and nothing else.

mod harness;

use std::process::ExitCode;

use harness::table::Mode;
use harness::{Test, conclude};

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
original=/usr/sbin:/usr/bin:/sbin:/bin
links='link set lo up
link add b0 address 02:00:00:00:00:01 type bridge forward_delay 0
link add b1 address 02:00:00:00:00:02 type bridge forward_delay 0'
for n in 1 2 3 4 5; do links+="
link add v$n address 02:00:00:00:01:0$n type veth peer name p$n address 02:00:00:00:02:0$n"; done
echo "$links
link set v4 master b0
link set v5 master b0
link set b0 up
link set b1 up
addr add 10.1.0.1/24 brd + dev b0
addr add 10.1.0.2/24 dev b0 label b0:0
addr add 10.3.0.1/24 dev b0 label b0:1
route add 10.7.0.0/16 via 10.1.0.9
route add 10.7.0.0/16 via 10.1.0.9 metric 5
addr add 10.4.0.1/24 dev b1
route add 10.9.0.0/16 dev b1 src 10.1.0.2
tuntap add t0 mode tap" >/run/batch
echo 'addr add fd00::1/64 dev b1 nodad
route add fd08::/64 via fd00::9
route add fd08::/64 via fd00::9 metric 9
route add prohibit fd07::/64' >/run/batch6
setup() {
    mount -t sysfs sysfs /sys
    PATH=$original
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    ip -batch /run/batch
    echo 0 >/proc/sys/net/ipv6/conf/b1/accept_dad
    echo 1 >/proc/sys/net/ipv6/conf/b1/addr_gen_mode
    echo 0 >/proc/sys/net/ipv6/conf/b1/disable_ipv6
    ip -6 -batch /run/batch6
    PATH=$programs:$original
}
# the state of the host without what changes by itself
look() (
    PATH=$original
    ip -o -batch - <<<$'link\naddr\nneigh\nroute show table all\ntuntap' | sed -E '/ table local /d
        s/NO-CARRIER,|,LOWER_UP| state [A-Z]+| tentative//g; s/@if?[^:]*:/:/; s/qdisc [a-z_]+//
        s#ether (0[^2]|[^0].|02:[^0].|02:0[^0])[0-9a-f:]*#random#'
    cd /sys/class/net
    grep -sH '' */bridge/{stp_state,priority,ageing_time,hello_time,max_age,forward_delay,group_fwd_mask} \
        */brport/{path_cost,priority,hairpin_mode,isolated,learning}
)
programs=$(dirname "$(command -v brctl)")
# runs a command line in a namespace of its own, and prints the state that it leaves; on the originals if $2 is their PATH
leaves() { unshare -n -m bash -c "setup; PATH=${2-$programs:$original}; $1 >/dev/null; look"; }
# the system calls of a command line once it is loaded: `NAME:when=N` is the Nth call of that name
calls() {
    unshare -n -m bash -c "setup; exec strace -qq -o /run/trace $1" >/dev/null 2>&1
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++; if ($1 ~ /^(access|faccessat2?|socket|uname)$/ && !/ld.so/) loaded = 1
        if (loaded && $1 ~ /^('"$2"')$/) print $1 ":when=" count[$1] }' /run/trace
}
checked='open|openat|read|write|ioctl|socket|stat|newfstatat|readlink|readlinkat|getdents64|connect|bind|getsockname|setsockopt'
# Runs `command` once with each fault, and prints what `wrong` says of it. Faults that leave the host as it was share a namespace,
# for a new one takes longer than all the rest. What is wrong in a namespace that has been used is tried again in a new one.
try() {
    [ $# -gt 0 ] || echo "no calls: $(</run/trace)"
    export command
    printf '%s\n' "$@" >/run/faults
    while :; do
        unshare -n -m bash -c 'setup; share' 2>/run/noise
        case $? in 0) ;; 7) break ;; *) echo "no namespace: $(</run/noise)"; break ;; esac
    done 3</run/faults
}
share() {
    local fault found used=
    while read -r fault <&3; do
        found=$(attempt $fault 3<&-)
        [ -z "$found" ] || [ -z "$used" ] || found=$(unshare -n -m bash -c "setup; attempt $fault" 3<&-)
        [ -z "$found" ] || echo "$found"
        cmp -s /run/before /run/after || exit 0
        used=yes
    done
    exit 7
}
attempt() {
    strace -qq -o /dev/null -e inject=$1 $command >/run/out 2>/run/said
    local status=$?
    look >/run/after
    wrong $status $1
}
# $1 fails at each of its system calls, one at a time; the other words make the states that it may leave
refused() {
    local states n
    command=$1; shift
    leaves : >/run/before; leaves "$command" >/run/wanted
    ! cmp -s /run/before /run/wanted || echo "$command changes nothing"
    for states; do leaves "$states" $original >/run/allowed.$((++n)); done
    wrong() {
        case $1 in
            0) cmp -s /run/wanted /run/after || { echo "success at $2:"; diff /run/wanted /run/after; } ;;
            1|2|255)
                [ -s /run/said ] || echo "no message at $2"
                ! grep -q ' is left$' /run/said || return
                for states in /run/{before,wanted,allowed.*}; do cmp -s $states /run/after && return; done
                echo "left at $2: $(</run/said)"; diff /run/before /run/after ;;
            *) echo "status $1 at $2: $(</run/said)" ;;
        esac
    }
    export -f wrong
    try $(calls "$command" "$checked" | sed 's/$/:error=EIO/; /^ioctl/ { p; s/EIO/EPERM/ }')
}
# $1 is killed at each of its system calls, and run again
killed() {
    local wanted=$(leaves "$1") fault
    for fault in $(calls "$1" "$checked"); do
        unshare -n -m bash -c "setup; (strace -qq -o /dev/null -e inject=$fault:signal=KILL $1) >/run/said 2>&1; $1; look >/run/after" 2>/dev/null
        [ "$(</run/after)" = "$wanted" ] || { echo "killed at $fault:"; diff <(echo "$wanted") /run/after; }
    done
}
# $1 is told greater counts than it asked for
miscounted() {
    command=$1
    leaves : >/run/before
    wrong() {
        case $1 in 0|1|2|255) ;; *) echo "$command: status $1 at $2: $(</run/said)" ;; esac
        grep -H panicked /run/said
    }
    export -f wrong
    try $(calls "$command" 'read|write|ioctl|readlink|readlinkat' | sed 's/$/:retval=70000/')
}
export original programs; export -f setup look share attempt
"#;

/// Commands that change something, and the states that they may leave if they fail.
const CHANGES: &[(&str, &[&str])] = &[
    ("brctl addbr b9", &[]),
    ("brctl addif b0 v1 v2 v3", &["brctl addif b0 v1", "brctl addif b0 v1 v2"]),
    ("brctl delif b0 v4 v5", &["brctl delif b0 v4"]),
    ("brctl setfd b0 5", &[]),
    ("brctl stp b0 on", &[]),
    ("brctl setbridgeprio b0 7", &[]),
    ("brctl setpathcost b0 v4 50", &[]),
    ("brctl hairpin b0 v4 on", &[]),
    // the order of net/core/rtnetlink.c, do_setlink
    (
        "ip link set v1 name y1 mtu 1400 address 02:00:00:00:00:99 group 7 alias word txqueuelen 77 up",
        &[
            "ip link set v1 address 02:00:00:00:00:99",
            "ip link set v1 address 02:00:00:00:00:99 mtu 1400",
            "ip link set v1 address 02:00:00:00:00:99 mtu 1400; ip link set v1 group 7",
            "ip link set v1 address 02:00:00:00:00:99 mtu 1400 group 7 name y1",
            "ip link set v1 address 02:00:00:00:00:99 mtu 1400 group 7 name y1 alias word",
            "ip link set v1 address 02:00:00:00:00:99 mtu 1400 group 7 name y1 alias word up",
        ],
    ),
    ("ip link set dev v1 down arp off multicast off promisc on", &[]),
    ("ip link set v1 master b0 up", &["ip link set v1 up", "ip link set v1 master b0"]),
    ("ip link set v4 master b1", &["ip link set v4 nomaster"]),
    ("ip link set v4 nomaster", &[]),
    (
        "ip link set b0 type bridge ageing_time 5000 stp_state 1 priority 7",
        &["ip link set b0 type bridge ageing_time 5000", "ip link set b0 type bridge ageing_time 5000 stp_state 1"],
    ),
    ("ip link add b9 type bridge stp_state 1 forward_delay 400 ageing_time 5000", &[]),
    ("ip link add b9 mtu 1400 address 02:00:00:00:00:99 group 7 up type bridge", &[]),
    ("ip link del b1", &[]),
    ("ip link del t0", &[]),
    ("ip addr add 10.2.0.1/24 brd + dev b1", &[]),
    ("ip addr add 10.2.0.1/24 dev v1", &[]),
    ("ip addr add 10.4.0.1/16 dev b0", &[]),
    ("ip addr add 10.2.0.1 peer 10.2.0.9 dev b1", &[]),
    ("ip addr replace 10.2.0.1/24 dev b1", &[]),
    ("ip addr del 10.1.0.1/24 dev b0", &[]),
    ("ip addr del 10.3.0.1/24 dev b0", &[]),
    ("ip addr flush dev b0", &["ip addr del 10.1.0.1/24 dev b0", "ip addr del 10.3.0.1/24 dev b0"]),
    ("ip -6 addr add fd01::1/64 dev b1", &[]),
    ("ip -6 addr del fd00::1/64 dev b1", &[]),
    ("ip route add 10.8.0.0/16 dev b1", &[]),
    ("ip route add 10.8.0.0/16 via 10.1.0.9 advmss 1000", &[]),
    ("ip route add unreachable 10.8.0.0/16", &[]),
    ("ip route del 10.7.0.0/16", &[]),
    ("ip route replace 10.7.0.0/16 via 10.1.0.8", &[]),
    ("ip route replace 10.7.0.0/16 dev b1", &[]),
    ("ip route change 10.7.0.0/16 via 10.1.0.9 window 7000", &[]),
    ("ip route flush 10.7.0.0/16", &["ip route del 10.7.0.0/16"]),
    ("ip route add 10.8.0.5 dev b1 src 10.1.0.2", &[]),
    ("ip route add 10.8.0.5 dev b0 src 10.3.0.1 metric 2", &[]),
    ("ip route replace 10.7.0.0/16 via 10.1.0.9 src 10.3.0.1", &[]),
    ("ip route del 10.9.0.0/16 src 10.1.0.2", &[]),
    ("ip -6 route add fd09::/64 dev b1", &[]),
    ("ip -6 route add prohibit fd09::/64", &[]),
    ("ip -6 route replace blackhole fd07::/64", &[]),
    ("ip -6 route add unreachable fd09::/64", &[]),
    ("ip -6 route del fd08::/64", &[]),
    ("ip -6 route replace fd08::/64 via fd00::8", &[]),
    ("ip -6 route replace fd08::/64 dev b1 metric 9", &[]),
    ("ip -6 route flush fd08::/64", &["ip -6 route del fd08::/64 metric 9"]),
    ("ip tuntap add t9 mode tap user 0", &[]),
    ("ip tuntap del t0 mode tap", &[]),
];

/// Commands that a second run completes if the first was killed.
const KILLED: &[&str] = &["ip route replace 10.8.0.5 dev b1 src 10.1.0.2"];

/// Commands that use what system calls count.
const MISCOUNTED: &[&str] = &[
    "ip route flush cache",
    "ip link set v1 alias word group 7",
    "ip link set b0 type bridge stp_state 1 mcast_snooping 0",
    "ip addr",
    "ip -s link",
    "ip route show table all",
    "ip -6 route get fd00::2",
    "ip tuntap",
    "brctl showmacs b0",
    "brctl showstp b0",
    "brctl show",
    "brctl setpathcost b0 v4 50",
];

const NEEDS: [&str; 2] = ["strace", "/dev/net/tun"];

fn main() -> ExitCode {
    let refused = CHANGES.iter().map(|(command, states)| {
        let words: Vec<String> = [command].into_iter().chain(*states).map(|word| format!("'{word}'")).collect();
        let script = format!("{PRELUDE}refused {}", words.join(" "));
        Test::of_script(*command, &NEEDS, "", script, Mode::Sys)
    });
    let killed = KILLED.iter().map(|command| {
        let script = format!("{PRELUDE}killed '{command}'");
        Test::of_script(format!("{command}, killed"), &NEEDS, "", script, Mode::Sys)
    });
    let miscounted = MISCOUNTED.iter().map(|command| {
        let script = format!("{PRELUDE}miscounted '{command}'");
        Test::of_script(format!("{command}, miscounted"), &NEEDS, "", script, Mode::Sys)
    });
    conclude(refused.chain(killed).chain(miscounted).collect())
}
