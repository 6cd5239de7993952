//! Tests `network-virtual` under faults: killed at each system call, each system call failing, a kernel without bridges.
//!
//! strace kills the program or injects the error. Each test is a shell script that prints what is wrong, and nothing else.

mod harness;

use std::process::ExitCode;

use harness::table::Mode;
use harness::{Test, conclude};

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
start=(network-virtual start bridgeip=10.9.0.1/24 firewall=none)
stop=(network-virtual stop bridgeip=10.9.0.1/24 firewall=none)
# there: the state that start must create; left: the traces that stop must not leave
there() { ip -o addr show xenbr0 | sed 's/^[0-9]*//'; cat /sys/class/net/xenbr0/bridge/{stp_state,forward_delay}; }
left() {
    ls -d /sys/class/net/xenbr0 /run/brouter/*/* 2>/dev/null
    [ -z "$nat" ] || { iptables -t nat -S POSTROUTING | grep MASQUERADE; grep 1 /proc/sys/net/ipv4/ip_forward; }
}
nat=
masquerade() { nat=yes; start+=(masquerade=yes); stop+=(masquerade=yes); }
network_nat() { nat=yes start=(network-nat start netdev=lo) stop=(network-nat stop); }
# runs a command with a fault injected by strace; the subshell keeps bash's message about a killed child out of the way
with() { local fault=$1; shift; ( strace -qq -o /dev/null -e inject="$fault" "$@"; exit $? ) 2>/run/said; }
# lists the system calls that a command makes once it is loaded: `NAME:when=N` is the Nth call of that name (strace counts each
# name separately). Restarted calls, which wait for a lock, count once
calls() {
    strace -qq -o /run/trace "$@"
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++; if ($1 ~ /^(access|faccessat2?|socket)$/ && !/ld.so/) loaded = 1
        if (loaded && $1 !~ /^exit/) print $1 ":when=" count[$1] }' /run/trace
}
# kills a masquerading start at the calls that sed selects with $1; iptables is slow, so each of three tests takes a third
killed_while_masquerading() {
    masquerade
    calls=$(calls "${start[@]}" | sed -n "$1"); "${stop[@]}"
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

/// Names and scripts of the tests.
const TESTS: [(&str, &str); 17] = [
    (
        "a second start completes a start that was killed at any system call",
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
        "a second stop completes a stop that was killed at any system call",
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
    ("a second start completes a masquerading start that was killed, part 1", "killed_while_masquerading 1~3p"),
    ("a second start completes a masquerading start that was killed, part 2", "killed_while_masquerading 2~3p"),
    ("a second start completes a masquerading start that was killed, part 3", "killed_while_masquerading 3~3p"),
    (
        "network-nat: a second start or a stop completes what was killed at any system call",
        r#"
        network_nat
        calls=$(calls "${start[@]}"); "${stop[@]}"
        for call in $calls; do
            with $call:signal=KILL "${start[@]}"
            "${start[@]}" || echo "start after a kill at $call: $?"
            [ "$(iptables -t nat -S POSTROUTING 2>/dev/null | grep -c MASQUERADE)" = 1 ] || echo "rules after a kill at $call"
            [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding after a kill at $call"
            with $call:signal=KILL "${stop[@]}"
            "${stop[@]}" || echo "stop after a kill at $call: $?"
            left 2>/dev/null | grep -vE '[.](lock|shared)$' | sed "s/^/left after a kill at $call: /"
        done
        "#,
    ),
    (
        "network-nat: a start in which any system call fails is undone and reports the cause, or succeeds",
        r#"
        network_nat
        calls=$(calls "${start[@]}" | grep -E '^(open|write|pwrite|mkdir|setsockopt|getsockopt|fchmod|rename|ioctl|vfork|clone)'); "${stop[@]}"
        [ "$(wc -w <<<"$calls")" -gt 15 ] || echo "few calls: $calls"
        for call in $calls; do
            if with $call:error=EIO "${start[@]}"; then "${stop[@]}"; continue; fi
            [ -s /run/said ] || echo "no message about $call"
            iptables -t nat -S POSTROUTING 2>/dev/null | grep MASQUERADE && echo "a rule after $call failed"
            [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ] || echo "forwarding after $call failed"
            "${stop[@]}" || echo "stop after $call failed: $?"
            left 2>/dev/null | sed "s/^/left after $call failed: /"
        done
        "#,
    ),
    (
        "network-nat: starts and stops at the same time leave all or nothing",
        r#"
        network_nat
        for round in {1..12}; do
            for n in 1 2 3; do "${start[@]}" & starts[n]=$!; done
            for n in 1 2 3; do wait "${starts[n]}" || echo "start: $?"; done
            [ "$(iptables -t nat -S POSTROUTING 2>/dev/null | grep -c MASQUERADE)" = 1 ] || iptables -t nat -S POSTROUTING
            "${stop[@]}" & starts[1]=$!; "${start[@]}" & starts[2]=$!; "${stop[@]}" & starts[3]=$!
            for n in 1 2 3; do wait "${starts[n]}" || echo "crossing: $?"; done
            rules=$(iptables -t nat -S POSTROUTING 2>/dev/null | grep -c MASQUERADE) records=$(ls /run/brouter/*/*.script 2>/dev/null | wc -l)
            [ "$rules$records$(cat /proc/sys/net/ipv4/ip_forward)" = 111 ] || left
            [ "$rules" = "$records" ] || echo "round $round: $rules rules, $records records"
            "${stop[@]}" || echo "stop: $?"
            left 2>/dev/null | sed "s/^/left in round $round: /"
        done
        "#,
    ),
    (
        "a start with a failing ioctl rolls back and reports the cause",
        r#"
        calls=$(calls "${start[@]}" | grep ^ioctl); "${stop[@]}"
        for call in $calls; do
            # some calls are not essential
            if with $call:error=EIO "${start[@]}"; then "${stop[@]}"; continue; fi
            [ -s /run/said ] || echo "no message about $call"
            left | sed "s/^/left after $call failed: /"
            "${stop[@]}"
        done
        "#,
    ),
    (
        "a start that cannot write rolls back",
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
        "starts of one network at the same time add one rule",
        r#"
        masquerade
        for round in {1..12}; do
            for n in 1 2 3; do "${start[@]}" & starts[n]=$!; done
            for n in 1 2 3; do wait "${starts[n]}" || echo "start: $?"; done
            [ "$(iptables -t nat -S POSTROUTING | grep -c MASQUERADE)" = 1 ] || iptables -t nat -S POSTROUTING
            "${stop[@]}" || echo "stop: $?"
            left | sed "s/^/left in round $round: /"
        done
        "#,
    ),
    (
        "networks that stop at the same time leave nothing behind",
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
        "a network that starts while another stops has forwarding enabled",
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
        "stop, start, status and down work on networks that version 0.1 left running",
        r#"
        masquerade
        "${start[@]}"; wanted=$(there); "${stop[@]}"; folder=$(echo /run/brouter/*)
        # as its start left it: no file records that it created the bridge
        made_by_0_1() {
            brctl addbr xenbr0; brctl setfd xenbr0 0; ip addr add 10.9.0.1/24 dev xenbr0; ip link set xenbr0 up
            iptables -t nat -A POSTROUTING -s 10.9.0.0/24 ! -o xenbr0 -j MASQUERADE
            echo 1 >/proc/sys/net/ipv4/ip_forward
            echo "10.9.0.0/24 $1" >$folder/xenbr0.masquerade
        }
        made_by_0_1 0; network-virtual stop firewall=none || echo "stop: $?"
        left | sed "s/^/stop: left: /"
        made_by_0_1 0; "${start[@]}" || echo "start: $?"
        [ "$(iptables -t nat -S POSTROUTING | grep -c MASQUERADE)" = 1 ] || echo "start: $(iptables -t nat -S POSTROUTING)"
        [ "$(there)" = "$wanted" ] || echo "start: $(there)"
        network-virtual stop firewall=none || echo "stop after start: $?"
        left | sed "s/^/stop after start: left: /"
        made_by_0_1 0; brouter status xenbr0 >/run/out || cat /run/out; grep -q 'masquerade 10.9.0.0/24' /run/out || cat /run/out
        brouter down xenbr0 >/dev/null || echo "down: $?"
        iptables -t nat -S POSTROUTING | grep MASQUERADE; grep 1 /proc/sys/net/ipv4/ip_forward; ls $folder
        "${stop[@]}"
        # the host forwarded before; another network is masqueraded
        made_by_0_1 1; network-virtual stop firewall=none
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "the host no longer forwards"
        echo 0 >/proc/sys/net/ipv4/ip_forward
        made_by_0_1 0; brouter up n --bridge b4 --address 10.9.4.1/24 --outside lo >/dev/null; network-virtual stop firewall=none
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding for n"
        brouter down n >/dev/null; left
        "#,
    ),
    (
        "a start waits for the iptables that a killed one has left running",
        r#"
        masquerade
        real=$(command -v iptables); mkdir /run/slow; slow=/run/slow:$PATH
        printf '%s\n' '#!/bin/bash' 'case " $* " in *" -A "*) touch /run/adding; sleep 1 ;; esac' \
            "exec -a iptables $(readlink -f $real) \"\$@\"" >/run/slow/iptables; chmod +x /run/slow/iptables
        PATH=$slow "${start[@]}" & killed=$!
        while [ ! -e /run/adding ]; do sleep 0.01; done
        kill -KILL $killed; wait $killed 2>/dev/null
        "${start[@]}" || echo "start: $?"
        sleep 1.2
        [ "$(iptables -t nat -S POSTROUTING | grep -c MASQUERADE)" = 1 ] || iptables -t nat -S POSTROUTING
        "${stop[@]}" || echo "stop: $?"
        left
        "#,
    ),
    (
        "start and stop complete starts of version 0.1 that were killed",
        r#"
        "${start[@]}"; wanted=$(there); "${stop[@]}"; folder=$(echo /run/brouter/*)
        half_made() { brctl addbr xenbr0; ln -s $1 $folder/xenbr0.making; }
        half_made bridge; "${start[@]}" || echo "bridge: $?"
        [ "$(there)" = "$wanted" ] || echo "bridge: $(there)"
        [ ! -e $folder/xenbr0.making -a ! -L $folder/xenbr0.making ] || echo "bridge: the .making file is left"
        "${stop[@]}"; left
        half_made bridge; ip addr add 10.9.0.1/8 brd 10.255.255.255 dev xenbr0; "${start[@]}" || echo "class: $?"
        [ "$(there)" = "$wanted" ] || echo "class: $(there)"
        "${stop[@]}"; left
        # the administrator's own bridge keeps its values
        half_made address; ip addr add 10.9.0.1/8 brd 10.255.255.255 dev xenbr0; "${start[@]}" || echo "address: $?"
        [ "$(there)" = "${wanted%0}1500" ] || echo "address: $(there)"
        "${stop[@]}"; left
        half_made bridge; "${stop[@]}" || echo "stop: $?"
        left
        "#,
    ),
    (
        "on a kernel without bridges the message says what to do",
        r#"
        for error in ENOPKG ENOTTY EOPNOTSUPP; do
            with ioctl:error=$error "${start[@]}" && echo "$error: no failure"
            grep -q 'network-virtual: this kernel has no bridges .*modprobe bridge' /run/said || echo "$error: $(cat /run/said)"
        done
        "#,
    ),
];

fn main() -> ExitCode {
    let test =
        |(name, script)| Test::of_script(name, &["strace", "iptables"], "", format!("{PRELUDE}{script}"), Mode::Sys);
    conclude(TESTS.into_iter().map(test).collect())
}
