# host.sh FOLDER MODE PROGRAMS STATE [kept]
#
# Runs in network and mount namespaces of its own: prepares the host with STATE (shell, the original tools; $programs is the folder
# PROGRAMS), then takes requests from standard input. A request is three texts, each ended by a zero byte: the folder of programs
# that is first in PATH, BROUTER_ERA (empty: not set), and a command (shell). What came of it is left in FOLDER: stdout, stderr,
# status, kernel. It is answered by a line: `same` if the host is `kept` and is as it was, else `changed`.

set -eu
shopt -s nullglob extglob globstar inherit_errexit
folder=$1 mode=$2 programs=$3 state=$4 kept=${5-}
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
# its turn busily.) Of no type, they are asked for and not shown; a batch has no means for the names that are left out.
settle() {
    [ -z "$slow" ] || sleep 2.2
    local links asked tries
    # again, if a link has gone meanwhile, with another namespace that its other end was in: it ends before it has shown anything
    for tries in 1 2 3; do
        links=(/sys/class/net/!(*[\'\"#\\]*)/ifindex)
        links=("${links[@]%/ifindex}")
        printf -v asked 'link show dev %s type none\n' "${links[@]##*/}" "${links[@]##*/}"
        ! ip -batch - <<<"$asked${1-}" || return 0
    done
    return 1
}
slow=
IFS=.- read -r major minor _ </proc/sys/kernel/osrelease
[ "$major" -gt 6 ] || [ "$major" -eq 6 -a "$minor" -ge 8 ] || slow=yes

# All that a command can have changed, but for what passes by itself.
dump() {
    local forward
    echo '## ip addr; ip route show table all'
    settle $'addr show\nroute show table all'
    echo '## /sys/class/net'
    cd /sys/class/net
    grep -sH '' */@(flags|mtu|tx_queue_len|netdev_group|ifalias|address) */bridge/!(*_timer|flush) */brport/!(*_timer|flush) || :
    echo ports: */brif/*
    cd /run
    echo '## ip_forward'
    read -r forward </proc/sys/net/ipv4/ip_forward
    echo "$forward"
    if [ -e calls ]; then
        echo '## programs called'
        echo "$(<calls)"
    fi
    if [ -n "$watched" ]; then
        echo '## watched'
        eval "$watched" 2>&1
    fi
}

# look: the same, and what a command could leave to the next.
look() {
    local mounts
    dump
    echo "$besides"
    IFS= read -r -d '' mounts </proc/self/mounts || :
    printf '%s\n' "$mounts" /run/**
}
besides='## mounts; /run'

# mend BEFORE AFTER: what has another value in /sys gets the one that it had.
mend() {
    local line file IFS=$'\n'
    local -A is_left
    set -f
    for line in $2; do is_left[.$line]=yes; done
    for line in $1; do
        file=/sys/class/net/${line%%:*}
        [ -n "${is_left[.$line]-}" ] || [ ! -f "$file" ] || echo "${line#*:}" >"$file" || :
    done 2>/dev/null
    set +f
}

### Requests

# Answers and requests are none of a command's business, nor of what a state leaves running.
exec 3>&1 4<&0 >&2 </dev/null

request() { IFS= read -r -d '' -u 4 programs && IFS= read -r -d '' -u 4 era && IFS= read -r -d '' -u 4 command; }

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
    coproc within { exec unshare -n -m bash "$0" "$folder" within "$programs" "$state" "$kept" 3>&- 4>&-; }
    while request; do
        printf '%s\0' "$programs" "$era" "$command" >&"${within[1]}"
        read -r answer <&"${within[0]}"
        difference=$(diff <(echo "$before") <(dump)) || {
            printf '## changed around it\n%s\n' "$difference" >>"$folder/kernel"
            answer=changed
        }
        echo "$answer" >&3
    done
    exit
fi

### The host

show_own_sys
mount -t tmpfs none /run
cd /run
# umount and iptables would make them
mkdir mount
(umask 077; : >xtables.lock)
# Else links get random addresses that stay tentative for a while.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 0 >/proc/sys/net/ipv4/ip_forward

eval "$state" 3>&- 4<&-

as=()
if [ "$mode" = user ]; then
    as=(setpriv --bounding-set=-all --inh-caps=-all)
    # Where root is an ordinary user who made a user namespace there is nobody else to be.
    read -r _ _ users </proc/self/uid_map
    [ "$users" -eq 1 ] || as+=(--reuid 65534 --regid 65534 --clear-groups)
fi

before=
if [ -n "$kept" ]; then
    before=$(look)
else
    settle
fi

while request; do
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

    status=0
    (
        [ -z "$era" ] || export BROUTER_ERA=$era
        PATH=$programs:/run/bin:$PATH
        exec "${as[@]}" bash -c "$command" >"$folder/stdout" 2>"$folder/stderr" 3>&- 4<&-
    ) || status=$?
    echo "$status" >"$folder/status"

    for system in "${systems[@]}"; do umount "$system"; done
    uncover
    answer=changed
    if [ -n "$kept" ]; then
        after=$(look)
        echo "${after%%$'\n'"$besides"*}" >"$folder/kernel"
        if [ "$before" != "$after" ]; then
            mend "$before" "$after"
            after=$(look)
        fi
        [ "$before" != "$after" ] || answer=same
    else
        dump >"$folder/kernel"
    fi
    echo "$answer" >&3
done
