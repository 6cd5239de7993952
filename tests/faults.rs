//! `network-virtual` when things go wrong: killed at any system call, refused any of them, and on a kernel without bridges.
//!
//! strace kills it, or answers in the kernel's place. Each test is a shell script that prints what is not as it should be, and
//! nothing else.

mod harness;

use std::process::ExitCode;
use std::sync::Arc;

use harness::hosts::Hosts;
use harness::table::Mode;
use harness::{Test, conclude};

/// What the scripts have in common.
const PRELUDE: &str = r#"
start=(network-virtual start bridgeip=10.9.0.1/24 firewall=none)
stop=(network-virtual stop bridgeip=10.9.0.1/24 firewall=none)
# what a start is to leave, and what a stop is not to
there() { ip -o addr show xenbr0 | sed 's/^[0-9]*//'; cat /sys/class/net/xenbr0/bridge/{stp_state,forward_delay}; }
left() {
    ls -d /sys/class/net/xenbr0 /run/brouter/*/* 2>/dev/null
    [ -z "$nat" ] || { iptables -t nat -S POSTROUTING | grep MASQUERADE; grep 1 /proc/sys/net/ipv4/ip_forward; }
}
nat=
masquerade() { nat=yes; start+=(masquerade=yes); stop+=(masquerade=yes); }
# runs the rest with strace's fault injected; a shell says of itself who was killed
with() { local fault=$1; shift; ( strace -qq -o /dev/null -e inject="$fault" "$@"; exit $? ) 2>/run/said; }
# the system calls that a command makes once it is loaded: `NAME:when=N`, the Nth of its name (strace counts each name by
# itself); one that waits for a lock begins again and again
calls() {
    strace -qq -o /run/trace "$@"
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++; if ($1 ~ /^(access|faccessat2?|socket)$/ && !/ld.so/) loaded = 1
        if (loaded && $1 !~ /^exit/) print $1 ":when=" count[$1] }' /run/trace
}
# at the calls that sed picks by this, of those behind the bridge itself; iptables takes its time, so there is a test for each third
killed_while_masquerading() {
    masquerade
    calls=$(calls "${start[@]}" | sed '1,/^ioctl:when=9/d' | sed -n "$1")
    [ "$(wc -w <<<"$calls")" -gt 15 ] || echo "few calls: $calls"
    for call in $calls; do
        with $call:signal=KILL "${start[@]}"
        "${start[@]}" || echo "start after a kill at $call: $?"
        [ "$(iptables -t nat -S POSTROUTING | grep -c MASQUERADE)" = 1 ] || echo "rules after a kill at $call"
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding after a kill at $call"
        "${stop[@]}" || echo "stop after a kill at $call: $?"
        left | sed "s/^/left after a kill at $call: /"
    done
}
"#;

/// A test's name, and its script.
const TESTS: [(&str, &str); 10] = [
    (
        "a start that is killed at any system call is finished by the next",
        r#"
        calls=$(calls "${start[@]}"); wanted=$(there); "${stop[@]}"
        for call in $calls; do
            with $call:signal=KILL "${start[@]}"
            "${start[@]}" || echo "start after a kill at $call: $?"
            got=$(there); [ "$got" = "$wanted" ] || echo "killed at $call: $got"
            "${stop[@]}" || echo "stop after a kill at $call: $?"
            left | sed "s/^/left after a kill at $call: /"
        done
        "#,
    ),
    (
        "a stop that is killed at any system call is finished by the next",
        r#"
        "${start[@]}"
        for call in $(calls "${stop[@]}"); do
            "${start[@]}"
            with $call:signal=KILL "${stop[@]}"
            "${stop[@]}" || echo "stop after a kill at $call: $?"
            left | sed "s/^/left after a kill at $call: /"
        done
        "#,
    ),
    ("a start that is killed while it masquerades is finished by the next", "killed_while_masquerading 1~3p"),
    (
        "a start that is killed while it masquerades is finished by the next, at other calls",
        "killed_while_masquerading 2~3p",
    ),
    (
        "a start that is killed while it masquerades is finished by the next, at the rest",
        "killed_while_masquerading 3~3p",
    ),
    (
        "a start that an ioctl fails leaves nothing and says why",
        r#"
        calls=$(calls "${start[@]}" | grep ^ioctl); "${stop[@]}"
        for call in $calls; do
            # some can be done without
            if with $call:error=EIO "${start[@]}"; then "${stop[@]}"; continue; fi
            [ -s /run/said ] || echo "no word of $call"
            left | sed "s/^/left after $call failed: /"
            "${stop[@]}"
        done
        "#,
    ),
    (
        "a start that cannot write leaves nothing",
        r#"
        masquerade
        calls=$(calls "${start[@]}" | grep -E '^(write|mkdir)'); "${stop[@]}"
        for call in $calls; do
            with $call:error=EROFS "${start[@]}" && "${stop[@]}"
            left | sed "s/^/left after $call failed: /"
            "${stop[@]}"
        done
        "#,
    ),
    (
        "networks that stop at once leave nothing",
        r#"
        masquerade
        for round in {1..15}; do
            for n in 1 2 3; do network-virtual start bridge=b$n bridgeip=10.9.$n.1/24 firewall=none masquerade=yes; done
            brouter up n --bridge b4 --address 10.9.4.1/24 --outside lo --masquerade >/dev/null
            for n in 1 2 3; do network-virtual stop bridge=b$n bridgeip=10.9.$n.1/24 firewall=none masquerade=yes & stops[n]=$!; done
            brouter down n >/dev/null || echo "down: $?"
            wait "${stops[@]}" || echo "stop: $?"
            left | sed "s/^/left in round $round: /"
        done
        "#,
    ),
    (
        "a network that starts while another stops is forwarded",
        r#"
        masquerade
        for round in {1..15}; do
            network-virtual start bridge=b1 bridgeip=10.9.1.1/24 firewall=none masquerade=yes
            network-virtual stop bridge=b1 bridgeip=10.9.1.1/24 firewall=none masquerade=yes & one=$!
            "${start[@]}" || echo "start: $?"
            wait $one || echo "stop: $?"
            [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding in round $round"
            "${stop[@]}"
            left | sed "s/^/left in round $round: /"
        done
        "#,
    ),
    (
        "a kernel without bridges gets a word of advice",
        r#"
        for error in ENOPKG ENOTTY EOPNOTSUPP; do
            with ioctl:error=$error "${start[@]}" && echo "$error: no failure"
            grep -q 'network-virtual: this kernel has no bridges .*modprobe bridge' /run/said || echo "$error: $(cat /run/said)"
        done
        "#,
    ),
];

fn main() -> ExitCode {
    let hosts = Arc::new(Hosts::new());
    let test = |(name, script)| {
        Test::of_script(&hosts, name, &["strace", "iptables"], "", format!("{PRELUDE}{script}"), Mode::Sys)
    };
    conclude(&hosts, TESTS.into_iter().map(test).collect())
}
