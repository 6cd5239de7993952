//! Each line that brouter needs, and others, on hosts with rules of others.

use brouter::firewall::chain::Table;
use brouter::firewall::table::KernelTables;
use brouter::kernel::Kernel;
use brouter::net::Family;
use libtest_mimic::{Failed, Trial};

use crate::host::{Host, keeps_policy_counters};

/// What a host has before a change, for both families: `NET` and `HOST` stand for a network and an address.
const STATES: [(&str, &str); 6] = [
    ("empty", "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"),
    (
        "counted",
        "*filter\n:INPUT ACCEPT [1:2]\n:FORWARD DROP [3:4]\n:OUTPUT ACCEPT [5:6]\n[7:8] -A FORWARD -i eth0 -j ACCEPT\n\
         [9:10] -A FORWARD -s NET -j DROP\n[11:12] -A FORWARD -i eth0 -j ACCEPT\n[13:14] -A INPUT -i lo -j ACCEPT\nCOMMIT\n\
         *nat\n:PREROUTING ACCEPT [15:16]\n:INPUT ACCEPT [17:18]\n:OUTPUT ACCEPT [19:20]\n:POSTROUTING ACCEPT [21:22]\n\
         [23:24] -A POSTROUTING -s NET ! -o xenbr0 -j MASQUERADE\n[25:26] -A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n",
    ),
    (
        "chains",
        "*filter\n:INPUT DROP [1:1]\n:FORWARD ACCEPT [18446744073709551615:18446744073709551615]\n:OUTPUT ACCEPT [2:2]\n\
         :DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n:zone - [0:0]\n[1:60] -A FORWARD -j DOCKER-USER\n\
         [2:120] -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n[3:180] -A FORWARD -o docker0 -j DOCKER\n\
         [4:240] -A FORWARD -i docker0 -g zone\n[5:300] -A FORWARD\n[6:360] -A DOCKER -d HOST -p tcp -m tcp --dport 80 -j ACCEPT\n\
         [7:420] -A DOCKER-USER -j RETURN\n[8:480] -A zone -p udp -j DOCKER\n[9:540] -A zone -j DROP\nCOMMIT\n\
         *nat\n:PREROUTING ACCEPT [1:1]\n:INPUT ACCEPT [2:2]\n:OUTPUT ACCEPT [3:3]\n:POSTROUTING DROP [4:4]\n:DOCKER - [0:0]\n\
         [1:1] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n[2:2] -A OUTPUT -j DOCKER\n[3:3] -A DOCKER -i docker0 -j RETURN\n\
         [4:4] -A POSTROUTING -s NET ! -o docker0 -j MASQUERADE\nCOMMIT\n",
    ),
    (
        "guests",
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n\
         [1:1] -A FORWARD -m physdev --physdev-out vif2.0 --physdev-is-bridged -j ACCEPT\n\
         [2:2] -A FORWARD -m physdev --physdev-in vif2.0 --physdev-is-bridged -p udp -m udp --sport 68 --dport 67 -j ACCEPT\n\
         [3:3] -A FORWARD -m physdev --physdev-out vif1.0 --physdev-is-bridged -j ACCEPT\n\
         [4:4] -A FORWARD -s HOST -m physdev --physdev-in vif1.0 --physdev-is-bridged -j ACCEPT\n\
         [5:5] -A FORWARD -m physdev --physdev-out vif1.0 --physdev-is-bridged -j ACCEPT\n[6:6] -A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n",
    ),
    (
        "published",
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n\
         [1:2] -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT\n[3:4] -A FORWARD -m state --state NEW -j DROP\nCOMMIT\n\
         *nat\n:PREROUTING ACCEPT [1:1]\n:INPUT ACCEPT [2:2]\n:OUTPUT ACCEPT [3:3]\n:POSTROUTING ACCEPT [4:4]\n\
         [9:9] -A PREROUTING -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination HOST\n\
         [8:8] -A OUTPUT -p udp -m udp --dport 53 -j DNAT --to-destination HOST\nCOMMIT\n",
    ),
    (
        "jumps that end a chain",
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n:b - [0:0]\n:c - [0:0]\n:d - [0:0]\n[1:1] -A INPUT -j a\n\
         [2:2] -A FORWARD -j b\n[3:3] -A OUTPUT\n[4:4] -A a\n[5:5] -A a -j b\n[6:6] -A b -j c\n[7:7] -A b\n[8:8] -A c -g d\nCOMMIT\n",
    ),
];

/// Lines for both families.
const LINES: &[&str] = &[
    "-t nat -A POSTROUTING -s NET ! -o xenbr0 -j MASQUERADE",
    "-t nat -D POSTROUTING -s NET ! -o xenbr0 -j MASQUERADE",
    "-t nat -I POSTROUTING -o eth0 -j MASQUERADE",
    "-t nat -D POSTROUTING -o eth0 -j MASQUERADE",
    "-t nat -A PREROUTING -p tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination HOST",
    "-t nat -D PREROUTING -p tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination HOST",
    "-t nat -A OUTPUT -p udp --dport 8000:8010 -m addrtype ! --dst-type LOCAL -j DNAT --to-destination BOUND:53",
    "-t nat -I OUTPUT ! -d NET -p tcp ! --dport 22 -j DNAT --to-destination BOUND:8000-8010",
    "-A FORWARD -i eth0 -j ACCEPT",
    "-D FORWARD -i eth0 -j ACCEPT",
    "-I FORWARD -i abcdefghijklmno -j DROP",
    "-A FORWARD -i eth0 -o xenbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT",
    "-D FORWARD -m conntrack --ctstate DNAT -j ACCEPT",
    "-I FORWARD -m conntrack ! --ctstate INVALID,NEW -j DROP",
    "-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT",
    "-D FORWARD -m state --state NEW -j DROP",
    "-I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -j ACCEPT",
    "-I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -s HOST -j ACCEPT",
    "-D FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -s HOST -j ACCEPT",
    "-I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -p udp --sport 68 --dport 67 -j ACCEPT",
    "-D FORWARD -m physdev --physdev-is-bridged --physdev-in vif2.0 -p udp --sport 68 --dport 67 -j ACCEPT",
    "-D FORWARD -m physdev --physdev-is-bridged --physdev-out vif1.0 -j ACCEPT",
    "-A FORWARD -m physdev ! --physdev-is-bridged ! --physdev-in vif1.0 --physdev-out vif2.0 -j DROP",
    "-A FORWARD ! -s HOST ! -d NET ! -i eth0 ! -o eth1 ! -p tcp -j RETURN",
    "-A INPUT -p tcp ! --sport 1:1023 --dport 80 -m addrtype --src-type LOCAL ! --dst-type LOCAL -j ACCEPT",
    "-A OUTPUT -d HOST/PLEN -p udp --dport 65535 -j DROP",
    "-A FORWARD -s 0ANY -j ACCEPT",
    "-F FORWARD",
    "-F INPUT",
    "-P FORWARD DROP",
    "-P FORWARD ACCEPT",
    "-P INPUT DROP",
];

/// Lines for one family.
const LINES_V4: &[&str] = &["-A FORWARD -p icmp -j ACCEPT", "-A INPUT -s 10.0.0.1/255.255.0.0 -j DROP"];
const LINES_V6: &[&str] = &["-A FORWARD -p icmpv6 -j ACCEPT", "-I FORWARD -s fe80::/10 -d ff02::1 -j DROP"];

pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = Vec::new();
    for family in Family::BOTH {
        for (name, state) in STATES {
            let (host, state) = (Host(family), filled(family, state));
            tests.push(Trial::test(format!("{name}: {} -S", host.program("")), move || list(host, &state)));
        }
        let own = if family == Family::V4 { LINES_V4 } else { LINES_V6 };
        for (name, state) in STATES {
            for line in LINES.iter().chain(own) {
                let line = filled(family, line);
                let state = filled(family, state);
                let program = Host(family).program("");
                tests.push(Trial::test(format!("{name}: {program} {line}"), move || {
                    compare(Host(family), &state, &line)
                }));
            }
        }
    }
    tests
}

fn filled(family: Family, text: &str) -> String {
    let [net, host, bound, length, any] = match family {
        Family::V4 => ["10.0.0.0/24", "10.0.0.7", "10.0.0.7", "32", "0.0.0.0/0"],
        Family::V6 => ["fd00::/64", "fd00::7", "[fd00::7]", "128", "::/0"],
    };
    let words = [("0ANY", any), ("PLEN", length), ("NET", net), ("HOST", host), ("BOUND", bound)];
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// Compares our listing with that of iptables-legacy.
fn list(host: Host, state: &str) -> Result<(), Failed> {
    prepare(host, state)?;
    for table in [Table::Filter, Table::Nat] {
        let listed = host.iptables(&format!("-t {table} -S")).stdout;
        let listed = String::from_utf8_lossy(&listed);
        let wanted: Vec<&str> = listed.lines().filter(|line| line.starts_with("-A")).collect();
        let got = KernelTables::new(&Kernel::running()).lines(host.0, table).map_err(|error| error.to_string())?;
        if got != wanted {
            return Err(format!("iptables:\n{}\nours:\n{}", wanted.join("\n"), got.join("\n")).into());
        }
    }
    Ok(())
}

/// Makes a change by iptables-legacy and by ours, from one state, and compares what they leave.
pub(crate) fn compare(host: Host, state: &str, line: &str) -> Result<(), Failed> {
    prepare(host, state)?;
    let said = host.iptables(line);
    let wanted = (host.save(), [host.entries(Table::Filter), host.entries(Table::Nat)]);
    prepare(host, state)?;
    let done = host.change(&[line]);
    let got = (host.save(), [host.entries(Table::Filter), host.entries(Table::Nat)]);
    if got.0 != wanted.0 {
        return Err(format!("before:\n{state}\niptables:\n{}\nours: {done:?}\n{}", wanted.0, got.0).into());
    }
    if done.is_ok() != said.status.success() {
        return Err(format!("iptables: {said:?}, ours: {done:?}").into());
    }
    // with the counters of policies
    if got.1 != wanted.1 && !keeps_policy_counters() {
        return Err(format!("the kernel has other bytes: {:x?}\n{:x?}", wanted.1, got.1).into());
    }
    Ok(())
}

/// Empties both tables, then fills them.
pub(crate) fn prepare(host: Host, state: &str) -> Result<(), Failed> {
    const NAT: &str = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n";
    if !state.contains("*nat") {
        host.restore(NAT)?;
    }
    host.restore(state)
}
