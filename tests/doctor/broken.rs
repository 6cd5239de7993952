//! Tests that break a host: doctor must find the fault, and its command must repair it.

/// Names and scripts. A script breaks the host, sets `cut` to the connection that no longer works, and calls `mends` with the
/// expected finding.
pub(crate) const BROKEN: &[(&str, &str)] = &[
    ("forwarding is off", "echo 0 >/proc/sys/net/ipv4/ip_forward; cut=$out; mends failure forwarding"),
    (
        "forwarding is off on the bridge",
        "echo 0 >/proc/sys/net/ipv4/conf/b0/forwarding; cut=$out; mends failure forwarding",
    ),
    (
        "forwarding is off on the interface to the outside",
        "echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding; cut=$out; mends failure forwarding",
    ),
    (
        "replies do not arrive over the default route, and rp_filter is strict",
        r#"
        ip netns add out2; ip link add eth1 type veth peer name outside netns out2; ip link set eth1 up
        ip -n out2 link set outside up; ip -n out2 link set lo up
        ip addr add 198.51.100.1/24 dev eth1; ip -n out2 addr add 198.51.100.2/24 dev outside; ip -n out2 addr add 203.0.113.1/32 dev lo
        sed -i s/eth0/eth1/ /etc/brouter/n.conf
        iptables -t mangle -A PREROUTING -i b0 -j MARK --set-mark 1
        ip rule add fwmark 1 lookup 100; ip route add default via 198.51.100.2 table 100
        echo 1 >/proc/sys/net/ipv4/conf/eth1/rp_filter
        target=203.0.113.1 cut="g1 203.0.113.1"; mends failure rp-filter
        "#,
    ),
    (
        "frames between guests are dropped by the firewall",
        r#"
        iptables -P FORWARD DROP; iptables -A FORWARD -i b0 -o eth0 -j ACCEPT; iptables -A FORWARD -i eth0 -o b0 -j ACCEPT
        echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
        cut=$neighbour; mends failure bridge-nf
        "#,
    ),
    (
        "frames between guests are dropped by the firewall on this bridge only",
        r#"
        iptables -P FORWARD DROP; iptables -A FORWARD -i b0 -o eth0 -j ACCEPT; iptables -A FORWARD -i eth0 -o b0 -j ACCEPT
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables; echo 1 >/sys/class/net/b0/bridge/nf_call_iptables
        cut=$neighbour; mends failure bridge-nf
        "#,
    ),
    (
        "frames between guests are masqueraded",
        r#"
        iptables -t nat -I POSTROUTING -s 10.9.0.0/24 -j MASQUERADE; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
        cut=; mends warning bridge-nf
        "#,
    ),
    (
        "the policy of FORWARD is DROP",
        "echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables; iptables -P FORWARD DROP; cut=$out; mends failure forward",
    ),
    (
        "a rule drops replies",
        "iptables -A FORWARD -i eth0 -o b0 -m comment --comment 'not in' -j REJECT; cut=$out; mends failure forward",
    ),
    (
        "only some packets pass",
        r#"
        iptables -A FORWARD -i b0 -o eth0 -p udp -j ACCEPT; iptables -A FORWARD -i b0 -o eth0 -j DROP
        cut=$out; mends warning forward
        "#,
    ),
    (
        "Docker's chains",
        r#"
        iptables-restore -n <<'END'
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
        brouter doctor | grep -q 'iptables -I DOCKER-USER -i b0 -o eth0 -j ACCEPT' || echo "not in DOCKER-USER"
        cut=$out; mends failure forward
        "#,
    ),
    (
        "ufw's chains",
        r#"
        iptables-restore -n <<'END'
*filter
:FORWARD DROP [0:0]
:ufw-after-forward - [0:0]
:ufw-before-forward - [0:0]
:ufw-reject-forward - [0:0]
:ufw-user-forward - [0:0]
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-after-forward
-A FORWARD -j ufw-reject-forward
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
-A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
COMMIT
END
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
        brouter doctor | grep -q 'iptables -A ufw-reject-forward -j REJECT' || echo "the rule is not named: $(brouter doctor)"
        cut=$out; mends warning forward
        "#,
    ),
    (
        "the other variant of iptables drops",
        r#"
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables; $OTHER -P FORWARD DROP; $OTHER -A FORWARD -o b0 -j ACCEPT
        cut=$out; mends failure forward iptables
        $OTHER -S 2>&1 | grep -v -E '^(-P [A-Z]* ACCEPT|#.*)$' && echo "$OTHER has rules"
        iptables -S FORWARD 2>&1 | grep -q -e '-o b0' || echo "the rules were not moved: $(iptables -S)"
        "#,
    ),
    (
        "both variants of iptables have rules",
        "$OTHER -A INPUT -i none -j ACCEPT; cut=; mends warning iptables; iptables -S 2>&1 | grep -q none || echo 'no such rule'",
    ),
    ("nothing is masqueraded", "iptables -t nat -F; cut=$out; mends failure masquerade"),
    (
        "another network is masqueraded",
        r#"
        iptables -t nat -F; iptables -t nat -A POSTROUTING -s 10.8.0.0/24 -j MASQUERADE
        brouter doctor | grep -q 'this rule is for others: -A POSTROUTING -s 10.8.0.0/24' || brouter doctor
        cut=$out; mends failure masquerade
        "#,
    ),
    (
        "another interface is masqueraded",
        "iptables -t nat -F; iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE; cut=$out; mends failure masquerade",
    ),
    (
        "the network is excluded from masquerading",
        "iptables -t nat -I POSTROUTING -s 10.0.0.0/8 -o eth0 -j ACCEPT; cut=$out; mends failure masquerade",
    ),
    (
        "a network created by hand is not masqueraded",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf
        brctl addbr b0; brctl setfd b0 0; brctl addif b0 p1; brctl addif b0 p2; ip addr add 10.9.0.1/24 dev b0; ip link set b0 up
        # a bridge made by hand has another hardware address
        ip -n g1 neigh flush all; ip -n g2 neigh flush all
        echo 1 >/proc/sys/net/ipv4/ip_forward
        cut=$out; mends warning masquerade
        "#,
    ),
    (
        "another interface has an address of the network",
        r#"
        ip link add x1 type veth peer name x2; ip link set x2 up; ip link set x1 up; ip addr add 10.9.0.9/25 dev x1
        cut=$out; mends failure overlap
        "#,
    ),
    (
        "a more specific route bypasses the bridge",
        "ip route add 10.9.0.0/25 via 192.0.2.2; cut=$out; mends failure overlap",
    ),
    (
        "a more specific route bypasses the bridge, and rp_filter is strict",
        r#"
        ip route add 10.9.0.0/25 via 192.0.2.2; echo 1 >/proc/sys/net/ipv4/conf/b0/rp_filter
        same "rp-filter" "failure " "$(words rp-filter)"
        cut=$out; mends failure overlap
        "#,
    ),
    ("a port has an address", "ip addr add 10.9.0.9/25 dev p1; cut=$out; mends failure port-addresses"),
    (
        "a port has the bridge's address",
        r#"
        ip addr del 10.9.0.1/24 dev b0; ip addr add 10.9.0.1/24 dev p1
        cut=$out; mends failure port-addresses
        "#,
    ),
    (
        "a network card with the host's address and default route is a port",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf; ip -n g1 addr flush dev eth0; ip -n g2 addr flush dev eth0
        for link in all default eth0; do echo 0 >/proc/sys/net/ipv6/conf/$link/disable_ipv6; done
        ip route add 203.0.113.0/24 via 192.0.2.3; ip addr add fd00:5::1/64 dev eth0 nodad; ip -6 route add default via fe80::2 dev eth0
        brctl addbr br0; brctl setfd br0 0; for port in eth0 p1 p2; do brctl addif br0 $port; done; ip link set br0 up
        for n in 1 2; do ip -n g$n addr add 192.0.2.1$n/24 dev eth0; ip -n g$n route add default via 192.0.2.2; done
        cut="out 192.0.2.1"; same "port-addresses" "failure " "$(words port-addresses)"
        typed=$(lines port-addresses); type_them "$typed"; well "after $typed"
        same "default" "default via 192.0.2.2 dev br0 " "$(ip route show default)"
        same "another" "203.0.113.0/24 via 192.0.2.3 dev br0 " "$(ip route show 203.0.113.0/24)"
        ip -6 route show default | grep -q 'via fe80::2 dev br0' || ip -6 route
        for pair in "out 192.0.2.1" "g1 192.0.2.2" "g1 192.0.2.12" "g1 192.0.2.1"; do reaches $pair 3 || echo "$pair after $typed"; done
        "#,
    ),
    (
        "a plain bridge with a network card, with and without an address, is well and asks for no router",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf; echo 0 >/proc/sys/net/ipv4/ip_forward
        ip addr flush dev eth0; brctl addbr br0; brctl setfd br0 0; for port in eth0 p1 p2; do brctl addif br0 $port; done; ip link set br0 up
        for n in 1 2; do ip -n g$n addr flush dev eth0; ip -n g$n addr add 192.0.2.1$n/24 dev eth0; done
        check() {
            well "$1"; brouter status >/run/out || { echo "$1: status:"; cat /run/out; }
            grep -q 'outside    through port eth0' /run/out || { echo "$1:"; cat /run/out; }
            grep -q forwarding.none /run/out && { echo "$1:"; cat /run/out; }
            brouter doctor --all | grep -q 'br0 forward: not needed: guests reach the outside through port eth0' || brouter doctor --all
        }
        for try in {1..50}; do brouter status >/dev/null && break; sleep 0.1; done
        check "without an address"; reaches g1 192.0.2.2 3 || echo "g1 does not reach the outside"
        ip addr add 192.0.2.1/24 dev br0; ip route add default via 192.0.2.2
        check "with an address"
        # the firewall sees the frames of its guests, whatever addresses they have
        ip addr flush dev br0; iptables -P FORWARD DROP; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
        reaches g1 192.0.2.2 && echo "g1 still reaches the outside"
        same "bridge-nf" "failure " "$(words bridge-nf)"; type_them "$(lines bridge-nf)"; check "after the line"
        reaches g1 192.0.2.2 3 || echo "g1 does not reach the outside"
        "#,
    ),
    (
        "packets to any outside are dropped, and no outside is known",
        r#"
        brouter down n >/dev/null; sed -i /outside/d /etc/brouter/n.conf; brouter up n >/dev/null; ip route del default
        iptables -P FORWARD DROP
        brouter doctor | grep -q 'packets from b0 to the outside are dropped by iptables -P FORWARD DROP; type: iptables -I FORWARD -i b0 -j ACCEPT' ||
            brouter doctor
        type_them "$(lines forward)"; ip route add default via 192.0.2.2; well "after the lines"
        reaches g1 192.0.2.2 3 || echo "g1 does not reach the outside"
        "#,
    ),
    (
        "what status calls a fault, doctor reports",
        r#"
        kinds() { brouter status --json | jq -r '[.bridges[].faults[].kind] | unique | join(" ")'; }
        check() {
            same "kind" "$1" "$(kinds)"; brouter doctor >/run/out && { echo "$1: doctor finds nothing"; cat /run/out; }
            type_them "$(sed -n 's/^.*; type: //p' /run/out)"; brouter status >/run/out || { echo "$1:"; cat /run/out; }; well "$1"
        }
        ip link set b0 address 02:00:00:00:00:99; check value-differs
        brctl setfd b0 7; check value-differs
        brctl delif b0 p1; check port-missing
        sed -i '$aantispoof=yes' /etc/brouter/n.conf; brouter up n >/dev/null; well "antispoof"
        iptables -P FORWARD ACCEPT; check antispoof-missing
        "#,
    ),
    (
        "the mtu of a port differs",
        r#"
        ip link set p1 mtu 1400; cut=; same "ports with the bridge's mtu" 1400 "$(cat /sys/class/net/b0/mtu)"
        same "the other port" "warning " "$(words mtu)"; ip link set b0 mtu 1400; same "set" "warning " "$(words mtu)"
        ip link set p2 mtu 1400; well "all have 1400"; ip link set p1 mtu 1300; ip link set b0 mtu 1400 2>/dev/null
        ip link set p2 mtu 1500; ip link set p1 mtu 1500; mends warning mtu
        "#,
    ),
    (
        "ports are isolated from each other",
        r#"
        echo 1 >/sys/class/net/p1/brport/isolated; well "one alone reaches the others"
        echo 1 >/sys/class/net/p2/brport/isolated; cut=$neighbour; mends warning isolated
        "#,
    ),
    (
        "bridged frames of IPv6 are dropped, and the bridge has no address of IPv6",
        r#"
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables; echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
        ip6tables -P FORWARD DROP; cut=; mends failure bridge-nf
        same "the value" 0 "$(cat /proc/sys/net/bridge/bridge-nf-call-ip6tables)"
        "#,
    ),
    (
        "many ports without carrier, and many that are down, are one finding each",
        r#"
        for n in {1..40}; do ip link add v$n type veth peer name v$n-far; brctl addif b0 v$n; ip link set v$n up; done
        for n in {21..40}; do ip link set v$n-far up; ip link set v$n down; done
        for try in {1..50}; do [ "$(brouter doctor --json | grep -o 'no carrier' | wc -l)" = 1 ] && break; sleep 0.1; done
        brouter doctor --json | grep -q '"evidence":"v1, v2, v3, v4 and 16 more have no carrier: no guest or no cable at their other ends"' || brouter doctor
        brouter doctor --json | grep -q '"evidence":"v21, v22, v23, v24 and 16 more are down"' || brouter doctor
        type_them "$(lines ports)"; for n in {1..20}; do ip link set v$n-far up; done
        for try in {1..50}; do brouter doctor >/dev/null && break; sleep 0.1; done; well "all are up"
        "#,
    ),
    (
        "a port is down",
        r#"
        # the kernel finds out about the carrier late
        settle='for try in {1..50}; do ip link show p1 | grep -q "state UP" && break; sleep 0.1; done'
        ip link set p1 down; cut=$out; mends failure ports
        "#,
    ),
    (
        "a port does not forward yet because of the forward delay",
        r#"
        ip link set p1 down; brctl setfd b0 3; brctl stp b0 on; ip link set p1 up
        # the kernel notices the carrier late
        for try in {1..10}; do
            brouter doctor >/run/out
            grep -q -E 'ports: p1 listens and learns, and forwards in [56] s: the forward delay is 3 s; type: ' /run/out && break
            sleep 0.1
        done
        [ $try -lt 10 ] || cat /run/out
        cut=$out settle="sleep 3.2"; mends warning ports
        "#,
    ),
    (
        "a guest has the MAC address of a port",
        r#"
        ip link set p1 address $(ip -n g2 -o link show eth0 | sed 's/.*ether \([^ ]*\).*/\1/')
        ip -n g1 neigh flush all; ip neigh flush all
        reaches g2 192.0.2.2
        cut="g2 192.0.2.2" guest=g2; mends failure macs
        "#,
    ),
    (
        "two ports have the same MAC address",
        r#"
        # otherwise the bridge takes over the address of a port
        brouter up n --mac 02:00:00:00:00:b0 >/dev/null; ip -n g1 neigh flush all
        ip link set p2 address $(cat /sys/class/net/p1/address)
        cut=; mends warning macs
        "#,
    ),
    ("the bridge is down", "ip link set b0 down; cut=$out; mends failure bridge"),
    ("the bridge lacks its address", "ip addr del 10.9.0.1/24 dev b0; cut=$out; mends failure bridge"),
    (
        "the bridge has no ports",
        r#"
        brctl delif b0 p2; brctl delif b0 p1; sed -i /port/d /etc/brouter/n.conf
        cut=$out settle="brctl addif b0 p2"; mends warning bridge
        "#,
    ),
    (
        "the interface to the outside is down",
        "ip link set eth0 down; cut=$out settle='sleep 0.1'; mends failure outside",
    ),
    (
        "there is no default route, on a kernel without fib_trie",
        r#"
        brouter() {
            strace -qq -o /dev/null -P /proc/net/fib_trie -P /proc/net/fib_triestat \
                -e inject=open,openat,stat,newfstatat:error=ENOENT /run/typed/brouter "$@" 2>/dev/null
        }
        ip route del default; cut='g1 203.0.113.1'; mends failure outside
        "#,
    ),
    ("there is no default route", "ip route del default; cut='g1 203.0.113.1'; mends failure outside"),
    (
        "the default route uses another interface than the one to the outside",
        r#"
        ip link add eth1 type veth peer name x2; ip link set x2 up; ip link set eth1 up; sed -i s/outside=eth0/netdev=eth1/ /etc/brouter/n.conf
        cut=; mends warning outside
        "#,
    ),
    ("the network is not up", "brouter down n >/dev/null; cut=$out; mends failure record"),
    ("the bridge was deleted", "ip link del b0; cut=$out; mends failure record"),
    (
        "up did not complete",
        r#"
        record=$(echo /run/brouter/*/n.network); mv $record ${record%network}changing; ip addr del 10.9.0.1/24 dev b0
        cut=$out; mends failure record
        "#,
    ),
    (
        "a start of network-virtual did not complete",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf; network-virtual start bridge=b0 bridgeip=10.9.0.1/24 firewall=none
        ln -s bridge $(echo /run/brouter/*)/b0.making
        same "record" "warning " "$(words record)"; same "the line" "network-virtual stop firewall=none bridge=b0" "$(lines record)"
        type_them "$(lines record)"; same "record" "" "$(words record)"
        "#,
    ),
    ("the stored state is malformed", "echo x >$(echo /run/brouter/*/n.network); cut=; mends failure record"),
    (
        "the firewall command is missing",
        r#"
        ln -s /bin/true /run/fw; echo 'firewall="/run/fw start"' >>/etc/brouter/n.conf; brouter up n >/dev/null; well "with a hook"
        rm /run/fw; cut=; mends failure hook
        "#,
    ),
    ("/sys is not mounted", "mount -t tmpfs none /sys; cut=; mends warning sysfs"),
];

/// Shell that gives the host and the network global IPv6 addresses.
pub(crate) const IPV6: &str = r#"
# addresses must not stay tentative
here='for conf in /proc/sys/net/ipv6/conf/*; do echo 0 >$conf/accept_dad; echo 0 >$conf/disable_ipv6; done'
eval "$here"; for namespace in g1 out; do ip netns exec $namespace sh -c "$here"; done
ip addr add 2001:db8:1::1/64 dev eth0 nodad; ip -n out addr add 2001:db8:1::2/64 dev outside nodad
ip -n out route add 2001:db8:9::/64 via 2001:db8:1::1
ip -n g1 addr add 2001:db8:9::11/64 dev eth0 nodad; ip -n g1 route add default via 2001:db8:9::1
ip route add default via 2001:db8:1::2
brouter down n >/dev/null; sed -i '$ a address=2001:db8:9::1/64' /etc/brouter/n.conf; brouter up n >/dev/null
for try in {1..20}; do ! ip -6 addr show tentative | grep -q inet6 || sleep 0.5; done
target=2001:db8:1::2; out6="g1 $target"
reaches $out6 3 || { echo "no IPv6"; ip -6 addr; ip -6 route; }
well "with IPv6"
"#;

/// Names and scripts of the tests that run after [`IPV6`].
pub(crate) const BROKEN_IPV6: &[(&str, &str)] = &[
    ("IPv6: forwarding is off", "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; cut=$out6; mends failure ipv6"),
    (
        "IPv6: the default route comes from a router advertisement and will expire",
        r#"
        # up has made it 2
        echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra
        ip -6 route del default; ip -6 route add default via 2001:db8:1::2 expires 600
        cut=; mends warning ipv6
        "#,
    ),
    (
        "IPv6: the default route has expired",
        r#"
        ip -6 route del default; echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra
        # stands for a router advertisement
        settle="ip -6 route add default via 2001:db8:1::2"
        cut=; mends failure ipv6
        "#,
    ),
    (
        "IPv6: there is no default route",
        r#"
        ip -6 route del default; echo 2 >/proc/sys/net/ipv6/conf/eth0/accept_ra
        brouter doctor | grep -q 'ip -6 route add default via ROUTER dev eth0' || brouter doctor
        ip -6 route add default via 2001:db8:1::2; well "again"
        "#,
    ),
    (
        "IPv6: disabled on the bridge",
        r#"
        echo 1 >/proc/sys/net/ipv6/conf/b0/disable_ipv6
        settle="sleep 2"; cut=$out6; mends failure bridge
        "#,
    ),
    (
        "IPv6: the policy of FORWARD is DROP",
        r#"
        echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
        ip6tables -P FORWARD DROP; cut=$out6; mends failure forward
        "#,
    ),
    (
        "IPv6: frames between guests are dropped",
        r#"
        ip6tables -P FORWARD DROP; ip6tables -A FORWARD ! -i b0 -j ACCEPT; ip6tables -A FORWARD ! -o b0 -j ACCEPT
        echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
        cut=; mends failure bridge-nf
        "#,
    ),
];
