#!/bin/bash
# network-bridge.sh PROGRAMS: network-bridge with a bond for its card, and with VLANs on the card, on a kernel that has both. Linux 6.1 also
# switches a card off for another name. Prints what is wrong, and how many checks were made.
set -u
# ip is the original
nb=$(cd "$1" && pwd)/network-bridge
failed=0 checks=0
check() {
    local what=$1 said
    shift
    checks=$((checks + 1))
    said=$("$@" 2>&1) || { echo "FAILED $what: $*"; echo "$said" | sed 's/^/    /'; failed=$((failed + 1)); }
}
same() { [ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2"); return 1; }; }
refused() { local said; ! said=$("${@:2}" 2>&1) && grep -qF "$1" <<<"$said" || { echo "$said"; return 1; }; }
reaches() { ${1:+ip netns exec "$1"} ping -n -c 1 -W 2 "$2" >/dev/null || ${1:+ip netns exec "$1"} ping -n -c 3 -W 2 "$2"; }
layer3() {
    ip -o addr show scope global | sed -E 's/^[0-9]+: //; s/ (nodad|tentative)//g' | sort
    ip route | sed -E 's/ proto (static|boot)//; s/ linkdown//'
    ip -6 route | grep -v ^fe80 | sed 's/ linkdown//' | sort
}
links() { for link in /sys/class/net/*/; do link=${link%/}; echo "${link##*/} $(cat "$link"/{address,mtu} | xargs) $(echo "$link"/brif/*) $(cat "$link/bonding/slaves" 2>/dev/null)"; done; }
connected() { reaches '' 192.168.7.1 && reaches out 192.168.7.2 && reaches '' 10.5.0.1 && reaches out 10.5.0.2 && reaches '' 10.9.9.9; }

# The wire: a switch outside with two ports, a router in network 7, and one in VLAN 5, behind which is 10.9.9.9.
ip netns add out
for at in '' 'ip netns exec out'; do
    $at sh -c 'for name in all default; do echo 0 >/proc/sys/net/ipv6/conf/$name/accept_dad; done'
done
ip -n out link add switch type bridge forward_delay 0
for n in 1 2; do
    ip link add "eth$n" address "00:16:3e:01:02:0$n" type veth peer name "port$n" netns out
    ip -n out link set "port$n" master switch up
done
ip -n out -batch - <<'LINES'
link set lo up
link set switch up
addr add 192.168.7.1/24 dev switch
addr add 2001:db8:7::1/64 dev switch
link add link switch name switch.5 type vlan id 5
addr add 10.5.0.1/24 dev switch.5
link set switch.5 up
addr add 10.9.9.9/32 dev lo
LINES

# on_card NAME: what a host has on its card, and on VLAN 5 of it
on_card() {
    ip -batch - <<LINES
addr add 192.168.7.2/24 brd + dev $1
addr add 192.168.7.3/24 brd + dev $1 label $1:1
addr add 2001:db8:7::2/64 dev $1
link set $1 up
link add link $1 name $1.5 type vlan id 5
addr add 10.5.0.2/24 brd + dev $1.5
link set $1.5 up
route add default via 192.168.7.1 dev $1 metric 10
route add 10.9.0.0/16 via 10.5.0.1 dev $1.5 metric 20
route add default via 2001:db8:7::1 dev $1
LINES
    sleep 1
    before=$(layer3) links=$(links)
    check "$1: the host is connected" connected
}
# bridged NAME: starts, looks, and stops
bridged() {
    local name=$1 bond=$2
    for again in '' ' again'; do
        check "$name: start$again" $nb start
        check "$name: addresses and routes after start$again" same "$before" "$(layer3)"
        check "$name: the card is a port" test -e "/sys/class/net/$name/brif/p$name"
        check "$name: the bridge has the card's address" same "$(cat "/sys/class/net/p$name/address")" "$(cat "/sys/class/net/$name/address")"
        check "$name: the VLAN is on the card" grep -q "p$name\$" /proc/net/vlan/config
        check "$name: connected after start$again" connected
        [ -z "$bond" ] || check "$name: the parts of the bond" same "$bond" "$(cat "/sys/class/net/p$name/bonding/slaves")"
    done
    check "$name: stop" $nb stop
    check "$name: addresses and routes after stop" same "$before" "$(layer3)"
    check "$name: links after stop" same "$links" "$(links)"
    check "$name: connected after stop" connected
}

on_card eth1
check "$(uname -r) switches a card off" refused 'busy' ip link set eth1 name other
bridged eth1 ''
check "eth1: status" $nb status netdev=eth1
ip link del eth1.5
ip link set eth1 down
ip addr flush dev eth1

ip link add bond0 type bond mode active-backup miimon 50
for n in 1 2; do ip link set "eth$n" down; ip link set "eth$n" master bond0; done
on_card bond0
check "a part of a bond is refused" refused 'eth1 belongs to bond0: netdev=bond0' $nb start netdev=eth1
check "and nothing is changed" same "$links" "$(links)"
bridged bond0 "$(cat /sys/class/net/bond0/bonding/slaves)"
check "bond0: start" $nb start
ip link set eth1 down
sleep 1
check "bond0: the other part takes over" connected
check "bond0: stop" $nb stop
echo "network-bridge: $checks checks, $failed failed"
[ $failed = 0 ]
