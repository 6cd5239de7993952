# Shell functions for tests of Xen's hotplug scripts: faults, and the system calls at which they are injected. The scripts are ours;
# the other tools are the system's.
ip() { /sbin/ip "$@"; }
brctl() { /usr/sbin/brctl "$@"; }
log=/var/log/xen/xen-hotplug.log
key() { xenstore-read $XENBUS_PATH/$1 2>/dev/null; }
# system calls that are made to fail
failing='^(ioctl|write|open|openat|read|connect|socket|flock|poll|readlink|stat|statx|newfstatat|fstat|setsockopt|mkdir|unlink):'
# runs a command with a fault injected by strace; the subshell keeps bash's message about a killed child out of the way
with() { local fault=$1; shift; ( strace -qq -o /dev/null -e inject="$fault" "$@"; exit $? ) 2>/run/said; }
# lists the system calls that a command makes once it is loaded: `NAME:when=N` is the Nth call of that name (strace counts each
# name separately). Restarted calls, which wait for a lock, count once
calls() {
    strace -qq -o /run/trace "$@"
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++; if ($0 ~ /xen-hotplug|AF_UNIX/) loaded = 1
        if (loaded && $1 !~ /^exit|munmap|sigaltstack|brk/) print $1 ":when=" count[$1] }' /run/trace
}
# lists the system calls by which a command talks to xenstored
store_calls() {
    strace -qq -y -o /run/trace "$@"
    awk -F'(' '!/^[a-z]/ { next }
        { count[$1]++; if ($1 ~ /^(read|write|poll)$/ && /<(UNIX|socket:)/) print $1 ":when=" count[$1] }' /run/trace
}
# checks that the time since `began` is at least $1 and at most $2 milliseconds
began() { began=$(date +%s%N); }
took() { local ms=$((($(date +%s%N) - began) / 1000000)); [ $ms -ge $1 -a $ms -le $2 ] || echo "$3 took $ms ms"; }
