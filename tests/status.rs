//! Tests `brouter status`: its facts match those of the original tools, and faults are marked.
//!
//! Each test is a shell script that prints what is wrong, and nothing else. It prepares and inspects the host with the original
//! tools.

mod harness;

use std::process::ExitCode;

use harness::table::Mode::{self, Foreign, NoSys, Sys, User};
use harness::{Test, conclude};

/// A host with an interface to the outside and two guests; the interface of one is a port that the network names.
const STATE: &str = r#"
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
# otherwise addresses stay tentative for a second
echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
for pair in eth0:outside vif1.0:g1 vif2.0:g2; do
    ip link add ${pair%:*} type veth peer name ${pair#*:}
    # the guests send nothing by themselves
    echo 1 >/proc/sys/net/ipv6/conf/${pair#*:}/disable_ipv6
    ip link set ${pair%:*} up; ip link set ${pair#*:} up
done
ip addr add 192.0.2.1/24 dev eth0; ip route add default via 192.0.2.254
# a private copy of /etc
cp -a /etc /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
"$programs"/brouter up n --bridge b0 --address 10.9.0.1/24 --address fd00:9::1/64 --outside eth0 --masquerade --antispoof \
    --mtu 1400 --port vif1.0 >/dev/null
ip link set vif2.0 master b0
bridge fdb add 02:00:00:00:00:01 dev vif1.0 master static
bridge fdb add 02:00:00:00:00:02 dev vif1.0 master static
bridge fdb add 02:00:00:00:00:03 dev vif2.0 master static
ip route add 10.50.0.0/16 via 10.9.0.7
"#;

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
original() { PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
status() { LC_ALL=C brouter status "$@"; }
# waits for the state of links, which the kernel updates late, and for addresses, which depend on it
settle() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        for link in /sys/class/net/*; do original ip link show dev ${link##*/}; done >/dev/null 2>&1
        original ip addr show up 2>/dev/null | grep -q ' tentative' || break
        sleep 0.3
    done
}
kinds() { brouter status --json "$@" | jq -r '[.bridges[].faults[].kind] | sort | join(" ")'; }
"#;

/// The tests: name, modes, one more program that it needs, script.
const TESTS: [(&str, &[Mode], &str, &str); 19] = [
    (
        "the facts match those of the original tools",
        &[Sys, NoSys, User, Foreign],
        "jq",
        r#"
        link='.[0] | .linkinfo.info_data as $b | def id: split(".") | .[0] + "." + (.[1] | split(":") | map(if length == 1 then "0" + . else . end) | add);
            {up: (.flags | index("UP") != null), mtu, mac: .address, spanning_tree: ($b.stp_state == 1),
            bridge_id: ($b.bridge_id | id), root_id: ($b.root_id | id), root_port: $b.root_port,
            topology_change: ($b.topology_change == 1), forward_delay_ms: ($b.forward_delay * 10),
            hello_time_ms: ($b.hello_time * 10), max_age_ms: ($b.max_age * 10), ageing_time_ms: ($b.ageing_time * 10)}'
        addresses='[.[0].addr_info[] | {family: (if .family == "inet" then "ipv4" else "ipv6" end), address: .local,
            prefix: .prefixlen}] | sort'
        states='[.[] | select(.master == "b0") | {port: .ifname, state}] | sort'
        traffic='[.[] | select(.master == "b0") | .stats64 as $s | {port: .ifname, rx_bytes: $s.rx.bytes,
            rx_packets: $s.rx.packets, tx_bytes: $s.tx.bytes, tx_packets: $s.tx.packets}] | sort'
        table='[.[] | select(.master == "b0" and .state != "permanent") | {port: .ifname, mac}] | sort'
        routes='[.[] | {to: (if .dst == "default" then "0.0.0.0/0" else .dst end), gateway, interface: .dev, metric: (.metric // 0)}] | sort'
        look() {
            theirs=$(
                original ip -d -j link show b0 | jq -c "$link"
                original ip -j addr show b0 | jq -c "$addresses"
                original bridge -j link show | jq -c "$states"
                original ip -s -j link show | jq -c "$traffic"
                original bridge -j fdb show | jq -c "$table"
                original ip -j route show default | jq -c "$routes"
                original ip -j route show dev b0 | jq -c "map(.dev = \"b0\") | $routes"
                jq -Rc '. == "1"' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
            )
            status --json >/run/json 2>&1 || { echo "status $?"; cat /run/json; }
            local b='.bridges[] | select(.bridge == "b0")'
            ours=$(
                jq -c "$b | {up, mtu, mac, spanning_tree, bridge_id, root_id, root_port, topology_change, forward_delay_ms,
                    hello_time_ms, max_age_ms, ageing_time_ms}" /run/json
                jq -c "$b | [.addresses[] | {family, address, prefix}] | sort" /run/json
                jq -c "$b | [.ports[] | {port, state}] | sort" /run/json
                jq -c "$b | [.ports[] | {port, rx_bytes, rx_packets, tx_bytes, tx_packets}] | sort" /run/json
                jq -c "$b | [.ports[] | .port as \$port | .learnt[] | {port: \$port, mac}] | sort" /run/json
                jq -c '.default_routes | sort' /run/json
                jq -c "$b | [.routes[] | select(.to | contains(\":\") | not)] | sort" /run/json
                jq -c '.forwarding | .ipv4, .ipv6' /run/json
            )
        }
        # counters may change between the two
        for try in 1 2 3 4 5 6 7 8; do look; [ "$theirs" = "$ours" ] && break; sleep 0.5; done
        same "facts" "$theirs" "$ours"
        same "all" "$(jq -c . /run/json)" "$(cat /run/json)"
        same "the guests" '[["vif1.0",1],["vif2.0",2]]' "$(jq -c '[.bridges[] | select(.bridge == "b0") | .ports[] | [.port, .guest]]' /run/json)"
        "#,
    ),
    (
        "guests that are connected by routes, and where they are published",
        &[Sys, NoSys],
        "jq",
        r#"
        for pair in vif7.0:g7 vif8.0:g8 other:o; do
            original ip link add ${pair%:*} type veth peer name ${pair#*:}; original ip link set ${pair%:*} up; original ip link set ${pair#*:} up
        done
        echo 1 >/proc/sys/net/ipv4/conf/vif7.0/forwarding; echo 0 >/proc/sys/net/ipv4/conf/vif8.0/forwarding
        settle
        original ip route add 192.0.2.50 dev vif7.0 metric 2; original ip route add 192.0.2.64/28 dev vif7.0 metric 2
        original ip route add 10.7.0.5 dev vif8.0; original ip route add 10.8.0.5 dev other
        original ip neigh add proxy 192.0.2.50 dev eth0
        same "the picture" "2 guests by routes:
|- vif7.0      192.0.2.50 published on eth0, 192.0.2.64/28
\`- vif8.0      10.7.0.5; not forwarded" "$(status | sed -n '/by routes/,$p')"
        same "JSON" '{"interface":"vif7.0","guest":7,"routes":["192.0.2.50/32","192.0.2.64/28"],"published":[{"address":"192.0.2.50","interface":"eth0"}],"forwarded":true}
{"interface":"vif8.0","guest":8,"routes":["10.7.0.5/32"],"published":[],"forwarded":false}' "$(brouter status --json | jq -c '.routed_guests[]')"
        brouter status --dot | grep -q '"vif7.0" -- "eth0" .label="routed".' || brouter status --dot
        brouter status --dot | grep -q '"guest 8" -- "vif8.0" .label="10.7.0.5".' || brouter status --dot
        status n | grep 'by routes'
        "#,
    ),
    (
        "a healthy network is reported as such",
        &[Sys, NoSys],
        "jq",
        r#"
        for name in '' n b0; do
            status $name >/run/out || echo "$name: status $?"
            [ "$(head -1 /run/out)" = "b0, network n: all is well" ] || cat /run/out
            same "marked" "" "$(grep -E '[|`][!?]' /run/out)"
            same "$name: faults" "" "$(kinds $name)"
        done
        for fact in '10.9.0.1/24' 'fd00:9::1/64' 'mtu 1400' 'no spanning tree, forward delay 0 s' '2 ports ' \
            'vif1.0 .* forwarding .* 2 addresses' 'vif2.0 .* forwarding .* 02:00:00:00:00:03' '10.50.0.0/16 via 10.9.0.7' \
            'eth0 192.0.2.1/24, default route via 192.0.2.254' 'IPv4 and IPv6' 'masquerade 10.9.0.0/24'; do
            grep -q -- "$fact" /run/out || { echo "missing: $fact"; cat /run/out; }
        done
        "#,
    ),
    (
        "each fault is marked, and the printed command repairs it",
        &[Sys],
        "jq",
        r#"
        conf() { printf '%s\n' "$@" >/etc/brouter/n.conf; }
        record() { sed -i "$1" /run/brouter/*/n.network; }
        change() { mv /run/brouter/*/n.$1 "$(echo /run/brouter/*)/n.$2"; }
        while IFS='|' read -r fault wanted again; do
            eval "$fault"; settle
            status >/run/out; [ $? = 1 ] || echo "$fault: status is not 1"
            same "$fault: kinds" "$wanted" "$(kinds n)"
            count=$(wc -w <<<"$wanted")
            grep -q "^b0, network n: $count things\? out of order$" /run/out || { echo "$fault:"; cat /run/out; }
            same "$fault: marks" "$count" "$(grep -c '[|`]!' /run/out)"
            same "$fault: marks in UTF-8" "$count" "$(LC_ALL=C.UTF-8 brouter status | grep -c '[├└]✗')"
            if [ -z "$again" ]; then
                brouter status --json | jq -r '.bridges[].faults[].text | select(test(": (ip|brctl|iptables|echo) ")) | sub("^[^:]*: "; "")' >/run/steps
                [ -s /run/steps ] || echo "$fault: no command"
                original bash -e /run/steps || cat /run/steps
            else
                eval "$again"
            fi
            settle
            status >/run/out || { echo "after $fault:"; cat /run/out; }
        done <<'END'
original ip link set b0 down; original ip addr add fd00:9::1/64 dev b0|bridge-down
original ip addr del 10.9.0.1/24 dev b0|address-missing|original ip addr add 10.9.0.1/24 dev b0; original ip route add 10.50.0.0/16 via 10.9.0.7
original ip addr del fd00:9::1/64 dev b0|address-missing
original ip link set b0 mtu 1300|value-differs
original brctl setfd b0 3|value-differs
original ip link set vif1.0 nomaster|port-missing
original ip link set vif2.0 down|port-not-forwarding|original ip link set vif2.0 up
original ip link set g2 down|port-not-forwarding|original ip link set g2 up
original ip link set eth0 down|outside-down|original ip link set eth0 up; original ip route add default via 192.0.2.254
original ip link set outside down|outside-no-carrier|original ip link set outside up
echo 0 >/proc/sys/net/ipv4/ip_forward|forwarding-off
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding|forwarding-off
original iptables -t nat -F|masquerade-missing
original iptables -D FORWARD -i eth0 -j ACCEPT|antispoof-missing
original iptables -P FORWARD ACCEPT|antispoof-missing
change network changing|network-unfinished|change changing network
record '$inonsense'|network-not-understood|record /nonsense/d
conf stp=perhaps|network-not-understood|rm /etc/brouter/n.conf
conf bridge=b0 address=10.7.0.1/24|address-missing|rm /etc/brouter/n.conf
conf bridge=b0 outside=eth9|outside-missing|rm /etc/brouter/n.conf
END
        "#,
    ),
    (
        "a port blocked by spanning tree, and one that does not forward yet",
        &[Sys],
        "jq",
        r#"
        original ip link add loop1 type veth peer name loop2
        original brctl addbr b1; original brctl setfd b1 4; original brctl stp b1 on
        for link in loop1 loop2; do original ip link set $link master b1 up; done
        original ip link set b1 up
        for try in $(seq 40); do
            for link in loop1 loop2 b1; do original ip link show dev $link; done >/dev/null
            status b1 | grep -q '! loop. *\(listening\|learning\) .* forwards in [0-9]* s' && waits=yes
            state=$(original bridge -j link show | jq -r '.[] | select(.master == "b1") | .state' | sort | tr '\n' ' ')
            [ "$state" = 'blocking forwarding ' ] && break
            sleep 0.5
        done
        [ -n "$waits" ] || echo "no port was listening or learning"
        status b1 >/run/out && echo "status 0"
        same "kinds" "port-not-forwarding" "$(kinds b1)"
        grep -q '! loop. *blocking .* by spanning tree$' /run/out || cat /run/out
        grep -q 'spanning tree, this bridge is the root' /run/out || cat /run/out
        grep -q 'forward delay 4 s, hello time 2 s, max age 20 s, ageing time [0-9]* s' /run/out || cat /run/out
        "#,
    ),
    (
        "a missing bridge, and a network that is not up",
        &[Sys],
        "jq",
        r#"
        printf '%s\n' bridge=b7 address=10.7.0.1/24 >/etc/brouter/m.conf
        status >/run/out || echo "status $? for a network that was never up"
        grep -qx 'b7, network m: not up' /run/out || cat /run/out
        status m >/run/out && echo "m: status 0"
        same "m" "bridge-missing" "$(kinds m)"
        original ip link set b0 down; original ip link del b0
        status >/run/out && echo "status 0"
        same "n" "bridge-missing" "$(brouter status n --json | jq -r '.bridges[] | [.faults[].kind] | unique | join(" ")')"
        original ip link add b0 type veth peer name b0-far
        status n >/run/out && echo "status 0"
        grep -q '^b0, network n: 1 thing out of order' /run/out || cat /run/out
        "#,
    ),
    (
        "a network created by network-virtual",
        &[Sys],
        "jq",
        r#"
        network-virtual start bridge=b2 bridgeip=10.2.0.1/24 masquerade=yes firewall=none || echo "no start"
        status b2 >/run/out || cat /run/out
        grep -q 'masquerade 10.2.0.0/24' /run/out || cat /run/out
        original iptables -t nat -D POSTROUTING -s 10.2.0.0/24 ! -o b2 -j MASQUERADE; echo 0 >/proc/sys/net/ipv4/ip_forward
        same "kinds" "forwarding-off masquerade-missing" "$(kinds b2)"
        "#,
    ),
    (
        "unknown names and invalid options",
        &[Sys, NoSys],
        "jq",
        r#"
        while IFS='|' read -r wanted words said; do
            brouter status $words >/run/out 2>/run/said; got=$?
            same "$words" "$wanted $said" "$got $(head -1 /run/said)"
            [ ! -s /run/out ] || { echo "$words prints:"; cat /run/out; }
        done <<'END'
1|nosuch|brouter: nosuch: neither a network nor a bridge
1|eth0|brouter: eth0: neither a network nor a bridge
1|../n|brouter: ../n: neither a network nor a bridge
1|b0xxxxxxxxxxxxxx|brouter: b0xxxxxxxxxxxxxx: neither a network nor a bridge
1|b0:1|brouter: b0:1: neither a network nor a bridge
2|--json --dot|brouter: --json, --dot or --prometheus, only one of them
2|--dot --prometheus|brouter: --json, --dot or --prometheus, only one of them
2|--prometheus --json b0|brouter: --json, --dot or --prometheus, only one of them
2|--prometheus --watch|brouter: --prometheus or --watch, not both
1|--prometheus nosuch|brouter: nosuch: neither a network nor a bridge
2|--watch=soon|brouter: --watch: seconds are expected, 0.1 to 86400
2|--watch=0|brouter: --watch: seconds are expected, 0.1 to 86400
2|--watch=|brouter: --watch: seconds are expected, 0.1 to 86400
2|--colour|brouter: Unrecognized argument: --colour
END
        brouter status --help | grep -q -- --watch || echo "no help"
        "#,
    ),
    (
        "ls lists the networks, one a line",
        &[Sys],
        "jq",
        r#"
        brouter down n >/dev/null; for bridge in $(ls -d /sys/class/net/*/bridge 2>/dev/null | cut -d/ -f5); do original ip link del $bridge; done
        same "no network" "network  bridge  addresses  ports  state" "$(brouter ls)"; same "no name" "" "$(brouter ls -q)"
        brouter up dmz --bridge xenbr0 --address 192.168.10.1/24 --address fd00:9::1/64 --outside eth0 >/dev/null
        printf '%s\n' address=10.77.0.1/24 >/etc/brouter/lab.conf
        original ip link add hand type bridge; original ip link set hand up
        for n in 1 2; do original ip link add q$n type veth peer name q$n-far; original ip link set q$n-far up; original ip link set q$n master hand up; done
        settle
        wanted='network  bridge  addresses                     ports  state
-        hand    -                                 2  well
lab      lab     -                                 0  not up
dmz      xenbr0  192.168.10.1/24,fd00:9::1/64      0  well'
        same "networks" "$wanted" "$(brouter ls)"
        same "names" $'lab\ndmz' "$(brouter ls -q)"
        echo 0 >/proc/sys/net/ipv4/ip_forward; original ip addr del 192.168.10.1/24 dev xenbr0
        same "a fault" "dmz xenbr0 fd00:9::1/64 0 2 faults" "$(brouter ls | tail -n 1 | tr -s ' ')"
        brouter ls >/dev/null; same "status" 0 $?
        "#,
    ),
    (
        "eighty columns, in ASCII and in UTF-8",
        &[Sys],
        "jq",
        r#"
        long=abcdefghijklmno
        original brctl addbr $long; original ip link set $long up mtu 65535
        original ip addr add fd00:1234:5678:9abc:def0:1234:5678:9abc/128 dev $long
        original ip addr add 192.168.123.234/30 dev $long
        for n in 1 2 3 4 5 6 7 8 9; do
            original ip route add fd99:1234:5678:9abc:def0:1234:5678:900$n via fd00:1234:5678:9abc:def0:1234:5678:9ab0 dev $long onlink
        done
        for n in 1 2 3; do
            original ip link add port${n}efghijklmn type veth peer name far$n
            original ip link set port${n}efghijklmn master $long up
            original bridge fdb add 02:00:00:00:01:0$n dev port${n}efghijklmn master static
        done
        original ip link set far1 up; original ip link set far2 up
        # names of different lengths, in no order
        for n in $(seq 40); do
            name=$(printf 'w%dx%s' $((n * n)) $n); original ip link add "$name" type veth peer name far-$n
            original ip link set "$name" master $long up; original ip link set far-$n up
        done
        original ip link add $'e\e[2Jx' type veth peer name evil
        original ip link set $'e\e[2Jx' master $long
        original ip link add 'brücke橋' type bridge
        mkdir -p /etc/brouter; printf '%s\n' "bridge=$long" "nonsense_that_is_much_too_long_for_a_line_of_the_picture_that_has_to_fit_eighty_columns" >/etc/brouter/$long.conf
        printf '%s\n' "bridge=$long" "address=10.7.0.1/24" >/etc/brouter/abcdefghijklmn2.conf
        settle
        for locale in C C.UTF-8; do
            LC_ALL=$locale brouter status >/run/out
            grep -q "^$long, network" /run/out || cat /run/out
            widest=$(LC_ALL=C.UTF-8 wc -L </run/out); [ "$widest" -le 80 ] || { echo "$locale: $widest columns"; cat /run/out; }
            LC_ALL=$locale grep -n $'[\x01-\x09\x0b-\x1f\x7f]' /run/out
        done
        LC_ALL=C.UTF-8 brouter status | iconv -f UTF-8 -t UTF-8 >/dev/null || echo "not UTF-8"
        LC_ALL=C.UTF-8 brouter status | grep -q '^brücke' || echo "a non-ASCII name is missing"
        same "not ASCII" "" "$(LC_ALL=C brouter status | LC_ALL=C grep -n '[^ -~]')"
        for locale in LC_ALL=C.UTF-8 "LC_ALL= LC_CTYPE=de_DE.utf8" "LANG=de_DE.UTF-8@euro"; do
            env -u LC_ALL -u LC_CTYPE LANG=C $locale brouter status b0 | grep -q '├─' || echo "$locale: no UTF-8"
        done
        for locale in "LC_ALL=C LANG=C.UTF-8" "LC_CTYPE=POSIX LANG=C.UTF-8" "LANG="; do
            env -u LC_ALL -u LC_CTYPE $locale brouter status b0 | grep -q '|- bridge' || echo "$locale: no ASCII"
        done
        brouter status --json | jq -e '[.bridges[].ports[]? | select(.port | test("\u001b"))] | length == 1' >/dev/null || echo "JSON has no such port"
        "#,
    ),
    (
        "colours on a terminal, with otherwise identical text",
        &[Sys],
        "script",
        r#"
        original ip addr del fd00:9::1/64 dev b0
        on_terminal() { env "$@" LC_ALL=C.UTF-8 script -qec 'brouter status b0' /dev/null </dev/null | tr -d '\r'; }
        # lines with traffic counters are left out
        plain=$(LC_ALL=C.UTF-8 brouter status b0 | grep -v vif)
        coloured=$(on_terminal TERM=xterm | grep -v vif)
        grep -q $'\e\\[31m' <<<"$coloured" || echo "no red"
        same "without colours" "$plain" "$(sed 's/\x1b\[[0-9]*m//g' <<<"$coloured")"
        for variable in "NO_COLOR=1 TERM=xterm" TERM=dumb TERM=; do
            same "$variable" "$plain" "$(on_terminal $variable | grep -v vif)"
        done
        "#,
    ),
    (
        "--watch repeats until a signal, or until the reader exits",
        &[Sys],
        "jq",
        r#"
        # (bash ignores SIGINT in background processes)
        ended() { timeout --preserve-status -s "$@"; }
        ended INT 1.2 brouter status --watch=0.2 --json >/run/out; code=$?
        [ $code = 0 ] || echo "after an interrupt: $code"
        lines=$(wc -l </run/out); [ $lines -ge 3 -a $lines -le 7 ] || echo "$lines lines"
        jq -e .well /run/out >/dev/null || cat /run/out
        start=$SECONDS
        ended INT 0.5 brouter status --watch=30 >/run/out; code=$?
        [ $code = 0 -a $((SECONDS - start)) -le 5 ] || echo "after an interrupt: $code, $((SECONDS - start)) seconds"
        original ip link set b0 down
        ended TERM 0.5 brouter status --watch >/run/out; code=$?
        [ $code = 1 ] || echo "with a fault: $code"
        same "pictures" 1 "$(grep -c '^b0' /run/out)"
        start=$SECONDS
        brouter status --watch=60 2>/run/said | head -1 >/dev/null
        codes=${PIPESTATUS[*]}; [ "$codes" = "141 0" ] || echo "without a reader: $codes"
        [ $((SECONDS - start)) -le 5 ] || echo "it did not notice that the reader had exited"
        same "said" "" "$(cat /run/said)"
        ended INT 1 brouter status --watch=0.2 | grep -c '^$' | grep -q '[2-5]' || echo "no blank line between pictures"
        "#,
    ),
    (
        "five hundred ports",
        &[Sys, NoSys],
        "jq",
        r#"
        original brctl addbr many; original ip link set many up
        for n in $(seq 500); do
            echo "link add vif$((n + 10)).0 type veth peer name far$n"; echo "link set vif$((n + 10)).0 master many up"
            [ $n = 77 ] || echo "link set far$n up"
        done | original ip -batch -
        original bridge fdb add 02:00:00:00:05:00 dev vif510.0 master static
        original bridge fdb add 02:00:00:00:00:05 dev vif15.0 master static
        for try in 1 2 3 4 5 6 7 8 9 10; do
            settle
            [ "$(original bridge -j link 2>/dev/null | jq '[.[] | select(.master == "many" and .state == "forwarding")] | length')" = 499 ] && break
            sleep 1
        done
        status many >/run/out && echo "status 0"
        [ "$(wc -l </run/out)" -le 12 ] || cat /run/out
        grep -q '! vif87.0 .* no carrier' /run/out || cat /run/out
        grep -q -- '- 499 ports .* forwarding .* [0-9]* addresses$' /run/out || cat /run/out
        grep -q ' vif11.0 .. vif86.0, vif88.0 .. vif510.0$' /run/out || cat /run/out
        brouter status many --json >/run/json
        same "ports" 500 "$(jq '.bridges[].ports | length' /run/json)"
        same "learnt" '[["vif15.0","02:00:00:00:00:05"],["vif510.0","02:00:00:00:05:00"]]' \
            "$(jq -c '[.bridges[].ports[] | .port as $p | .learnt[] | select(.mac | test("^02:00:00:00:0[05]")) | [$p, .mac]]' /run/json)"
        "#,
    ),
    (
        "for an ordinary user, unknown facts are marked as such",
        &[User],
        "jq",
        r#"
        status >/run/out 2>/run/said || echo "status $?"
        same "said" "" "$(cat /run/said)"
        grep -qx 'b0, network n: well, as far as is known' /run/out || cat /run/out
        grep -q '[|`]? masquerade not known' /run/out || cat /run/out
        same "JSON" '["antispoof-unknown","antispoof-unknown","masquerade-unknown"] null' \
            "$(brouter status --json | jq -c '.bridges[] | [.not_known[].kind] | sort' | tr '\n' ' ')$(brouter status --json | jq -c '.bridges[].masquerade[].rule')"
        "#,
    ),
    (
        "a tunnel is shown as a link to other hosts, and its absence as a fault",
        &[Sys, NoSys],
        "jq",
        r#"
        printf '%s\n' bridge=b0 tunnel=t0 >/etc/brouter/n.conf
        status >/run/out && echo "absent: status 0"
        grep -q '! port  *t0 is not there: other hosts are not reached$' /run/out || cat /run/out
        same "absent" port-missing "$(kinds)"
        original ip link add t0 mtu 1400 type veth peer name t0-far
        echo 1 >/proc/sys/net/ipv6/conf/t0-far/disable_ipv6; original ip link set t0-far up; settle
        status | grep -q '! port  *missing: brctl addif b0 t0$' || status
        original ip link set t0 master b0 up; settle
        status >/run/out || cat /run/out
        grep -q -- '- t0  *forwarding .* other hosts$' /run/out || cat /run/out
        original bridge fdb add 02:00:00:00:00:07 dev t0 master static
        status | grep -q -- '- t0  *forwarding .* 1 on other hosts$' || status
        same "JSON" '[["t0",true],["vif1.0",false],["vif2.0",false]]' \
            "$(brouter status --json n | jq -c '[.bridges[].ports[] | [.port, .tunnel]]')"
        same "metrics" 'brouter_port_tunnel{bridge="b0",port="t0"} 1' "$(brouter status --prometheus | grep '^brouter_port_tunnel.*t0')"
        brouter status --dot | grep -q '"t0" \[label="t0[^"]*.nother hosts", shape=ellipse\]' || brouter status --dot
        # among many ports it has a line of its own
        for n in $(seq 20); do
            original ip link add vif1$n.0 type veth peer name far$n; original ip link set vif1$n.0 master b0 up; original ip link set far$n up
        done
        settle
        status | grep -q -- '- t0  *forwarding .* 1 on other hosts$' || status
        status | grep -q -- '- 22 ports ' || status
        "#,
    ),
    (
        "the metrics match the JSON, and their format is that of Prometheus",
        &[Sys, NoSys, Foreign],
        "jq",
        r##"
        original ip link add $'x"y\\z' type bridge; original ip link add $'e\e[2J\xff' type veth peer name far1
        original ip link set $'e\e[2J\xff' master b0; original ip link add $'e\e[2J\xfe' type veth peer name far2
        original ip link set $'e\e[2J\xfe' master b0; original ip link set vif2.0 down; settle
        look() {
            brouter status --prometheus >/run/metrics 2>&1 || { echo "status $?"; cat /run/metrics; }
            brouter status --json >/run/json && echo "no fault"
            ours=$(grep '{.*bridge="b0".*vif[12].0"' /run/metrics | sort)
            theirs=$(jq -r '.bridges[] | select(.bridge == "b0") | .ports[] | select(.port | test("^vif")) |
                "{bridge=\"b0\",port=\"\(.port)\"}" as $of |
                "forwarding\($of) \(if .state == "forwarding" then 1 else 0 end)", "learnt_addresses\($of) \(.learnt | length)", "tunnel\($of) 0",
                "receive_bytes_total\($of) \(.rx_bytes)", "receive_packets_total\($of) \(.rx_packets)",
                "transmit_bytes_total\($of) \(.tx_bytes)", "transmit_packets_total\($of) \(.tx_packets)"' /run/json |
                sed 's/^/brouter_port_/' | sort)
        }
        # counters may change between the two
        for try in 1 2 3 4 5 6 7 8; do look; [ "$theirs" = "$ours" ] && break; sleep 0.5; done
        same ports "$theirs" "$ours"
        of_b0() { grep "^$1{bridge=\"b0\"" /run/metrics; }
        same faults "$(jq -r '.bridges[] | select(.bridge == "b0") | .faults | group_by(.kind)[] | "\(.[0].kind) \(length)"' /run/json)" \
            "$(of_b0 brouter_bridge_faults | grep -v ' 0$' | sed 's/.*kind="\(.*\)"} /\1 /' | sort)"
        same unknown "$(jq -r '.bridges[] | select(.bridge == "b0") | .not_known | group_by(.kind)[] | "\(.[0].kind) \(length)"' /run/json)" \
            "$(of_b0 brouter_bridge_unknown_checks | grep -v ' 0$' | sed 's/.*kind="\(.*\)"} /\1 /' | sort)"
        same states "$(jq -r '.bridges[] | select(.bridge == "b0") | .ports | group_by(.state)[] | "\(.[0].state) \(length)"' /run/json)" \
            "$(of_b0 brouter_bridge_ports | grep -v ' 0$' | sed 's/.*state="\(.*\)"} /\1 /' | sort)"
        for line in 'brouter_forwarding{family="ipv4"} 1' 'brouter_network_info{bridge="b0",network="n"} 1' \
            'brouter_bridge_well{bridge="b0"} 0' 'brouter_bridge_up{bridge="b0"} 1' 'brouter_bridge_up{bridge="x\"y\\z"} 0' \
            'brouter_bridge_mtu_bytes{bridge="b0"} 1400' 'brouter_unreadable_tables 0' \
            'brouter_port_forwarding{bridge="b0",port="e\\u{1b}[2J\\xff"} 0' 'brouter_port_forwarding{bridge="b0",port="e\\u{1b}[2J\\xfe"} 0'; do
            grep -qxF -- "$line" /run/metrics || { echo "missing: $line"; cat /run/metrics; }
        done
        # each metric once: its help, its type, then all of its samples, each with other labels
        LC_ALL=C awk '
            /^# HELP / { name = $3; if (name in seen || NF < 4) print "again: " $0; seen[name]; next }
            /^# TYPE / {
                if ($3 != name || $4 != (name ~ /_total$/ ? "counter" : "gauge")) print "type: " $0
                next
            }
            { labels = $0; sub(/ [0-9]+$/, "", labels)
              if (labels in samples || labels !~ "^" name "(\\{([a-z]+=\"([^\"\\\\]|\\\\[\"\\\\])*\",?)+})?$") print "sample: " $0
              samples[labels] }
            END { if (length(seen) < 15) print length(seen) " metrics" }' /run/metrics
        LC_ALL=C grep -n '[^ -~]' /run/metrics
        # for a collector, a name that means nothing leaves the file that is there
        brouter status --prometheus nosuch >/run/none 2>&1 && echo "nosuch: status 0"
        same "one bridge" 'bridge="b0"' "$(brouter status --prometheus n | grep -o 'bridge="[^"]*"' | sort -u)"
        brouter status --prometheus >/dev/full 2>/run/said && echo "a full disk: status 0"
        "##,
    ),
    (
        "the graph of the host",
        &[Sys],
        "dot",
        r#"
        original ip link set g2 down; settle
        original ip link add $'x"y\\z' type veth peer name far; original ip link set $'x"y\\z' master b0
        brouter status --dot >/run/dot && echo "status 0"
        dot -Tplain /run/dot >/run/plain 2>/run/said || cat /run/dot
        same "Graphviz" "" "$(cat /run/said)"
        for node in b0 eth0 '"guest 1"' '"guest 2"' '"router 192.0.2.254"' '"router 10.9.0.7"'; do
            grep -q "^node $node " /run/plain || { echo "no $node"; cat /run/plain; }
        done
        for edge in '"guest 1" b0' '"guest 2" b0' 'b0 eth0' 'eth0 "router 192.0.2.254"' 'b0 "router 10.9.0.7"'; do
            grep -q "^edge $edge " /run/plain || { echo "no $edge"; cat /run/plain; }
        done
        grep -q '^edge "guest 2" b0 .* dashed red$' /run/plain || cat /run/plain
        dot -Tsvg /run/dot | grep -q 'routed, masqueraded' || echo "no edge to the outside"
        "#,
    ),
    (
        "the picture in the README matches the output, except for traffic counters",
        &[Sys],
        "jq",
        r#"
        brouter down n >/dev/null; original ip link set vif2.0 nomaster
        brouter up dmz --bridge xenbr0 --mac 92:6b:66:5d:50:31 --address 192.168.10.1/24 --address 2001:db8:1:2::1/64 --outside eth0 \
            --masquerade >/dev/null
        original ip link add vif3.0 type veth peer name g3
        for n in 1 2 3; do original ip link set vif$n.0 master xenbr0 up; done
        for n in 1 2; do original bridge fdb add 00:16:3e:00:00:0$n dev vif$n.0 master static; done
        echo 0 >/proc/sys/net/ipv4/ip_forward
        settle
        passed='s/(abled  |forwarding) +[0-9.]+ [KM]?i?B +[0-9.]+[kM]? +[0-9.]+ [KM]?i?B +[0-9.]+[kM]?  /\1 PASSED /'
        wanted=$(sed -E "$passed" <<<"$PICTURE")
        # the kernel notices a carrier late
        for try in 1 2 3 4 5 6 7 8 9 10; do
            got=$(LC_ALL=C.UTF-8 brouter status | sed -E "$passed")
            [ "$got" = "$wanted" ] && break
            sleep 0.5
        done
        same "picture" "$wanted" "$got"
        [ "$(sed -E "$passed" <<<"$PICTURE" | grep -c PASSED)" = 3 ] || echo "the picture has no counters"
        "#,
    ),
    (
        "status changes nothing and does not use netlink",
        &[Sys],
        "strace",
        r#"
        state() { original ip addr | sed 's/ tentative//'; original ip route; original iptables-save | grep -v '^#'; find /run/brouter | sort; }
        before=$(state)
        strace -f -qq -o /run/trace -e trace=socket,openat,open,ioctl brouter status >/dev/null
        # only our own process: iptables is free to use netlink
        awk 'NR == 1 { own = $1 } $1 == own && !/dev.null/ && /AF_NETLINK|O_WRONLY|O_RDWR|O_CREAT|SIOCS|SIOCADD|SIOCDEL|SIOCBR/' /run/trace
        same "changed" "$before" "$(state)"
        "#,
    ),
];

/// Returns the picture in the README.
fn picture() -> &'static str {
    let (_, readme) = include_str!("../README.md").split_once("```\nxenbr0, network").expect("a picture");
    readme.split("\n```").next().unwrap_or_default()
}

fn main() -> ExitCode {
    let mut tests = Vec::new();
    for (name, modes, need, script) in TESTS {
        for &mode in modes {
            let script = format!("PICTURE='xenbr0, network{}'\n{PRELUDE}{script}", picture());
            let name = format!("{} {name}", mode.name());
            tests.push(Test::of_script(name, &["iptables", "jq", need], STATE, script, mode));
        }
    }
    conclude(tests)
}
