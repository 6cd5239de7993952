//! Tests files, names and texts that others have chosen: nothing hangs, nothing runs, no terminal is steered, and what is printed
//! to be typed means what it names.

mod harness;

use std::process::ExitCode;

use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};

const STATE: &str = r#"
echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
# a private copy of /etc
cp -a /etc /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
"#;

const PRELUDE: &str = r#"
ORIGINAL=/usr/sbin:/usr/bin:/sbin:/bin ip=/sbin/ip LC_ALL=C.UTF-8; export LC_ALL
mkdir -p /run/here; cd /run/here
# runs a command; prints it if it takes longer than it should (a hang, or a large file), or panics
quick() {
    timeout 10 "$@" >/run/out 2>/run/said; status=$?
    case $status in 124|101|134|137|139) echo "status $status: $*"; cat /run/said ;; esac
}
# prints what of the last output would steer a terminal
steers() {
    cat /run/out /run/said | LC_ALL=C tr -d '\n' | perl -CS -ne 'print "$_\n" if /[\x00-\x1f\x7f-\x9f\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]/' |
        cat -v | sed "s|^|$1: |"
}
# calls a function with each kind of file that is not a small regular one: `odd_file PATH FUNCTION`
odd_file() {
    local kind
    for kind in fifo folder device large endless link; do
        rm -rf "$1"
        case $kind in
            fifo) mkfifo "$1" ;;
            folder) mkdir "$1" ;;
            device) mknod "$1" c 1 5 ;;
            large) truncate -s 1G "$1" ;;
            endless) ln -s /dev/zero "$1" ;;
            link) mkfifo /run/fifo 2>/dev/null; ln -s /run/fifo "$1" ;;
        esac
        $2 "$kind"
    done
    rm -rf "$1"
}
"#;

const TESTS: [(&str, &str); 5] = [
    (
        "a network's file is read only if it is a small regular one",
        r#"
        conf=/etc/brouter/n.conf
        check() {
            quick brouter up n
            [ $status = 2 ] && [ "$(cat /run/said)" = "brouter: $conf: not a regular file of at most 64 KiB: replace or remove it" ] ||
                { echo "$1, status $status:"; cat /run/said; }
            [ ! -e /sys/class/net/n ] || echo "$1: a bridge was made"
            quick brouter status; quick brouter status --json
            grep -q 'not a regular file' /run/out || { echo "$1: status does not say so"; cat /run/out; }
            quick brouter doctor
            grep -q 'not a regular' /run/out || { echo "$1: doctor does not say so"; cat /run/out; }
        }
        odd_file $conf check
        # a link to a file is followed, and 64 KiB are not too much
        { echo address=10.9.0.1/24; yes '# a comment' | head -c 65000; echo; } >/run/linked; ln -s /run/linked $conf
        brouter up n >/dev/null && brouter down n >/dev/null || echo "a link is not followed"
        rm $conf
        for text in 'address=10.9.0.1/24\0' '#\0\naddress=10.9.0.1/24' 'firewall=/bin/true\0x\naddress=10.9.0.1/24'; do
            printf "$text" >$conf
            quick brouter up n
            [ $status = 2 ] && grep -q ':[12]: holds the control character 0x00: remove it' /run/said ||
                { echo "$text: $status"; cat /run/said; }
        done
        "#,
    ),
    (
        "a record is read only if it is a small regular file",
        r#"
        brouter up n --address 10.9.0.1/24 >/dev/null
        folder=$(echo /run/brouter/*/); brouter down n >/dev/null
        check() {
            for command in 'brouter up n --address 10.9.0.1/24' 'brouter down n' 'network-virtual start bridge=n bridgeip=10.9.0.1/24'; do
                quick $command
                [ $status = 1 ] && grep -q "rm -r $file\$" /run/said || { echo "$1: $command, status $status:"; cat /run/said; }
            done
            quick brouter status; quick brouter doctor
            grep -q "rm -r $file\$" /run/out || { echo "$1: doctor does not say so"; cat /run/out; }
        }
        for file in ${folder}n.network ${folder}n.changing; do odd_file $file check; done
        file=${folder}n.network; printf 'of n\nbridge\0\nend\n' >$file; check NUL; rm $file
        # files of version 0.1, the folder of a lock
        check() { quick brouter status; quick brouter doctor; quick brouter up n --address 10.9.0.1/24; quick brouter down n; }
        odd_file ${folder}n.masquerade check
        odd_file ${folder}n.making check
        mkdir ${folder}n.lock
        odd_file ${folder}n.lock/owner true
        "#,
    ),
    (
        "no output steers a terminal",
        r#"
        brouter up n --address 10.9.0.1/24 >/dev/null
        for name in $'a\e[31mb' $'a\x7fb' $'a\u009b1mb' $'a\u202eb' $'a\xffb'; do
            $ip link add name "$name" type veth peer name far
            brctl addif n "$name"; $ip link add name "$name-b" type bridge; $ip addr add 10.7.0.1/24 dev "$name-b"
            for command in 'status' 'status --json' 'status --dot' 'doctor' 'doctor --json'; do
                quick brouter $command
                steers "brouter $command"
            done
            quick brouter status "$name"; steers 'status NAME'
            quick brouter up "$name"; steers 'up NAME'
            quick brouter up m --address "$name"; steers '--address'
            $ip link del "$name"; $ip link del "$name-b"
        done
        quick brouter down n
        # what other programs print
        mkdir /run/bin; printf '#!/bin/sh\nprintf "no\\033[31m\\302\\233m\\n\\342\\200\\256forged\\n" >&2; exit 3\n' >/run/bin/iptables
        chmod +x /run/bin/iptables; for other in ip6tables iptables-save iptables-legacy iptables-nft nft; do cp /run/bin/iptables /run/bin/$other; done
        for command in 'up n --address 10.9.0.1/24 --masquerade' 'up n --address 10.9.0.1/24 --masquerade --dry-run' 'down n' doctor; do
            PATH=/run/bin:$PATH quick brouter $command
            steers "brouter $command"
        done
        "#,
    ),
    (
        "what is printed to be typed means what it names",
        r#"
        printf '#!/bin/sh\n' >"/run/here/fw it's"; chmod +x /run/here/*
        # the whole name, in each of the shells
        for name in '$(>evil)' '`>evil`' ';>evil' "it's" 'a"b' '*' '~' 'a!b' 'a\b' $'a\eb' $'a\u202eb' $'a\xffb' 'a&b'; do
            $ip link add name b0 type bridge; $ip link set b0 up; $ip addr add 10.9.0.1/24 dev b0
            $ip link add name "$name" type veth peer name far; $ip link set dev "$name" master b0; $ip link set far up
            brouter doctor | sed -n 's/^.* is down; type: //p' >/run/advice
            for shell in bash 'busybox sh' zsh; do
                $ip link set dev "$name" down
                $shell /run/advice >/run/said 2>&1
                [ $(($(cat "/sys/class/net/$name/flags") & 1)) = 1 ] || { echo "$name in $shell:"; cat -v /run/advice /run/said; }
                [ ! -e evil ] || { echo "$name runs in $shell"; rm evil; }
            done
            $ip link del dev b0; $ip link del dev "$name"
        done
        # a record that another has written
        brouter up n --address 10.9.0.1/24 >/dev/null; brouter down n >/dev/null; folder=$(echo /run/brouter/*/)
        printf 'of n\ndrop ACCEPT; >evil\nend\n' >${folder}n.network
        brouter down n --dry-run >/run/out 2>&1 && cat /run/out
        rm ${folder}n.network
        printf "address=10.9.0.1/24\nfirewall='/bin/echo a;>evil *'\n" >/etc/brouter/net0.conf
        brouter up net0 --dry-run | sed 's/^echo .*//' >/run/advice
        sh /run/advice | grep -qx 'a;>evil \*' && [ ! -e evil ] || { echo "the firewall's command:"; cat /run/advice; }
        "#,
    ),
    (
        "a bridge whose name is not UTF-8 is there",
        r#"
        name=$'b\xff'
        $ip link add name "$name" type bridge; $ip link set dev "$name" up; $ip addr add 10.9.0.1/24 dev "$name"
        brouter status >/run/out; grep -q 'missing' /run/out && cat /run/out
        brouter doctor --all >/run/out; grep -e missing -e gone -e 'is down' -e 'no address' /run/out
        grep -q '^ok  *kernel: there are bridges' /run/out || cat /run/out
        grep -q '^ok .*forwarding' /run/out || grep -q 'forwarding' /run/out || { echo "its network is not checked:"; cat /run/out; }
        "#,
    ),
];

fn main() -> ExitCode {
    let test = |(name, script): (&str, &str)| {
        // odd_file makes a device
        let root = script.contains("odd_file").then_some(ROOT);
        let needs: Vec<&str> = ["ip", "brctl", "iptables", "busybox", "zsh", "perl"].into_iter().chain(root).collect();
        Test::of_script(name, &needs, STATE, format!("{PRELUDE}{script}"), Mode::Sys)
    };
    conclude(TESTS.into_iter().map(test).collect())
}
