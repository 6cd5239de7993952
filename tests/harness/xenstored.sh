# Starts a real xenstored (Debian's oxenstored) on a host without Xen. host.sh sources this file for states that call `xenstored`.
# $xen is the folder that xenstored.rs has filled: `root` with Debian's unpacked packages, shim.so, syslogd.
#
# The host gets a private /dev and /var/log, a syslogd that writes to /run/syslog, and the xenstore tools in PATH. Both daemons end
# with the host.

mkdir -p /run/dev/xen /run/log/xen /run/xenstored
for device in null zero full random urandom tty; do
    : >"/run/dev/$device"
    mount --bind "/dev/$device" "/run/dev/$device"
done
# the hypervisor's devices: oxenstored opens them, and the shim answers
for device in privcmd hypercall evtchn gntdev; do
    : >"/run/dev/xen/$device"
    mount --bind /dev/null "/run/dev/xen/$device"
done
ln -s /proc/self/fd /run/dev/fd
ln -s /proc/self/fd/0 /run/dev/stdin
ln -s /proc/self/fd/1 /run/dev/stdout
ln -s /proc/self/fd/2 /run/dev/stderr
mount --rbind /run/dev /dev
mount --bind /run/log /var/log
# oxenstored raises its limit of open files to this value
echo 1024 >/run/nr_open
mount --bind /run/nr_open /proc/sys/fs/nr_open

export LD_LIBRARY_PATH=$xen/root/usr/lib/x86_64-linux-gnu
PATH=$PATH:$xen/root/usr/bin
printf 'pid-file = /run/xenstored/pid\npersistent = false\n' >/run/xenstored.conf

# also restarts a xenstored that was killed
xenstored_start() {
    LD_PRELOAD=$xen/shim.so "$xen/root/usr/lib/xen-4.17/bin/oxenstored" --no-domain-init --no-fork \
        --config-file /run/xenstored.conf >/run/xenstored.out 2>&1 &
    xenstored_pid=$!
    local tries
    for tries in {1..500}; do
        ! xenstore-exists / 2>/dev/null || return 0
        sleep 0.01
    done
    cat /run/xenstored.out >&2
    return 1
}

"$xen/syslogd" >>/run/syslog 2>&1 &
syslogd_pid=$!
trap 'kill $xenstored_pid $syslogd_pid 2>/dev/null || :' EXIT
xenstored_start
