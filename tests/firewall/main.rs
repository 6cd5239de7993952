//! Tests what the firewall's rules do to real packets, with each backend: guests that are masqueraded, ports that are published, the
//! way through chains that drop, and what antispoof drops.
//!
//! Each test is a shell script that prints what is wrong, and nothing else. Guests and the host outside are namespaces of their own.

mod chosen;
#[path = "../harness/mod.rs"]
mod harness;
mod isolated;
mod opened;
mod published;

use std::process::ExitCode;

use harness::hosts::XEN;
use harness::table::Mode;
use harness::{Test, conclude};

/// A host with an interface to the outside, two guests, and a host outside that has no route back.
const STATE: &str = r#"
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
mkdir /run/etc; cp -dR --preserve=mode /etc/. /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
ip link set lo up
for wire in out:outside:eth0 g1:eth0:p1 g2:eth0:p2; do
    IFS=: read -r namespace far near <<<"$wire"
    ip netns add "$namespace"
    ip link add "$near" type veth peer name "$far" netns "$namespace"
    ip link set "$near" up
    ip -n "$namespace" link set "$far" up; ip -n "$namespace" link set lo up
done
ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.9/24 dev eth0
ip addr add 2001:db8::1/64 dev eth0 nodad
ip -n out addr add 192.0.2.2/24 dev outside; ip -n out addr add 2001:db8::2/64 dev outside nodad
for guest in 1 2; do
    ip -n g$guest addr add 10.9.0.1$guest/24 dev eth0
    ip -n g$guest route add default via 10.9.0.1
    ip -n g$guest addr add fd00:9::1$guest/64 dev eth0 nodad
    ip -n g$guest route add default via fd00:9::1
done
"#;

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
# the original tools, and those of ours that have no original
mkdir /run/typed
for name in brouter network-virtual vif-bridge; do ln -s "$(command -v $name)" /run/typed/$name; done
PATH=/run/typed:${PATH#*:}
# every rule of this namespace, without counters and empty tables
rules() {
    for family in ip ip6; do
        ${family}tables-legacy-save; ${family}tables-nft-save
    done 2>/dev/null | grep -E '^-A| DROP ' | sed 's/ \[[0-9:]*\]$//'
    nft list tables | grep -v -E '^table (ip|ip6) (filter|nat)$' | while read -r table; do nft list $table; done
}
# what would be left: rules, forwarding, links, records
everything() {
    rules; cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; ls /sys/class/net
    find /run/brouter -name '*.network' -o -name '*.changing' 2>/dev/null
}
cat >/run/serve <<'END'
use IO::Socket::IP;
# serve NAME tcp|udp PORT [ADDRESS]: answers with its name and the client's address
my ($name, $protocol, $port, $address) = @ARGV;
my %listen = $protocol eq 'tcp' ? (Listen => 9) : (Proto => 'udp');
my $server = IO::Socket::IP->new(LocalHost => $address // '::', LocalPort => $port, ($address ? () : (V6Only => 0)), ReuseAddr => 1, %listen) or die "$name $port: $!";
while (1) {
    if ($protocol eq 'tcp') { my $client = $server->accept or next; print $client "$name $port ", $client->peerhost, "\n"; next }
    $server->recv(my $asked, 99); $server->send("$name $port " . $server->peerhost . "\n");
}
END
cat >/run/ask <<'END'
use IO::Socket::IP;
# ask tcp|udp HOST PORT: prints the answer
my ($protocol, $host, $port) = @ARGV;
$SIG{ALRM} = sub { print "nothing\n"; exit }; alarm 3;
my $server = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Type => $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM);
unless ($server) { print "refused\n"; exit }
$server->send("x\n") if $protocol eq 'udp';
my $answer = <$server>; $answer =~ s/::ffff://; print $answer // "nothing\n";
END
at() { local place=$1; shift; if [ $place = host ]; then "$@"; else ip netns exec $place "$@"; fi; }
serve() { at $1 perl /run/serve "$@" 2>/run/serve.err & served+=($!); for ((i = 0; i < 100; i++)); do
    at $1 ss -Hln${2:0:1} "sport = $3" | grep -q . && return; sleep 0.02; done; echo "no server: $(cat /run/serve.err)"; }
# asked PLACE PROTOCOL HOST PORT ANSWER
asked() { same "$1 asks $2 $3 $4" "$5" "$(at $1 perl /run/ask $2 $3 $4)"; }
pings() { at $1 busybox ping -c 1 -W ${3-2} $2 >/dev/null 2>&1; }
trap '[ -z "$served" ] || kill "${served[@]}"' EXIT
bridge=(n --bridge b0 --address 10.9.0.1/24 --port p1 --port p2)
"#;

fn main() -> ExitCode {
    let needs =
        ["iptables", "ip6tables", "iptables-legacy", "iptables-nft", "nft", "ss", "busybox", "perl", "jq", "strace"];
    let mut tests = Vec::new();
    for (name, script) in published::TESTS.iter().chain(&opened::TESTS).chain(&isolated::TESTS) {
        for backend in ["kernel", "iptables", "nft"] {
            let script = format!("{PRELUDE}backend=(--firewall-backend {backend})\n{script}");
            tests.push(Test::of_script(format!("{backend}: {name}"), &needs, STATE, script, Mode::Sys));
        }
    }
    let with_xen = format!("xenstored\n{STATE}export xenstored_pid xen; export -f xenstored_start\n");
    let needs_xen: Vec<&str> = needs.iter().copied().chain([XEN]).collect();
    for backend in ["kernel", "iptables", "nft"] {
        for (name, script) in [published::XEN, isolated::XEN] {
            let script = format!("{PRELUDE}backend=(--firewall-backend {backend})\n{script}");
            tests.push(Test::of_script(format!("{backend}: {name}"), &needs_xen, &with_xen, script, Mode::Sys));
        }
    }
    for (name, script) in &chosen::TESTS {
        tests.push(Test::of_script(*name, &needs, STATE, format!("{PRELUDE}{script}"), Mode::Sys));
    }
    conclude(tests)
}
