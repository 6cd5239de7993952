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
    ip link add "to-$name" type veth peer name eth0 netns "$pid"
    ip link set "to-$name" master wire up
    on "$name" ip addr add "192.0.2.$number/24" dev eth0
    on "$name" ip link set eth0 up
    on "$name" ip route add default via 192.0.2.254
}

# on NAME COMMAND...: runs a command on a host. All may happen in a chroot, which is not the root of the host's mounts: -r, -w.
on() {
    local pid=${host_of[$1]}
    shift
    nsenter -t "$pid" -n -m -r -w env PATH="$lab/bin:$PATH" "$@"
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

# within SECONDS COMMAND...: whether a command succeeds within so many seconds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
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
