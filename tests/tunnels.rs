//! Compares what `ip tunnel` asks the kernel for with what iproute2's asks it for. The kernel of the tests may have no tunnels, so
//! a tracer (`tunnels.c`) prints each request with the bytes of its structure, and answers it.
//!
//! The rows of `cases/ip-tunnel.cases` are run so, and `show` and `change` of the tunnels below.

mod harness;

use std::fs;
use std::process::{Command, ExitCode};

use libtest_mimic::Failed;

use harness::hosts::{Hosts, Programs, Reuse};
use harness::outcome::Outcome;
use harness::table::{self, Mode};
use harness::{Test, conclude, report};

const C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tunnels.c");
const LINKS: &str = "ip link add v1 type veth peer name p1";
/// Answers that there is no such tunnel.
const NONE: &str = "-";

/// `GRE_CSUM`, `GRE_KEY`, `GRE_SEQ` (linux/if_tunnel.h), and the flag of a tunnel for IPsec or ISATAP, which has the machine's byte
/// order: that of x86_64.
const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const SPECIAL: u16 = 0x0100;

/// A `struct ip_tunnel_parm`.
#[derive(Clone, Copy)]
struct Tunnel {
    name: &'static str,
    link: u32,
    flags: [u16; 2],
    keys: [u32; 2],
    tos: u8,
    fragment: u8,
    ttl: u8,
    protocol: i32,
    local: [u8; 4],
    remote: [u8; 4],
}

const GRE: Tunnel = Tunnel {
    name: "gre1",
    link: 0,
    flags: [0; 2],
    keys: [0; 2],
    tos: 0,
    fragment: 0x40,
    ttl: 0,
    protocol: libc::IPPROTO_GRE,
    local: [0; 4],
    remote: [0; 4],
};

const BOTH: u16 = SEQUENCE | CHECKSUM | KEY;

const TUNNELS: [Tunnel; 17] = [
    GRE,
    Tunnel { ttl: 64, local: [10, 0, 0, 1], remote: [10, 0, 0, 2], ..GRE },
    Tunnel { flags: [BOTH, KEY], keys: [5, 5], tos: 1, ..GRE },
    Tunnel { flags: [BOTH, BOTH], keys: [5, 6], tos: 0x10, fragment: 0, link: 1, ..GRE },
    Tunnel { flags: [0, SEQUENCE | KEY], keys: [0, 0x0102_0304], tos: 0x11, ..GRE },
    Tunnel { flags: [CHECKSUM, 0], ..GRE },
    Tunnel { tos: 0xb8, ..GRE },
    Tunnel { tos: 0xb9, link: 99, ..GRE },
    Tunnel { name: "ipip1", protocol: libc::IPPROTO_IPIP, remote: [192, 0, 2, 1], ..GRE },
    Tunnel { name: "vti1", protocol: libc::IPPROTO_IPIP, flags: [KEY | SPECIAL, KEY], keys: [7, 7], ..GRE },
    Tunnel { name: "sit1", protocol: libc::IPPROTO_IPV6, remote: [192, 0, 2, 1], ttl: 255, ..GRE },
    Tunnel { name: "isatap1", protocol: libc::IPPROTO_IPV6, flags: [SPECIAL, 0], local: [192, 0, 2, 1], ..GRE },
    Tunnel { protocol: libc::IPPROTO_MPLS, ..GRE },
    Tunnel { protocol: libc::IPPROTO_ESP, ..GRE },
    Tunnel { protocol: 0, ..GRE },
    Tunnel { protocol: 99, ..GRE },
    Tunnel { name: "t1", ..GRE },
];

impl Tunnel {
    fn bytes(&self) -> Vec<u8> {
        let mut name = self.name.as_bytes().to_vec();
        name.resize(16, 0);
        let header = [0x45, self.tos, 0, 0, 0, 0, self.fragment, 0, self.ttl, self.protocol as u8, 0, 0];
        [
            name.as_slice(),
            &self.link.to_le_bytes(),
            &self.flags[0].to_be_bytes(),
            &self.flags[1].to_be_bytes(),
            &self.keys[0].to_be_bytes(),
            &self.keys[1].to_be_bytes(),
            &header,
            &self.local,
            &self.remote,
        ]
        .concat()
    }

    /// Returns commands that read it, each with its answer.
    fn commands(&self) -> Vec<(String, String)> {
        let parameters: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.name;
        let commands = [
            format!("ip tunnel show {name} mode gre"),
            format!("ip tunnel show {name}"),
            format!("ip -o tunnel show {name}"),
            format!("ip -N tunnel show {name}"),
            format!("ip -s -j tunnel show {name}"),
            format!("ip -c=always tunnel show {name}"),
            format!("ip tunnel change {name} remote 10.9.9.9 ttl 9"),
            format!("ip tunnel change {name} mode gre key 3"),
            format!("ip tunnel change name {name} tos inherit nopmtudisc"),
            format!("ip tunnel change remote 10.9.9.9 {name}"),
        ];
        commands.into_iter().map(|command| (parameters.clone(), command)).collect()
    }
}

fn main() -> ExitCode {
    let folder = std::env::temp_dir().join(format!("brouter-tunnels-{}", std::process::id()));
    let tracer = folder.join("tunnels").display().to_string();
    if let Err(reason) = fs::create_dir_all(&folder).map_err(|error| error.to_string()).and_then(|()| compile(&tracer))
    {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let rows = table::read("ip-tunnel").into_iter().map(|case| (NONE.to_owned(), case.command));
    let commands = TUNNELS.iter().flat_map(Tunnel::commands).chain(rows);
    let test = |(number, (answer, command)): (usize, (String, String))| {
        let traced = format!("{tracer} {answer} {command}");
        Test::new(format!("{number}: {command}"), &["ip"], move |hosts| check(hosts, &traced))
    };
    let status = conclude(commands.enumerate().map(test).collect());
    let _ = fs::remove_dir_all(folder);
    status
}

fn check(hosts: &Hosts, command: &str) -> Result<(), Failed> {
    Reuse::if_unchanged(|reuse| {
        let look = |programs| {
            let run = hosts.run_in(reuse, None, programs, LINKS, command, Mode::Sys)?;
            Ok::<_, Failed>(Outcome::of(&run, false))
        };
        report::compare(&look(Programs::Original)?, &look(Programs::Ours)?).map_err(Failed::from)
    })
}

fn compile(to: &str) -> Result<(), String> {
    let output = Command::new("cc").args(["-O1", "-Wall", "-Wextra", "-o", to, C]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("cc {C}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("cc: {error} (Debian: apt-get install gcc libc6-dev)")),
    }
}
