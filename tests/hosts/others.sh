# Cables of other kinds than tinc, by the lines of compat/docs/HOSTS.md: VXLAN between three hosts, OpenVPN in a row of three, gretap
# between two. CABLES, if it is set, names the kinds; else a kind that the machine lacks is skipped.

mac=02:00:5e:00:00:01
names=(alpha beta gamma)
for n in 1 2 3; do
    add_host "${names[n - 1]}" $n
    # scripts of OpenVPN have no PATH of ours
    on "${names[n - 1]}" sh -c 'mount -t tmpfs tmpfs /usr/local/sbin && ln -s "$1" /usr/local/sbin/' sh "$programs/brouter"
done

# network HOST TUNNEL...: the network, before its tunnels are there
network() {
    local host=$1 said tunnel
    shift
    on "$host" sh -c 'echo bridge=xenbr0 mac=$1 address=192.168.10.1/24 outside=eth0 masquerade=yes | tr " " "\n" >/etc/brouter/dmz.conf
        shift; for tunnel; do echo "tunnel=$tunnel"; done >>/etc/brouter/dmz.conf' sh $mac "$@"
    said=$(on "$host" brouter up dmz) || { echo "$said"; return 1; }
    for tunnel; do
        grep -q "^dmz: $tunnel is not there yet: brouter up dmz attaches it" <<<"$said" || { echo "$said"; return 1; }
        is_missing "$host" "$tunnel" || { echo "status does not say that $tunnel is not there"; return 1; }
    done
}
is_missing() {
    local said
    ! said=$(on "$1" brouter status dmz) && grep -q "$2 is not there: other hosts are not reached" <<<"$said"
}
# joined HOST TUNNEL MTU: whether a tunnel is a port, and the bridge follows its MTU
joined() {
    within 10 on "$1" test -e "/sys/class/net/xenbr0/brif/$2" || { echo "$2 is no port"; return 1; }
    within 5 on "$1" grep -qx "$3" /sys/class/net/xenbr0/mtu || { on "$1" cat /sys/class/net/xenbr0/mtu; return 1; }
}
shown() { on "$1" brouter status dmz | grep -Eq "[^a-z]$2 .* forwarding .* [0-9]+ on other hosts$"; }
# whole GUEST OTHER: whether a packet of the MTU's size gets through in one piece
whole() { guest "$1" ping -n -c 1 -W 2 -M do -s $(($(guest "$1" cat /sys/class/net/eth0/mtu) - 28)) "192.168.10.$2" >/dev/null; }
# same_network MTU TUNNEL HOST:GUEST...: what guests of hosts that are joined by a tunnel of this name notice
same_network() {
    local mtu=$1 tunnel=$2 host number numbers=() at
    shift 2
    for at; do
        host=${at%:*} number=${at#*:}
        check "$host: $tunnel is a port" joined "$host" "$tunnel" "$mtu"
        add_guest "$number" "$host" xenbr0
        check "guest $number has the MTU" test "$(guest "$number" cat /sys/class/net/eth0/mtu)" = "$mtu"
        count_gateways "$host" "$tunnel"
        numbers+=("$number")
    done
    check "guests reach each other, the gateway and the outside" within 20 all_reach_all "${numbers[@]}"
    check "one gateway answers each guest" one_answer_each "${numbers[@]}"
    check "packets of $mtu bytes reach the guest furthest away" within 10 whole "${numbers[0]}" "${numbers[-1]}"
    for at; do
        host=${at%:*}
        check "$host: no frame of another gateway comes out of $tunnel" test "$(gateways_seen "$host" "$tunnel")" = 0
        check "$host: all is well" on "$host" brouter status dmz
        check "$host: status shows $tunnel" shown "$host" "$tunnel"
    done
}
# clear HOST:GUEST...: removes guests and networks
clear() {
    local at
    for at; do
        ip netns del "g${at#*:}"
        on "${at%:*}" sh -c 'brouter down dmz; ebtables -F OUTPUT; ebtables -t nat -F PREROUTING' >/dev/null
    done
}

vxlan() {
    local n name all='192.0.2.1 192.0.2.2 192.0.2.3'
    for name in "${names[@]}"; do check "$name: a network without its tunnel" network "$name" vxlan0; done
    add_guest 10 alpha xenbr0
    for n in 1 2 3; do
        name=${names[n - 1]}
        check "$name: VXLAN" run_block 3 "$name" "address=192.0.2.$n others='${all/192.0.2.$n/}'"
    done
    warned() { on alpha brouter up dmz | grep -qx 'dmz: vxlan0 carries 1450 bytes, guests send up to 1500: .*: set mtu=1450'; }
    check "alpha: up says that a guest of before sends more" warned
    ip netns del g10
    same_network 1450 vxlan0 alpha:11 beta:12 gamma:13
    check "beta: the tunnel goes" on beta ip link del vxlan0
    check "beta: status says so" is_missing beta vxlan0
    check "guest 12 keeps the outside" reaches 12 198.51.100.1
    check "beta: the tunnel comes back" run_block 3 beta "address=192.0.2.2 others='192.0.2.1 192.0.2.3'"
    check "guests reach each other again" within 20 all_reach_all 11 12 13
    for name in "${names[@]}"; do on "$name" ebtables -F OUTPUT; done
    check "without the rules several gateways answer" refuses one_answer 12
    clear alpha:11 beta:12 gamma:13
    for name in "${names[@]}"; do on "$name" ip link del vxlan0; done
}

gretap() {
    check "alpha: a network without its tunnel" network alpha gre1
    check "beta: a network without its tunnel" network beta gre1
    check "alpha: gretap" run_block 4 alpha 'address=192.0.2.1 other=192.0.2.2'
    check "beta: gretap" run_block 4 beta 'address=192.0.2.2 other=192.0.2.1'
    same_network 1462 gre1 alpha:11 beta:12
    clear alpha:11 beta:12
    for name in alpha beta; do on "$name" ip link del gre1; done
}

# vpn HOST DEVICE PORT OTHER: a half of a connection, with a key that both share
vpn() {
    on "$1" sh -ec 'cd /etc/openvpn; cp "$4" dmz.key
        printf "%s\n" "dev $1" "port $2" "remote $3" "secret dmz.key" "cipher AES-256-CBC" "keepalive 2 10" "script-security 2" \
            "up /etc/openvpn/dmz-up" "ignore-unknown-option allow-deprecated-insecure-static-crypto" \
            "allow-deprecated-insecure-static-crypto" >"$1.conf"
        openvpn --cd /etc/openvpn --config "$1.conf" --log "$5" --daemon --writepid "/run/$1.pid"' sh "$2" "$3" "$4" "$lab/key" \
        "$lab/$1.$2.log" || { cat "$lab/$1.$2.log"; return 1; }
}
# side HOST DEVICE PORT OTHER: the guide's script, and OpenVPN
side() {
    on "$1" mkdir -p /etc/openvpn
    check "$1: the script of OpenVPN" run_block 5 "$1"
    check "$1: OpenVPN for $2" vpn "$@"
    check "$1: $2 is a port" within 10 on "$1" test -e "/sys/class/net/xenbr0/brif/$2"
}
openvpn() {
    command openvpn --genkey secret "$lab/key"
    check "alpha: a network without its tunnel" network alpha tap0
    check "beta: a network without its tunnels" network beta tap0 tap1
    check "gamma: a network without its tunnel" network gamma tap0
    side alpha tap0 1194 192.0.2.2
    side beta tap0 1194 192.0.2.1
    side beta tap1 1195 192.0.2.3
    side gamma tap0 1195 192.0.2.2
    # frames between alpha and gamma pass through both tunnels of beta
    same_network 1500 tap0 alpha:11 beta:12 gamma:13
    check "beta: status shows tap1" shown beta tap1
    on alpha sh -c 'kill "$(cat /run/tap0.pid)"'
    check "alpha: OpenVPN ends" within 10 is_missing alpha tap0
    check "guest 11 keeps the outside" reaches 11 198.51.100.1
    check "guests 12 and 13 keep each other" reaches 12 192.168.10.13
    check "alpha: OpenVPN starts again" vpn alpha tap0 1194 192.0.2.2
    check "guests reach each other again" within 20 all_reach_all 11 12 13
    check "alpha: one rule" test "$(on alpha ebtables -L OUTPUT | grep -c tap0)" = 1
    clear alpha:11 beta:12 gamma:13
}

# can KIND: whether the machine has it
can() {
    case $1 in
    vxlan) ip link add probe type vxlan id 1 dstport 1 2>/dev/null && ip link del probe ;;
    gretap) ip link add probe type gretap local 192.0.2.1 remote 192.0.2.2 2>/dev/null && ip link del probe ;;
    openvpn) command -v openvpn >/dev/null ;;
    esac
}
for kind in ${CABLES:-vxlan openvpn gretap}; do
    if [ -z "${CABLES-}" ] && ! can "$kind"; then
        echo "skipped $kind: this machine has none"
    else
        echo "# others: $kind"
        $kind
    fi
done
