# Three hosts with tincd between them, made by the lines of compat/docs/HOSTS.md, and guests on each.

mac=02:00:5e:00:00:01

# lines NUMBER: the lines of a block of the guide.
lines() { awk -v wanted="$1" '/^```sh$/ { number++; on = 1; next } /^```$/ { on = 0 } on && number == wanted' "$guide"; }

# by_the_guide NUMBER HOST ADDRESS OTHER: runs a block on a host, with its own values in the first line.
by_the_guide() {
    local number=$1 host=$2 address=$3 other=$4
    {
        echo 'set -e'
        # the only line that is not run as it stands: keys are handed over by a file
        # shellcheck disable=SC2016 # expanded on the host
        echo 'scp() { cp "$1" "$keys/"; }'
        echo "keys=$lab/keys me=$host address=$address other=$other"
        lines "$number" | sed '/^me=/d'
    } >"$lab/$host.$number.sh"
    on "$host" sh "$lab/$host.$number.sh"
}

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

everything() {
    for from in 11 12 13; do
        for to in 192.168.10.11 192.168.10.12 192.168.10.13 192.168.10.1 198.51.100.1; do
            reaches $from $to || { echo "guest $from does not reach $to"; return 1; }
        done
    done
}
check "guests reach each other, the gateway and the outside" within 20 everything

# one answer to each question for the gateway, from its own host
one_answer() {
    local said
    said=$(guest "$1" busybox arping -b -c 2 -w 3 -I eth0 192.168.10.1)
    [ "$(grep -c "reply from 192.168.10.1 .*$mac" <<<"$said")" = "$(sed -n 's/^Sent \([0-9]*\) probe.*/\1/p' <<<"$said")" ] || {
        echo "$said"
        return 1
    }
}
for name in alpha beta gamma; do on $name ebtables -t nat -A PREROUTING -i tinc0 -s $mac; done
all_answered() {
    local guest pids=()
    for guest in 11 12 13; do
        one_answer $guest &
        pids+=($!)
    done
    for guest in "${pids[@]}"; do wait "$guest" || return; done
}
check "one gateway answers each guest" all_answered
# a host that asks for a guest elsewhere
refused() { ! on "$1" busybox ping -c 1 -W 1 "$2" >/dev/null; }
check "a host does not reach a guest elsewhere by the shared address" refused alpha 192.168.10.12
seen() { on "$1" ebtables -t nat -L PREROUTING --Lc | sed -n 's/.*-s .*pcnt = \([0-9]*\).*/\1/p'; }
for name in alpha beta gamma; do
    check "$name: no frame of another gateway comes out of the tunnel" test "$(seen $name)" = 0
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
