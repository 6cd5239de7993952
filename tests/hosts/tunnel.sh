# Three hosts with tincd between them, made by the lines of compat/docs/HOSTS.md, and guests on each.

mac=02:00:5e:00:00:01

# by_the_guide NUMBER HOST ADDRESS OTHER: runs a block on a host, with its own values in the first line.
by_the_guide() {
    # the only line that is not run as it stands: keys are handed over by a file
    # shellcheck disable=SC2016 # expanded on the host
    run_block "$1" "$2" 'scp() { cp "$1" "$keys/"; }' "keys=$lab/keys me=$2 address=$3 other=$4"
}

check "the guide takes twenty lines" test "$( (block 1; block 2) | wc -l)" -le 20
mkdir -p "$lab/keys"
for host in alpha:1:beta beta:2:alpha gamma:3:alpha; do
    IFS=: read -r name number other <<<"$host"
    add_host "$name" "$number"
    check "$name: the files of the guide" by_the_guide 1 "$name" "192.0.2.$number" "$other"
    check "$name: its key" on "$name" cp "/etc/tinc/dmz/hosts/$name" "$lab/keys/"
done
# a third host is connected to both others
on gamma sh -c 'echo ConnectTo=beta >>/etc/tinc/dmz/tinc.conf'
for name in alpha beta gamma; do
    on "$name" sh -c "cp $lab/keys/* /etc/tinc/dmz/hosts/"
done
for host in alpha:1:beta beta:2:alpha gamma:3:alpha; do
    IFS=: read -r name number other <<<"$host"
    check "$name: the start by the guide" by_the_guide 2 "$name" "192.0.2.$number" "$other"
done
for name in alpha beta gamma; do
    check "$name: the tunnel is a port" within 10 on "$name" test -e /sys/class/net/xenbr0/brif/tinc0
    check "$name: the gateway's hardware address" on "$name" grep -qx "$mac" /sys/class/net/xenbr0/address
done
check "the hosts have different ids" test "$(for name in alpha beta gamma; do on "$name" cat /etc/machine-id; done | sort -u | wc -l)" = 3
add_guest 11 alpha xenbr0
add_guest 12 beta xenbr0
add_guest 13 gamma xenbr0

everything() { all_reach_all 11 12 13; }
check "guests reach each other, the gateway and the outside" within 20 everything

for name in alpha beta gamma; do count_gateways $name tinc0; done
check "one gateway answers each guest" one_answer_each 11 12 13
# a host that asks for a guest elsewhere
refused() { ! on "$1" busybox ping -c 1 -W 1 "$2" >/dev/null; }
check "a host does not reach a guest elsewhere by the shared address" refused alpha 192.168.10.12
for name in alpha beta gamma; do
    check "$name: no frame of another gateway comes out of the tunnel" test "$(gateways_seen $name tinc0)" = 0
done

# status
shown() { on "$1" brouter status dmz | grep -Eq "tinc0 .* forwarding .* [0-9]+ on other hosts$"; }
for name in alpha beta gamma; do
    check "$name: all is well" on "$name" brouter status dmz
    check "$name: status shows the tunnel" shown "$name"
done

# a tunnel that goes and comes back
stop_tinc() { on "$1" tincd -n dmz -k; within 5 on "$1" sh -c '! test -e /sys/class/net/tinc0'; }
start_tinc() { on "$1" tincd -n dmz; }
check "beta: the tunnel goes" stop_tinc beta
says() { on "$1" brouter status dmz | grep -q "tinc0 is not there: other hosts are not reached"; }
check "beta: status says so" says beta
check "beta: its status is 1" refuses on beta brouter status dmz
check "guest 12 keeps its gateway" reaches 12 192.168.10.1
check "guest 12 keeps the outside" reaches 12 198.51.100.1
check "guests 11 and 13 keep each other" reaches 11 192.168.10.13
check "beta: the tunnel comes back" start_tinc beta
check "guests reach each other again" within 20 everything
check "beta: all is well again" within 5 on beta brouter status dmz
check "beta: one rule" test "$(on beta ebtables -L OUTPUT | grep -c tinc0)" = 1

# a guest that moves
move() {
    on alpha ip link del vif11.0
    plug 11 gamma xenbr0
    # what a moved guest still knows, and its announcement
    ip -n g11 neigh add 192.168.10.1 lladdr $mac nud permanent dev eth0
    guest 11 busybox arping -U -c 1 -w 1 -I eth0 192.168.10.11 >/dev/null || :
}
check "guest 11 moves from alpha to gamma" move
check "guest 11 keeps its gateway" reaches 11 192.168.10.1
check "guest 11 reaches the outside" reaches 11 198.51.100.1
check "all reach each other" within 20 everything

# size: tinc tells a sender which size it carries at once, with the first packet that is larger
whole() { guest "$1" busybox ping -c 1 -W 2 -s 1472 "$2"; }
check "packets of 1500 bytes between hosts" within 10 whole 12 192.168.10.13
learnt() { ip -n g12 route get 192.168.10.13 | grep -o 'mtu 1[0-9]*'; }
check "the sender has learnt what fits into one" learnt
small() {
    stop_tinc gamma
    on gamma sed -i '2i ip link set tinc0 mtu 1400' /etc/tinc/dmz/tinc-up
    start_tinc gamma >/dev/null
    within 5 on gamma grep -qx 1400 /sys/class/net/xenbr0/mtu
}
check "gamma: the bridge follows a tunnel with less" small
warned() { on gamma brouter up dmz | grep -qx 'dmz: tinc0 carries 1400 bytes, guests send up to 1500: .*: set mtu=1400'; }
check "gamma: up says that guests send more" warned
add_guest 14 gamma xenbr0
check "a guest that comes later gets the MTU" test "$(guest 14 cat /sys/class/net/eth0/mtu)" = 1400
check "guests reach each other with it" within 20 reaches 14 192.168.10.12

# IPv6, with duplicate address detection: hosts do not find each other's gateway a duplicate
duplicates() { on "$1" /sbin/ip -6 -o addr show dev xenbr0 | grep -c dadfailed; }
with_ipv6() {
    on "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/xenbr0/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/xenbr0/disable_ipv6
        echo address=fd00::1/64 >>/etc/brouter/dmz.conf; brouter up dmz'
    within 15 on "$1" sh -c '/sbin/ip -6 -o addr show dev xenbr0 | grep fd00::1/64 | grep -qv tentative'
}
for name in alpha beta gamma; do check "$name: the gateway's IPv6 address" with_ipv6 $name; done
for name in alpha beta gamma; do check "$name: no duplicate" test "$(duplicates $name)" = 0; done
guest_ipv6() {
    ip -n "g$1" -6 addr add "fd00::$1/64" dev eth0 nodad
    ip -n "g$1" -6 route replace default via fd00::1 dev eth0
}
for number in 12 13; do guest_ipv6 $number; done
check "guest 12 reaches its gateway by IPv6" reaches 12 fd00::1
check "guests of two hosts reach each other by IPv6" reaches 12 fd00::13
knows_gateway() { ip -n g12 -6 neigh show fd00::1 | grep -q "$mac"; }
move_ipv6() {
    on beta ip link del vif12.0
    plug 12 alpha xenbr0
    guest_ipv6 12
}
check "guest 12 moves from beta to alpha" move_ipv6
check "guest 12 keeps its gateway by IPv6" reaches 12 fd00::1
check "it is the same" knows_gateway
check "guest 12 keeps its peer by IPv6" reaches 12 fd00::13
# without the rule the other hosts are heard, so that the checks above can fail
# the question is asked once, and answered within a second or not at all: a loaded machine asks again
is_duplicate() {
    on alpha sh -c '/sbin/ip addr del fd00::1/64 dev xenbr0; /sbin/ip addr add fd00::1/64 dev xenbr0'
    sleep 2
    [ "$(duplicates alpha)" = 1 ]
}
without_rule() {
    local name
    for name in alpha beta; do on $name ebtables -F OUTPUT; done
    within 40 is_duplicate
}
check "without the rule the address is a duplicate" without_rule
check "without the rule several gateways answer" refuses one_answer 12
