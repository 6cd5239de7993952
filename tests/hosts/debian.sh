# The Ansible role on a Debian of its own: the package from an archive, and networks started at boot, by systemd and by SysV's scripts.
# INITS, if it is set, names one of the two.

names=(delta)
. "$here/fleet/ansible.sh"
# its own
python=/usr/bin/python3
mkdir "$lab/archive" "$lab/package"
mount -t tmpfs tmpfs /mnt

# The package, with what compat/debian/rules installs by the Makefile
into() { make -s -C "$here/../.." -o "$programs/.built" BUILD="$programs" DESTDIR="$lab/package" PREFIX=/usr UNITDIR=/lib/systemd/system "$@"; }
package() {
    into install && into install-service INIT=systemd && into install-service INIT=sysv || return
    ln -s /dev/null "$lab/package/lib/systemd/system/brouter.service"
    mkdir "$lab/package/DEBIAN"
    printf '%s\n' 'Package: brouter' 'Version: 1' "Architecture: $(dpkg --print-architecture)" 'Maintainer: none <none@example.org>' \
        'Description: for a test' >"$lab/package/DEBIAN/control"
    dpkg-deb -Znone --root-owner-group --build "$lab/package" "$lab/archive/brouter.deb" || return
    {
        cat "$lab/package/DEBIAN/control"
        printf '%s\n' 'Filename: ./brouter.deb' "Size: $(stat -c %s "$lab/archive/brouter.deb")" \
            "SHA256: $(sha256sum "$lab/archive/brouter.deb" | cut -d' ' -f1)"
    } >"$lab/archive/Packages"
}
check "a package and an archive" package

# debian NAME: files of a Debian, in memory, at /mnt/NAME/root
debian() {
    local root=/mnt/$1/root unit
    mkdir -p "$root" "/mnt/$1/new" "/mnt/$1/work"
    mount -t overlay -o "lowerdir=$here/../../build/debian,upperdir=/mnt/$1/new,workdir=/mnt/$1/work" overlay "$root"
    mkdir "$root/machine"
    rm -f "$root/etc/apt/sources.list"
    echo "deb [trusted=yes] file:$lab/archive ./" >"$root/etc/apt/sources.list.d/own.list"
    echo 'APT::Sandbox::User "root";' >"$root/etc/apt/apt.conf.d/own"
    # the machine has its devices, modules and settings already
    for unit in systemd-udev-trigger.service systemd-sysctl.service systemd-modules-load.service systemd-tmpfiles-setup.service \
        console-getty.service apt-daily.timer apt-daily-upgrade.timer; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
}

# A group of processes for systemd, which makes its own below it
mkdir /run/groups
mount -t cgroup2 cgroup2 /run/groups
group=/run/groups/brouter-test-$RANDOM$RANDOM
mkdir "$group"
# shellcheck disable=SC2064 # the name is final
trap "halt; find $group -depth -type d -exec rmdir {} +" EXIT
parent=''

# boot NAME COMMAND...: starts a host that has these files, with this process 1, and eth0 (192.0.2.4)
boot() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -n -m -p --fork --kill-child --propagation private sh -c '
        group=$1 root=$2 lab=$3
        shift 3
        echo 0 >"$group/cgroup.procs" && cd "$root" &&
        mount -t proc proc proc && mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys &&
        mount --bind proc/sys/net proc/sys/net && mount -o remount,bind,rw proc/sys/net &&
        mount -t sysfs sysfs sys && mount -t tmpfs -o mode=755 tmpfs run && mount -t tmpfs tmpfs tmp &&
        mkdir -p "$root$lab/tmp" "$root$lab/archive" && mount --bind "$lab/tmp" "$root$lab/tmp" && mount --bind "$lab/archive" "$root$lab/archive" &&
        mount -t tmpfs -o mode=755 tmpfs dev && mkdir dev/pts dev/shm && mknod dev/null c 1 3 && mknod dev/zero c 1 5 &&
        mknod dev/random c 1 8 && mknod dev/urandom c 1 9 && mknod dev/tty c 5 0 && mknod dev/full c 1 7 && mknod dev/ptmx c 5 2 && chmod 666 dev/null dev/zero dev/full dev/*random dev/tty dev/ptmx &&
        exec unshare -C sh -c "
            mount -t cgroup2 cgroup2 sys/fs/cgroup && pivot_root . machine && umount -l machine && exec env -i container=lxc \"\$@\"
        " sh "$@"' sh "$group" "/mnt/$name/root" "$lab" "$@" >>"$lab/$name.log" 2>&1 </dev/null &
    parent=$!
    within 10 grep -q . "/proc/$parent/task/$parent/children" || return
    host_of[delta]=$(cut -d' ' -f1 "/proc/$parent/task/$parent/children")
    within 10 nsenter -t "${host_of[delta]}" -m -r test -d /machine -a ! -e /machine/etc || return
    connect delta 4
}
# halt: ends the host
halt() {
    [ -z "$parent" ] || { kill -9 "$parent"; wait "$parent"; } 2>/dev/null
    parent=''
    within 5 grep -qx 'populated 0' "$group/cgroup.events"
}
has_booted() { on delta systemctl is-system-running | grep -Eqx 'running|degraded'; }

one=('brouter_networks:' '  dmz: {bridge: xenbr0, mac: "02:00:5e:00:00:01", address: 192.168.10.1/24, outside: eth0, masquerade: true}')
two=("${one[@]}" '  lan: {address: 10.7.0.1/24, forward_delay: 0}')
has() { on delta test -e "/sys/class/net/$1"; }
well() { on delta brouter status "$1"; }
# what the role can change
state() { on delta sh -c 'find /etc /usr/sbin /lib/systemd -newer /etc/apt/apt.conf.d/own | sort; ls -lR /etc/brouter; cat /etc/brouter/*; ip -o -4 addr' 2>&1; }

with_systemd() {
    debian systemd
    boot systemd /lib/systemd/systemd --log-target=console || { check "a host with systemd" false; return; }
    check "it has booted" within 120 has_booted
    check "its lists of packages" on delta apt-get update -q
    variables "${two[@]}"
    before=$(state)
    check "check mode on a host without brouter" play --check --diff
    check "check mode has changed nothing" test "$before" = "$(state)"
    check "check mode would install the package" grep -q 'brouter' "$lab/plays"
    # package, files, networks, units
    check "the first play" changes 4
    check "the package is installed" on delta dpkg -s brouter
    for name in dmz lan; do
        check "$name is well" well $name
        check "$name is started at boot" on delta systemctl is-enabled "brouter@$name"
        check "$name: its unit is active" on delta systemctl is-active "brouter@$name"
    done
    before=$(state)
    check "the second play changes nothing" changes 0
    check "check mode changes nothing" changes 0 --check
    check "nothing has changed" test "$before" = "$(state)"

    halt
    boot systemd /lib/systemd/systemd --log-target=console || { check "the host is restarted" false; return; }
    check "it has booted again" within 120 has_booted
    for name in dmz lan; do check "$name is up again" within 60 well $name; done
    check "the play after that changes nothing" changes 0

    variables "${one[@]}" 'brouter_absent: [lan]'
    before=$(state)
    check "a network less in check mode" play --check
    check "check mode has changed nothing" test "$before" = "$(state)"
    check "a network less" play
    check "lan is gone" refuses has lan
    check "lan is not started at boot" refuses on delta systemctl is-enabled brouter@lan
    check "dmz is well" well dmz
    check "the second play changes nothing" changes 0
    halt
}

with_sysv() {
    debian sysv
    # process 1 is not systemd, nor would it be
    rm /mnt/sysv/root/sbin/init
    boot sysv sh -c 'while :; do sleep 1000; done' || { check "a host without systemd" false; return; }
    check "its lists of packages" on delta apt-get update -q
    variables "${one[@]}"
    before=$(state)
    check "check mode on a host without brouter" play --check
    check "check mode has changed nothing" test "$before" = "$(state)"
    check "the first play" play
    check "the script is started at boot" on delta sh -c 'ls /etc/rc2.d/S*brouter'
    check "dmz is well" well dmz
    check "the second play changes nothing" changes 0
    halt
    boot sysv sh -c 'while :; do sleep 1000; done' || { check "the host is restarted" false; return; }
    check "its scripts are run" on delta sh -c 'for script in /etc/rc2.d/S*brouter; do "$script" start; done'
    check "dmz is up again" well dmz
    check "the play after that changes nothing" changes 0
    halt
}

for init in ${INITS:-systemd sysv}; do
    echo "# debian: $init"
    with_$init
done
