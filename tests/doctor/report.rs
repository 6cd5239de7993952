//! Tests the report of `doctor`: its output formats, facts that it cannot know, hosts that no single command repairs, and that it
//! changes nothing.

/// Names and scripts of the tests.
pub(crate) const REPORT: &[(&str, &str)] = &[
    (
        "doctor changes nothing and loads no modules",
        r#"
        state() {
            # the kernel updates the state of a link late; ip_tables_names is closed to root in a user namespace
            ip addr | sed 's/ state [A-Z]*//'; ip route; brctl show; ls -lR /run/brouter /etc/brouter; iptables-nft-save | grep -v '^#'
            cat /proc/net/ip_tables_names 2>/dev/null; grep -rs '' /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf /proc/sys/net/bridge
            grep -s '' /sys/class/net/*/bridge/{stp_state,forward_delay,nf_call_iptables}
        }
        # also with iptables-legacy, which creates tables when it lists them
        mkdir /run/legacy; for name in iptables iptables-save; do ln -s $(command -v ${name/tables/tables-legacy}) /run/legacy/$name; done
        for path in $PATH /run/legacy:$PATH; do
            for network in up down; do
                before=$(state)
                PATH=$path strace -o /run/trace -e trace=%file,%network,write,ioctl,clone,fork,vfork brouter doctor >/run/out
                PATH=$path brouter doctor --json >/run/out
                same "changed" "$before" "$(state)"
                grep -E 'O_WRONLY|O_RDWR|O_CREAT|^(mkdir|unlink|rename|symlink|link|mount|chmod)' /run/trace | grep -v -E '"/dev/null"'
                grep -E '^ioctl' /run/trace | grep -v -E 'SIOCG|SIOCDEVPRIVATE|SIOCETHTOOL|TCGETS|TIOCGWINSZ|NS_GET|0x894c' 
                brouter down n >/dev/null
            done
            brouter up n >/dev/null
        done
        "#,
    ),
    (
        "a finding is one line, or is folded to fit a terminal, and colour carries no information",
        r#"
        iptables -P FORWARD DROP; iptables -t nat -F; iptables -t nat -A POSTROUTING -s 10.8.0.0/24 -m comment --comment "$(printf 'word %.0s' {1..30})" -j MASQUERADE
        brouter doctor >/run/out
        grep -v -E '^(failure|warning)  n [a-z-]+: .*; type: (iptables -|echo )' /run/out && echo "not one line each"
        LC_ALL=C grep -q -P '[^\x20-\x7e\n]' /run/out && echo "not ASCII, or colour"
        on_terminal() { script -qec "stty cols $1; $2" /dev/null </dev/null | tr -d '\r'; }
        colour() { sed 's/\x1b\[[0-9]*m//g'; }
        on_terminal 80 'TERM=xterm brouter doctor' | grep -q -P '^\x1b\[31mfailure  \x1b\[0mn forward:' || echo "no colour on a terminal"
        on_terminal 80 'TERM=xterm brouter doctor' | colour >/run/plain
        for variable in "NO_COLOR=1 TERM=xterm" TERM=dumb TERM=; do
            on_terminal 80 "$variable brouter doctor" | diff - /run/plain || echo "$variable"
        done
        # the same words, folded, also on a narrow terminal and on one that does not know its width
        for columns in 0:80 200:80 80:80 50:50 20:40; do
            on_terminal ${columns%:*} 'TERM=xterm brouter doctor' | colour >/run/narrow
            same "$columns" "$(sed 's/; type: / /' /run/out | tr -s ' \n' ' ')" "$(sed 's/ \\$//' /run/narrow | tr -s ' \n' ' ')"
            awk -v most=${columns#*:} 'length > most && !/^ *[^ ]*$/ { print most ": too long: " $0 }' /run/narrow
            on_terminal ${columns%:*} 'TERM=xterm brouter status' | colour | awk -v most=${columns#*:} 'length > most { print most ": too long: " $0 }'
        done
        # a folded line can be typed as it stands there
        sed -n 's/^             //p' /run/narrow >/run/lines; grep -q ' \\$' /run/lines || cat /run/lines
        type_them "$(cat /run/lines)"; well "after the folded lines"
        "#,
    ),
    (
        "--json contains the same findings",
        r#"
        iptables -t nat -F; brctl delif b0 p2; ip link set p2 down
        brouter doctor --json >/run/json; status=$?
        same "status" 2 $status
        [ "$(wc -l </run/json)" = 1 ] || cat /run/json
        grep -q '^{"findings":\[{"check":"kernel","network":null,"status":"ok","evidence":"there are bridges: b0","command":null},' /run/json || cat /run/json
        grep -q '}\],"status":"failure"}$' /run/json || cat /run/json
        wanted='{"check":"masquerade","network":"n","status":"failure","evidence":"10.9.0.0/24 is not masqueraded towards eth0","command":"iptables -t nat -A POSTROUTING -s 10.9.0.0/24 ! -o b0 -j MASQUERADE"}'
        grep -qF "$wanted" /run/json || cat /run/json
        same "states" "$(brouter doctor --all | grep -o -E '^(ok|warning|failure)' | sort)" \
            "$(grep -o -E '"status":"[a-z]*","evidence' /run/json | cut -d'"' -f4 | sort)"
        "#,
    ),
    (
        "native rules of nft are followed, and the line opens their chain",
        r#"
        nft add table inet own; nft add chain inet own fw '{ type filter hook forward priority 0; policy drop; }'
        same "forward" "failure " "$(words forward)"
        said=$(brouter doctor)
        for text in 'packets from b0 to eth0 are dropped by nft inet own fw: policy drop' \
            'answers from eth0 to b0 are dropped by nft inet own fw: policy drop'; do
            grep -qF "n forward: $text" <<<"$said" || echo "$said"
        done
        cut=$out; mends failure forward bridge-nf
        nft insert rule inet own fw iifname b0 meta l4proto '{ tcp, udp }' th dport 25 log prefix '"no "' reject
        well "some packets are dropped"
        brouter doctor --all | grep -qF 'but for those of inet own fw: iifname "b0" meta l4proto { tcp, udp } th dport 25' ||
            brouter doctor
        nft delete table inet own
        nft -f - <<'END'
table inet firewalld {
    chain filter_FORWARD {
        type filter hook forward priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        jump filter_FORWARD_ZONES
        ct state { invalid } drop
        reject with icmpx type admin-prohibited
    }
    chain filter_FORWARD_ZONES { iifname "eth0" goto filter_FWD_public; goto filter_FWD_public; }
    chain filter_FWD_public { meta l4proto { icmp, ipv6-icmp } accept; }
}
END
        brouter doctor >/run/out
        grep -qF 'n forward: packets from b0 to eth0 are dropped by nft inet firewalld filter_FORWARD: reject' /run/out || cat /run/out
        grep -qF 'firewall-cmd --permanent --zone=trusted --add-interface=b0 && firewall-cmd --reload' /run/out || cat /run/out
        "#,
    ),
    (
        "a network or bridge by name, and invalid arguments",
        r#"
        brctl addbr b1; ip addr add 10.7.0.1/24 dev b1; ip link set b1 up
        for name in n b0; do
            brouter doctor $name >/run/out; same "$name" 0 $?
            grep -q ' b1 ' /run/out && cat /run/out
        done
        brouter doctor b1 >/run/out; same "b1" 1 $?
        grep -q '^warning  b1 bridge: b1 has no ports: no guest is on it; type: brctl addif b1 INTERFACE$' /run/out || cat /run/out
        grep -q ' n ' /run/out && cat /run/out
        # a bridge of others without ports is reported only if it is meant
        brouter doctor >/run/out; same "both" 1 $?; grep "no ports" /run/out; brouter doctor --all | grep -q '^ok       b1 bridge: b1 is up, with an address, and no ports$' || brouter doctor --all
        while IFS='|' read -r words said; do
            brouter doctor $words >/run/out 2>/run/said; same "$words" 2 $?
            same "$words" "$(printf "${said//%/%%}")" "$(cat /run/out /run/said)"
        done <<'END'
nosuch|brouter: nosuch: there is no bridge and no network of this name
a/b|brouter: a/b: not a name for an interface (letters, digits, '.', '_', '@', inner '-'; not '.' or '..')
n b0|brouter: Unrecognized argument: b0\nTry brouter doctor --help.
--dot|brouter: Unrecognized argument: --dot\nTry brouter doctor --help.
END
        brouter doctor --help | awk 'length > 80' | head -3
        brouter doctor >/dev/full 2>/run/said; same "full" 2 $?
        grep -q '^brouter: cannot write: No space left on device$' /run/said || cat /run/said
        "#,
    ),
    (
        "without a bridge the command that creates one is printed",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf
        same "kernel" "failure " "$(words kernel)"; same "the line" "brouter up xenbr0 --address 192.168.10.1/24 --masquerade" "$(lines kernel)"
        type_them "$(lines kernel)"; same "kernel" "ok " "$(words kernel)"
        same "what is left to do" "warning  xenbr0 bridge: xenbr0 has no ports: no guest is on it" "$(brouter doctor | sed 's/; type: .*//')"
        "#,
    ),
    (
        "a kernel without bridge support",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf
        mount -t tmpfs none /sys/module; mount -t tmpfs none /proc/sys/net
        # hides the machine's own modules, which may include bridge
        modules=/lib/modules/$(uname -r); mkdir -p /run/modules/$(uname -r); [ ! -d /lib/modules ] || mount --bind /run/modules /lib/modules
        if [ -d $modules ]; then
            brouter doctor | grep -q "^failure  kernel: no bridge, and Linux $(uname -r) has none: .*; type: modprobe bridge" || brouter doctor
            echo 'kernel/net/bridge/bridge.ko: kernel/net/llc/llc.ko' >$modules/modules.dep
        fi
        brouter doctor | grep -q "^failure  kernel: there is no bridge; type: brouter up" || brouter doctor
        umount /sys/module /proc/sys/net
        "#,
    ),
    (
        "an isolated network is not reported as lacking an interface to the outside",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf
        brouter up n --bridge b0 --address 10.9.0.1/24 --port p1 --port p2 >/dev/null
        well "with stored state only"
        brouter down n >/dev/null; printf '%s\n' bridge=b0 address=10.9.0.1/24 port=p1 port=p2 >/etc/brouter/n.conf; brouter up n >/dev/null
        well "with a configuration file"
        "#,
    ),
    (
        "a network without a file and without its bridge can be taken down",
        r#"
        rm /etc/brouter/n.conf; ip link del b0
        same "the line" "brouter down n" "$(lines record)"; type_them "$(lines record)"
        same "record" "" "$(words record)"
        "#,
    ),
    (
        "the network overlaps that of the outside and moves to another",
        r#"
        ip addr add 10.9.0.200/24 dev eth0; same "overlap" "failure " "$(words overlap)"
        type_them "$(lines overlap)"; same "overlap" "ok " "$(words overlap)"
        ip -o addr show b0 | grep -q 192.168.10.1/24 || ip addr show b0
        for guest in 1 2; do
            ip -n g$guest addr add 192.168.10.1$guest/24 dev eth0; ip -n g$guest route replace default via 192.168.10.1
        done
        reaches g1 192.0.2.2 || echo "not reached"
        "#,
    ),
    (
        "a port without a carrier",
        r#"
        ip -n g1 link set eth0 down; sleep 0.2
        same "ports" "warning " "$(words ports)"
        brouter doctor | grep -q 'ports: p1 has no carrier: no guest or no cable at its other end' || brouter doctor
        "#,
    ),
    (
        "one guest on two bridges",
        r#"
        brctl addbr b1; brctl setfd b1 0; ip link set b1 up; ip link add q1 type veth peer name eth1 netns g1; ip link set q1 up; brctl addif b1 q1
        ip -n g1 link set eth1 address $(ip netns exec g1 cat /sys/class/net/eth0/address); ip -n g1 link set eth1 up
        ip -n g1 addr add 10.6.0.1/24 dev eth1; reaches g1 10.6.0.9 1; reaches $out
        same "macs" "warning " "$(words macs)"; same "the line" "brctl delif b0 p1" "$(lines macs)"
        # with 300 ports too, on a port whose number does not fit into one byte
        ip link set p1 nomaster; for ((i = 1; i <= 300; i++)); do echo "tuntap add d$i mode tap"; echo "link set d$i master b0"; done | ip -batch -
        ip link set p1 master b0; sleep 0.1; reaches $out
        [ $(($(cat /sys/class/net/p1/brport/port_no))) -gt 255 ] || echo "p1 has number $(cat /sys/class/net/p1/brport/port_no)"
        same "the line" "brctl delif b0 p1" "$(lines macs)"
        "#,
    ),
    (
        "missing interfaces are not looked up by ioctl, for which the kernel would run modprobe",
        r#"
        sed -i 's/^outside=.*/outside=nosuch0/' /etc/brouter/n.conf; echo port=nosuch1 >>/etc/brouter/n.conf
        for command in doctor status; do
            strace -f -e trace=ioctl -o /run/trace brouter $command >/dev/null; grep -E 'nosuch[01]' /run/trace
        done
        "#,
    ),
    (
        "for an ordinary user, unknown facts are reported as such",
        r#"
        as=(setpriv --bounding-set=-all --inh-caps=-all); read -r _ _ users </proc/self/uid_map
        [ "$users" -eq 1 ] || as+=(--reuid 65534 --regid 65534 --clear-groups)
        mkdir -m 755 /run/user; cp $(command -v brouter) /run/user; chmod 755 /run/user/brouter
        "${as[@]}" /run/user/brouter doctor >/run/out 2>/run/said; same "status" 1 $?; cat /run/said
        for check in iptables 'n forward' 'n masquerade'; do
            grep -q "^warning  .*$check[,:].* not known: " /run/out || { echo "$check:"; cat /run/out; }
        done
        grep -q '^failure' /run/out && cat /run/out; sort /run/out | uniq -d
        "#,
    ),
    (
        "without iptables the kernel's own tables are read",
        r#"
        : >/run/none; for program in iptables-nft iptables-legacy nft; do
            ! program=$(readlink -f "$(command -v $program)") || mount --bind /run/none $program
        done
        brouter doctor >/run/out; same "status" 1 $?
        grep -q '^warning  n masquerade: not known: iptables holds the rules, and is not installed$' /run/out || cat /run/out
        grep -q '^failure' /run/out && cat /run/out
        brouter down n >/dev/null 2>&1; rm -r /run/brouter/*/n.network; brouter up n >/run/out || cat /run/out
        well "without iptables"
        iptables-legacy -P FORWARD DROP 2>/dev/null
        brouter up n >/run/out; reaches $out 3 || echo "not opened"
        "#,
    ),
    (
        "without /proc and /sys doctor still reports something",
        r#"
        mount -t tmpfs none /sys; mount -t tmpfs none /proc; brouter doctor b0 >/run/out 2>/run/said; status=$?; umount /proc /sys
        [ $status = 1 -o $status = 2 ] && [ -s /run/out ] && grep -q '^warning  sysfs:' /run/out || { echo $status; cat /run/out /run/said; }
        for check in overlap forwarding outside; do grep -q "^warning  .*n $check[,:].* not known" /run/out || { echo $check:; cat /run/out; }; done
        "#,
    ),
    (
        "the /sys of another namespace",
        r#"
        cat >/run/inner <<'END'
        mount --bind /run/brouter /run/brouter; ip link add b9 type bridge; ip addr add 10.3.0.1/24 dev b9; ip link set b9 up
        brouter doctor b9 | grep '^warning  sysfs' >/run/foreign
        command=$(sed -n 's/^.*; type: //p' /run/foreign)
        bash -c "$command" <<<'brouter doctor b9 --all | grep sysfs' >/run/mended
END
        unshare -n -m bash /run/inner
        grep -q 'warning  sysfs: /sys shows another network namespace' /run/foreign || cat /run/foreign
        same "mended" "ok       sysfs: /sys/class/net shows this network namespace" "$(cat /run/mended)"
        "#,
    ),
    (
        "names with special characters are quoted for the shell",
        r#"
        ip link add name 'a;b' type bridge; ip addr add 10.7.0.1/24 dev 'a;b'
        same "the line" "ip link set dev 'a;b' up" "$(lines bridge | head -1)"
        "#,
    ),
    (
        "a network created by network-virtual",
        r#"
        brouter down n >/dev/null; rm /etc/brouter/n.conf
        network-virtual start bridge=b0 bridgeip=10.9.0.1/24 masquerade=yes firewall=none; brctl addif b0 p1; brctl addif b0 p2
        settle="sleep 0.1"; well "started"
        ip -n g1 neigh flush all; ip -n g2 neigh flush all
        iptables -t nat -F; cut=$out; mends failure masquerade
        network-virtual stop bridge=b0 firewall=none
        "#,
    ),
];
