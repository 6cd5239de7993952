//! Chains of others that drop what a network needs, and the rules that let it pass.

pub(crate) const TESTS: [(&str, &str); 3] = [
    (
        "up opens each chain that drops, down closes it, and status shows what is dropped",
        r#"
        guests=(--outside eth0 --masquerade --publish 8080:10.9.0.11:80)
        serve g1 tcp 80; serve out tcp 7
        number=0
        while read -r drop; do
            number=$((number + 1))
            eval "$drop" 2>/run/said || cat /run/said
            before=$(everything)
            brouter up "${bridge[@]}" "${backend[@]}" "${guests[@]}" >/run/out || cat /run/out
            asked g1 tcp 192.0.2.2 7 "out 7 192.0.2.1"
            asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
            asked g2 tcp 192.0.2.1 8080 "g1 80 10.9.0.1"
            # nobody else is let in
            ip -n out route replace 10.9.0.0/24 via 192.0.2.1
            # a rule that rejects says so, one that drops does not
            answer=$(at out perl /run/ask tcp 10.9.0.11 80)
            [[ $answer =~ ^(nothing|refused)$ ]] || echo "$drop: out gets $answer"
            ip -n out route del 10.9.0.0/24
            brouter status n >/run/out || { echo "$drop"; cat /run/out; }
            same "$drop: a second up" "n: is up, nothing to do" "$(brouter up "${bridge[@]}" "${guests[@]}")"
            brouter down n >/run/out || cat /run/out
            same "$drop: down leaves something" "$before" "$(everything)"
            # removed by others
            brouter up "${bridge[@]}" "${backend[@]}" "${guests[@]}" >/run/out || cat /run/out
            closed=$(grep -c '^open ' /run/brouter/*/n.network); [ $closed = 4 ] || cat /run/brouter/*/n.network
            eval "${close:=iptables-legacy -F FORWARD; iptables-nft -F FORWARD; nft flush chain inet own fw}" 2>/dev/null
            eval "$drop" 2>/dev/null
            pings g1 192.0.2.2 1 && echo "$drop: not closed"
            # without a program status sees the kernel's own tables only
            if [ ${backend[1]} != kernel ] || [[ $drop == iptables-legacy* ]]; then
                brouter status n >/run/out && { echo "$drop: nothing seems dropped"; cat /run/out; }
                grep -q 'forwarding packets to eth0 are dropped by ' /run/out || cat /run/out
            fi
            brouter up "${bridge[@]}" "${guests[@]}" >/run/out || cat /run/out
            asked g1 tcp 192.0.2.2 7 "out 7 192.0.2.1"
            asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
            brouter down n >/run/out || cat /run/out
            iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F FORWARD; iptables-nft -P FORWARD ACCEPT; iptables-nft -F FORWARD
            nft delete table inet own 2>/dev/null
        done 2>/run/said <<'END'
iptables-legacy -P FORWARD DROP
iptables-nft -P FORWARD DROP
iptables-nft -A FORWARD -j REJECT
nft add table inet own; nft add chain inet own fw '{ type filter hook forward priority 10; policy drop; }'
END
        grep -v -E 'legacy tables present' /run/said
        [ $number = 4 ] || echo "only $number"
        "#,
    ),
    (
        "beside Docker",
        r#"
        for variant in legacy nft; do
            iptables-$variant-restore <<'END'
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
            before=$(everything)
            brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade >/run/out || cat /run/out
            pings g1 192.0.2.2 || echo "$variant: cut off"
            brouter down n >/run/out || cat /run/out
            same "$variant: down leaves something" "$before" "$(everything)"
            iptables-$variant -P FORWARD ACCEPT; iptables-$variant -F FORWARD
        done 2>&1 | grep -v 'legacy tables present'
        "#,
    ),
    (
        "where firewalld drops, up refuses and prints its line; a chain that drops others only is left alone",
        r#"
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
        before=$(everything)
        brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade >/run/out 2>/run/said && echo "up: $?"
        [ ! -s /run/out ] || cat /run/out
        line='firewall-cmd --permanent --zone=trusted --add-interface=b0 && firewall-cmd --reload'
        same "said" "brouter: n: guests' packets are dropped by nft inet firewalld filter_FORWARD: reject with icmpx admin-prohibited, which only firewalld can change: $line" "$(cat /run/said)"
        same "up has changed something" "$before" "$(everything)"
        # as the line makes it
        nft insert rule inet firewalld filter_FORWARD_ZONES iifname b0 accept
        before=$(everything)
        brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade --publish 8080:10.9.0.11:80 >/run/out || cat /run/out
        grep -q -E '^open' /run/brouter/*/n.network && cat /run/brouter/*/n.network
        serve g1 tcp 80
        asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
        brouter down n >/run/out || cat /run/out
        nft add table inet other; nft add chain inet other fw '{ type filter hook forward priority 0; policy accept; }'
        nft add rule inet other fw iifname '!=' b0 oifname '!=' b0 drop
        brouter up "${bridge[@]}" "${backend[@]}" --outside eth0 --masquerade >/run/out || cat /run/out
        grep -q -E '^open' /run/brouter/*/n.network && cat /run/brouter/*/n.network
        brouter down n >/run/out || cat /run/out
        "#,
    ),
];
