//! Tests `vif-bridge` under faults and concurrency: no answer from xenstored, calls that are early, repeated, crossed or many at
//! once, a kill at each system call, each system call failing.
//!
//! Each test is a shell script on a host with a real xenstored. It prints what is wrong, and nothing else.

mod harness;

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::thread::{sleep, spawn};
use std::time::Duration;

use brouter::xenstore::{Fault, Store};
use harness::hosts::STATIC;
use harness::table::Mode;
use harness::{Test, conclude};

/// The state before a test: a bridge, an interface as netback creates it, and its keys.
const STATE: &str = r"
xenstored
export vif=vif1.0 XENBUS_PATH=/local/domain/0/backend/vif/1/0 antispoof=no
xenstore-write $XENBUS_PATH/bridge xenbr0
brctl addbr xenbr0
brctl setfd xenbr0 0
ip link set xenbr0 up
echo 'link add vif1.0 address 02:00:00:00:00:01 type veth peer name g1
    link set g1 up' | ip -batch -
export xenstored_pid xen
export -f xenstored_start
";

/// Shell functions for all scripts.
const SHARED: &str = include_str!("harness/faults.sh");

/// Shell functions about bridges.
const PRELUDE: &str = r#"
# prints what differs from the state that online must leave
online() {
    [ -e /sys/class/net/xenbr0/brif/${1-vif1.0} ] || echo "$2: not a port"
    case $(cat /sys/class/net/${1-vif1.0}/flags) in *[13579bdf]) ;; *) echo "$2: not up" ;; esac
    [ "$(key hotplug-status)" = connected ] || echo "$2: hotplug-status is $(key hotplug-status)"
}
# prints the state of the interface, to compare with that before
found() { ip -o addr show vif1.0; cat /sys/class/net/vif1.0/flags; echo /sys/class/net/*/brif/*; }
# compares states: IPv4 and IPv6 addresses with their labels, flags, ports, mtu and hardware address
state() {
    ip -o addr show vif1.0 | sed 's/^[0-9]*//; s/ tentative//' | sort
    cat /sys/class/net/vif1.0/{flags,mtu,address}
    echo /sys/class/net/*/brif/*
}
# online with each of its system calls failing with errno $1: the old state and a message, or success
online_faults() {
    tee /proc/sys/net/ipv6/conf/vif1.0/{disable_ipv6,accept_dad} <<<0 >/dev/null
    reset() {
        vif-bridge offline
        [ ! -e /sys/class/net/guest0 ] || ip link set guest0 name vif1.0
        [ "$(state)" = "$before" ] && return
        echo 'link set vif1.0 down
            link set vif1.0 mtu 1400 address 02:00:00:00:00:01
            addr flush dev vif1.0
            link set vif1.0 up
            addr add 10.1.1.1/24 dev vif1.0
            addr add 10.1.1.2/24 dev vif1.0 label vif1.0:x
            addr add fd00::1/64 dev vif1.0' | ip -batch -
    }
    before=; reset; before=$(state)
    local call name=vif1.0 calls
    [ -z "$(key vifname)" ] || name=guest0
    calls=$(calls vif-bridge online | grep -E "$failing")
    reset
    [ $(wc -w <<<"$calls") -gt 40 ] || echo "calls: $calls"
    for call in $calls; do
        rm -f $log; xenstore-rm $XENBUS_PATH/hotplug-status 2>/dev/null; xenstore-rm $XENBUS_PATH/hotplug-error 2>/dev/null
        # some calls are not essential
        if with $call:error=$1 vif-bridge online; then online $name "$call"; reset; continue; fi
        [ -s $log -o -s /run/said ] || echo "$call failed without a message"
        [ "$(key hotplug-status)" = error ] || echo "$call failed, and hotplug-status is $(key hotplug-status): $(cat $log)"
        got=$(state); [ "$got" = "$before" ] || echo "$call failed and left $(diff <(echo "$before") <(echo "$got")); $(cat $log)"
        reset
    done
}
# offline with each of its system calls failing with errno $1: no port, or a message, and the next offline succeeds
offline_faults() {
    local call calls
    vif-bridge online; calls=$(calls vif-bridge offline | grep -E "$failing")
    [ $(wc -w <<<"$calls") -gt 20 ] || echo "calls: $calls"
    is_off() {
        case $(cat /sys/class/net/vif1.0/flags) in *[13579bdf]) echo "$1: still on" ;; esac
        [ ! -e /sys/class/net/vif1.0/brport ] || echo "$1: still a port"
    }
    for call in $calls; do
        vif-bridge online; rm -f $log
        if with $call:error=$1 vif-bridge offline; then is_off "$call"; continue; fi
        [ -s $log -o -s /run/said ] || echo "$call failed without a message"
        [ "$(key hotplug-status)" = error ] || echo "$call failed, and hotplug-status is $(key hotplug-status): $(cat $log)"
        vif-bridge offline || echo "offline after $call: $(tail -1 $log)"
        is_off "offline after $call"
    done
}
"#;

/// Names and scripts of the tests.
const TESTS: [(&str, &str); 36] = [
    (
        "xenstored that hangs is an error after ten seconds",
        r#"
        before=$(found)
        kill -STOP $xenstored_pid
        began; vif-bridge online && echo "no failure"; took 9900 13000 online
        [ "$(cat $log)" = 'vif-bridge: xenstored does not answer' ] || echo "log: $(cat $log)"
        kill -CONT $xenstored_pid
        [ "$(found)" = "$before" ] || found
        "#,
    ),
    (
        "xenstored that hangs and whose socket queue is full is an error for every call",
        r#"
        before=$(found)
        kill -STOP $xenstored_pid
        began; for n in {1..8}; do vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge online & done; wait $(jobs -p | tail -8)
        took 9900 15000 'eight times online'
        [ "$(sort $log | uniq -c | tr -s ' ')" = ' 8 vif-bridge: xenstored does not answer' ] || echo "log: $(cat $log)"
        kill -CONT $xenstored_pid
        [ "$(found)" = "$before" ] || found
        "#,
    ),
    (
        "xenstored that exits during a call is an error",
        r#"
        before=$(found)
        kill -STOP $xenstored_pid
        vif-bridge online & hook=$!
        sleep 0.3; kill -KILL $xenstored_pid
        wait $hook && echo "no failure"
        grep -qE 'vif-bridge: xenstored (has gone|made no sense)|Connection reset' $log || echo "log: $(cat $log)"
        [ "$(found)" = "$before" ] || found
        "#,
    ),
    (
        "a missing xenstored is an immediate error",
        r#"
        before=$(found)
        kill $xenstored_pid; sleep 0.2
        began; vif-bridge online && echo "no failure"; took 0 1000 online
        rm -f /run/xenstored/socket
        vif-bridge online && echo "no failure without a socket"
        [ "$(grep -c 'cannot reach xenstored at /var/run/xenstored/socket' $log)" = 2 ] || echo "log: $(cat $log)"
        [ "$(found)" = "$before" ] || found
        "#,
    ),
    (
        "online waits for an interface that does not exist yet",
        r#"
        ip link set vif1.0 name later
        vif-bridge online & hook=$!
        sleep 1; [ -z "$(key hotplug-status)" ] || echo "early: $(key hotplug-status)"
        ip link set later name vif1.0
        wait $hook || echo "failed: $(cat $log)"
        online vif1.0 late
        "#,
    ),
    (
        "an interface that never appears is an error after five seconds, or after `wait` seconds",
        r#"
        ip link set vif1.0 name never
        began; vif-bridge online && echo "no failure"; took 4900 7000 online
        [ "$(key hotplug-status) $(key hotplug-error)" = 'error interface vif1.0 does not exist' ] || xenstore-ls
        began; vif-bridge online wait=1 && echo "no failure"; took 900 3000 online
        "#,
    ),
    (
        "the same call several times at once",
        r#"
        for round in 1 2 3; do
            for call in 1 2 3 4; do vif-bridge online & hooks[call]=$!; done
            for call in 1 2 3 4; do wait ${hooks[call]} || echo "online $round.$call failed: $(cat $log)"; done
            online vif1.0 "round $round"
            for call in 1 2 3 4; do vif-bridge offline & hooks[call]=$!; done
            for call in 1 2 3 4; do wait ${hooks[call]} || echo "offline $round.$call failed: $(cat $log)"; done
            [ ! -e /sys/class/net/vif1.0/brport ] || echo "round $round: still a port"
        done
        "#,
    ),
    (
        "online and offline at the same time leave a complete port or none",
        r#"
        for round in {1..20}; do
            vif-bridge online & one=$!
            vif-bridge offline & other=$!
            wait $one || echo "online failed: $(cat $log)"
            wait $other || echo "offline failed: $(cat $log)"
            flags=$(cat /sys/class/net/vif1.0/flags)
            [ -e /sys/class/net/vif1.0/brport ] && is_port=1 || is_port=0
            [ $((flags & 1)) = $is_port ] || echo "round $round: flags $flags, port $is_port"
        done
        vif-bridge online; online vif1.0 'in the end'
        "#,
    ),
    (
        "the interface disappears during online",
        r#"
        for round in {1..20}; do
            vif-bridge online wait=0 & hook=$!
            ip link delete vif1.0
            wait $hook && ended=connected || ended=error
            [ "$(key hotplug-status)" = $ended ] || echo "round $round: $ended, but $(key hotplug-status)"
            vif-bridge offline || echo "offline failed: $(cat $log)"
            ip link add vif1.0 type veth peer name g1
        done
        "#,
    ),
    (
        "64 interfaces at once",
        r#"
        for n in {1..64}; do echo "link add vif9.$n type veth peer name h$n"; done | ip -batch -
        for n in {1..64}; do
            xenstore-write backend/vif/9/$n/bridge xenbr0
            vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge online & hooks[n]=$!
        done
        for n in {1..64}; do wait ${hooks[n]} || echo "online $n failed: $(cat $log)"; done
        for n in {1..64}; do XENBUS_PATH=backend/vif/9/$n online vif9.$n $n; done
        for n in {1..64}; do vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge offline & hooks[n]=$!; done
        for n in {1..64}; do wait ${hooks[n]} || echo "offline $n failed: $(cat $log)"; done
        [ "$(echo /sys/class/net/xenbr0/brif/*)" = '/sys/class/net/xenbr0/brif/*' ] || ls /sys/class/net/xenbr0/brif
        ls /run/xen-hotplug
        "#,
    ),
    (
        "500 guests with firewall rules",
        r#"
        unset antispoof
        export firewall_backend=kernel
        iptables-legacy -P FORWARD DROP
        iptables-legacy -A FORWARD -i eth0 -j ACCEPT
        before=$(iptables-legacy -S)
        for n in {1..500}; do echo "link add vif9.$n type veth peer name h$n"; done | ip -batch -
        ip_of() { echo 10.1.$(($1 / 250)).$(($1 % 250)); }
        keys=
        for n in {1..500}; do keys+=" backend/vif/9/$n/bridge xenbr0 backend/vif/9/$n/ip $(ip_of $n)"; done
        xenstore-write $keys
        for n in {1..500}; do
            vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge online || echo "online $n failed: $(cat $log)"
        done
        # as Xen's script inserts them
        of_guest() {
            echo "-A FORWARD -m physdev --physdev-out vif9.$1 --physdev-is-bridged -j ACCEPT
-A FORWARD -p udp -m physdev --physdev-in vif9.$1 --physdev-is-bridged -m udp --sport 68 --dport 67 -j ACCEPT
-A FORWARD -m physdev --physdev-out vif9.$1 --physdev-is-bridged -j ACCEPT
-A FORWARD -s $(ip_of $1)/32 -m physdev --physdev-in vif9.$1 --physdev-is-bridged -j ACCEPT"
        }
        wanted=$(for n in {500..1}; do of_guest $n; done)
        got=$(iptables-legacy -S FORWARD | grep vif9)
        [ "$got" = "$wanted" ] || diff <(echo "$wanted") <(echo "$got") | head
        for n in 250 {1..249} {251..500}; do
            vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge offline || echo "offline $n failed: $(cat $log)"
        done
        [ "$(iptables-legacy -S)" = "$before" ] || iptables-legacy -S | head
        [ "$(echo /sys/class/net/xenbr0/brif/*)" = '/sys/class/net/xenbr0/brif/*' ] || ls /sys/class/net/xenbr0/brif
        "#,
    ),
    (
        "after a kill at any system call of online, online completes the port and offline removes it",
        r#"
        calls=$(calls vif-bridge online); wanted=$(found); vif-bridge offline; off=$(found)
        for call in $calls; do
            for next in online offline; do
                with $call:signal=KILL vif-bridge online
                vif-bridge $next || echo "$next after a kill at $call: $(tail -1 $log)"
                got=$(found)
                if [ $next = online ]; then
                    [ "$got" = "$wanted" ] || echo "killed at $call: $got"
                    online vif1.0 "killed at $call"
                fi
                vif-bridge offline
                ip link set vif1.0 address 02:00:00:00:00:01
                [ ! -e /sys/class/net/vif1.0/brport ] || echo "killed at $call: still a port"
                xenstore-rm $XENBUS_PATH/hotplug-status 2>/dev/null
            done
        done
        rm -rf /run/xen-hotplug; vif-bridge online; online vif1.0 "in the end"
        "#,
    ),
    ("online with any failing system call restores the interface and reports the cause, EIO", "online_faults EIO"),
    (
        "online with any failing system call restores the interface and reports the cause, EMFILE",
        "online_faults EMFILE",
    ),
    (
        "online with any failing system call restores a renamed interface, EIO",
        "xenstore-write $XENBUS_PATH/vifname guest0; online_faults EIO",
    ),
    (
        "online with any failing system call restores a renamed interface, EPERM",
        "xenstore-write $XENBUS_PATH/vifname guest0; online_faults EPERM",
    ),
    ("offline with any failing system call takes the port off or reports the cause, EIO", "offline_faults EIO"),
    ("offline with any failing system call takes the port off or reports the cause, EMFILE", "offline_faults EMFILE"),
    ("offline with any failing system call takes the port off or reports the cause, EPERM", "offline_faults EPERM"),
    (
        "too few descriptors are an error",
        r#"
        for limit in {3..20}; do
            vif-bridge online || echo "online: $(cat $log)"
            rm -f $log
            if prlimit --nofile=$limit vif-bridge offline 2>/run/said; then
                [ ! -e /sys/class/net/vif1.0/brport ] || echo "offline with $limit descriptors: 0, and still a port"
                ended+=0
            else
                [ -s $log -o -s /run/said ] || echo "offline with $limit descriptors: no message"
                ended+=1
            fi
            vif-bridge offline
            prlimit --nofile=$limit vif-bridge online 2>/run/said && online vif1.0 "with $limit descriptors"
            vif-bridge offline
        done
        # some limits are too low, some are not
        case $ended in *1*0*) ;; *) echo "ended with $ended" ;; esac
        "#,
    ),
    (
        "a failed online restores addresses of each kind",
        r#"
        tee /proc/sys/net/ipv6/conf/vif1.0/{disable_ipv6,accept_dad} <<<0 >/dev/null
        echo 'link set vif1.0 up
            addr add 10.1.1.1/24 brd + dev vif1.0
            addr add 10.2.1.1/24 dev vif1.0 label vif1.0:x
            addr add 10.1.1.2/24 dev vif1.0 label vif1.0:y
            addr add 10.3.1.1 peer 10.3.1.2/32 dev vif1.0 label vif1.0:p
            addr add fd00::1/64 dev vif1.0
            addr add fd00::2/128 dev vif1.0' | ip -batch -
        before=$(state)
        xenstore-write $XENBUS_PATH/bridge g1
        for vifname in '' guest0; do
            xenstore-write $XENBUS_PATH/vifname "$vifname"
            vif-bridge online && echo "no failure"
            [ "$(state)" = "$before" ] || echo "vifname=$vifname: $(diff <(echo "$before") <(state))"
            grep 'not restored' $log
        done
        # one label twice: an ioctl reaches both only as one
        ip addr add 10.1.1.3/24 dev vif1.0
        addresses() { ip -o addr show vif1.0 | awk '{ print $3, $4 }' | sort; }
        before=$(addresses)
        vif-bridge online && echo "no failure"
        [ "$(addresses)" = "$before" ] || diff <(echo "$before") <(addresses)
        case $(key hotplug-error) in
            *'; not restored: label of 10.1.1.3/24: vif1.0:0') ;;
            *) echo "hotplug-error: $(key hotplug-error)" ;;
        esac
        "#,
    ),
    (
        "a value in xenstore cannot forge a line of the log",
        r#"
        xenstore-write $XENBUS_PATH/bridge $'x\nvif-bridge: forged\e[2J\xe2\x80\xae'
        vif-bridge online && echo "no failure"
        xenstore-write $XENBUS_PATH/bridge xenbr0
        xenstore-write $XENBUS_PATH/mtu $'9999999\nforged'
        vif-bridge online || cat $log
        [ "$(cat $log)" = 'vif-bridge: Could not find bridge device x?vif-bridge: forged?[2J?' ] || cat -A $log
        "#,
    ),
    (
        "a value with a NUL is refused; offline does without it",
        r#"
        before=$(found)
        for key in bridge vifname ip mtu vlan; do
            rm -f $log
            $self nul $XENBUS_PATH/$key xenbr0
            antispoof= vif-bridge online && echo "$key: no failure"
            [ "$(key hotplug-error)" = "$XENBUS_PATH/$key: its value holds a NUL byte" ] || echo "$key: $(key hotplug-error)"
            [ "$(found)" = "$before" ] || echo "$key: $(found)"
            xenstore-rm $XENBUS_PATH/$key
            [ $key = bridge ] && xenstore-write $XENBUS_PATH/bridge xenbr0
            vif-bridge online || cat $log
            $self nul $XENBUS_PATH/$key xenbr0
            vif-bridge offline || cat $log
            [ ! -e /sys/class/net/vif1.0/brport ] || echo "$key: still a port"
            xenstore-rm $XENBUS_PATH/$key
            [ $key = bridge ] && xenstore-write $XENBUS_PATH/bridge xenbr0
            ip link set vif1.0 address 02:00:00:00:00:01
        done
        "#,
    ),
    (
        "a xenstored whose answers trickle is an error after ten seconds",
        r#"
        $self trickle /run/trickle & server=$!
        while [ ! -e /run/trickle ]; do sleep 0.01; done
        before=$(found)
        began; XENSTORED_PATH=/run/trickle vif-bridge online && echo "no failure"; took 9900 13000 online
        grep -q 'xenstored does not answer' $log || cat $log
        [ "$(found)" = "$before" ] || found
        kill $server
        "#,
    ),
    (
        "a call that was stopped while it waited for xenstored goes on",
        r#"
        kill -STOP $xenstored_pid
        for n in {1..8}; do vif=vif9.$n XENBUS_PATH=backend/vif/9/$n vif-bridge online wait=0 & hooks[n]=$!; done
        sleep 0.5
        for n in {1..3}; do kill -STOP ${hooks[@]}; sleep 0.1; kill -CONT ${hooks[@]}; sleep 0.1; done
        kill -CONT $xenstored_pid
        for n in {1..8}; do wait ${hooks[n]}; done
        grep -v 'does not exist' $log
        [ "$(grep -c 'does not exist' $log)" = 8 ] || cat $log
        "#,
    ),
    (
        "a connection that is lost is made again, and the call succeeds",
        r#"
        vif-bridge online; vif-bridge offline
        calls=$(store_calls vif-bridge online); vif-bridge offline
        [ $(wc -w <<<"$calls") -gt 6 ] || echo "calls: $calls"
        for call in $calls; do
            with $call:error=ECONNRESET vif-bridge online || echo "$call: $(tail -1 $log)"
            online vif1.0 "$call"
            vif-bridge offline
        done
        "#,
    ),
    (
        "the toolstack learns that a connection was lost",
        r#"
        # in the state in which each call finds the interface
        vif-bridge online; vif-bridge offline
        calls=$(store_calls vif-bridge online | grep ^read:)
        for call in $calls; do
            vif-bridge offline; rm -f $log; xenstore-rm $XENBUS_PATH/hotplug-status
            # and the next one, of the second connection; the report makes a third
            with $call..$((${call#*when=} + 1)):error=ECONNRESET vif-bridge online && echo "$call: no failure"
            [ "$(key hotplug-status)" = error ] || echo "$call: $(key hotplug-status): $(cat $log)"
        done
        "#,
    ),
    (
        "every failure is logged",
        r#"
        said() { local text; text=$(tail -1 $log); case $text in "vif-bridge: $1"*) ;; *) echo "$1: $text" ;; esac; }
        vif-bridge nonsense; said 'Invalid command: nonsense'
        vif-bridge online type_if=x; said 'unknown interface type x'
        vif-bridge online bridge='$(reboot)'; said 'bridge=$(reboot): needs a shell'
        xenstore-write $XENBUS_PATH/bridge nosuch
        vif-bridge online; said 'Could not find bridge device nosuch'
        xenstore-write $XENBUS_PATH/bridge g1
        vif-bridge online; said "can't add vif1.0 to bridge g1: Operation not supported"
        vif-bridge online brigde=xenbr0; grep -q 'unknown variable "brigde" is ignored' $log || cat $log
        rm -rf /var/log/xen
        [ "$(vif-bridge nonsense 2>&1)" = 'Invalid command: nonsense' ] || echo 'nothing on standard error'
        "#,
    ),
    (
        "the iptables lock is that of Xen's scripts, current ones and those before 4.2",
        r#"
        unset antispoof
        there() { iptables -S FORWARD | grep -c -- '--physdev-.* vif1.0'; }
        mkdir -p /run/xen-hotplug
        # as Xen 4.17's claim_lock
        flock -x /run/xen-hotplug/iptables sleep 1 & sleep 0.3
        began; vif-bridge online; took 500 3000 'online beside flock'
        [ "$(there)" = 2 ] || iptables -S
        # as Xen 3's, held by a running process
        rm -f /run/xen-hotplug/iptables; mkdir /run/xen-hotplug/iptables; echo "$$: me" >/run/xen-hotplug/iptables/owner
        (sleep 1; rm -rf /run/xen-hotplug/iptables) &
        began; vif-bridge offline; took 800 3000 'offline beside a folder'
        [ "$(there)" = 0 ] || iptables -S
        # and by a dead process
        mkdir /run/xen-hotplug/iptables; echo "999999999: me" >/run/xen-hotplug/iptables/owner
        began; vif-bridge online; took 0 2000 'online beside a stale folder'
        [ "$(there)" = 2 ] || iptables -S
        ls /run/xen-hotplug
        "#,
    ),
    (
        "a lock that cannot be taken is not taken for one that another holds",
        r#"
        for errno in ENOSYS EPERM ENOLCK EIO; do
            rm -f $log
            began; with flock:error=$errno vif-bridge online && echo "$errno: no failure"; took 0 2000 online
            grep -q 'vif1.0: cannot make a lock under /var/run/xen-hotplug: ' $log || echo "$errno: $(cat $log)"
        done
        # held by another, it is
        mkdir -p /run/xen-hotplug
        flock -x /run/xen-hotplug/vif-bridge.vif1.0 sleep 1 & sleep 0.3
        began; vif-bridge online; took 500 3000 'online beside flock'
        vif-bridge offline
        "#,
    ),
    (
        "an owner of a lock that cannot be read is waited for, and no longer",
        r#"
        lock=/run/xen-hotplug/vif-bridge.vif1.0
        mkdir -p $lock; mkfifo $lock/owner
        began; vif-bridge online && echo "no failure"; took 9900 12000 online
        [ "$(cat $log)" = 'vif-bridge: vif1.0: another call is at work on it' ] || cat $log
        rm -rf $lock
        vif-bridge online || cat $log
        "#,
    ),
    (
        "each firewall rule of the interface goes by itself, and no other",
        r#"
        unset antispoof
        xenstore-write $XENBUS_PATH/ip '10.0.0.1 10.0.0.2'
        for firewall_backend in iptables kernel; do
            export firewall_backend
            tool=iptables
            [ $firewall_backend = iptables ] || tool=iptables-legacy
            mine() { $tool -S FORWARD | grep -- ' vif1.0 .*ACCEPT'; }
            for number in {1..6}; do
                vif-bridge online || cat $log
                [ "$(mine | wc -l)" = 6 ] || mine
                $tool -D FORWARD $number
                vif-bridge offline || cat $log
                mine
            done
            # changed by hand; those of others, those that do not accept, and what does not pass the port, stay
            vif-bridge online
            $tool -D FORWARD 2
            $tool -A FORWARD -s 10.9.0.0/16 -m physdev --physdev-in vif1.0 -j ACCEPT
            $tool -A FORWARD -p tcp -m physdev --physdev-out vif1.0 -m tcp --dport 80 -j ACCEPT
            $tool -A FORWARD -m physdev --physdev-in vif1.0 -m comment --comment 'a "b" c' -j ACCEPT
            others='-A FORWARD -i vif1.0 -j DROP
-A FORWARD -m physdev --physdev-in vif1.01 -j ACCEPT
-A FORWARD -m physdev ! --physdev-in vif1.0 -j ACCEPT
-A FORWARD -m physdev --physdev-in vif1.0 -j DROP'
            while read -r rule; do $tool $rule; done <<<"$others"
            vif-bridge offline || cat $log
            [ "$($tool -S FORWARD | grep vif1.0)" = "$others" ] || $tool -S FORWARD
            # nor does a second online leave any twice
            vif-bridge online
            $tool -A FORWARD -m physdev --physdev-in vif1.0 -j ACCEPT
            vif-bridge online
            [ "$(mine | grep -vc '! ')" = 6 ] || { mine; cat $log; }
            vif-bridge offline
            $tool -F FORWARD
        done
        [ ! -e /sys/class/net/vif1.0/brport ] || echo "still a port"
        "#,
    ),
    (
        "an offline that is killed at any system call leaves no rule that the next does not remove",
        r#"
        unset antispoof
        xenstore-write $XENBUS_PATH/ip '10.0.0.1 10.0.0.2'
        vif-bridge online
        calls=$(calls vif-bridge offline | sed -n 1~3p)
        for call in $calls; do
            vif-bridge online || cat $log
            with $call:signal=KILL vif-bridge offline
            vif-bridge offline || echo "offline after a kill at $call: $(tail -1 $log)"
            iptables -S FORWARD | grep vif1.0 && echo "after a kill at $call"
        done
        "#,
    ),
    (
        "if the toolstack cannot be notified, the firewall rules are removed too",
        r#"
        unset antispoof
        xenstore-write $XENBUS_PATH/ip '10.0.0.1 10.0.0.2'
        before=$(found)
        last=$(calls vif-bridge online | grep ^write: | tail -1)
        [ "$(iptables -S FORWARD | grep -c vif1.0)" = 6 ] || iptables -S
        vif-bridge offline; ip link set vif1.0 address 02:00:00:00:00:01
        # that write and all after it: the connection is made again, and lost again
        with $last+:error=EPIPE vif-bridge online && echo "no failure"
        iptables -S FORWARD | grep vif1.0
        [ "$(found)" = "$before" ] || found
        grep -q 'xenstored has gone' /run/said || cat /run/said
        "#,
    ),
    (
        "a transaction that xenstored refuses with EAGAIN is repeated",
        r#"
        kill $xenstored_pid
        # xenstored's own test option: refuses at random
        echo 'test-eagain = true' >>/run/xenstored.conf
        xenstored_start
        trap 'kill $xenstored_pid' EXIT
        for round in {1..20}; do
            strace -qq -o /run/trace -e trace=read vif-bridge nonsense && echo "no failure"
            cat /run/trace >>/run/traces
            [ "$(key hotplug-status) $(key hotplug-error)" = 'error Invalid command: nonsense' ] || xenstore-ls
            xenstore-rm $XENBUS_PATH
        done
        grep -q EAGAIN /run/traces || echo "no transaction was refused"
        "#,
    ),
    ("the xenstore client by itself", "$self store"),
];

/// The script of "few system calls and no child process", for static programs: a dynamic linker makes more calls.
const FEW_CALLS: &str = r#"
    for command in online offline; do
        strace -f -qq -o /run/trace vif-bridge $command || echo "$command failed"
        count=$(grep -c '(' /run/trace)
        [ $count -lt 120 ] || echo "$command: $count system calls"
        grep -E 'fork|clone|AF_NETLINK' /run/trace
        [ $command = offline ] || online vif1.0 traced
    done
    "#;

/// Tests the parts of the xenstore client that no command line reaches; a test runs this as a process on its host.
fn store() -> Result<(), Fault> {
    let mut store = Store::open(None)?;
    let refused = |errno: &str| Err(Fault::Refused(errno.into()));
    store.write("/a/b/one", b"1")?;
    store.write("/a/b/two", b"")?;
    store.write("/a/b/bytes", b"\0\xff\n")?;
    assert_eq!(store.list("/a/b"), Ok(["bytes", "one", "two"].map(String::from).to_vec()));
    assert_eq!(store.list("/a/b/one"), Ok(Vec::new()));
    assert_eq!(store.list("/nosuch"), refused("ENOENT").map(|()| Vec::new()));
    assert_eq!(store.read("/a/b/one"), Ok(b"1".to_vec()));
    assert_eq!(store.read("/a/b/two"), Ok(Vec::new()));
    assert_eq!(store.read("/a/b/bytes"), Ok(b"\0\xff\n".to_vec()));
    assert_eq!(store.read("/a/b/nosuch"), refused("ENOENT").map(|()| Vec::new()));
    assert_eq!(store.read("no key\n"), refused("EINVAL").map(|()| Vec::new()));
    store.write_together(&[("/a/c", b"3"), ("/a/d", b"4")])?;
    assert_eq!((store.read("/a/c"), store.read("/a/d")), (Ok(b"3".to_vec()), Ok(b"4".to_vec())));
    assert_eq!(store.write_together(&[("/a/c", b"5"), ("no key\n", b"")]), refused("EINVAL"));
    assert_eq!(store.read("/a/c"), Ok(b"3".to_vec()), "half of a transaction");
    assert_eq!(store.write("/a/c", &[b'x'; 5000]), refused("E2BIG"));
    assert_eq!(store.read("/a/c"), Ok(b"3".to_vec()), "after too much");
    store.remove("/a")?;
    assert_eq!(store.remove("/a/b"), refused("ENOENT"));
    assert_eq!(store.list("/a"), refused("ENOENT").map(|()| Vec::new()));
    Ok(())
}

/// Writes a text to a key with a NUL behind it, which no argument of xenstore-write can hold.
fn write_nul(key: &str, text: &str) -> Result<(), Fault> {
    Store::open(None)?.write(key, format!("{text}\0x").as_bytes())
}

/// Serves a socket as a xenstored would that sends a byte each second.
fn trickle(path: &str) -> std::io::Result<()> {
    for connection in UnixListener::bind(path)?.incoming() {
        let mut connection = connection?;
        spawn(move || {
            while connection.write_all(&[0]).is_ok() {
                sleep(Duration::from_secs(1));
            }
        });
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["store"] => store().map_err(|fault| fault.to_string()),
        ["nul", key, text] => write_nul(key, text).map_err(|fault| fault.to_string()),
        ["trickle", path] => trickle(path).map_err(|error| error.to_string()),
        _ => return tests(),
    };
    done.unwrap_or_else(|fault| println!("{fault}"));
    ExitCode::SUCCESS
}

fn tests() -> ExitCode {
    let own = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let test = |name, script, needs: &[&str]| {
        let script = format!("self='{own}'\n{SHARED}{PRELUDE}{script}");
        Test::of_script(name, &[&["xen", "strace", "iptables"], needs].concat(), STATE, script, Mode::Sys)
    };
    let mut tests: Vec<Test> = TESTS.into_iter().map(|(name, script)| test(name, script, &[])).collect();
    tests.push(test("few system calls and no child process", FEW_CALLS, &[STATIC]));
    conclude(tests)
}
