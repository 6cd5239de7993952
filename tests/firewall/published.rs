//! Masquerading and published ports.

pub(crate) const TESTS: [(&str, &str); 4] = [
    (
        "a guest is masqueraded; its port is reached from outside, from the host and from other guests",
        r#"
        before=$(everything)
        brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade --publish 8080:10.9.0.11:80 >/run/out
        serve g1 tcp 80; serve out tcp 7; serve host tcp 53
        asked g1 tcp 192.0.2.2 7 "out 7 192.0.2.1"
        for frames in 0 1; do
            echo $frames >/proc/sys/net/bridge/bridge-nf-call-iptables
            asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
            asked out tcp 192.0.2.9 8080 "g1 80 192.0.2.2"
            asked host tcp 192.0.2.1 8080 "g1 80 192.0.2.1"
            asked g2 tcp 192.0.2.1 8080 "g1 80 10.9.0.1"
            asked g2 tcp 10.9.0.11 80 "g1 80 10.9.0.12"
        done
        # not the loopback, not the guests' router, no other port
        asked host tcp 127.0.0.1 8080 refused
        asked g2 tcp 10.9.0.1 8080 refused
        asked host tcp 10.9.0.1 8080 refused
        asked g2 tcp 10.9.0.1 53 "host 53 10.9.0.12"
        asked out tcp 192.0.2.1 80 refused
        brouter status n >/run/out || cat /run/out
        grep -q -E '(publish) +8080:10.9.0.11:80/tcp' /run/out || cat /run/out
        brouter status n --json | jq -c '.bridges[0].publish, .bridges[0].firewall_backend' >/run/out
        same "JSON" '[{"protocol":"tcp","address":null,"ports":[8080,8080],"guest":"10.9.0.11","guest_ports":[80,80],"rule":true}]
"'${backend[1]}'"' "$(cat /run/out)"
        same "a second up" "n: is up, nothing to do" "$(brouter up "${bridge[@]}" --outside eth0 --masquerade --publish 8080:10.9.0.11:80)"
        brouter down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        asked out tcp 192.0.2.1 8080 refused
        "#,
    ),
    (
        "ranges, other numbers, UDP, one address of the host, several networks on the bridge",
        r#"
        before=$(everything)
        ip -n g2 addr add 10.8.0.12/24 dev eth0
        brouter up "${bridge[@]}" "${backend[@]}" --address 10.8.0.1/24 --publish 7000-7002:10.9.0.11 \
            --publish 7100-7101:10.9.0.11:7001-7002 --publish 53:10.8.0.12:5353/udp --publish 192.0.2.9:80:10.9.0.11 >/run/out || cat /run/out
        serve g1 tcp 7001; serve g1 tcp 7002; serve g1 tcp 80; serve g2 udp 5353 10.8.0.12
        asked out tcp 192.0.2.1 7001 "g1 7001 192.0.2.2"
        asked out tcp 192.0.2.1 7002 "g1 7002 192.0.2.2"
        asked out tcp 192.0.2.1 7101 "g1 7002 192.0.2.2"
        asked out tcp 192.0.2.1 7003 refused
        asked out tcp 192.0.2.9 80 "g1 80 192.0.2.2"
        asked out tcp 192.0.2.1 80 refused
        asked host tcp 192.0.2.9 80 "g1 80 192.0.2.1"
        asked g2 tcp 192.0.2.9 80 "g1 80 10.9.0.1"
        asked out udp 192.0.2.1 53 "g2 5353 192.0.2.2"
        asked host udp 192.0.2.1 53 "g2 5353 192.0.2.1"
        # what guests ask their router stays there, whichever address it has
        asked g1 udp 10.9.0.1 53 nothing; asked g1 udp 10.8.0.1 53 nothing; asked host udp 10.8.0.1 53 nothing
        brouter up "${bridge[@]}" --address 10.8.0.1/24 --publish 7000-7002:10.9.0.11 >/run/out || cat /run/out
        asked out tcp 192.0.2.9 80 refused
        asked out tcp 192.0.2.1 7001 "g1 7001 192.0.2.2"
        brouter down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        "#,
    ),
    (
        "IPv6",
        r#"
        before=$(everything)
        brouter up "${bridge[@]}" "${backend[@]}" --address fd00:9::1/64 --publish '80:[fd00:9::11]:8080' \
            --publish '[2001:db8::1]:53:[fd00:9::12]/udp' >/run/out || cat /run/out
        for ((i = 0; i < 100; i++)); do [ -z "$(ip -6 addr show tentative)" ] && break; sleep 0.1; done
        serve g1 tcp 8080; serve g2 udp 53
        ip -n out route add fd00:9::/64 via 2001:db8::1
        asked out tcp 2001:db8::1 80 "g1 8080 2001:db8::2"
        asked host tcp 2001:db8::1 80 "g1 8080 2001:db8::1"
        asked g2 tcp 2001:db8::1 80 "g1 8080 fd00:9::1"
        asked out udp 2001:db8::1 53 "g2 53 2001:db8::2"
        asked g2 tcp fd00:9::1 80 refused
        asked host tcp ::1 80 refused
        brouter down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        "#,
    ),
    (
        "antispoof: a guest's own packets to the outside are dropped, what comes in passes; a published port answers",
        r#"
        before=$(everything)
        brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade --antispoof --publish 8080:10.9.0.11:80 >/run/out || cat /run/out
        serve g1 tcp 80
        pings g1 192.0.2.2 1 && echo "antispoof drops nothing"
        pings g1 10.9.0.1 || echo "the guest does not reach the host"
        asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
        brouter status n >/run/out || cat /run/out
        brouter down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        "#,
    ),
];

/// With a xenstored.
pub(crate) const XEN: (&str, &str) = (
    "vif-bridge lets a guest send from its own address only, while antispoof is on",
    r#"
        before=$(everything)
        echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
        brouter up n --bridge b0 --address 10.9.0.1/24 "${backend[@]}" --outside eth0 --antispoof >/run/out || cat /run/out
        hook() {
            XENBUS_PATH=/local/domain/0/backend/vif/${2#p}/0 vif=$2 ip=$3 vif-bridge $1 bridge=b0 "firewall_backend=${backend[1]}" \
                >/run/out 2>&1 || cat /run/out
        }
        ip link set p1 down; ip link set p2 down
        hook online p1 10.9.0.11; hook online p2 10.9.0.12
        pings g1 10.9.0.12 || echo "g1 does not reach g2 from its address"
        # what a guest receives is accepted whoever sent it, so the other end has no rules of its own
        hook offline p2 10.9.0.12; brctl addif b0 p2; ip link set p2 up
        ip -n g1 addr add 10.9.0.77/24 dev eth0
        heard() { at g2 cat /proc/net/snmp | awk '/^Icmp:/ && $2 ~ /^[0-9]/ { print $2 }'; }
        count=$(heard)
        at g1 busybox ping -c 1 -W 1 -I 10.9.0.77 10.9.0.12 >/dev/null 2>&1 && echo "g1 reaches g2 from a foreign address"
        same "messages that g2 has received from a foreign address" "$count" "$(heard)"
        hook offline p1 10.9.0.11
        brctl delif b0 p2
        brouter down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        "#,
);
