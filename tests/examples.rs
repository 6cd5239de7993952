//! Tests every line of the README, the guides and the manual pages that a reader would type: all blocks of literal text of a document
//! are run on one host, in their order. A block that [`DOCUMENTS`] does not list fails, and so does a row without a block.

mod harness;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use harness::hosts::ROOT;
use harness::table::Mode;
use harness::{Test, conclude};

/// What is done with a block.
enum Block {
    /// The first script prepares the host, then the lines are typed. `fails` is what is not to succeed, as `status N of COMMAND`. The
    /// last script prints what is wrong then.
    Typed { before: &'static str, fails: &'static str, after: &'static str },
    /// Lines behind `# ` are typed on a terminal of 80 columns; what is printed begins with the other lines.
    Session { before: &'static str },
    /// It is the content of a file; the script prints what is wrong with it.
    File(&'static str, &'static str),
    /// It is what the script prints.
    Printed(&'static str),
    /// Another test types it: a file that has this text.
    By(&'static str, &'static str),
    /// It cannot be typed here: the reason.
    Not(&'static str),
}
use Block::{By, File, Not, Printed, Session, Typed};

/// What is typed on a host as it is, and succeeds.
const fn typed(after: &'static str) -> Block {
    Typed { before: "", fails: "", after }
}

/// A host with an interface to the outside, the interfaces of three guests, and folders to install into.
const STATE: &str = r#"
mkdir /run/etc; cp -dR --preserve=mode /etc/. /run/etc 2>/dev/null || :; mount --bind /run/etc /etc
rm -rf /etc/xen; mkdir -p /etc/brouter /etc/xen/scripts /etc/qemu; echo 0123456789abcdef0123456789abcdef >/etc/machine-id
for own in /opt /usr/local/sbin /var/lib/misc; do mount -t tmpfs none $own; done
for link in all default; do echo 0 >/proc/sys/net/ipv6/conf/$link/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/$link/accept_dad; done
ip link add eth0 type veth peer name outside; ip link set outside up
ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip route add default via 192.0.2.254
for n in 1 2 3; do
    ip link add vif$n.0 address fe:ff:ff:ff:ff:ff type veth peer name g$n address 00:16:3e:00:00:0$n
    echo 1 >/proc/sys/net/ipv6/conf/g$n/disable_ipv6; ip link set g$n up
done
for file in /proc/sys/net/bridge/bridge-nf-call-{ip,ip6}tables; do [ ! -e $file ] || echo 0 >$file; done
export packages
"#;

/// Shell functions for all scripts.
const PRELUDE: &str = r#"
same() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$2") <(echo "$3"); }; }
export NO_COLOR=1 TERM=xterm
# what differs from host to host, and from moment to moment; an index of two digits moves the place where a line is cut
mask() {
    sed -E 's/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/g; s/ +[0-9.]+ [KMG]?i?B +[0-9.]+[kM]?/ N/g; s/^[0-9]+: /N: /; s/ scope( g[a-z]*)?$/ scope/' | tr -s ' \t' ' ' | sed 's/ $//'
}
on_terminal() { script -qec "stty cols 80; $*" /dev/null </dev/null | tr -d '\r'; }
# types /run/block
typed() {
    bash -c 'exec 3>/run/failed; trap "echo status \$? of \$BASH_COMMAND >&3" ERR; . /run/block' >/run/out 2>/run/said </dev/null
    same "$1: what fails" "$2" "$(cat /run/failed)"; [ ! -s /run/said ] || { echo "$1 says:"; cat /run/said; }
}
# types the lines behind `# `
session() {
    sed -n 's/^# //p' /run/block >/run/lines
    while IFS= read -r line; do
        case $line in 'brouter doctor'*) on_terminal "$line" ;; *) bash -c "$line" 2>&1 </dev/null ;; esac
    done </run/lines | mask >/run/out
    grep -v '^# ' /run/block | mask >/run/wanted
    same "$1" "$(cat /run/wanted)" "$(head -n "$(wc -l </run/wanted)" /run/out)"
}
# the lines of xend's configuration in /run/block: xend splits the first at blanks, and calls the second for each guest
xend() {
    local words; read -ra words <<<"$(sed -n "s/^(network-script '\(.*\)')$/\1/p" /run/block)"
    if [ -n "$words" ]; then
        "${words[0]}" start "${words[@]:1}" >/run/out 2>&1 && "${words[0]}" stop "${words[@]:1}" >>/run/out 2>&1 || cat /run/out
    fi
    local script; script=$(sed -n "s/^(vif-script '\?\([^ ')]*\).*/\1/p" /run/block)
    command -v "${script##*/}" >/dev/null || echo "no script $script"
}
no_link() { [ ! -e /sys/class/net/$1 ] || echo "$1 is left"; }
has_address() { /sbin/ip -o addr show dev $1 | grep -q " $2 " || { echo "$1 lacks $2:"; /sbin/ip addr show dev $1; }; }
# programs of Debian that are not installed
unpacked() { LD_LIBRARY_PATH=$packages/usr/lib/x86_64-linux-gnu "$packages/usr/$@"; }
schema() { unpacked bin/xmllint --noout --relaxng "$packages/usr/share/libvirt/schemas/$1.rng" "$2" 2>&1 | grep -v ' validates$'; }
# $1 `|`, or what UTF-8 has for it; the network of the pictures of status
picture() {
    for n in 1 2 3; do brctl addif xenbr0 vif$n.0 2>/dev/null; ip link set dev vif$n.0 up; done; ip link set dev g3 down
    echo 0 >/proc/sys/net/ipv4/ip_forward
    for try in {1..50}; do
        for n in 1 2; do busybox arping -q -c 1 -w 0 -I g$n 192.168.10.99; done >/dev/null 2>&1
        LC_ALL=$1 brouter status dmz >/run/picture; grep -q 'disabled.*no carrier' /run/picture && [ "$(grep -c 'forwarding.*00:16:3e' /run/picture)" = 2 ] && break
        sleep 0.1
    done
    cat /run/picture
}
"#;

/// A container and a virtual machine are attached to xenbr0 by programs of Debian's.
const LXC: &str = r#"
brctl addbr xenbr0; brctl setfd xenbr0 0; ip addr add 192.168.10.1/24 dev xenbr0; ip link set dev xenbr0 up
mkdir -p /run/lxc /run/mnt /run/root/{bin,dev,proc,sys}; cp /bin/busybox /run/root/bin; : >/run/root/dev/null
printf '%s\n' 'lxc.rootfs.path = dir:/run/root' 'lxc.rootfs.mount = /run/mnt' 'lxc.console.path = none' 'lxc.autodev = 0' >>/run/lxc.conf
# lxc-start changes the mode of its standard input: not that of the machine's /dev/null
unpacked bin/lxc-start -F -n guest -P /run/lxc -f /run/lxc.conf -- /bin/busybox sh -c \
    'b=/bin/busybox; $b ip addr add 192.168.10.11/24 dev eth0; $b ping -c 1 -W 3 192.168.10.1' >/run/out 2>&1 <<<''
grep -q ' 0% packet loss' /run/out || { echo "the container does not reach the bridge:"; cat /run/out; }
"#;

const QEMU: &str = r#"
bridge=$(sed -n 's/.*-nic bridge,br=\([^,]*\),.*/\1/p' /run/qemu)
cat >/run/qemu.pl <<'END'
# as qemu does it: the helper hands the tap over by a socket
use Socket; $^F = 99; socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die;
system(@ARGV, "--fd=" . fileno(B)) == 0 or exit 1; system "brctl show";
END
echo "allow $bridge" >/etc/qemu/bridge.conf
unpacked lib/qemu/qemu-bridge-helper --help >/dev/null 2>&1
LD_LIBRARY_PATH=$packages/usr/lib/x86_64-linux-gnu perl /run/qemu.pl "$packages/usr/lib/qemu/qemu-bridge-helper" --use-vnet --br=$bridge >/run/out 2>&1
grep -q "^$bridge.*tap0" /run/out || { echo "the bridge helper of qemu:"; cat /run/out; }
"#;

const LIBVIRT: &str = r#"
{
    echo "<domain type='xen'><name>guest</name><memory>1</memory><os><type>hvm</type></os><devices>"; cat /run/interface; echo "</devices></domain>"
} >/run/domain
schema domain /run/domain; grep -q "source bridge='xenbr0'" /run/domain || cat /run/domain
"#;

/// The program is copied to an old host, and linked. What is typed to other hosts is typed here.
const OLD_HOST: &str = r#"
make() { :; }; mkdir -p /run/build/build; cp "$(command -v brouter)" /run/build/build; cd /run/build; export -f make
scp() { cp "$1" "${2#*:}"; }; ssh() { shift; "$@"; }; export -f scp ssh
"#;

const GUESTS_OF_XL: Block = By("tests/xen/network.sh", "bridge=$3");
const ROUTED_GUESTS_OF_XL: Block = By("tests/xen/routed.sh", "script=$script");
const XL_CONF: Block = Not("only xl reads it, and make test-xen gives its guests their scripts one by one");

/// The documents, each with what is done with its blocks: by the beginning of the first line, in their order.
const DOCUMENTS: &[(&str, &[(&str, Block)])] = &[
    (
        "README.md",
        &[
            ("+---", Not("a picture")),
            ("make install", By("tests/packages/install.sh", "make_ install")),
            ("brouter up dmz", Typed { before: "", fails: "status 1 of brouter doctor dmz", after: "no_link xenbr0" }),
            (
                "brctl addbr",
                Printed(
                    "brouter up dmz --bridge xenbr0 --address 192.168.10.1/24 --outside eth0 --masquerade --dry-run",
                ),
            ),
            (
                "xenbr0, network dmz",
                Printed(
                    "brouter up dmz --bridge xenbr0 --address 192.168.10.1/24 --address 2001:db8:1:2::1/64 --outside eth0 --masquerade \
                     >/dev/null; picture C.UTF-8",
                ),
            ),
            (
                "failure  dmz forward",
                Printed(
                    "echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP; on_terminal brouter doctor dmz | head -3; \
                     brouter down dmz >/dev/null; iptables -P FORWARD ACCEPT",
                ),
            ),
            ("(network-script", File("/etc/xen/xend-config.sxp", "xend")),
        ],
    ),
    (
        "compat/docs/MIGRATION.md",
        &[
            (
                "mv /etc/xen/scripts/network-virtual",
                Typed {
                    before: "echo old >/etc/xen/scripts/network-virtual",
                    fails: "",
                    after: r#"
                    same moved old "$(cat /etc/xen/scripts/network-virtual.orig)"
                    same linked /usr/sbin/network-virtual "$(readlink /etc/xen/scripts/network-virtual)"; rm /etc/xen/scripts/*
                    "#,
                },
            ),
            (
                "make",
                Typed {
                    before: OLD_HOST,
                    fails: "",
                    after: r#"
                    /etc/xen/scripts/network-virtual start bridgeip=192.168.10.1/24 firewall=none; has_address xenbr0 192.168.10.1/24
                    /usr/local/sbin/brouter ls -q >/run/out; same listed xenbr0 "$(cat /run/out)"
                    /etc/xen/scripts/network-virtual stop firewall=none; no_link xenbr0; rm /usr/local/sbin/brouter /etc/xen/scripts/*
                    "#,
                },
            ),
            (
                "bridgeip=",
                File(
                    "/etc/brouter/xenbr0.conf",
                    "brouter up xenbr0 >/dev/null; has_address xenbr0 192.168.10.1/24; iptables -t nat -S | grep -q MASQUERADE || echo no rule; \
                     brouter down xenbr0 >/dev/null; rm /etc/brouter/xenbr0.conf",
                ),
            ),
            ("brouter --install", typed("[ -x /usr/local/sbin/brctl -a -x /usr/local/sbin/ip ] || ls /usr/local/sbin")),
            ("address=192.168.122.1/24", By("tests/dnsmasq.rs", "address=192.168.122.1/24")),
            (
                "virsh net-destroy",
                Not("libvirtd and systemd do not run in namespaces; make test-packages starts the unit"),
            ),
            ("<network>", File("/run/network", "schema network /run/network")),
            ("dnsmasq ", By("tests/dnsmasq.rs", "line.starts_with(\"dnsmasq \")")),
            ("<interface", File("/run/interface", LIBVIRT)),
            ("lxc.net.0.type", File("/run/lxc.conf", LXC)),
            ("qemu-system-x86_64", File("/run/qemu", QEMU)),
            (
                "allow xenbr0",
                File("/run/allowed", "same allowed \"$(cat /etc/qemu/bridge.conf)\" \"$(cat /run/allowed)\""),
            ),
        ],
    ),
    (
        "compat/docs/HOSTS.md",
        &[
            ("me=alpha", By("tests/hosts/tunnel.sh", "by_the_guide 1")),
            ("scp ", By("tests/hosts/tunnel.sh", "by_the_guide 2")),
            (
                "nft 'add table",
                typed("nft list table bridge dmz | grep -q 'oifname \"tinc0\".*drop' || nft list ruleset"),
            ),
            ("address=192.0.2.1 others", By("tests/hosts/others.sh", "run_block 3")),
            ("ACTION==", Not("udev does not run in namespaces")),
            ("address=192.0.2.1 other", By("tests/hosts/others.sh", "run_block 4")),
            ("cat >/etc/openvpn", By("tests/hosts/others.sh", "run_block 5")),
        ],
    ),
    (
        "compat/install/README.md",
        &[
            ("make install", By("tests/packages/install.sh", "make_ install-service")),
            ("mkdir -p", typed("[ -x /opt/brouter/bin/ip ] || ls -R /opt")),
            (
                "bridge=xenbr0",
                File(
                    "/etc/brouter/dmz.conf",
                    "brouter up dmz >/dev/null; has_address xenbr0 192.168.10.1/24; brouter down dmz >/dev/null",
                ),
            ),
            ("make arch", By("Makefile", "test-arch: arch")),
            ("rustup target add", Not("it needs rustup, and a cross compiler")),
        ],
    ),
    (
        "man/brctl.8",
        &[
            (
                "brctl addbr xenbr0",
                typed(
                    "grep -q '^xenbr0.*vif1.0$' /run/out || cat /run/out; brctl delif xenbr0 vif1.0; brctl delbr xenbr0",
                ),
            ),
            ("brctl addbr xenbr0", typed("has_address xenbr0 192.168.10.1/24")),
            ("# brctl show", Session { before: "" }),
            ("ip link set dev xenbr0 down", typed("no_link xenbr0")),
            (
                "brctl showstp",
                Typed {
                    before: "brctl addbr xenbr0; brctl addif xenbr0 vif1.0",
                    fails: "",
                    after: "grep -q state /run/out",
                },
            ),
            (
                "brctl addbr --",
                Typed { before: "export bridge=-x", fails: "", after: "[ -e /sys/class/net/-x ] || echo 'no -x'" },
            ),
            ("brctl show |", typed("same names '-x xenbr0' \"$(sort /run/out | tr '\\n' ' ' | sed 's/ $//')\"")),
        ],
    ),
    (
        "man/brouter.8",
        &[
            ("brouter up dmz", typed("no_link xenbr0")),
            (
                "brouter up dmz",
                typed(
                    "iptables -t nat -S | grep -q -e '--dport 8080 .*192.168.10.7:80' || iptables -t nat -S; brouter down dmz >/dev/null",
                ),
            ),
            (
                "xenbr0, network dmz",
                Printed(
                    "brouter up dmz --bridge xenbr0 --address 192.168.10.1/24 --outside eth0 --masquerade >/dev/null; picture C; \
                     brouter down dmz >/dev/null",
                ),
            ),
            (
                "brouter status --prometheus",
                Typed {
                    before: "cd /run",
                    fails: "",
                    after: "grep -q '^brouter_build_info' brouter.prom || cat brouter.prom",
                },
            ),
            ("bridge=xenbr0", File("/etc/brouter/dmz.conf", "")),
            ("# brouter up dmz", Session { before: "" }),
            ("systemctl enable", By("tests/packages/booted.sh", "systemctl start brouter@dmz")),
            (
                "brouter up test0",
                Typed {
                    before: "brouter down dmz >/dev/null",
                    fails: "",
                    after: "has_address test0 10.99.0.1/24; brouter down test0 >/dev/null",
                },
            ),
            ("brouter up lan0", typed("has_address lan0 2001:db8:1:2::1/64")),
            ("# brouter down lan0", Session { before: "" }),
            (
                "# brouter doctor dmz",
                Session {
                    before: "brouter up dmz >/dev/null; echo 0 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP",
                },
            ),
            ("brouter offload off", By("tests/dnsmasq.rs", "brouter offload off vif1.0")),
            ("brouter brctl show", typed("grep -q xenbr0 /run/out || cat /run/out")),
            ("mkdir -p", typed("[ -x /opt/brouter/bin/ip ] || ls -R /opt")),
            (
                "ln -s",
                Typed {
                    before: "cp \"$(command -v brouter)\" /usr/local/sbin",
                    fails: "",
                    after: "/etc/xen/scripts/network-virtual status >/run/out || cat /run/out",
                },
            ),
            (
                "brouter --install",
                Typed {
                    before: "rm /opt/brouter/bin/ip; echo other >/opt/brouter/bin/ip",
                    fails: "",
                    after: "/opt/brouter/bin/ip -V | grep -q 'ip utility' || ls -l /opt/brouter/bin",
                },
            ),
        ],
    ),
    (
        "man/ip-brouter.8",
        &[
            (
                "ip link set dev xenbr0 up",
                Typed {
                    before: "brctl addbr xenbr0",
                    fails: "",
                    after: "has_address xenbr0 192.168.10.1/24; brctl showmacs xenbr0 >/dev/null",
                },
            ),
            (
                "ip addr add 10.0.0.1/24",
                Typed {
                    before: "ip link set dev xenbr0 down; ip addr flush dev xenbr0",
                    fails: "",
                    after: "same route '10.0.0.0/24 dev xenbr0 ' \"$(/sbin/ip route show dev xenbr0 | sed 's/ .*/ dev xenbr0 /')\"; ip addr flush dev xenbr0",
                },
            ),
            ("ip addr add 192.168.10.1/24", typed("has_address xenbr0 192.168.10.1/24")),
            ("# ip addr add 192.168.11.1/24", Session { before: "" }),
            (
                "ip link add xenbr0",
                Typed {
                    before: "ip link set dev xenbr0 down; brctl delbr xenbr0",
                    fails: "",
                    after: "grep -q vif1.0 /run/out || cat /run/out",
                },
            ),
            (
                "ip route replace default",
                typed("grep -q '198.51.100.7 via 192.0.2.9 dev eth0' /run/out || cat /run/out"),
            ),
            ("ip -o link show up", typed("same up up \"$(cat /run/out)\"")),
        ],
    ),
    (
        "man/network-bridge.8",
        &[
            (
                "(network-script",
                File(
                    "/etc/xen/xend-config.sxp",
                    "/sbin/ip link add eth1 type veth peer name far1; ip link set dev far1 up; ip addr add 198.51.100.1/24 dev eth1; ip link set dev eth1 up; xend",
                ),
            ),
            (
                "network-bridge start",
                Typed {
                    before: "ip link set dev eth0 down; ip link set dev eth0 name enp3s0; ip link set dev enp3s0 up; ip route add default via 192.0.2.254",
                    fails: "",
                    after: "has_address enp3s0 192.0.2.1/24; no_link nic; ip route show default | grep -q 192.0.2.254 || ip route",
                },
            ),
        ],
    ),
    (
        "man/network-nat.8",
        &[
            (
                "iptables -t nat",
                Printed(
                    "network-nat start netdev=eth0 >/dev/null; iptables -t nat -S | sed -n '/MASQUERADE/s/eth0/netdev/p' | sed 's/^/iptables -t nat /'; \
                     network-nat stop >/dev/null",
                ),
            ),
            (
                "(network-script",
                File(
                    "/etc/xen/xend-config.sxp",
                    "/sbin/ip link add eth1 type veth peer name far1; ip link set dev eth1 up; xend",
                ),
            ),
        ],
    ),
    (
        "man/network-route.8",
        &[(
            "(network-script",
            File(
                "/etc/xen/xend-config.sxp",
                "/sbin/ip link add eth1 type veth peer name far1; ip link set dev eth1 up; xend",
            ),
        )],
    ),
    (
        "man/network-virtual.8",
        &[
            ("network-virtual start", typed("no_link xenbr0")),
            ("network-virtual start", typed("no_link xenbr0")),
            ("(network-script", File("/etc/xen/xend-config.sxp", "xend")),
            ("vif = [ 'bridge=", GUESTS_OF_XL),
            ("vif = [ 'mac=", GUESTS_OF_XL),
            ("vif.default.bridge", XL_CONF),
            (
                "[Unit]",
                File(
                    "/run/unit",
                    r#"
                    of() { sed -n ":a; /\\\\$/{N; s/\\\\\n//; ba}; s:^$1=/usr/local/sbin/::p" /run/unit; }
                    $(of ExecStart) >/run/out 2>&1 || cat /run/out; has_address xenbr0 192.168.10.1/24
                    $(of ExecStop) >/run/out 2>&1 || cat /run/out; no_link xenbr0
                    "#,
                ),
            ),
            (
                "network-virtual start vifnum=1",
                Typed {
                    before: "mkdir -p /run/usr; cp -a /usr/sbin/. /run/usr; mount --bind /run/usr /usr/sbin; printf '#!/bin/sh\necho \"$@\" >/run/service\n' >/usr/sbin/service; \
                             chmod 755 /usr/sbin/service",
                    fails: "",
                    after: "has_address xenbr1 192.168.11.1/24; same 'firewall' 'shorewall restart' \"$(cat /run/service)\"",
                },
            ),
        ],
    ),
    (
        "man/vif-bridge.8",
        &[
            ("vif = [", GUESTS_OF_XL),
            ("-m physdev", By("tests/cases/vif-bridge.cases", "--physdev-is-bridged")),
            ("vif = [", GUESTS_OF_XL),
            ("vif.default.script", XL_CONF),
            ("(vif-script", File("/etc/xen/xend-config.sxp", "xend")),
            (
                "#!/bin/sh",
                Not("xl calls it, with what xenstore has; tests/hotplug.rs calls vif-bridge with antispoof=no"),
            ),
            ("XENBUS_PATH=", By("tests/firewall/isolated.rs", "vif-bridge online")),
        ],
    ),
    (
        "man/vif-nat.8",
        &[
            ("vif = [", ROUTED_GUESTS_OF_XL),
            ("vif.default.script", XL_CONF),
            (
                "dnsmasq ",
                Typed {
                    before: "ip link set dev vif1.0 up; ip addr add 10.7.0.254 dev vif1.0; mkdir -p /run/dnsmasq",
                    fails: "",
                    after: "grep -q ':0043 ' /proc/net/udp || cat /proc/net/udp; kill $(cat /run/dnsmasq.pid /run/dnsmasq/dnsmasq.pid 2>/dev/null)",
                },
            ),
            ("XENBUS_PATH=", By("tests/routed.rs", "vif-nat online")),
        ],
    ),
    (
        "man/vif-route.8",
        &[
            ("vif = [", ROUTED_GUESTS_OF_XL),
            ("vif = [", ROUTED_GUESTS_OF_XL),
            ("vif.default.script", XL_CONF),
            ("XENBUS_PATH=", By("tests/routed.rs", "vif-route online")),
        ],
    ),
];

/// Documents whose blocks are for people who change brouter, or are data of other programs.
const OTHERS: [(&str, &str); 3] = [
    (".github/CONTRIBUTING.md", "it calls the tests themselves"),
    ("compat/ansible/README.md", "variables for Ansible: tests/hosts/fleet.sh"),
    ("tests/README.md", "it calls the tests themselves"),
];

fn main() -> ExitCode {
    let documents = DOCUMENTS.iter().map(|(path, rows)| {
        let blocks = blocks(path, &read(path));
        let needs = ["iptables", "nft", "script", "busybox", "perl", "dnsmasq", "scripts", ROOT];
        let problems = mismatch(path, rows, &blocks);
        let script = match &problems[..] {
            [] => rows.iter().zip(&blocks).map(|((_, row), block)| of_block(row, block)).collect(),
            problems => format!("cat <<'PROBLEMS'\n{}\nPROBLEMS\n", problems.join("\n")),
        };
        Test::of_script(*path, &needs, STATE, format!("{PRELUDE}{script}"), Mode::Sys)
    });
    let mut tests: Vec<Test> = documents.collect();
    tests.push(Test::new("every document with blocks is listed", &[] as &[&str], |_| match unlisted() {
        paths if paths.is_empty() => Ok(()),
        paths => Err(format!("not in DOCUMENTS: {}", paths.join(" ")).into()),
    }));
    conclude(tests)
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the documents that have blocks, and are not listed.
fn unlisted() -> Vec<String> {
    let guides = ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "tests/README.md", "compat/README.md"];
    let guides = guides.into_iter().map(String::from);
    let folders =
        ["man", "compat/docs", "compat/install", "compat/ansible", "compat/xen", "compat/image", "compat/alpine"];
    let in_folders = folders.into_iter().flat_map(|folder| {
        let entries = fs::read_dir(project().join(folder)).expect(folder);
        entries.map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()))
    });
    let is_document = |path: &String| path.ends_with(".md") || path.starts_with("man/");
    let is_listed = |path: &String| {
        DOCUMENTS.iter().any(|(listed, _)| path == listed) || OTHERS.iter().any(|(listed, _)| path == listed)
    };
    let all = guides.chain(in_folders).filter(|path| is_document(path) && !is_listed(path));
    all.filter(|path| !blocks(path, &read(path)).is_empty()).collect()
}

/// Returns the blocks of literal text of a document, without indentation.
fn blocks(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("man/") { blocks_of_page(text) } else { blocks_of_guide(text) }
}

fn blocks_of_page(text: &str) -> Vec<String> {
    let blocks = text.split("\n.Bd -literal").skip(1).filter_map(|rest| rest.split_once('\n')?.1.split_once("\n.Ed"));
    blocks.map(|(block, _)| block.replace("\\e", "\\").replace("\\&", "") + "\n").collect()
}

/// Blocks in fences, and lines that are indented by four blanks behind an empty one.
fn blocks_of_guide(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut fence: Option<usize> = None;
    let mut before = "";
    let mut is_indented = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match fence {
            Some(_) if line.trim_start() == "```" => fence = None,
            Some(indent) => blocks.last_mut().unwrap().push_str(&[line.get(indent..).unwrap_or(""), "\n"].concat()),
            None if line.trim_start().starts_with("```") => {
                fence = Some(indent);
                blocks.push(String::new());
            }
            None if indent >= 4 && (before.is_empty() || is_indented) => {
                if !is_indented {
                    blocks.push(String::new());
                }
                blocks.last_mut().unwrap().push_str(&[&line[4..], "\n"].concat());
            }
            None => (),
        }
        is_indented = fence.is_none() && indent >= 4;
        before = line;
    }
    blocks
}

/// Returns how the rows differ from the blocks that the document has.
fn mismatch(path: &str, rows: &[(&str, Block)], blocks: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for place in 0..rows.len().max(blocks.len()) {
        match (rows.get(place), blocks.get(place)) {
            (Some((start, _)), Some(block)) if block.trim_start().starts_with(start) => (),
            (row, block) => {
                let listed = row.map_or("nothing", |(start, _)| start);
                let found = block.map_or("nothing", |block| block.lines().next().unwrap_or_default());
                problems.push(format!("{path}: block {}: listed is {listed:?}, found is {found:?}", place + 1));
                break;
            }
        }
    }
    for (_, row) in rows {
        if let By(file, text) = row
            && !read(file).contains(text)
        {
            problems.push(format!("{path}: {file} does not have {text:?}"));
        }
        if let Not(reason) = row {
            assert!(!reason.is_empty());
        }
    }
    problems
}

/// Returns the script that types a block.
fn of_block(row: &Block, block: &str) -> String {
    let first = block.lines().next().unwrap_or_default().replace('\'', "");
    let quoted = format!("'{first}'");
    let written = format!("cat >/run/block <<'BLOCK'\n{block}BLOCK\n");
    let run = match row {
        Typed { before, fails, after } => {
            format!("{before}\ntyped {quoted} '{fails}'\n{after}\n")
        }
        Session { before } => format!("{before}\nsession {quoted}\n"),
        File(path, after) => format!("cp /run/block {path}\n{after}\n"),
        Printed(script) => {
            format!("printed() {{\n{script}\n}}\nsame {quoted} \"$(mask </run/block)\" \"$(printed | mask)\"\n")
        }
        By(..) | Not(_) => return String::new(),
    };
    written + &run
}
