# host.sh FOLDER MODE PROGRAMS STATE COMMAND
#
# Runs in network and mount namespaces of its own: prepares the host with STATE (shell, the original tools), runs COMMAND
# (shell, the programs of the folder PROGRAMS first in PATH), and leaves in FOLDER what came of it: stdout, stderr, status,
# kernel.

set -eu
shopt -s nullglob extglob
folder=$1 mode=$2 programs=$3 state=$4 command=$5
PATH=/usr/sbin:/usr/bin:/sbin:/bin

### For states (settle, below, too)

# stub NAME [SHELL]: a program NAME in PATH that notes its call, then does SHELL.
stub() {
    mkdir -p /run/bin
    (umask 0; : >>/run/calls)
    printf '#!/bin/sh\necho "%s $*" >>/run/calls\n%s\n' "$1" "${2-}" >"/run/bin/$1"
    chmod 755 "/run/bin/$1"
}

# watch SHELL: the output of SHELL is compared too.
watched=
watch() { watched+="$1"$'\n'; }

# xenstored: a real one, empty, and the tools to write to it. For rows that need `xen`.
xen=${0%/*}/xen
xenstored() { . "$xen/xenstored.sh"; }

# in_place: the row's brctl and ip also stand where the system has its own, for scripts that set PATH or name them by their path.
placed=
in_place() { placed=yes; }

# scripts: an /etc of this host's own with Debian's scripts that call brctl and ip, Xen's among them, which are in $packages. For
# rows that need `scripts`.
packages=${0%/*}/scripts
scripts() {
    mkdir /run/etc
    # some of it is not for ordinary users
    cp -dR --preserve=mode /etc/. /run/etc 2>/dev/null || :
    cp -dR --preserve=mode "$packages/etc/." "$xen/root/etc/xen" /run/etc
    mount --bind /run/etc /etc
}

### The kernel's state

# The state of a link (UP, NO-CARRIER, a port's forwarding) comes up to a second late. Asking for the link by itself brings it
# up to date, since Linux 6.8; twice, for the bridges that follow their ports. (To read its `carrier` does too, but waits for
# its turn busily.)
settle() {
    local links=(/sys/class/net/*/ifindex)
    links=("${links[@]%/ifindex}")
    printf 'link show dev %s\n' "${links[@]##*/}" "${links[@]##*/}" | ip -force -batch - >/dev/null 2>&1 || :
    [ -z "$slow" ] || sleep 2.2
}
slow=
IFS=.- read -r major minor _ </proc/sys/kernel/osrelease
[ "$major" -gt 6 ] || [ "$major" -eq 6 -a "$minor" -ge 8 ] || slow=yes

# All that a command can have changed, but for what passes by itself.
dump() {
    settle
    echo '## ip addr; ip route show table all'
    ip -batch - <<<$'addr show\nroute show table all'
    echo '## /sys/class/net'
    cd /sys/class/net
    grep -sH '' */flags */bridge/!(*_timer|flush) */brport/!(*_timer|flush) || :
    echo ports: */brif/*
    cd /run
    echo '## ip_forward'
    echo "$(</proc/sys/net/ipv4/ip_forward)"
    if [ -e calls ]; then
        echo '## programs called'
        echo "$(<calls)"
    fi
    if [ -n "$watched" ]; then
        echo '## watched'
        eval "$watched" 2>&1
    fi
}

### What the command sees at /sys

show_own_sys() { mount -t sysfs sysfs /sys; }

case $mode in
    nosys) cover() { mount -t tmpfs none /sys; }; uncover() { umount /sys; } ;;
    within) cover() { umount /sys; }; uncover() { show_own_sys; } ;;
    *) cover() { :; }; uncover() { :; } ;;
esac

# The host is `within` another namespace, whose /sys shows through. That one has what states like to have, with other MACs and
# indexes: a command that believes that /sys shows it or changes it.
if [ "$mode" = foreign ]; then
    show_own_sys
    brctl addbr outer
    brctl addbr b0
    ip link add p1 address 02:00:00:00:0f:11 type veth peer name v1 address 02:00:00:00:0f:01
    brctl addif b0 v1
    before=$(dump)
    unshare -n -m bash "$0" "$folder" within "$programs" "$state" "$command"
    difference=$(diff <(echo "$before") <(dump)) || printf '## changed around it\n%s\n' "$difference" >>"$folder/kernel"
    exit
fi

### The run

show_own_sys
mount -t tmpfs none /run
cd /run
# Else links get random addresses that stay tentative for a while.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 0 >/proc/sys/net/ipv4/ip_forward

eval "$state"
settle
cover

systems=()
if [ -n "$placed" ]; then
    for name in brctl ip; do
        # the originals stand there already
        [ -e "$programs/$name" ] || continue
        systems+=("$(readlink -f "$(command -v "$name")")")
        mount --bind "$programs/$name" "${systems[-1]}"
        cmp "$programs/$name" "/sbin/$name"
    done
fi

as=()
if [ "$mode" = user ]; then
    as=(setpriv --bounding-set=-all --inh-caps=-all)
    # Where root is an ordinary user who made a user namespace there is nobody else to be.
    read -r _ _ users </proc/self/uid_map
    [ "$users" -eq 1 ] || as+=(--reuid 65534 --regid 65534 --clear-groups)
fi
status=0
PATH=$programs:/run/bin:$PATH "${as[@]}" bash -c "$command" >"$folder/stdout" 2>"$folder/stderr" || status=$?

for system in "${systems[@]}"; do umount "$system"; done
uncover
dump >"$folder/kernel"
echo "$status" >"$folder/status"
