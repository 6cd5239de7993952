//! Tests dnsmasq beside brouter, with the command line and the file that `compat/docs/MIGRATION.md` shows.

mod harness;

use std::process::ExitCode;

use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};

const MIGRATION: &str = include_str!("../compat/docs/MIGRATION.md");

/// A host with an interface to the outside, a guest in a namespace of its own, and private copies of /etc and dnsmasq's leases.
const STATE: &str = r#"
ip link add eth0 type veth peer name outside; ip link set eth0 up; ip link set outside up
ip addr add 192.0.2.1/24 dev eth0
cp -a /etc /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter /run/empty
echo 192.0.2.7 server.example >>/etc/hosts
mount -t tmpfs none /var/lib/misc
ip netns add guest
ip link add vif1.0 type veth peer name eth0 netns guest
"#;

/// Prints what is wrong, and nothing else.
const SCRIPT: &str = r#"
printf '%s\n' "$CONF" >/etc/brouter/virbr0.conf
brouter up virbr0 --port vif1.0 --forward-delay 0 >/dev/null
$LINE || echo "dnsmasq: status $?"
cat >/run/udhcpc.sh <<'END'
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"; ip route add default via "$router"; echo "$ip $mask $router $dns" >/run/lease
END
chmod +x /run/udhcpc.sh
guest() { nsenter --net=/run/netns/guest "$@"; }
guest ip link set eth0 up
guest busybox udhcpc -i eth0 -n -q -f -t 10 -T 1 -s /run/udhcpc.sh >/run/dhcp 2>&1 || cat /run/dhcp
read -r address mask router dns </run/lease
case $address in 192.168.122.*) ;; *) echo "the guest's address: $address" ;; esac
[ "$mask $router $dns" = "24 192.168.122.1 192.168.122.1" ] || echo "mask, gateway, name server: $mask, $router, $dns"
guest busybox nslookup server.example "$dns" | grep -q '192\.0\.2\.7' || echo "the name was not resolved"
guest busybox ping -c 1 -W 2 192.0.2.1 >/dev/null || echo "the other side of dom0 is not reachable"
# dnsmasq must listen on the bridge only
ss -Hlun | awk '{print $4}' | grep -E '^(0\.0\.0\.0|127\.0\.0\.1|192\.0\.2\.1)[^:]*:53$'
kill "$(cat /run/dnsmasq.pid /run/dnsmasq/dnsmasq.pid 2>/dev/null)"
brouter down virbr0 >/dev/null
/sbin/ip netns del guest
"#;

fn main() -> ExitCode {
    let line = MIGRATION.lines().map(str::trim).find(|line| line.starts_with("dnsmasq ")).expect("a line for dnsmasq");
    let conf = MIGRATION.split("```\n").find(|block| block.contains("address=192.168.122.1/24\n")).expect("a file");
    let script = format!("LINE='{line}' CONF='{conf}'\n{SCRIPT}");
    let name = "with the documented line dnsmasq gives a guest an address, a gateway and name resolution";
    // dnsmasq changes to a user of its own
    let needs = ["dnsmasq", "busybox", "iptables", "ss", ROOT];
    let test = Test::of_script(name, &needs, STATE, script, Mode::Sys);
    conclude(vec![test])
}
