//! Which backend is chosen, what is refused, and a root that holds brouter alone.

pub(crate) const TESTS: [(&str, &str); 4] = [
    (
        "the backend follows what the host uses, and doctor says which and why",
        r#"
        brouter up "${bridge[@]}" >/run/out
        told() { brouter doctor n --all | tr -s ' \n' ' ' | grep -o 'ok backend: [^;]*' | sed 's/ ok .*//'; }
        mkdir /run/bin; cp "$(command -v brouter)" /run/bin/
        # PATH is searched first, but these are the system's: hidden one after the other
        hide() { local name; for name; do name=$(readlink -f "$(command -v $name)"); mount --bind /dev/null "$name"; done; }
        same "iptables of nft" "ok backend: iptables: this iptables keeps its rules in nf_tables" "$(told)"
        iptables-legacy -A FORWARD -i nosuch -j ACCEPT
        same "legacy rules" "ok backend: kernel: the kernel's legacy tables have rules" "$(told)"
        brouter up "${bridge[@]}" --masquerade | grep -q '^iptables-legacy -t nat -A POSTROUTING' || echo "not told as iptables-legacy"
        iptables-legacy -t nat -S POSTROUTING | grep -q MASQUERADE || echo "no legacy rule"
        grep -q '^backend kernel$' /run/brouter/*/n.network || cat /run/brouter/*/n.network
        iptables-legacy -F FORWARD
        same "kept" "n: is up, nothing to do" "$(brouter up "${bridge[@]}" --masquerade)"
        brouter up "${bridge[@]}" --masquerade --firewall-backend nft 2>/run/said && echo "another backend"
        same "another backend" "brouter: n: is up with the firewall backend kernel: brouter down it first" "$(cat /run/said)"
        brouter down n >/run/out
        [ "$(iptables-legacy-save | grep -c -E '^-A|DROP')" = 0 ] || iptables-legacy-save
        brouter up "${bridge[@]}" >/run/out
        hide iptables
        same "nft alone" "ok backend: nft: nft is installed, iptables is not" "$(told)"
        hide nft
        same "no program" "ok backend: kernel: neither iptables nor nft is installed" "$(told)"
        for backend in iptables:iptables nft:nftables; do
            brouter up "${bridge[@]}" --masquerade --firewall-backend ${backend%:*} 2>/run/said && echo "${backend%:*} was used"
            same "$backend" "brouter: n: ${backend%:*} is not installed: apt-get install ${backend#*:}" "$(cat /run/said)"
        done
        before=$(iptables-legacy-save | grep -c -E '^-A')
        brouter up "${bridge[@]}" --masquerade >/run/out 2>&1 || cat /run/out
        pings g1 192.0.2.2 || echo "not masqueraded"
        strace -f -qq -e trace=execve,execveat,clone,clone3,fork,vfork -o /run/trace brouter status n >/run/out || cat /run/out
        same "processes of status" 1 "$(wc -l </run/trace)"
        strace -f -qq -e trace=execve,execveat,clone,clone3,fork,vfork -o /run/trace brouter doctor n >/run/out
        same "processes of doctor" 1 "$(wc -l </run/trace)"
        brouter down n >/run/out
        umount "$(readlink -f /usr/sbin/iptables)" "$(readlink -f /usr/sbin/nft)" 2>/dev/null
        "#,
    ),
    (
        "with the kernel backend up --masquerade --publish starts no process",
        r#"
        strace -f -qq -e trace=execve,execveat,clone,clone3,fork,vfork -o /run/trace \
            brouter up "${bridge[@]}" --firewall-backend kernel --masquerade --publish 8080:10.9.0.11:80 >/run/out || cat /run/out
        same "processes" 1 "$(wc -l </run/trace)"
        strace -f -qq -e trace=execve,execveat,clone,clone3,fork,vfork -o /run/trace brouter status n >/run/out || cat /run/out
        same "processes of status" 1 "$(wc -l </run/trace)"
        strace -f -qq -e trace=execve,execveat,clone,clone3,fork,vfork -o /run/trace brouter down n >/run/out || cat /run/out
        same "processes of down" 1 "$(wc -l </run/trace)"
        "#,
    ),
    (
        "what cannot be published is named, and nothing is changed",
        r#"
        serve host tcp 8443; serve host udp 5300
        brouter up m --bridge b1 --address 10.7.0.1/24 --publish 9000-9010:10.7.0.7 >/run/out || cat /run/out
        before=$(everything)
        while IFS='|' read -r status words said; do
            brouter up "${bridge[@]}" $words >/run/out 2>/run/said; got=$?
            same "$words" "$status $said" "$got $(cat /run/out /run/said)"
            same "$words changes something" "$before" "$(everything)"
        done <<'END'
2|--publish 80|brouter: --publish="80": [ADDRESS:]PORT:GUEST[:PORT][/tcp|udp] is expected, such as 8080:192.168.10.7:80, an IPv6 address in brackets
2|--publish 80:10.9.0.11/sctp|brouter: --publish="80:10.9.0.11/sctp": "sctp" is not a protocol: tcp or udp is expected
2|--publish 0:10.9.0.11|brouter: --publish="0:10.9.0.11": "0" is not a port: 1 to 65535, or a range such as 8000-8010
2|--publish 80:10.9.0.11:65536|brouter: --publish="80:10.9.0.11:65536": "65536" is not a port: 1 to 65535, or a range such as 8000-8010
2|--publish 80:10.8.0.11|brouter: --publish="80:10.8.0.11": 10.8.0.11 is in no network of the bridge (10.9.0.0/24)
2|--publish 80:[fd00::7]|brouter: --publish="80:[fd00::7]": fd00::7 is in no network of the bridge (10.9.0.0/24)
2|--publish 80:10.9.0.1|brouter: --publish="80:10.9.0.1": 10.9.0.1 is the bridge's own address: give a guest's
2|--publish 80:10.9.0.255|brouter: --publish="80:10.9.0.255": 10.9.0.255 is not the address of a guest: 10.9.0.0/24 as a whole has it
2|--publish 127.0.0.1:80:10.9.0.11|brouter: --publish="127.0.0.1:80:10.9.0.11": connections to 127.0.0.0/8 and ::1 stay on the host: give another of its addresses, or none
2|--publish 10.9.0.1:80:10.9.0.11|brouter: --publish="10.9.0.1:80:10.9.0.11": 10.9.0.1 is the address by which guests reach the host, and is not published
2|--publish 80:10.9.0.11 --publish 70-90:10.9.0.12|brouter: --publish="70-90:10.9.0.12": a port is published twice: 80:10.9.0.11:80/tcp
2|--firewall-backend ebtables|brouter: --firewall-backend="ebtables": kernel, iptables or nft is expected
1|--publish 9005:10.9.0.11|brouter: n: 9005:10.9.0.11:9005/tcp cannot be published: network m publishes 9000-9010:10.7.0.7:9000-9010/tcp
1|--publish 8443:10.9.0.11:443|brouter: n: 8443:10.9.0.11:443/tcp cannot be published: a program of this host listens on [::]:8443; publish another port, or stop the program: ss -ltnp 'sport = 8443'
1|--publish 5300:10.9.0.11:53/udp|brouter: n: 5300:10.9.0.11:53/udp cannot be published: a program of this host listens on [::]:5300; publish another port, or stop the program: ss -lunp 'sport = 5300'
END
        brouter up "${bridge[@]}" --publish 9005:10.9.0.11/udp --publish 8442:10.9.0.11 --dry-run >/run/out || cat /run/out
        grep -q 'dport 8442' /run/out || cat /run/out
        printf '%s\n' 'address=10.9.0.1/24' 'bridge=b0' 'publish=81:10.9.0.11' 'publish="82:10.9.0.12:80/udp"' firewall_backend=kernel >/etc/brouter/n.conf
        brouter up n --dry-run >/run/out || cat /run/out
        grep -q -e '--dport 81 ' /run/out && grep -q -e '-p udp --dport 82 .*10.9.0.12:80$' /run/out || cat /run/out
        printf '%s\n' 'address=10.9.0.1/24' 'publish=81' >/etc/brouter/n.conf
        brouter up n 2>&1 | grep -q '^brouter: /etc/brouter/n.conf:2: publish="81": ' || echo "a line of the file"
        same "something was changed" "$before" "$(everything)"
        "#,
    ),
    (
        "a root with nothing but brouter: up, a guest reaches the outside, publish, down",
        r#"
        before=$(everything)
        mkdir -p /run/root/{proc,sys,run,bin}; mount -t proc proc /run/root/proc; mount --bind /sys /run/root/sys
        cp "$(command -v brouter)" /run/root/bin/brouter
        for library in $(ldd /run/root/bin/brouter 2>/dev/null | grep -o '/[^ ]*'); do
            mkdir -p /run/root/${library%/*}; cp $library /run/root/$library
        done
        alone() { chroot /run/root /bin/brouter "$@"; }
        alone up "${bridge[@]}" --outside eth0 --masquerade >/run/out || cat /run/out
        pings g1 192.0.2.2 || echo "the guest does not reach the outside"
        alone up "${bridge[@]}" --outside eth0 --masquerade --publish 8080:10.9.0.11:80 >/run/out || cat /run/out
        same "steps" 3 "$(wc -l </run/out)"
        serve g1 tcp 80
        asked out tcp 192.0.2.1 8080 "g1 80 192.0.2.2"
        asked host tcp 192.0.2.1 8080 "g1 80 192.0.2.1"
        asked g2 tcp 192.0.2.1 8080 "g1 80 10.9.0.1"
        alone status n >/run/out || cat /run/out
        alone doctor n >/run/out; [ $? -lt 2 ] || grep -v -E 'outside|ROUTER' /run/out | grep -A3 ^failure
        alone down n >/run/out || cat /run/out
        same "down leaves something" "$before" "$(everything)"
        umount /run/root/proc /run/root/sys
        "#,
    ),
];
