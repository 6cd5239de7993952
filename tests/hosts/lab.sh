# Sourced by tests of several hosts, in network and mount namespaces of their own, as root. Makes a wire (192.0.2.0/24) with a router
# to the outside (192.0.2.254, which is also 198.51.100.1), hosts on it, and guests on them.
#
# Variables: programs, the folder of brouter; lab, a folder for what hosts print.

# hosts have brouter, and the original ip and brctl
mkdir "$lab/bin"
ln -s "$programs/brouter" "$lab/bin/"

ip link add wire type bridge forward_delay 0
ip link set wire up
ip addr add 192.0.2.254/24 dev wire
ip addr add 198.51.100.1/32 dev lo

# add_host NAME NUMBER: a host with eth0 (192.0.2.NUMBER), a private /etc, /run, /sys and machine-id, and nothing running.
declare -A host_of=()
add_host() {
    local name=$1 number=$2 pid
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -n -m --propagation private sh -c '
        mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && mkdir /run/etc &&
        cp -a /etc/. /run/etc && mount --bind /run/etc /etc && rm -rf /etc/brouter /etc/tinc && mkdir /etc/brouter /etc/tinc &&
        printf "%032d\n" "$1" >/etc/machine-id && echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad &&
        ip link set lo up && : >"$2" && exec sleep infinity' sh "$number" "$lab/$name.ready" 2>"$lab/$name.err" &
    pid=$!
    for _ in $(seq 200); do [ ! -e "$lab/$name.ready" ] || break; sleep 0.05; done
    [ -e "$lab/$name.ready" ] || { cat "$lab/$name.err" >&2; return 1; }
    host_of[$name]=$pid
    connect "$name" "$number"
}

# connect NAME NUMBER: gives a host eth0 on the wire.
connect() {
    local name=$1 number=$2
    ip link add "to-$name" type veth peer name eth0 netns "${host_of[$name]}"
    ip link set "to-$name" master wire up
    on "$name" ip addr add "192.0.2.$number/24" dev eth0
    on "$name" ip link set eth0 up
    on "$name" ip route add default via 192.0.2.254
}

# on NAME COMMAND...: runs a command on a host. All may happen in a chroot, which is not the root of the host's mounts: -r, -w.
on() {
    local pid=${host_of[$1]}
    shift
    nsenter -t "$pid" -n -m -p -r -w env PATH="$lab/bin:$PATH" "$@"
}

# add_guest NUMBER HOST BRIDGE: a guest, 192.168.10.NUMBER, whose interface is vifNUMBER.0, with the MTU that the bridge has.
add_guest() {
    local number=$1
    ip netns add "g$number"
    ip -n "g$number" link set lo up
    plug "$@"
}

# plug NUMBER HOST BRIDGE: gives the guest its interface on a host, as vif-bridge does; its hardware address stays.
plug() {
    local number=$1 host=$2 bridge=$3 pid=${host_of[$2]} mac mtu
    mac=$(printf '00:16:3e:00:%02x:%02x' $((number / 256)) $((number % 256)))
    mtu=$(on "$host" cat "/sys/class/net/$bridge/mtu")
    ip link add "vif$number.0" netns "$pid" mtu "$mtu" type veth peer name eth0 netns "g$number" address "$mac" mtu "$mtu"
    # a guest of Xen keeps its addresses and its neighbours when it moves: the test restores both
    ip -n "g$number" -batch - <<END
addr add 192.168.10.$number/24 dev eth0
link set eth0 up
route add default via 192.168.10.1
END
    on "$host" ip link set "vif$number.0" master "$bridge" up
}

# guest NUMBER COMMAND...: runs a command in a guest.
guest() {
    local number=$1
    shift
    ip netns exec "g$number" "$@"
}

# reaches NUMBER ADDRESS [PING'S OPTIONS]: whether a guest reaches an address within some seconds.
reaches() {
    local number=$1 address=$2
    shift 2
    for _ in 1 2 3 4 5 6 7 8; do
        guest "$number" busybox ping -c 1 -W 1 "$@" "$address" >/dev/null 2>&1 && return
    done
    return 1
}

# within SECONDS COMMAND...: whether a command succeeds within so many seconds; else prints what it said last.
within() {
    local end=$((SECONDS + $1)) said
    shift
    until said=$("$@" 2>&1); do
        [ $SECONDS -lt $end ] || { echo "$said"; return 1; }
        sleep 0.2
    done
}

# all_reach_all GUEST...: whether guests reach each other, their gateway and the outside
all_reach_all() {
    local from to
    for from; do
        for to in "$@" 1; do reaches "$from" "192.168.10.$to" || { echo "guest $from does not reach guest $to"; return 1; }; done
        reaches "$from" 198.51.100.1 || { echo "guest $from does not reach the outside"; return 1; }
    done
}

# one_answer GUEST: whether each question of a guest for its gateway gets one answer, with the hardware address $mac
one_answer() {
    local said
    said=$(guest "$1" busybox arping -b -c 2 -w 3 -I eth0 192.168.10.1)
    [ "$(grep -c "reply from 192.168.10.1 .*$mac" <<<"$said")" = "$(sed -n 's/^Sent \([0-9]*\) probe.*/\1/p' <<<"$said")" ] || {
        echo "$said"
        return 1
    }
}
# one_answer_each GUEST...
one_answer_each() {
    local guest pids=()
    for guest; do
        one_answer "$guest" &
        pids+=($!)
    done
    for guest in "${pids[@]}"; do wait "$guest" || return; done
}

# count_gateways HOST TUNNEL: begins to count frames of other gateways that come out of a tunnel; gateways_seen prints the number
count_gateways() { on "$1" ebtables -t nat -A PREROUTING -i "$2" -s "$mac"; }
gateways_seen() { on "$1" ebtables -t nat -L PREROUTING --Lc | sed -n "s/^-s .*-i $2 .*pcnt = \([0-9]*\).*/\1/p"; }

# block NUMBER: the lines of a block of the guide
block() { awk -v wanted="$1" '/^```sh$/ { number++; on = 1; next } /^```$/ { on = 0 } on && number == wanted' "$guide"; }

# run_block NUMBER HOST LINE...: runs a block of the guide on a host, with lines in place of the first, which has the host's values.
run_block() {
    local number=$1 host=$2
    shift 2
    {
        echo 'set -e'
        printf '%s\n' "$@"
        block "$number" | sed '1{/^[a-z]*=/d}'
    } >"$lab/$host.$number.sh"
    on "$host" sh "$lab/$host.$number.sh"
}

failures=0
# check WHAT COMMAND...
check() {
    local what=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "ok      $what"
    else
        echo "FAILED  $what: $*"
        [ -z "$said" ] || echo "$said" | sed 's/^/        /'
        failures=$((failures + 1))
    fi
}

# refuses COMMAND...
refuses() { ! "$@"; }
