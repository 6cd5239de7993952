//! Tests `brouter up` and `brouter down`: what they create, that they roll back on failure, and what they leave alone.
//!
//! Each test is a shell script that prints what is wrong, and nothing else. It prepares and inspects the host with the original
//! tools; strace injects errors and signals.

mod harness;

use std::process::ExitCode;

use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};

/// A host with an interface to the outside, a link that becomes a port, and IPv6.
const STATE: &str = r#"
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
ip link add eth0 type veth peer name outside
ip link set eth0 up
ip link add p1 type veth peer name p1-far
# a private copy of /etc
cp -a /etc /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
"#;

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
ORIGINAL=/usr/sbin:/usr/bin:/sbin:/bin ip=/sbin/ip
full=(n --bridge b0 --address 10.9.0.1/24 --address 10.8.0.1/16 --address fd00:9::1/64 --outside eth0 --masquerade --antispoof
    --port p1 --mtu 1400)
small=(n --bridge b0 --address 10.9.0.1/24)
# prints the state of the host without interface indexes, MAC addresses, and labels of further addresses (each needs its own)
state() {
    # a request for a link makes the kernel update its state
    printf '%s\n' 'link show dev p1' 'link show dev b0' | $ip -force -batch - >/dev/null 2>&1
    printf '%s\n' 'addr show' 'link show' | $ip -o -batch - | sed -E '/inet6 fe80/d; s/^[0-9]+: //; s/link.ether.*//; s/@[^:]*//
        s/ (tentative|qdisc [a-z]+|state [A-Z]+)//g; s/,LOWER_UP|NO-CARRIER,|,M-DOWN//g; s/ (b0):[0-9]\\/ \1\\/'
    grep -s '' /sys/class/net/*/bridge/{stp_state,forward_delay} /proc/sys/net/{ipv4/ip_forward,ipv6/conf/all/forwarding}
    echo /sys/class/net/*/brif/*
    iptables -S; iptables -t nat -S POSTROUTING
}
records() { ls /run/brouter/*/ 2>/dev/null | grep -v '^$'; }
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
# runs a command with a fault injected by strace; the subshell keeps bash's message about a killed child out of the way
with() { local fault=$1; shift; ( strace -qq -o /dev/null -e inject="$fault" "$@"; exit $? ) >/run/out 2>/run/said; }
# prints an error with which a call can fail; $2 is that of calls that write
error_of() {
    case $1 in
        write*|open*|mkdir*|rename*|unlink*) echo $2 ;;
        clone*|vfork*|fork*) echo EAGAIN ;;
        *) echo EIO ;;
    esac
}
# lists the system calls by which a command reads or changes the host: `NAME:when=N` is the Nth call of that name (strace counts
# each name separately). Calls that the kernel restarts while its network lock is taken count once.
calls() {
    strace -qq -o /run/trace "$@" >/dev/null
    awk -F'(' '/= \? ERESTART/ || !/^[a-z]/ { next }
        { count[$1]++ }
        $1 ~ /^(socket|faccessat2?|access)$/ && !/ld.so/ || /brouter.n.conf/ { loaded = 1 }
        loaded && $1 ~ /^(ioctl|write|clone3?|v?fork|mkdir(at)?|rename(at2?)?|unlink(at)?|flock|socket)$/ {
            print $1 ":when=" count[$1]
        }' /run/trace
}
"#;

/// Names and scripts of the tests.
const TESTS: [(&str, &str); 33] = [
    (
        "--dry-run prints the steps of up, and the original tools create the same network from them",
        r#"
        for network in full small; do
            declare -n options=$network
            before=$(state)
            steps=$(brouter up "${options[@]}" --dry-run)
            same "$network: --dry-run changes something" "$before" "$(state)"
            same "$network: up runs other steps" "$steps" "$(brouter up "${options[@]}")"
            ours=$(state)
            steps_down=$(brouter down n --dry-run)
            same "$network: --dry-run of down changes something" "$ours" "$(state)"
            same "$network: down runs other steps" "$steps_down" "$(brouter down n)"
            same "$network: down leaves something" "$before" "$(state)"
            [ -z "$(records)" ] || echo "$network: a record is left: $(records)"
            PATH=$ORIGINAL bash -e <<<"$steps"
            same "$network: the original tools create something else" "$(state)" "$ours"
            PATH=$ORIGINAL bash -e <<<"$steps_down"
            same "$network: the original tools leave something" "$before" "$(state)"
        done
        "#,
    ),
    (
        "a name that is a word of ip, or begins one, is typed behind dev",
        r#"
        for name in a up dev address; do
            before=$(state); steps=$(brouter up $name --address 10.9.0.1/24 --dry-run)
            is_up() { [ $(($(cat /sys/class/net/$name/flags) & 1)) = 1 ] || echo "$name is not up after $1"; }
            PATH=$ORIGINAL bash -e <<<"$steps" || echo "$name: $steps"; is_up "$steps"
            $ip link set dev $name down; line=$(brouter doctor $name | sed -n 's/^.* is down; type: //p')
            PATH=$ORIGINAL bash -e <<<"$line" || echo "$name: $line"; is_up "$line"
            $ip link del dev $name; same "$name" "$before" "$(state)"
        done
        "#,
    ),
    (
        "a second up does nothing and says so",
        r#"
        brouter up "${full[@]}" >/dev/null; first=$(state)
        same "said" "n: is up, nothing to do" "$(brouter up "${full[@]}")"
        same "changed" "$first" "$(state)"
        brouter down n >/dev/null
        echo address=10.9.0.1/24 >/etc/brouter/n.conf
        same "said" "n: is down, nothing to do" "$(brouter down n)"
        rm /etc/brouter/n.conf; same "said" "n: is down, nothing to do" "$(brouter down "${small[@]}")"
        "#,
    ),
    (
        "if the configuration has changed, up applies only the difference",
        r#"
        before=$(state)
        brouter up "${full[@]}" >/dev/null
        wanted='iptables -t nat -D POSTROUTING -s 10.8.0.0/16 ! -o b0 -j MASQUERADE
ip addr del 10.8.0.1/16 dev b0
brctl setfd b0 4
brctl stp b0 on
ip addr add 10.7.0.1/24 dev b0
iptables -t nat -A POSTROUTING -s 10.7.0.0/24 ! -o b0 -j MASQUERADE'
        same "steps" "$wanted" "$(brouter up n --bridge b0 --address 10.9.0.1/24 --address 10.7.0.1/24 --address fd00:9::1/64 \
            --outside eth0 --masquerade --antispoof --port p1 --mtu 1400 --stp on --forward-delay 4)"
        brouter down n >/dev/null
        same "down leaves something" "$before" "$(state)"
        "#,
    ),
    (
        "the mtu is set behind the ports, and again with a port that is added, as old kernels need it",
        r#"
        before=$(state)
        wanted='brctl addif b0 p1
ip link set dev p1 up
ip link set dev b0 mtu 1400
ip addr add 10.9.0.1/24 dev b0
ip addr add 10.8.0.1/16 dev b0
ip addr add fd00:9::1/64 dev b0
ip link set dev b0 up'
        same "steps" "$wanted" "$(brouter up "${full[@]}" --dry-run | sed -n '/addif/,/link set dev b0 up/p')"
        brouter up "${small[@]}" --mtu 1400 >/dev/null
        wanted='brctl addif b0 p1
ip link set dev p1 up
ip link set dev b0 mtu 1400'
        same "a port more" "$wanted" "$(brouter up "${small[@]}" --mtu 1400 --port p1)"
        same "again" "n: is up, nothing to do" "$(brouter up "${small[@]}" --mtu 1400 --port p1)"
        [ "$(cat /sys/class/net/b0/mtu)" = 1400 ] || cat /sys/class/net/b0/mtu
        brouter down n >/dev/null
        same "down leaves something" "$before" "$(state)"
        "#,
    ),
    (
        "a tunnel may come after the network, go and come back",
        r#"
        before=$(state)
        later="n: t0 is not there yet: brouter up n attaches it when it is, run by the tunnel's own script"
        printf '%s\n' bridge=b0 address=10.9.0.1/24 tunnel=t0 port=p1 >/etc/brouter/n.conf
        same "planned" "$later" "$(brouter up n --dry-run | tail -1)"
        same "without it" "ip link set dev b0 up
$later" "$(brouter up n | tail -2)"
        same "again" "$later" "$(brouter up n)"
        attached='brctl addif b0 t0
ip link set dev t0 up'
        for time in first second; do
            $ip link add t0 mtu 1400 type veth peer name t0-far
            same "$time: mtu" 'n: t0 carries 1400 bytes, guests send up to 1500: more is lost on the way to other hosts: set mtu=1400' \
                "$(brouter up n --dry-run | tail -1)"
            same "$time: steps" "$attached" "$(brouter up n | head -2)"
            [ "$(cat /sys/class/net/b0/mtu)" = 1400 ] || echo "$time: the mtu does not follow"
            $ip link set p1 mtu 1400
            same "$time: nothing to do" 'n: is up, nothing to do' "$(brouter up n)"
            [ $time = second ] || { $ip link del t0; $ip link set p1 mtu 1500; same "gone" "$later" "$(brouter up n)"; }
        done
        brouter down n >/dev/null; $ip link del t0; $ip link set p1 mtu 1500
        same "down leaves something" "$before" "$(state)"
        $ip link add t0 type veth peer name t0-far; $ip link add other type bridge; $ip link set t0 master other
        same "of another bridge" 'brouter: n: t0 is a port of other' "$(brouter up n 2>&1)"
        for wrong in '--tunnel b0' '--tunnel p1 --port p1' '--tunnel eth0 --outside eth0'; do
            same "$wrong" "brouter: n: bridge, outside, ports and tunnels must be different interfaces" "$(brouter up "${small[@]}" $wrong 2>&1)"
        done
        same "twice" 'brouter: --tunnel="t1": this tunnel is given twice' "$(brouter up "${small[@]}" --tunnel t1 --tunnel t1 2>&1)"
        "#,
    ),
    (
        "the bridge has a hardware address that stays, whatever its ports are",
        r#"
        mac() { cat /sys/class/net/b0/address; }
        before=$(state); hardware=$($ip -o link show p1 | grep -o 'link/ether [^ ]*')
        brouter up "${small[@]}" >/dev/null; first=$(mac)
        case $((0x${first%%:*} & 3)) in 2) ;; *) echo "$first is not locally administered" ;; esac
        $ip link set p1 address 00:00:00:00:00:01; $ip link set p1 master b0; same "with a port" "$first" "$(mac)"
        $ip link set p1 nomaster; same "without ports" "$first" "$(mac)"
        brouter down n >/dev/null; brouter up "${small[@]}" --port p1 >/dev/null; same "made again" "$first" "$(mac)"
        brouter down n >/dev/null; brouter up other --bridge b0 --address 10.9.0.1/24 >/dev/null
        [ "$(mac)" != "$first" ] || echo "two networks have $first"
        brouter down other >/dev/null
        # another host, and one without a machine-id, which keeps one of its own
        mount -t tmpfs none /var/lib
        echo 00000000000000000000000000000001 >/etc/machine-id; brouter up "${small[@]}" >/dev/null
        [ "$(mac)" != "$first" ] || echo "two hosts have $first"
        brouter down n >/dev/null; echo uninitialized >/etc/machine-id
        brouter up "${small[@]}" --dry-run >/dev/null; [ -z "$(ls /var/lib)" ] || echo "--dry-run keeps a number"
        brouter up "${small[@]}" >/dev/null; first=$(mac); brouter down n >/dev/null
        brouter up "${small[@]}" >/dev/null; same "by a number of its own" "$first" "$(mac)"; brouter down n >/dev/null
        same "files" "/var/lib/brouter/host-id" "$(find /var/lib -type f)"
        umount /var/lib; mount -t tmpfs -o ro none /var/lib
        brouter up "${small[@]}" >/dev/null; first=$(mac); brouter down n >/dev/null
        brouter up "${small[@]}" >/dev/null; same "by a number under /etc" "$first" "$(mac)"; brouter down n >/dev/null
        [ -s /etc/brouter/host-id ] || ls -l /etc/brouter
        # network-virtual leaves the address to the kernel, as the script did
        for n in 1 2; do network-virtual start bridge=b0 bridgeip=10.9.0.1/24 firewall=none; mac; network-virtual stop bridge=b0 firewall=none; done |
            uniq -d
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "--mac sets the bridge's hardware address; where the kernel refuses, only --mac is an error",
        r#"
        mac() { cat /sys/class/net/b0/address; }
        before=$(state)
        brouter up "${small[@]}" --mac 2:0:5e:00:00:1A | grep -qx 'ip link set dev b0 address 02:00:5e:00:00:1a' || echo "no such step"
        same "set" 02:00:5e:00:00:1a "$(mac)"
        same "again" "n: is up, nothing to do" "$(brouter up "${small[@]}" --mac 02:00:5e:00:00:1a)"
        same "changed" "ip link set dev b0 address 02:00:5e:00:00:1b" "$(brouter up "${small[@]}" --mac 02:00:5e:00:00:1b)"
        same "not named any more" "n: is up, nothing to do" "$(brouter up "${small[@]}")"
        $ip link set b0 address 02:00:00:00:00:99
        brouter status n | grep -q 'bridge     differs: ip link set dev b0 address 02:00:5e:00:00:1b' || brouter status n
        brouter down n >/dev/null
        # a bridge of others gets its own back
        $ip link add b0 address 02:00:00:00:00:77 type bridge; $ip link set b0 up; others=$(state)
        brouter up "${small[@]}" >/dev/null; same "a bridge of others" 02:00:00:00:00:77 "$(mac)"
        brouter up "${small[@]}" --mac 02:00:5e:00:00:1a >/dev/null; same "a bridge of others" 02:00:5e:00:00:1a "$(mac)"
        brouter down n >/dev/null; same "given back" 02:00:00:00:00:77 "$(mac)"; same "left" "$others" "$(state)"
        $ip link del b0
        # SIOCSIFHWADDR, as Linux 2.6.18 answers it
        strace -qq -e trace=ioctl -o /run/trace brouter up "${small[@]}" >/dev/null; brouter down n >/dev/null
        call=ioctl:error=EADDRNOTAVAIL:when=$(grep -n SIOCSIFHWADDR /run/trace | cut -d: -f1)
        with $call brouter up "${small[@]}" || echo "up fails: $(cat /run/said)"
        grep -q '^brouter: n: goes on without .* that stays: ip link set dev b0 address .*: Cannot assign' /run/said || cat /run/said
        same "again" "n: is up, nothing to do" "$(brouter up "${small[@]}")"
        brouter status n | grep -q 'all is well' || brouter status n
        brouter down n >/dev/null
        with $call brouter up "${small[@]}" --mac 02:00:5e:00:00:1a && echo "--mac is no error"
        grep -q 'ip link set dev b0 address 02:00:5e:00:00:1a: Cannot assign' /run/said || cat /run/said
        same "refused" "$before" "$(state)"
        for bad in 01:00:5e:00:00:01 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff fe:ff:ff:ff:ff:ff 02:00:00:00:00 02-00-00-00-00-01 x ''; do
            brouter up "${small[@]}" --mac "$bad" 2>/run/said; status=$?
            [ $status = 2 ] && grep -q '^brouter: --mac="'$bad'": the hardware address of one interface is expected' /run/said ||
                echo "$bad: $status $(cat /run/said)"
        done
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "records have fixed modes whatever the umask, and one that others can have written is not believed",
        r##"
        for mask in 0 027 077 0777; do
            ( umask $mask; brouter up "${small[@]}" >/dev/null )
            same "umask $mask" '755 /run/brouter
755 folder
644 n.network' "$(cd /run/brouter; stat -c '%a %n' /run/brouter; cd *; stat -c '%a folder' .; stat -c '%a %n' *)"
            brouter down n >/dev/null; rm -r /run/brouter
        done
        printf '#!/bin/sh\ntouch /run/ran\n' >/run/fw; chmod +x /run/fw
        # up, down and start refuse it, change nothing and say what to do
        refused() {
            local what=$1 before after; before=$(state)
            for command in "brouter up ${small[*]}" "brouter down n" "network-virtual start bridge=n bridgeip=10.9.0.1/24 firewall=none" \
                "network-virtual stop bridge=n firewall=none"; do
                timeout 5 $command >/run/out 2>/run/said; status=$?
                [ $status != 0 ] && [ $status != 124 ] && grep -q 'is not believed: .*\(chmod go-w\|rm -r\)' /run/said ||
                    echo "$what: $command: status $status, $(cat /run/out /run/said)"
            done
            same "$what changes something" "$before" "$(state)"
            [ ! -e /run/ran ] || { echo "$what: a stranger's command ran"; rm /run/ran; }
        }
        brouter up "${small[@]}" --firewall /run/fw >/dev/null; rm -f /run/ran
        record=$(echo /run/brouter/*/n.network) folder=$(dirname /run/brouter/*/n.network)
        chmod 666 $record; refused "a record of mode 666"; chmod 664 $record; refused "a record of mode 664"; chmod 644 $record
        chown 1000 $record; refused "a record of user 1000"; chown 0 $record
        chmod 777 $folder; refused "a folder of mode 777"; chmod 755 $folder
        chown 1000 $folder; refused "a folder of user 1000"; chown 0 $folder
        chmod 777 /run/brouter; refused "/run/brouter of mode 777"; chmod 755 /run/brouter
        mv $record /run/kept
        mkfifo $record; refused "a FIFO"; rm $record
        truncate -s 1G $record; refused "a gigabyte"; rm $record
        mkdir $record; refused "a folder as a record"; rmdir $record
        # a damaged record names another bridge
        $ip link add name b1 type bridge
        sed 's/^of b0/of b1/' /run/kept >$record
        before=$(state)
        brouter down n >/run/out 2>&1 && echo "down believes a damaged record: $(cat /run/out)"
        same "a damaged record" "$before" "$(state)"
        # a record of version 0.1 has no sum
        grep -v '^sum' /run/kept >$record
        brouter down n >/dev/null || echo "down does not know a record of version 0.1"
        [ -e /run/ran ] || echo "the own command did not run"
        [ ! -e /sys/class/net/b0 ] || echo "b0 is left"
        "##,
    ),
    (
        "a program that is run reports its status to callers that ignore SIGCHLD, and has no signal ignored or blocked",
        r#"
        printf '#!/bin/sh\ngrep -E "^Sig(Blk|Ign)" /proc/self/status >/run/signals; exit 3\n' >/run/fw; chmod +x /run/fw
        before=$(state)
        for odd in --ignore-signal=CHLD --block-signal --ignore-signal=PIPE; do
            rm -f /run/signals
            env $odd brouter up "${small[@]}" --firewall /run/fw >/run/out 2>/run/said && echo "$odd: up succeeds"
            grep -q 'exit status: 3' /run/said || { echo "$odd:"; cat /run/said; }
            same "$odd: up leaves something" "$before" "$(state)"
            env $odd network-virtual start bridge=b0 bridgeip=10.9.0.1/24 firewall=/run/fw 2>/run/said; status=$?
            [ $status = 3 ] || echo "$odd: start returns $status: $(cat /run/said)"
            env $odd network-virtual stop bridge=b0 firewall=none
            # SIGPIPE is 13, SIGCHLD 17; the caller's other ignored signals stay ignored
            while read -r kind mask; do
                case $kind in SigBlk:) mask=$((0x$mask)) ;; *) mask=$((0x$mask & 0x11000)) ;; esac
                [ $mask = 0 ] || { echo "$odd:"; cat /run/signals; }
            done </run/signals
        done
        # a masquerading rule, by the host's iptables too
        for odd in --ignore-signal=CHLD --block-signal; do
            env $odd network-virtual start bridge=b0 bridgeip=10.9.0.1/24 masquerade=yes firewall=none || echo "$odd: no start"
            env $odd network-virtual stop bridge=b0 firewall=none || echo "$odd: no stop"
            same "$odd: start and stop leave something" "$before" "$(state)"
        done
        "#,
    ),
    (
        "a file is equivalent to options, and options override it",
        r#"
        conf=/etc/brouter/n.conf
        printf '%s\n' '# ours' bridge=b0 'bridgeip="10.9.0.1/24"' 'address=10.8.0.1/16  # more' address=fd00:9::1/64 netdev=eth0 \
            masquerade=yes antispoof=yes port=p1 mtu=1400 >$conf
        same "the file" "$(brouter up "${full[@]}" --dry-run)" "$(brouter up n --dry-run)"
        brouter up n --mtu 1300 --dry-run | grep -q 'mtu 1300' || echo "the option does not override the file"
        while IFS='|' read -r line said; do
            printf '%b\n' "$line" >$conf
            brouter up n >/run/out 2>/run/said; status=$?
            [ $status = 2 ] && [ ! -s /run/out ] || echo "$line: status $status, $(cat /run/out)"
            same "$line" "brouter: $conf:$said" "$(cat /run/said)"
        done <<'END'
# x\nbridge|2: bridge: VARIABLE=VALUE is expected, or a comment behind #
address=10.9.0.1|1: address="10.9.0.1": an address with its prefix is expected, such as 192.168.10.1/24 or 2001:db8::1/64
mtu=9x|1: mtu="9x": bytes are expected, 68 to 65535
stp=yes|1: stp="yes": on or off is expected
masquerade=on|1: masquerade="on": yes or no is expected
forward_delay=1e1|1: forward_delay="1e1": seconds are expected, 0 to 30
port=a/b|1: port="a/b": not a name for an interface (letters, digits, '.', '_', '@', inner '-'; not '.' or '..')
bridge=abcdefghijklmnop|1: bridge="abcdefghijklmnop": a name has at most 15 bytes
strict=yes|1: strict: no such variable; expected is one of bridgeip netdev bridge vifnum mac address brnet outside masquerade antispoof stp forward_delay port tunnel mtu firewall firewall_backend publish isolate force
END
        "#,
    ),
    (
        "obstacles are reported before anything is changed",
        r#"
        $ip link add name other type bridge; $ip link add q1 type veth peer name q1-far; $ip link set q1 master other
        $ip tuntap add tun0 mode tun; before=$(state)
        while IFS='|' read -r status words said; do
            brouter up $words >/run/out 2>/run/said; got=$?
            same "$words" "$status $said" "$got $(cat /run/out /run/said)"
            same "$words changes something" "$before" "$(state)"
            [ -z "$(records)" ] || echo "$words: $(records)"
        done <<'END'
2|nosuch|brouter: nosuch: no address: give the bridge one (--address 192.168.10.1/24), or a file /etc/brouter/NAME.conf
1|p1 --address 10.9.0.1/24|brouter: p1: p1 is not a bridge, and is left alone
1|n --address 10.9.0.1/24 --port x1|brouter: n: there is no interface x1
1|n --address 10.9.0.1/24 --outside x1|brouter: n: there is no interface x1
1|n --address 10.9.0.1/24 --port q1|brouter: n: q1 is a port of other
1|n --address 10.9.0.1/24 --port other|brouter: n: other cannot be a port: it is a bridge
1|n --address 10.9.0.1/24 --port lo|brouter: n: lo cannot be a port: it leads nowhere but to this host
1|n --address 10.9.0.1/24 --tunnel tun0|brouter: n: tun0 cannot be a port: it carries no Ethernet frames
1|n --address 10.9.0.1/24 --firewall /x|brouter: n: /x: there is no such program
2|n --address 10.9.0.1/24 --antispoof|brouter: n: antispoof needs the interface to the outside (--outside)
2|n --address fd00::1/64 --masquerade|brouter: n: masquerade: only IPv4 networks are masqueraded, and there is none
2|n --address 10.9.0.1/24 --port eth0 --outside eth0|brouter: n: bridge, outside, ports and tunnels must be different interfaces
2|n --address 10.9.0.1/24 --stp on --forward-delay 1|brouter: n: with spanning tree the forward delay is 2 to 30 seconds
2|n --address 10.9.0.1/24 --address 10.9.0.1/16|brouter: --address="10.9.0.1/16": this address is given twice
2|n --address 10.3.0.0/24|brouter: --address="10.3.0.0/24": this is the address of the network itself: give the bridge one of its own, such as 10.3.0.1/24
2|n --address 10.0.0.255/24 --force|brouter: --address="10.0.0.255/24": this is the broadcast address: give the bridge one of its own, such as 10.0.0.1/24
2|n --address fd00::/64|brouter: --address="fd00::/64": this is the address of the network itself: give the bridge one of its own, such as fd00::1/64
2|n --address 10.3.0.1/32|brouter: --address="10.3.0.1/32": this prefix is no network of guests: give another one, such as 10.3.0.1/24, or --force
2|../n --address 10.9.0.1/24|brouter: ../n: not a name for an interface (letters, digits, '.', '_', '@', inner '-'; not '.' or '..')
END
        "#,
    ),
    (
        "a network that overlaps another one is refused with what it overlaps, and made by --force",
        r#"
        brouter up dmz --address 10.7.0.1/24 >/dev/null
        ip addr add 192.0.2.1/24 dev eth0; ip addr add 2001:db8::1/64 dev eth0; ip route add default via 192.0.2.254
        ip route add 10.40.0.0/16 via 192.0.2.2; ip route add 10.50.0.77/32 via 192.0.2.2; ip route add 0.0.0.0/1 via 192.0.2.3
        ip -6 route add 2001:db8:5::/48 via 2001:db8::2; ip route add unreachable 10.60.0.0/16
        before=$(state)
        while IFS='|' read -r address other free; do
            brouter up n --bridge b0 --address $address >/run/out 2>/run/said; status=$?
            same "$address" "1 brouter: n: $address overlaps $other: choose another network$free, or --force" "$status $(cat /run/out /run/said)"
            same "$address changes something" "$before" "$(state)"
            brouter up n --bridge b0 --address $address --force >/dev/null || echo "$address: --force does not go on"
            # it is there: nothing is asked again
            same "$address again" "n: is up, nothing to do" "$(brouter up n --bridge b0 --address $address)"
            brouter down n >/dev/null
            printf '%s\n' bridge=b0 address=$address force=yes >/etc/brouter/n.conf
            brouter up n >/dev/null || echo "$address: force=yes does not go on"; brouter down n >/dev/null; rm /etc/brouter/n.conf
            same "$address leaves something" "$before" "$(state)"
        done <<'END'
10.7.0.9/16|address 10.7.0.1/24 of network dmz|, such as 192.168.10.1/24
192.0.2.129/25|address 192.0.2.1/24 of eth0|, such as 192.168.10.1/24
2001:db8::9/32|address 2001:db8::1/64 of eth0|
10.40.7.1/24|route 10.40.0.0/16 via 192.0.2.2 dev eth0|, such as 192.168.10.1/24
10.50.0.1/24|route 10.50.0.77/32 via 192.0.2.2 dev eth0|, such as 192.168.10.1/24
2001:db8:5:1::1/64|route 2001:db8:5::/48 via 2001:db8::2 dev eth0|
END
        # what leads anywhere, what drops, the network's own bridge and ports do not overlap
        for address in 10.60.0.1/24 10.8.0.1/24 fe80::1/64; do
            brouter up n --bridge b0 --address $address --port p1 >/dev/null || echo "$address is refused"; brouter down n >/dev/null
        done
        # a free network is proposed
        ip addr add 192.168.10.1/23 dev eth0
        brouter up n --address 192.168.10.9/24 2>&1 | grep -q 'such as 192.168.12.1/24' || echo "proposed: $(brouter up n --address 192.168.10.9/24 2>&1)"
        "#,
    ),
    (
        "a host that forwards IPv6 goes on accepting router advertisements",
        r#"
        conf=/proc/sys/net/ipv6/conf; echo 0 >$conf/all/disable_ipv6; for link in eth0 p1; do echo 0 >$conf/$link/disable_ipv6; done
        ip link set p1 up; ip link set p1-far up; ip link set outside up
        # stands for a route that a router has advertised
        $ip -6 addr add 2001:db8:7::1/64 dev p1 nodad; $ip -6 route add default via 2001:db8:7::2 dev p1 expires 600
        values() { cat $conf/{all/forwarding,eth0/accept_ra,p1/accept_ra} | tr '\n' ' '; }
        same "before" "0 1 1 " "$(values)"; before=$(state)
        wanted="echo 2 >$conf/eth0/accept_ra
echo 2 >$conf/p1/accept_ra
echo 1 >$conf/all/forwarding"
        for n in a b; do
            number=$(printf %d "'$n"); brouter up $n --address fd00:$number::1/64 --outside eth0 >/run/out
            [ $n = b ] || same "steps" "$wanted" "$(grep /proc /run/out)"
        done
        same "up" "1 2 2 " "$(values)"; ip -6 route show default | grep -q 'dev p1' || echo "no default route: $(ip -6 route)"
        same "again" "a: is up, nothing to do" "$(brouter up a --address fd00:97::1/64 --outside eth0)"
        brouter down a | grep /proc; same "one is left" "1 2 2 " "$(values)"
        wanted="echo 0 >$conf/all/forwarding
echo 1 >$conf/p1/accept_ra
echo 1 >$conf/eth0/accept_ra"
        same "steps of down" "$wanted" "$(brouter down b | grep /proc)"; same "down" "0 1 1 " "$(values)"; same "left" "$before" "$(state)"
        # who declines advertisements, or always accepts them, goes on
        echo 0 >$conf/eth0/accept_ra; echo 2 >$conf/p1/accept_ra
        brouter up a --address fd00:97::1/64 --outside eth0 >/dev/null; same "up" "1 0 2 " "$(values)"
        brouter down a >/dev/null; same "down" "0 0 2 " "$(values)"
        "#,
    ),
    (
        "addresses and routes of a port move to the bridge, and back",
        r#"
        echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip link set outside up
        ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.9/24 dev eth0; $ip addr add 2001:db8::1/64 dev eth0
        ip route add default via 192.0.2.254; ip route add 203.0.113.0/24 via 192.0.2.253 metric 7; $ip -6 route add default via 2001:db8::fe dev eth0
        mac=$(cat /sys/class/net/eth0/address)
        # prints the routes over a link
        routes() { ip -o route show dev $1; ip -6 -o route show dev $1 | grep -v '^fe80\|multicast'; ip -o addr show dev $1 | awk '{ print $4 }' | grep -v ^fe80; }
        before=$(state) of_port=$(routes eth0)
        brouter up lan --bridge b0 --port eth0 --dry-run >/run/steps || echo "no plan"
        same "--dry-run changes something" "$before" "$(state)"
        brouter up lan --bridge b0 --port eth0 >/run/out || echo "no up"; same "steps" "$(cat /run/steps)" "$(cat /run/out)"
        same "on the bridge" "$of_port" "$(routes b0)"; same "on the port" "" "$(routes eth0)"
        same "the bridge has the card's address" "$mac" "$(cat /sys/class/net/b0/address)"
        same "again" "lan: is up, nothing to do" "$(brouter up lan --bridge b0 --port eth0)"
        for try in 1 2 3 4 5 6 7 8 9 10; do brouter status lan >/run/out && break; sleep 0.2; done
        grep -q 'all is well' /run/out || cat /run/out; grep -q 'through port eth0' /run/out || cat /run/out
        brouter down lan >/dev/null || echo "no down"; same "back" "$of_port" "$(routes eth0)"; same "left" "$before" "$(state)"
        brouter up lan --bridge b0 --address 10.9.0.1/24 --port eth0 --port p1 >/dev/null || echo "no up with an address"
        same "another address" "$of_port" "$(routes b0 | grep -v '10.9.0')"
        # without this port the addresses go back
        brouter up lan --bridge b0 --address 10.9.0.1/24 --port p1 >/dev/null; same "without the port" "$of_port" "$(routes eth0)"
        brouter down lan >/dev/null; same "left" "$before" "$(state)"
        for call in $(calls brouter up lan --bridge b0 --port eth0; brouter down lan >/dev/null); do
            with $call:error=$(error_of $call ENOSPC) brouter up lan --bridge b0 --port eth0 || grep -q 'is up all the same' /run/said || same "$call: $(cat /run/said)" "$of_port" "$(routes eth0)"
            brouter down lan >/dev/null 2>&1; same "after $call" "$before" "$(state)"
        done
        # an address of IPv6 that every link has is not moved
        echo 0 >/proc/sys/net/ipv6/conf/p1/disable_ipv6; ip link set p1-far up; ip link set p1 up; ip -6 addr show dev p1 | grep -q fe80 || echo "no fe80"
        brouter up "${small[@]}" --port p1 --dry-run | grep -E 'fe80|moved'; ip link set p1 down
        ip addr flush dev eth0; brouter up lan --bridge b0 --port eth0 2>&1 | grep -q 'no address' || echo "an address from nowhere"
        "#,
    ),
    (
        "down without a record leaves the host reachable: addresses go back to the only port that leads outside, or no port is released",
        r#"
        echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip link set outside up; ip link set p1-far up
        ip addr add 192.0.2.1/24 dev eth0; ip addr add 192.0.2.9/24 dev eth0; $ip addr add 2001:db8::1/64 dev eth0
        ip route add default via 192.0.2.254; $ip -6 route add default via 2001:db8::fe dev eth0
        $ip link set p1 up
        routes() { ip -o route show dev $1; ip -6 -o route show dev $1 | grep -v '^fe80\|multicast'; ip -o addr show dev $1 | awk '{ print $4 }' | grep -v ^fe80; }
        before=$(state) of_port=$(routes eth0)
        for addresses in '' 'address=10.9.0.1/24'; do
            printf '%s\n' bridge=b0 port=eth0 port=p1 $addresses >/etc/brouter/lan.conf
            brouter up lan >/dev/null || echo "no up"; rm -r /run/brouter
            brouter down lan --dry-run >/run/steps || cat /run/steps; brouter down lan >/run/out || cat /run/out; same "steps" "$(cat /run/steps)" "$(cat /run/out)"
            same "back, $addresses" "$of_port" "$(routes eth0)"; [ ! -e /sys/class/net/b0 ] || echo "the bridge is left"
            same "eth0" up "$(cat /sys/class/net/eth0/operstate)"; $ip link set p1 up; same "left" "$before" "$(state)"
        done
        # an address that the file names, and by which the router is reached
        printf '%s\n' bridge=b0 port=eth0 address=192.0.2.1/24 >/etc/brouter/lan.conf
        brouter up lan >/dev/null || echo "no up"; rm -r /run/brouter; brouter down lan >/run/out || cat /run/out
        same "back, of the file" "$of_port" "$(routes eth0)"; same "left, of the file" "$before" "$(state)"
        printf '%s\n' bridge=b0 port=eth0 port=p1 address=10.9.0.1/24 >/etc/brouter/lan.conf
        # by which of two the router is reached is not known
        $ip link set p1 name eth1; sed -i s/p1/eth1/ /etc/brouter/lan.conf
        brouter up lan >/dev/null || echo "no up"; rm -r /run/brouter; on_bridge=$(routes b0 | grep -v 10.9.0)
        brouter down lan >/run/out; same "on the bridge" "$on_bridge" "$(routes b0)"; same "ports" "eth0 eth1" "$(ls /sys/class/net/b0/brif | tr '\n' ' ' | sed 's/ $//')"
        for link in eth0 eth1 b0; do same "$link" up "$(cat /sys/class/net/$link/operstate)"; done
        grep -qx 'lan: left: b0, which has addresses .*: 192.0.2.1/24 192.0.2.9/24 2001:db8::1/64' /run/out && grep -qx 'lan: left: ports eth0 eth1' /run/out || cat /run/out
        "#,
    ),
    (
        "down releases foreign ports, and leaves and reports foreign addresses and rules",
        r#"
        brouter up "${small[@]}" >/dev/null
        $ip link set p1 master b0
        iptables -A FORWARD -i b0 -j ACCEPT
        wanted='ip link set dev b0 down
brctl delbr b0
n: released: p1
n: left: iptables -t filter -A FORWARD -i b0 -j ACCEPT'
        same "a port and a rule" "$wanted" "$(brouter down n)"
        brouter up "${small[@]}" >/dev/null
        ip addr add 10.9.0.7/24 dev b0 label b0:x; ip addr add fd00::7/64 dev b0; $ip link set p1 master b0
        brouter down n >/run/out
        grep -qx "n: left: b0, which has addresses that are not brouter's: 10.9.0.7/24 fd00::7/64" /run/out || cat /run/out
        grep -qx "n: left: ports p1" /run/out || cat /run/out
        [ "$(ip -o -4 addr show b0 | awk '{print $4}')" = 10.9.0.7/24 ] || ip addr show b0
        "#,
    ),
    (
        "down of a network that never was is an error, and without a name down says which there are",
        r#"
        said() {
            local wanted=$1; shift
            for more in '' --dry-run; do
                brouter down "$@" $more >/run/out 2>/run/said; status=$?
                same "down $* $more" "$wanted" "$status $(cat /run/out /run/said)"
            done
        }
        # a bridge that others have made is left alone
        $ip link add xenbr0 type bridge; $ip link add name hand type bridge; before=$(state)
        said '1 brouter down: nosuch: no such network' nosuch
        said '1 brouter down: hand: no such network' hand
        said '1 brouter down: xenbr0: no such network'
        said '1 brouter down: n: no such network' n --bridge hand
        brouter up a --address 10.1.0.1/24 >/dev/null
        said '1 brouter down: xenbr0: no such network (there are: a)'
        echo address=10.2.0.1/24 >/etc/brouter/b.conf
        said '1 brouter down: nosuch: no such network (there are: a b)' nosuch
        brouter up b >/dev/null
        said '2 brouter: down: which network? Give its name: a b'
        same "down b" $'ip link set dev b down\nbrctl delbr b' "$(brouter down b)"
        same "again" "b: is down, nothing to do" "$(brouter down b)"
        brouter down a >/dev/null; rm /etc/brouter/b.conf
        said '1 brouter down: a: no such network' a
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "who may not change networks is told to run as root",
        r#"
        brouter up m --address 10.1.0.1/24 >/dev/null; before=$(state)
        for command in up down; do
            setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all brouter $command m --address 10.1.0.1/24 \
                >/run/out 2>/run/said; status=$?
            same "$command as a user" "1 brouter $command: only root changes networks: run as root, with CAP_NET_ADMIN" "$status $(cat /run/out /run/said)"
            setpriv --reuid 65534 --clear-groups brouter $command m --address 10.1.0.1/24 --dry-run >/run/out 2>&1 ||
                { echo "$command --dry-run as a user:"; cat /run/out; }
        done
        setpriv --bounding-set=-net_admin --inh-caps=-net_admin brouter up "${small[@]}" >/run/out 2>/run/said && echo "no error"
        same "without the capability" "brouter up: only root changes networks: run as root, with CAP_NET_ADMIN" "$(cat /run/out /run/said)"
        same "changed" "$before" "$(state)"
        brouter down m >/dev/null
        "#,
    ),
    (
        "a bridge that existed before stays as it was",
        r#"
        brctl addbr b0; ip addr add 10.1.0.1/24 dev b0; ip link set b0 up
        before=$(state)
        same "steps" "ip addr add 10.9.0.1/24 dev b0" "$(brouter up "${small[@]}")"
        same "steps" "ip addr del 10.9.0.1/24 dev b0" "$(brouter down n | grep -v left)"
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "down works without stored state",
        r#"
        before=$(state)
        brouter up "${full[@]}" >/dev/null; rm -r /run/brouter
        brouter down "${full[@]}" >/run/out
        for left in 'iptables -P FORWARD DROP' 'echo 1 >/proc/sys/net/ipv4/ip_forward'; do
            grep -qxF "n: left, the state before is not known: $left" /run/out || cat /run/out
        done
        iptables -P FORWARD ACCEPT; echo 0 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "what several networks need stays until the last of them is down",
        r#"
        before=$(state)
        rest="--outside eth0 --antispoof"
        brouter up a --address 10.1.0.1/24 $rest >/dev/null
        brouter up b --address 10.2.0.1/24 $rest >/run/out; grep -E 'iptables|forward' /run/out
        network-virtual start bridge=c bridgeip=10.3.0.1/24 masquerade=yes firewall=none
        brouter down a | grep -E 'iptables|forward'
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding for b and c"
        brouter down b | grep forward
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding for c"
        iptables -S FORWARD | grep -q ACCEPT || echo "the policy is left"
        brouter up a --address 10.1.0.1/24 --outside eth0 >/dev/null
        network-virtual stop bridge=c
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "no forwarding for a"
        brouter down a >/dev/null
        same "left" "$before" "$(state)"
        "#,
    ),
    (
        "calls for one network wait for each other, calls for different networks do not",
        r#"
        folder=$(brouter up "${small[@]}" >/dev/null; echo /run/brouter/*)
        brouter down n >/dev/null
        exec 9>$folder/n.lock; flock 9
        start=$SECONDS
        brouter up m --address 10.1.0.1/24 >/dev/null; [ $((SECONDS - start)) -lt 3 ] || echo "another network waits"
        brouter up "${small[@]}" >/run/out 2>/run/said && echo "not locked"
        same "said" "brouter: n: another up or down of it has been running for 10 seconds" "$(cat /run/out /run/said)"
        waited=$((SECONDS - start)); [ $waited -ge 9 -a $waited -le 15 ] || echo "waited $waited seconds"
        exec 9>&-
        for i in 1 2 3 4 5 6 7 8; do brouter up "${small[@]}" >>/run/many 2>&1 & done; wait
        [ "$(grep -c addbr /run/many)" = 1 ] && [ "$(grep -c 'nothing to do' /run/many)" = 7 ] || cat /run/many
        "#,
    ),
    (
        "if any step of up fails, up rolls back",
        r#"
        marker=/run/fired; printf '#!/bin/sh\necho fired >>%s\n' $marker >/run/fw; chmod +x /run/fw
        full+=(--firewall /run/fw)
        before=$(state); calls=$(calls brouter up "${full[@]}"); wanted=$(state); brouter down n >/dev/null
        failed=0 done=0
        for call in $calls; do
            if with $call:error=$(error_of $call ENOSPC) brouter up "${full[@]}"; then
                done=$((done + 1))
                same "$call failed and up did not report it" "$wanted" "$(state)"
            else
                failed=$((failed + 1))
                [ -s /run/said ] || echo "no message about $call"
                if ! grep -q -E ': (left|is up all the same)' /run/said; then
                    same "$call failed, and was not rolled back: $(cat /run/said)" "$before" "$(state)"
                    grep -q 'record' /run/said || [ -z "$(records)" ] || echo "$call: $(records): $(cat /run/said)"
                fi
            fi
            brouter down "${full[@]}" >/dev/null || echo "down after $call failed"
            same "left after down after $call" "$before" "$(state)"
        done
        [ $failed -gt 25 ] || echo "only $failed failures, $done successes"
        "#,
    ),
    (
        "if any step of down fails, down reports it, and a second down completes it",
        r#"
        before=$(state); brouter up "${full[@]}" >/dev/null; up=$(state); calls=$(calls brouter down n)
        failed=0
        for call in $calls; do
            brouter up "${full[@]}" >/dev/null
            if with $call:error=$(error_of $call EROFS) brouter down n; then
                same "$call failed and down did not report it" "$before" "$(state)"
            else
                failed=$((failed + 1))
                now=$(state)
                [ "$now" = "$up" ] || grep -q -E ': (left, for the next down|is down, but|cannot write)' /run/said || echo "$call: $(cat /run/said)"
            fi
            brouter down "${full[@]}" >/dev/null || echo "down after $call failed"
            same "left after down after $call" "$before" "$(state)"
        done
        [ $failed -gt 10 ] || echo "only $failed failures"
        "#,
    ),
    (
        "after a kill at any system call of up, a second up completes it and down removes it",
        r#"
        before=$(state); calls=$(calls brouter up "${full[@]}"); wanted=$(state); brouter down n >/dev/null
        killed=0
        for call in $calls; do
            for next in up down; do
                with $call:signal=KILL brouter up "${full[@]}" || killed=$((killed + 1))
                brouter $next "${full[@]}" >/run/out 2>&1 || { echo "$next after a kill at $call:"; cat /run/out; }
                if [ $next = up ]; then
                    same "up after a kill at $call" "$wanted" "$(state)"
                    brouter down n >/dev/null
                fi
                same "left after a kill at $call and $next" "$before" "$(state)"
            done
        done
        [ $killed -gt 60 ] || echo "only $killed kills"
        "#,
    ),
    (
        "after a kill at any system call of down, a second down completes it",
        r#"
        before=$(state); brouter up "${full[@]}" >/dev/null; wanted=$(state); calls=$(calls brouter down n)
        for call in $calls; do
            brouter up "${full[@]}" >/dev/null
            same "up before the kill at $call" "$wanted" "$(state)"
            with $call:signal=KILL brouter down n
            brouter down "${full[@]}" >/dev/null || echo "down after a kill at $call"
            same "left after a kill at $call" "$before" "$(state)"
        done
        "#,
    ),
    (
        "an interrupted up rolls back",
        r#"
        before=$(state); calls=$(calls brouter up "${full[@]}"); brouter down n >/dev/null
        late=0
        for signal in INT:130 TERM:143; do
            for call in $(grep -E '^(ioctl|rename)' <<<"$calls"); do
                with $call:signal=${signal%:*} brouter up "${full[@]}"; status=$?
                if [ $status = 0 ]; then late=$((late + 1)); brouter down n >/dev/null; continue; fi
                [ $status = ${signal#*:} ] || echo "$call: status $status"
                same "$call: $(cat /run/said)" "$before" "$(state)"
            done
        done
        [ $late -le 8 ] || echo "$late signals came too late"
        "#,
    ),
    (
        "on a read-only or full /run/brouter up refuses and down works",
        r#"
        before=$(state)
        brouter up "${small[@]}" >/dev/null; rm -r /run/brouter; mkdir /run/brouter
        mount -t tmpfs -o ro none /run/brouter
        brouter down "${small[@]}" >/dev/null || echo "no down"
        same "left" "$before" "$(state)"
        brouter up "${small[@]}" >/run/out 2>/run/said && echo "no refusal"
        grep -q 'cannot lock /run/brouter/.*: Read-only file system$' /run/said || cat /run/said
        same "changed" "$before" "$(state)"
        umount /run/brouter; mount -t tmpfs -o nr_inodes=4 none /run/brouter; touch /run/brouter/{1,2,3}
        brouter up "${small[@]}" >/run/out 2>/run/said && echo "no refusal"
        grep -q 'No space left on device$' /run/said || cat /run/said
        same "changed" "$before" "$(state)"
        "#,
    ),
    (
        "iptables fails at any of its calls, or is missing, where the kernel's tables are changed",
        r#"
        before=$(state); brouter up "${full[@]}" >/dev/null; up=$(state); brouter down n >/dev/null
        real=$(readlink -f $(command -v iptables)); mkdir /run/faulty
        printf '%s\n' '#!/bin/bash' 'echo x >>/run/count; n=$(wc -l </run/count)' \
            '[ $n = "$(cat /run/fails)" ] && { echo "iptables: broken at $n" >&2; exit 3; }' \
            "exec -a iptables $real \"\$@\"" >/run/faulty/iptables; chmod +x /run/faulty/iptables
        broken() { rm -f /run/count; echo $1 >/run/fails; shift; PATH=/run/faulty:$PATH "$@" >/run/out 2>/run/said; }
        broken 0 brouter up "${full[@]}"; calls=$(wc -l </run/count)
        broken 0 brouter down n; calls_down=$(wc -l </run/count)
        for ((n = 1; n <= calls; n++)); do
            if broken $n brouter up "${full[@]}"; then
                same "up after call $n of $calls failed" "$up" "$(state)"; brouter down n >/dev/null
            else
                grep -q "^brouter: n: .*\(iptables: broken at $n\|does not tell\)" /run/said || { echo "$n:"; cat /run/said; }
                same "call $n of $calls failed: $(cat /run/said)" "$before" "$(state)"
                [ -z "$(records)" ] || echo "call $n: a record is left"
            fi
        done
        for ((n = 1; n <= calls_down; n++)); do
            brouter up "${full[@]}" >/dev/null
            broken $n brouter down n || { grep -q '^brouter: n: left, for the next down' /run/said || cat /run/said; }
            brouter down "${full[@]}" >/dev/null || echo "down after call $n of $calls_down"
            same "down after call $n of $calls_down failed" "$before" "$(state)"
        done
        [ $calls -gt 6 -a $calls_down -gt 4 ] || echo "only $calls and $calls_down calls"
        mount --bind /dev/null $real
        brouter up "${full[@]}" --firewall-backend iptables >/run/out 2>/run/said && echo "up without iptables"
        same "without iptables" "brouter: n: iptables is not installed: apt-get install iptables" "$(cat /run/said)"
        brouter up "${full[@]}" --firewall-backend kernel >/run/out || echo "up without iptables: $?"
        iptables-legacy -t nat -S POSTROUTING | grep -q MASQUERADE || echo "no rule without iptables"
        iptables-legacy -S FORWARD | grep -q 'P FORWARD DROP' || echo "no policy without iptables"
        brouter down n >/run/out || echo "down without iptables: $?"
        # iptables warns of the other tables
        umount $real; same "without iptables" "$before" "$(state 2>/dev/null)"
        iptables-legacy -t nat -S POSTROUTING | grep MASQUERADE; iptables-legacy -S FORWARD | grep -v 'P FORWARD ACCEPT'
        "#,
    ),
    (
        "networks that go down at the same time leave nothing of what they share",
        r#"
        before=$(state)
        for round in 1 2 3 4 5; do
            for n in 1 2 3; do
                brouter up n$n --bridge b$n --address 10.$n.0.1/24 --outside eth0 --masquerade --antispoof >/dev/null
            done
            for n in 1 2 3; do brouter down n$n >/dev/null & done; wait
            same "round $round" "$before" "$(state)"
            [ -z "$(records)" ] || echo "round $round: left: $(records)"
        done
        "#,
    ),
    (
        "a namespace does not take over the stored state of an earlier one with the same number",
        r#"
        # its inode number can be reused; its cookie cannot (since Linux 5.14)
        for round in {1..40}; do
            unshare -n bash -c 'readlink /proc/self/ns/net; brouter up n --bridge b0 --address 10.9.0.1/24 >&2' \
                2>/dev/null >>/run/numbers
            sleep 0.1
            unshare -n bash -c 'readlink /proc/self/ns/net; brouter status --json | jq -c .bridges,.not_known' >/run/out
            same "round $round" $'[]\n[]' "$(tail -n 2 /run/out)"
            head -n 1 /run/out >>/run/numbers
            [ -z "$(sort /run/numbers | uniq -d)" ] || break
        done
        [ $round -lt 40 ] || echo "no number was reused"
        "#,
    ),
    (
        "an interface disappears during up",
        r#"
        $ip link add p2 type veth peer name p2-far; before=$(state | grep -v '^p2')
        # the port is deleted as soon as the bridge exists
        strace -qq -o /dev/null -e inject=ioctl:delay_exit=400000 brouter up n --bridge b0 --address 10.9.0.1/24 --port p2 \
            >/run/out 2>/run/said &
        while [ ! -e /sys/class/net/b0 ]; do sleep 0.01; done; $ip link del p2
        wait $! && echo "no failure"
        grep -q '^brouter: n: .*p2.*: No such device$' /run/said || cat /run/said
        grep -q '^brouter: n: everything is as it was before$' /run/said || cat /run/said
        same "left" "$before" "$(state | grep -v '^p2')"
        "#,
    ),
];

fn main() -> ExitCode {
    let test = |(name, script): (&str, &str)| {
        // a user namespace has no other users
        let root = ["setpriv --reuid", "chown"].iter().any(|command| script.contains(command)).then_some(ROOT);
        let needs: Vec<&str> = ["strace", "iptables", "jq"].into_iter().chain(root).collect();
        Test::of_script(name, &needs, STATE, format!("{PRELUDE}{script}"), Mode::Sys)
    };
    conclude(TESTS.into_iter().map(test).collect())
}
