# host.sh FOLDER MODE PROGRAMS STATE [kept]
#
# Runs in network and mount namespaces of its own. Sets up the host with STATE (shell, the original tools; $programs is the folder
# PROGRAMS), then reads requests from standard input. A request is three texts, each ended by a zero byte: the folder of programs
# that comes first in PATH, BROUTER_ERA (empty: not set), and a command (shell). Writes the results to FOLDER: stdout, stderr,
# status, kernel. Answers with a line: `same` if the host is `kept` and unchanged, else `changed`.

set -eu
shopt -s nullglob extglob globstar inherit_errexit
folder=$1 mode=$2 programs=$3 state=$4 kept=${5-}
PATH=/usr/sbin:/usr/bin:/sbin:/bin

### Functions for states (and `settle` below)

# stub NAME [SHELL]: creates a program NAME in PATH that records its call, then runs SHELL.
stub() {
    mkdir -p /run/bin
    (umask 0; : >>/run/calls)
    printf '#!/bin/sh\necho "%s $*" >>/run/calls\n%s\n' "$1" "${2-}" >"/run/bin/$1"
    chmod 755 "/run/bin/$1"
}

# watch SHELL: adds the output of SHELL to the comparison.
watched=
watch() { watched+="$1"$'\n'; }

# xenstored: starts a real, empty xenstored, and provides the tools to write to it. For rows that need `xen`.
xen=${0%/*}/xen
xenstored() { . "$xen/xenstored.sh"; }

# in_place: also puts the row's brctl and ip in place of the system's own, for scripts that set PATH or call them by path.
placed=
in_place() { placed=yes; }

# scripts: mounts a private /etc with Debian's scripts that call brctl and ip, including Xen's; the packages are in $packages. For
# rows that need `scripts`.
packages=${0%/*}/scripts
scripts() {
    mkdir /run/etc
    # ordinary users cannot read all of it
    cp -dR --preserve=mode /etc/. /run/etc 2>/dev/null || :
    cp -dR --preserve=mode "$packages/etc/." "$xen/root/etc/xen" /run/etc
    mount --bind /run/etc /etc
}

### The kernel's state

# settle: waits until the state of links (UP, NO-CARRIER, the state of a port) is current; the kernel updates it up to a second
# late. Since Linux 6.8 a request for a single link updates it; requests are sent twice, because bridges follow their ports.
# (Reading `carrier` updates it too, but waits busily for the kernel's lock.) `type none` suppresses the output. Names that cannot
# be quoted in a batch are skipped.
settle() {
    [ -z "$slow" ] || sleep 2.2
    local links asked tries
    # repeats if a link has disappeared in the meantime with the namespace of its peer: the batch then fails before any output
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

# dump: prints everything that a command can change, except values that change by themselves.
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

# look: prints the dump, and what a command could leave for the next one.
look() {
    local mounts
    dump
    echo "$besides"
    IFS= read -r -d '' mounts </proc/self/mounts || :
    printf '%s\n' "$mounts" /run/**
}
besides='## mounts; /run'

# mend BEFORE AFTER: restores values in /sys that differ.
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

# Commands, and processes that a state leaves running, must not inherit the pipes for requests and answers.
exec 3>&1 4<&0 >&2 </dev/null

request() { IFS= read -r -d '' -u 4 programs && IFS= read -r -d '' -u 4 era && IFS= read -r -d '' -u 4 command; }

### What the command sees at /sys

show_own_sys() { mount -t sysfs sysfs /sys; }

case $mode in
    nosys) cover() { mount -t tmpfs none /sys; }; uncover() { umount /sys; } ;;
    within) cover() { umount /sys; }; uncover() { show_own_sys; } ;;
    *) cover() { :; }; uncover() { :; } ;;
esac

# The host is `within` another namespace, whose /sys it sees. That namespace has links with the names that states use, but with
# other MAC addresses and indexes: a command that trusts that /sys shows or changes them.
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
# without a machine-id brouter keeps one of its own there: the same on all hosts
[ -s /etc/machine-id ] ||
    { mount -t tmpfs none /var/lib; mkdir /var/lib/{brouter,misc}; echo 0123456789abcdef0123456789abcdef >/var/lib/brouter/host-id; }
cd /run
# umount and iptables would create these
mkdir -p mount
(umask 077; : >xtables.lock)
# Otherwise links get random addresses that stay tentative for a while.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 0 >/proc/sys/net/ipv4/ip_forward

eval "$state" 3>&- 4<&-

as=()
if [ "$mode" = user ]; then
    as=(setpriv --bounding-set=-all --inh-caps=-all)
    # If root is an ordinary user in a user namespace, there is no other user to switch to.
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
            # the originals are already in place
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
