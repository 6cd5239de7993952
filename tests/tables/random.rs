//! Random rules of others, with every match and target that Debian's iptables offers and this kernel has.

use brouter::net::Family;
use libtest_mimic::{Failed, Trial};

use crate::cases::compare;
use crate::host::Host;

/// Rule sets of each family.
const SETS: u64 = 150;

/// Matches of both families.
const MATCHES: &[&str] = &[
    "-i eth0",
    "! -i eth+",
    "-o abcdefghijklmno",
    "! -o br0",
    "-s @N",
    "! -d @H",
    "-p tcp",
    "! -p udp",
    "-p 47",
    "-p tcp -m tcp --sport 1024:65535 --dport 22",
    "-p tcp -m tcp --tcp-flags SYN,RST SYN",
    "-p tcp -m tcp --tcp-option 7",
    "-p udp -m udp ! --sport 53",
    "-p udplite",
    "-p sctp -m sctp --dport 80 --chunk-types any DATA,INIT",
    "-p dccp -m dccp --dport 80 --dccp-types REQUEST",
    "-p tcp -m multiport --dports 80,443,8000:8010",
    "-p udp -m multiport ! --ports 53,67",
    "-p esp -m esp --espspi 1:7",
    "-p ipcomp -m ipcomp --ipcompspi 9",
    "-p tcp -m tcpmss --mss 1:1000",
    "-p tcp -m connbytes --connbytes 1:10 --connbytes-dir both --connbytes-mode packets",
    "-m connlabel --label 5",
    "-p tcp -m connlimit --connlimit-above 3",
    "-m connmark --mark 0x7/0xff",
    "-m conntrack --ctstate RELATED,ESTABLISHED",
    "-m conntrack --ctstate DNAT --ctproto 6 --ctorigdst @H",
    "-m conntrack --ctexpire 1:60",
    "-m state --state NEW,UNTRACKED",
    "-m cpu --cpu 0",
    "-m devgroup --src-group 5",
    "-m dscp --dscp 0x0a",
    "-m tos --tos 0x10/0x3f",
    "-m ecn --ecn-ip-ect 2",
    "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 7 --hashlimit-mode srcip --hashlimit-name one",
    "-m hashlimit --hashlimit-above 100kb/s --hashlimit-mode dstip,dstport --hashlimit-name two",
    "-m helper --helper ftp",
    "-m iprange --src-range @L-@U",
    "-m length --length 1:1500",
    "-m limit --limit 5/min --limit-burst 9",
    "-m mac --mac-source 02:00:00:00:00:01",
    "-m mark --mark 0x1/0xffffffff",
    "-m osf --genre Linux",
    "-m owner --uid-owner 1000",
    "-m physdev --physdev-in vif1.0 --physdev-is-bridged",
    "-m pkttype --pkt-type multicast",
    "-m policy --dir in --pol ipsec --proto esp --mode tunnel",
    "-m quota --quota 1000000",
    "-m recent --set --name DEFAULT --rsource",
    "-m recent --update --seconds 60 --hitcount 3 --name two --rsource",
    "-m realm --realm 5",
    "-m socket --transparent",
    "-m statistic --mode random --probability 0.25",
    "-m statistic --mode nth --every 3 --packet 1",
    "-m string --string secret --algo bm --to 100",
    "-m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue",
    "-m u32 --u32 0x0&0xffff=0x1:0x100",
    "-m addrtype --dst-type LOCAL",
    "-m addrtype --src-type UNICAST --limit-iface-in",
    "-m comment --comment one",
    "-m comment --comment \"a text, with 'quotes' and more\"",
    "-m bpf --bytecode \"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\"",
    "-m cgroup --cgroup 5",
    "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7",
    "-m nfacct --nfacct-name none",
    "-m rpfilter --loose",
    "-m ipvs --ipvs",
    "-m set --match-set none src",
];

const MATCHES_V4: &[&str] = &[
    "-p icmp -m icmp --icmp-type 8",
    "-p icmp -m icmp ! --icmp-type any",
    "-m ttl --ttl-lt 5",
    "-p ah -m ah --ahspi 1:2",
    "-f",
];
const MATCHES_V6: &[&str] = &[
    "-p icmpv6 -m icmp6 --icmpv6-type 135",
    "-m hl --hl-gt 5",
    "-m ah --ahspi 1:2",
    "-m dst --dst-len 8",
    "-m hbh --hbh-len 8",
    "-m eui64",
    "-m frag --fragid 1:2 --fragfirst",
    "-m ipv6header --header hop,route --soft",
    "-p mh -m mh --mh-type 1:3",
    "-m rt --rt-type 0",
    "-m srh --srh-next-hdr 17",
];

/// Targets of table filter.
const TARGETS: &[&str] = &[
    "",
    "-j ACCEPT",
    "-j DROP",
    "-j RETURN",
    "-j one",
    "-j two",
    "-g one",
    "-g three",
    "-j REJECT",
    "-p tcp -j REJECT --reject-with tcp-reset",
    "-j LOG --log-prefix \"a prefix \" --log-level 4 --log-uid",
    "-j NFLOG --nflog-group 3 --nflog-prefix one",
    "-j NFQUEUE --queue-num 7 --queue-bypass",
    "-j NFQUEUE --queue-balance 1:3",
    "-j AUDIT --type drop",
    "-j CONNMARK --set-xmark 0x1/0xff",
    "-j CONNMARK --save-mark",
    "-j MARK --set-xmark 0x1/0xffffffff",
    "-j MARK --and-mark 0xf",
    "-j TEE --gateway @H",
    "-j RATEEST --rateest-name one --rateest-interval 250ms --rateest-ewmalog 500ms",
    "-j IDLETIMER --timeout 60 --label one",
    "-p tcp -m tcp --syn -j SYNPROXY --sack-perm --timestamp --mss 1460 --wscale 7",
    "-j CLASSIFY --set-class 1:7",
    "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    "-j CT --notrack",
    "-j TRACE",
    "-j CHECKSUM --checksum-fill",
    "-j LED --led-trigger-id one",
    "-j SET --add-set none src",
];

/// Targets of table nat, with their chains.
const NAT_TARGETS: &[(&str, &str)] = &[
    ("POSTROUTING", "-j MASQUERADE"),
    ("POSTROUTING", "-p tcp -j MASQUERADE --to-ports 1024-65535"),
    ("POSTROUTING", "-j MASQUERADE --random"),
    ("POSTROUTING", "-j SNAT --to-source @H"),
    ("POSTROUTING", "-p udp -j SNAT --to-source @B:1024-2048 --persistent"),
    ("INPUT", "-j SNAT --to-source @H"),
    ("PREROUTING", "-j DNAT --to-destination @H"),
    ("PREROUTING", "-p tcp -m tcp --dport 80 -j DNAT --to-destination @B:8080"),
    ("PREROUTING", "-p tcp -m tcp --dport 8000:8010 -j DNAT --to-destination @B:9000-9010/8000"),
    ("PREROUTING", "-p tcp -j REDIRECT --to-ports 8080"),
    ("OUTPUT", "-j REDIRECT"),
    ("PREROUTING", "-d @N -j NETMAP --to @N"),
    ("POSTROUTING", "-j one"),
    ("OUTPUT", "-g two"),
    ("PREROUTING", "-j ACCEPT"),
    ("POSTROUTING", "-j LOG"),
    ("INPUT", ""),
];

/// What is done to a random set.
const LINES: &[&str] = &[
    "-I FORWARD -m physdev --physdev-is-bridged --physdev-in vif1.0 -s @H -j ACCEPT",
    "-A FORWARD -i eth0 -j ACCEPT",
    "-D FORWARD -i eth0 -j ACCEPT",
    "-A INPUT -p udp --dport 67 -j ACCEPT",
    "-D OUTPUT -p tcp -j DROP",
    "-P FORWARD DROP",
    "-F FORWARD",
    "-t nat -A POSTROUTING -s @N ! -o xenbr0 -j MASQUERADE",
    "-t nat -I PREROUTING -p tcp --dport 80 -m addrtype --dst-type LOCAL -j DNAT --to-destination @B:8080",
    "-t nat -D POSTROUTING -s @N -j MASQUERADE",
];

/// Chains of users.
const CHAINS: &str = ":one - [0:0]\n:two - [0:0]\n:three - [0:0]\n";

/// xorshift64*: the same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What this host takes.
struct Vocabulary {
    /// Each with the first chain that takes it.
    matches: Vec<(&'static str, String)>,
    targets: Vec<String>,
    nat: Vec<(&'static str, String)>,
}

pub(crate) fn tests() -> Vec<Trial> {
    let random = |family| move || sets(Host(family));
    Family::BOTH
        .into_iter()
        .map(|family| Trial::test(format!("{SETS} random sets of rules: {}", Host(family).program("")), random(family)))
        .collect()
}

fn sets(host: Host) -> Result<(), Failed> {
    let vocabulary = vocabulary(host)?;
    for seed in 1..=SETS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let state = set(&vocabulary, &mut random);
        let line = filled(host, LINES[random.below(LINES.len())]);
        compare(host, &state, &line)
            .map_err(|failed| Failed::from(format!("seed {seed}: {line}\n{}", failed.message().unwrap_or_default())))?;
    }
    Ok(())
}

/// Tries each match and target once. What this kernel does not have is left out; it must be little.
fn vocabulary(host: Host) -> Result<Vocabulary, Failed> {
    let own = if host.0 == Family::V4 { MATCHES_V4 } else { MATCHES_V6 };
    let mut refused = Vec::new();
    // some are for some chains only
    let mut chain_for = |table: &str, chains: &[&'static str], rule: &str| {
        let is_taken = |chain: &&str| host.restore(&format!("*{table}\n{CHAINS}-A {chain} {rule}\nCOMMIT\n")).is_ok();
        let taken = chains.iter().copied().find(is_taken);
        if taken.is_none() {
            refused.push(rule.to_owned());
        }
        taken
    };
    let matches = MATCHES.iter().chain(own).map(|text| filled(host, text));
    let matches: Vec<_> =
        matches.filter_map(|text| Some((chain_for("filter", &["FORWARD", "INPUT", "OUTPUT"], &text)?, text))).collect();
    let targets = TARGETS.iter().map(|text| filled(host, text));
    let targets: Vec<String> = targets.filter(|text| chain_for("filter", &["FORWARD"], text).is_some()).collect();
    let nat = NAT_TARGETS.iter().map(|(chain, text)| (*chain, filled(host, text)));
    let nat: Vec<_> = nat.filter(|(chain, text)| chain_for("nat", &[chain], text).is_some()).collect();
    eprintln!(
        "{}: {} matches, {} targets, {} of nat; refused: {refused:#?}",
        host.program(""),
        matches.len(),
        targets.len(),
        nat.len()
    );
    if matches.len() < 45 || targets.len() < 18 || nat.len() < 14 {
        return Err("this kernel has too few matches and targets".into());
    }
    Ok(Vocabulary { matches, targets, nat })
}

/// Returns a random content of both tables.
fn set(vocabulary: &Vocabulary, random: &mut Random) -> String {
    let mut text = String::from("*filter\n");
    let counters = |random: &mut Random| match random.below(3) {
        0 => "[0:0]".to_owned(),
        _ => format!("[{}:{}]", random.below(1 << 30), random.below(1 << 30) as u64 * 1000),
    };
    for chain in ["INPUT", "FORWARD", "OUTPUT"] {
        text += &format!(":{chain} {} {}\n", random.pick(&["ACCEPT", "DROP"]), counters(random));
    }
    text += CHAINS;
    for _ in 0..random.below(30) {
        let some = (random.below(6) > 0).then(|| &vocabulary.matches[random.below(vocabulary.matches.len())]);
        let chain = match some {
            Some((chain, _)) if *chain != "FORWARD" => chain,
            _ => *random.pick(&["FORWARD", "FORWARD", "FORWARD", "one", "two", "three"]),
        };
        // one may go on to two and three, these to none: a loop is refused
        let is_own = |target: &&String| match chain {
            "two" | "three" => !["-j one", "-j two", "-g one", "-g three"].contains(&target.as_str()),
            "one" => !["-j one", "-g one"].contains(&target.as_str()),
            // some targets are for some chains only
            "INPUT" | "OUTPUT" => ["", "-j ACCEPT", "-j DROP", "-j RETURN", "-j REJECT"].contains(&target.as_str()),
            _ => true,
        };
        let targets: Vec<&String> = vocabulary.targets.iter().filter(is_own).collect();
        let target = *random.pick(&targets);
        // a target that names a protocol stands alone
        let some = some.filter(|_| !target.starts_with("-p")).map_or("", |(_, text)| text);
        text += &format!("{} -A {chain} {some} {target}\n", counters(random));
    }
    for line in ["-A FORWARD -i eth0 -j ACCEPT", "-A OUTPUT -p tcp -j DROP"] {
        if random.below(2) == 0 {
            text += &format!("{} {line}\n", counters(random));
        }
    }
    text += "COMMIT\n*nat\n";
    for chain in ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"] {
        text += &format!(":{chain} ACCEPT {}\n", counters(random));
    }
    text += CHAINS;
    text += "[1:1] -A one -j RETURN\n";
    for _ in 0..random.below(12) {
        let (chain, target) = random.pick(&vocabulary.nat);
        text += &format!("{} -A {chain} {target}\n", counters(random));
    }
    text + "COMMIT\n"
}

fn filled(host: Host, text: &str) -> String {
    let [net, address, bound, low, high] = match host.0 {
        Family::V4 => ["10.0.0.0/24", "10.0.0.7", "10.0.0.7", "10.0.0.1", "10.0.0.9"],
        Family::V6 => ["fd00::/64", "fd00::7", "[fd00::7]", "fd00::1", "fd00::9"],
    };
    let words = [("@N", net), ("@H", address), ("@B", bound), ("@L", low), ("@U", high)];
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}
