//! Tests dnsmasq beside brouter, with the command line and the file that `compat/docs/MIGRATION.md` shows.

mod harness;

use std::process::ExitCode;

use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};

const PAGE: &str = include_str!("../man/brouter.8");
const MIGRATION: &str = include_str!("../compat/docs/MIGRATION.md");

/// A host with an interface to the outside, a guest in a namespace of its own, and private copies of /etc and dnsmasq's leases.
const STATE: &str = r#"
ip link add eth0 type veth peer name outside; ip link set eth0 up; ip link set outside up
ip addr add 192.0.2.1/24 dev eth0
cp -a /etc /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter /run/empty /var/lib/misc
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

/// Doctor finds guests' interfaces whose packets from a DHCP server here have no checksum, and its line makes them. A perl program in
/// the guest checks the frames themselves: a client with a kernel of today cannot tell.
const CHECKSUMS: &str = r#"
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
guest() { nsenter --net=/run/netns/guest "$@"; }
/sbin/ip link add vif2.0 type veth peer name other; ip link set other up; /sbin/ip link add vif3.0 type veth peer name third; ip link set third up
ip tuntap add tap1.0 mode tap; ip link set tap1.0 up
for net in b0:10.9.0 b1:10.8.0; do brouter up ${net%:*} --address ${net#*:}.1/24 --forward-delay 0 >/dev/null; done
for port in vif1.0 vif2.0 tap1.0; do brctl addif b0 $port; ip link set $port up; done; brctl addif b1 vif3.0; ip link set vif3.0 up
guest ip link set eth0 up
serve() {
    : >/run/dnsmasq.log
    dnsmasq --conf-file=/dev/null --port=0 --except-interface=lo --pid-file=/run/dhcp.pid --log-facility=/run/dnsmasq.log \
        --dhcp-range=10.9.0.50,10.9.0.99,1h --dhcp-range=10.8.0.50,10.8.0.99,1h "$@" || cat /run/dnsmasq.log
}
end() { kill $(cat /run/dhcp.pid); for try in {1..50}; do grep -q ':0043 ' /proc/net/udp || break; sleep 0.05; done; }
found() { brouter doctor $1 --all | sed -n "s/^\([a-z]*\)  *$1 checksums: /\1 /p"; }
cat >/run/frames.pl <<'END'
# AF_PACKET, SOCK_RAW, ETH_P_IP: whether an answer to port 68 has the right checksum
socket(S, 17, 3, 8) or die; alarm 9; syswrite STDOUT, "ready\n";
while (recv(S, $f, 2000, 0), 1) {
    my $ip = substr $f, 14; my $h = (ord($ip) & 15) * 4;
    next unless ord(substr $ip, 9) == 17;
    my ($from, $to, $len, $sum) = unpack "n4", substr $ip, $h;
    next unless $to == 68;
    my $all = substr($ip, 12, 8) . pack("n2", 17, $len) . substr($ip, $h, $len);
    my $total = unpack("%32n*", $all . "\0" x (length($all) % 2));
    $total = ($total & 0xffff) + ($total >> 16) while $total >> 16;
    print $sum && $total == 0xffff ? "right\n" : "wrong\n"; exit;
}
END
frame() {
    : >/run/frame; guest perl /run/frames.pl >/run/frame & local seer=$!
    for try in {1..50}; do grep -q ready /run/frame && break; sleep 0.05; done
    guest busybox udhcpc -i eth0 -n -q -f -t 8 -T 1 -s /bin/true >/run/dhcp 2>&1 || cat /run/dhcp
    wait $seer; tail -1 /run/frame
}
same "no server" "ok no DHCP server runs on the bridge" "$(found b0)"
serve --interface=b1 --bind-interfaces
same "a server on another bridge" "ok no DHCP server runs on the bridge" "$(found b0)"
wanted="warning a DHCP server runs here, and vif3.0 gets packets without checksums: some clients get no lease; type: brouter offload off vif3.0"
same "the other bridge" "$wanted" "$(found b1)"; end
serve --interface=b0
same "one frame" wrong "$(frame)"
wanted="warning a DHCP server runs here, and vif1.0, vif2.0 get packets without checksums: some clients get no lease; type: brouter offload off vif1.0 vif2.0"
same "a server for every link" "$wanted" "$(found b0)"
if iptables -t mangle -A POSTROUTING -o b0 -p udp --dport 68 -j CHECKSUM --checksum-fill 2>/dev/null; then
    same "as lxc-net does" "ok the firewall makes the checksums of answers to DHCP clients" "$(found b0)"; iptables -t mangle -F
fi
type=$(brouter doctor b0 | sed -n 's/^.* checksums: .*; type: //p'); $type || echo "typed: $type"
same "after $type" "ok packets to guests have checksums" "$(found b0)"; same "one frame after $type" right "$(frame)"
brouter offload on vif1.0; same "on again" wrong "$(frame)"; brouter offload off vif1.0; end
# nothing is changed by a call that is refused
while IFS='|' read -r words said; do
    brouter offload $words >/run/out 2>/run/said && echo "offload $words: no error"; same "offload $words" "$(printf "$said")" "$(cat /run/out /run/said)"
done <<'END'
on vif1.0 nosuch|brouter offload: nosuch: there is no such interface
on vif1.0 b0 lo/x|brouter: Error parsing positional argument 'interface' with value 'lo/x': not a name for an interface (letters, digits, '.', '_', '@', inner '-'; not '.' or '..')\nTry brouter offload --help.
off lo|brouter offload: lo: its driver cannot change that
on|brouter: offload: name an interface, such as vif1.0
END
serve --interface=b0; same "refused" "ok packets to guests have checksums" "$(found b0)"
setpriv --bounding-set=-all --inh-caps=-all brouter offload on vif1.0 2>/run/said && echo "without privilege"
same "said" "brouter offload: vif1.0: only root changes interfaces: run as root, with CAP_NET_ADMIN" "$(cat /run/said)"
# an ordinary user may not know
brouter offload on vif1.0; setpriv --bounding-set=-all --inh-caps=-all brouter doctor b0 | grep checksums >/run/out
grep -q '^warning  b0 checksums: not known: whether a DHCP server runs on b0: ' /run/out || cat /run/out
# the hook of the manual page
mkdir -p /etc/xen/scripts/vif-post.d; printf '%s\n' "$HOOK" >/run/hook; sh /run/hook
command=online dev=vif1.0 /etc/xen/scripts/vif-post.d/50-checksums; same "by the hook" "ok packets to guests have checksums" "$(found b0)"
end; brouter down b0 >/dev/null; brouter down b1 >/dev/null
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
    let hook =
        PAGE.split("brouter offload off vif1.0\n").nth(1).and_then(|rest| rest.split(".Ed").next()).expect("a hook");
    let script = format!("HOOK=$(cat <<'HOOK'\n{hook}HOOK\n)\n{CHECKSUMS}");
    let name = "doctor finds guests that get a DHCP server's packets without checksums, and its line makes them";
    let needs = ["dnsmasq", "busybox", "perl", ROOT];
    let checksums = Test::of_script(name, &needs, STATE, script, Mode::Sys);
    conclude(vec![test, checksums])
}
