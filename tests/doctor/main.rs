//! Tests `brouter doctor` on a host with two guests and a host outside, which is broken in one way per test. The check for that
//! fault must report it; after the printed command is run, doctor must find no fault, and the guests must be able to connect.
//!
//! Each test is a shell script that prints what is wrong, and nothing else.

mod broken;
#[path = "../harness/mod.rs"]
mod harness;
mod report;
mod xen;

use std::process::ExitCode;

use broken::{BROKEN, BROKEN_IPV6, IPV6};
use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};
use report::REPORT;
use xen::XEN;

/// A host with an interface to the outside, and two guests in namespaces of their own. The host outside has no route back.
const STATE: &str = r#"
# a private copy of /etc
mkdir /run/etc; cp -dR --preserve=mode /etc/. /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
for wire in out:outside:eth0 g1:eth0:p1 g2:eth0:p2; do
    IFS=: read -r namespace far near <<<"$wire"
    ip netns add "$namespace"
    ip link add "$near" type veth peer name "$far" netns "$namespace"
    ip link set "$near" up
    ip -n "$namespace" link set "$far" up
done
ip addr add 192.0.2.1/24 dev eth0
ip -n out addr add 192.0.2.2/24 dev outside
ip route add default via 192.0.2.2
for guest in 1 2; do
    ip -n g$guest addr add 10.9.0.1$guest/24 dev eth0
    ip -n g$guest route add default via 10.9.0.1
done
printf '%s\n' bridge=b0 address=10.9.0.1/24 outside=eth0 masquerade=yes port=p1 port=p2 >/etc/brouter/n.conf
"#;

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
# the PATH for printed commands: the original tools, and those of ours that have no original
mkdir /run/typed
for name in brouter network-virtual network-nat vif-bridge vif-route vif-nat; do ln -s "$(command -v $name)" /run/typed/$name; done
PATH=/run/typed:${PATH#*:}
# $1 can reach $2: a connection to a port on which nobody listens is refused
reaches() { ip netns exec $1 timeout ${3-0.7} bash -c "</dev/tcp/$2/9" 2>&1 | grep -q refused; }
# prints the status of each finding of a check
words() { brouter doctor --all | of_checks "$1" | cut -d ' ' -f 1 | sort -u | tr '\n' ' '; }
# filters the lines about some checks; one line may be about several: `warning  n forward, n masquerade: …`
of_checks() {
    awk -v checks=" $* " '{
        about = $0; sub(/^[a-z]+ +/, "", about); sub(/: .*/, "", about)
        for (i = split(about, each, ", "); i > 0; i--) {
            count = split(each[i], word, " ")
            if (index(checks, " " word[count] " ")) { print; next }
        }
    }'
}
# prints the commands that these checks suggest
lines() {
    brouter doctor | of_checks "$@" |
        sed -n 's/^.*; type: //p' | sed 's/ROUTER/192.0.2.2/; s/INTERFACE/p1/'
}
type_them() { bash -e <<<"$1" >/run/typed.out 2>&1 || { echo "typed: $1"; cat /run/typed.out; }; }
well() {
    brouter doctor >/run/out 2>&1; local status=$?
    [ $status = 0 ] && ! grep -q -E '^(warning|failure)' /run/out || { echo "$1: status $status"; grep -E '^(warning|failure)' /run/out; }
}
# mends STATUS CHECK [MORE CHECKS]: on a broken host, the first check must report STATUS, and $cut must not be reachable (GUEST
# ADDRESS; empty: no connection is cut). Then the commands of all these checks and $settle are run, and all must be well.
target=192.0.2.2 guest=g1
mends() {
    local word=$1; shift
    same "status of $1" "$word " "$(words $1)"
    [ -z "$cut" ] || ! reaches $cut || echo "$cut is still reachable"
    local typed=$(lines "$@")
    [ -n "$typed" ] || { echo "no command"; return; }
    type_them "$typed"
    eval "$settle"
    well "after $typed"
    reaches g1 10.9.0.12 3 || echo "g1 does not reach g2 after $typed"
    reaches $guest $target 3 || echo "$guest does not reach $target after $typed"
}
settle= out="g1 192.0.2.2" neighbour="g1 10.9.0.12"
brouter up n >/dev/null
reaches $out 3 || echo "the intact host does not work"
well "the host before"
"#;

fn main() -> ExitCode {
    let exported = "export xenstored_pid xen; export -f xenstored_start\n";
    let with_xen = format!("{STATE}\nxenstored\n{exported}");
    let plain = [(BROKEN, ""), (REPORT, ""), (BROKEN_IPV6, IPV6)];
    let plain = plain.into_iter().flat_map(|(tests, more)| tests.iter().map(move |test| (test, more, STATE, None)));
    let xen = XEN.iter().map(|test| (test, "", with_xen.as_str(), Some("xen")));
    let other = "OTHER=iptables-legacy; case $(iptables --version) in *legacy*) OTHER=iptables-nft;; esac";
    let test = |((name, script), more, state, need): (&(&str, &str), _, _, Option<_>)| {
        // iptables-legacy-save reads a file of /proc that is closed to root in a user namespace
        let root = script.contains("$OTHER").then_some(ROOT);
        let taps = script.contains("tuntap").then_some("/dev/net/tun");
        let needs: Vec<&str> =
            ["strace", "iptables", "nft", "script"].into_iter().chain(need).chain(root).chain(taps).collect();
        Test::of_script(*name, &needs, state, format!("{PRELUDE}{other}\n{more}{script}"), Mode::Sys)
    };
    conclude(plain.chain(xen).map(test).collect())
}
