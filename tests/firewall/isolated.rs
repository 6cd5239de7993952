//! Tests of `--isolate`: guests reach the host and the outside, but not each other, neither on the bridge nor by way of the host.

/// Names and scripts of the tests. They run with each backend, which `backend` has.
pub(crate) const TESTS: [(&str, &str); 2] = [
    (
        "isolated guests reach the host and the outside, and not each other",
        r#"
    before=$(everything)
    # $1 reaches $2: a connection to a port on which nobody listens is refused
    reaches() { ip netns exec $1 timeout ${3-2} bash -c "</dev/tcp/$2/9" 2>&1 | grep -q refused; }
    guests=(lab --bridge b0 --address 10.9.0.1/24 --address fd00:9::1/64 --outside eth0 --masquerade --port p1 "${backend[@]}")
    ip -n out route add fd00:9::/64 via 2001:db8::1
    brouter up ${guests[@]} >/dev/null; ip link set p2 master b0
    reaches g1 10.9.0.12 || echo "without --isolate g1 does not reach g2"
    # also ports that are there already
    brouter up ${guests[@]} --isolate >/run/steps || echo "no --isolate"
    same "isolated" "1 1" "$(echo $(cat /sys/class/net/p{1,2}/brport/isolated))"
    same "again" "lab: is up, nothing to do" "$(brouter up ${guests[@]} --isolate)"
    check() {
        for pair in "g1 10.9.0.1" "g2 10.9.0.1" "g1 192.0.2.2" "g2 192.0.2.2" "g1 fd00:9::1" "g1 2001:db8::2"; do
            reaches $pair || echo "$1: $pair: not reached"
        done
        for pair in "g1 10.9.0.12" "g2 10.9.0.11" "g1 fd00:9::12"; do
            reaches $pair 0.7 && echo "$1: $pair: reached"
        done
    }
    check "on the bridge"
    # a guest that takes the host for its router to another
    ip -n g1 route add 10.9.0.12 via 10.9.0.1; ip -n g2 route add 10.9.0.11 via 10.9.0.1
    ip -n g1 route add fd00:9::12 via fd00:9::1; ip -n g2 route add fd00:9::11 via fd00:9::1
    check "by the gateway"
    # rules that others add behind ours let nobody through
    iptables -A FORWARD -j ACCEPT; ip6tables -A FORWARD -j ACCEPT; check "beside rules that accept"; iptables -D FORWARD -j ACCEPT
    ip6tables -D FORWARD -j ACCEPT
    for try in {1..20}; do brouter status lab >/run/out && break; sleep 0.2; done; grep -q 'all is well' /run/out || cat /run/out
    grep -q 'isolate    guests do not reach each other' /run/out || cat /run/out
    # a port that comes later
    ip link set p2 nomaster; XENBUS_PATH= INTERFACE=p2 vif-bridge add vif=p2 bridge=b0 type_if=tap >/dev/null 2>&1 || brctl addif b0 p2
    brouter doctor lab | grep -q '^failure  lab status: isolate-missing: p2 reaches other guests; type: echo 1 >/sys/class/net/p2/brport/isolated' || brouter doctor lab
    # on a narrow terminal the line to type is not broken
    script -qec 'stty cols 60; TERM=dumb brouter status lab' /dev/null </dev/null | tr -d '\r' | grep -qx ' *echo 1 >/sys/class/net/p2/brport/isolated' || brouter status lab
    brouter status lab | grep -q 'p2 reaches other guests: echo 1 >/sys/class/net/p2/brport/isolated' && echo 1 >/sys/class/net/p2/brport/isolated
    ip link set p2 up; brouter status lab >/run/out; check "a port that came later"
    # without it they reach each other again
    brouter up ${guests[@]} >/dev/null; same "not isolated" 0 "$(cat /sys/class/net/p1/brport/isolated)"
    echo 0 >/sys/class/net/p2/brport/isolated; ip -n g1 route del 10.9.0.12 via 10.9.0.1; ip -n g2 route del 10.9.0.11 via 10.9.0.1
    reaches g1 10.9.0.12 || echo "after --isolate g1 does not reach g2"
    brouter up ${guests[@]} --isolate >/dev/null; brouter down lab >/dev/null; same "left" "$before" "$(everything)"
    "#,
    ),
    (
        "before Linux 4.18 isolated guests reach each other on the bridge alone, and up and status say so",
        r#"
    before=$(everything); for file in /proc/sys/net/bridge/bridge-nf-call-{ip,ip6}tables; do [ ! -e $file ] || echo 0 >$file; done
    reaches() { ip netns exec $1 timeout ${3-2} bash -c "</dev/tcp/$2/9" 2>&1 | grep -q refused; }
    # the kernel gives programs the release 2.6.x
    export BROUTER_ERA=today; old() { setarch --uname-2.6 brouter "$@"; }
    guests=(lab --bridge b0 --address 10.9.0.1/24 --outside eth0 --masquerade --port p1 --port p2 --isolate "${backend[@]}")
    wanted='lab: guests on b0 reach each other: this kernel cannot isolate ports (Linux 4.18 can)'
    old up ${guests[@]} >/run/out || cat /run/out; same "said" "$wanted" "$(tail -1 /run/out)"
    same "no port is isolated" "0 0" "$(echo $(cat /sys/class/net/p{1,2}/brport/isolated))"
    same "again" "$wanted" "$(old up ${guests[@]})"
    for pair in "g1 10.9.0.12" "g1 192.0.2.2" "g2 10.9.0.1"; do reaches $pair || echo "$pair: not reached"; done
    ip -n g1 route add 10.9.0.12 via 10.9.0.1; ip -n g2 route add 10.9.0.11 via 10.9.0.1
    reaches g1 10.9.0.12 0.7 && echo "reached by the gateway"
    for try in {1..20}; do old status lab >/run/out && break; sleep 0.2; done; grep -q 'all is well' /run/out || cat /run/out
    grep -q 'isolate    guests reach each other on the bridge, not through this host' /run/out || cat /run/out
    old down lab >/dev/null; same "left" "$before" "$(everything)"
    "#,
    ),
];

/// With a xenstored.
pub(crate) const XEN: (&str, &str) = (
    "vif-bridge isolates the port of a guest that starts later",
    r#"
    before=$(everything)
    reaches() { ip netns exec $1 timeout ${3-2} bash -c "</dev/tcp/$2/9" 2>&1 | grep -q refused; }
    brouter up lab --bridge b0 --address 10.9.0.1/24 --outside eth0 --masquerade --isolate "${backend[@]}" >/dev/null
    brouter up open --bridge b1 --address 10.8.0.1/24 "${backend[@]}" >/dev/null
    for n in 1 2; do
        xenstore-write /local/domain/0/backend/vif/$n/0/bridge b0
        XENBUS_PATH=/local/domain/0/backend/vif/$n/0 vif=p$n vif-bridge online >/run/out 2>&1 || cat /run/out
        same "guest $n" "connected 1" "$(xenstore-read /local/domain/0/backend/vif/$n/0/hotplug-status) $(cat /sys/class/net/p$n/brport/isolated)"
    done
    for pair in "g1 10.9.0.1" "g2 10.9.0.1" "g1 192.0.2.2" "g2 192.0.2.2"; do reaches $pair || echo "$pair: not reached"; done
    ip netns exec g1 ip neigh flush all; for pair in "g1 10.9.0.12" "g2 10.9.0.11"; do reaches $pair 0.7 && echo "$pair: reached"; done
    for try in {1..20}; do brouter status lab >/run/out && break; sleep 0.2; done; grep -q 'all is well' /run/out || cat /run/out
    # nothing to do for up, and another network's guests are not isolated
    same "up again" "lab: is up, nothing to do" "$(brouter up lab --bridge b0 --address 10.9.0.1/24 --outside eth0 --masquerade --isolate "${backend[@]}")"
    XENBUS_PATH=/local/domain/0/backend/vif/2/0 vif=p2 vif-bridge offline; xenstore-write /local/domain/0/backend/vif/2/0/bridge b1
    XENBUS_PATH=/local/domain/0/backend/vif/2/0 vif=p2 vif-bridge online; same "on the other network" 0 "$(cat /sys/class/net/p2/brport/isolated)"
    for n in 1 2; do XENBUS_PATH=/local/domain/0/backend/vif/$n/0 vif=p$n vif-bridge offline; done
    brouter down lab >/dev/null; brouter down open >/dev/null; same "left" "$before" "$(everything)"
    "#,
);
