//! Measures attaching and detaching a guest's interface: our programs and the scripts of Xen 4.17, alternately, with a real
//! xenstored, without and with firewall rules.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::host::Host;
use crate::step::{Step, medians};
use crate::{Bench, xenstored};

// /run is private to this process
const XEN: &str = "/run/xen";
const BACKEND: &str = "/local/domain/0/backend/vif/1/0";

/// A script of Xen and ours.
struct Script<'a> {
    name: &'a str,
    ours: &'a Path,
    /// Arguments after the command: with them ours does the same.
    words: &'a str,
    /// Ratios that are expected of the times of online and offline.
    expected: [f64; 2],
}

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    xenstored::prepare(Path::new(XEN), Path::new("/run"))?;
    let [our_vif_bridge, our_vif_route, our_vif_nat] =
        [&bench.programs.our_vif_bridge, &bench.programs.our_vif_route, &bench.programs.our_vif_nat]
            .map(PathBuf::clone);
    let host = Host::new()?;
    let links = "link add vif1.0 type veth peer name g1\nlink set g1 up\n\
                 link add eth0 type veth peer name out0\nlink set eth0 up\naddr add 192.168.7.2/24 dev eth0\n";
    bench.programs.make_links(&host, links)?;
    Step::new(&host, &bench.programs.brctl, "addbr xenbr0").run()?;
    let _daemon = Daemon::start(&host)?;
    let setting = Setting::new(&host);
    for (key, value) in [("bridge", "xenbr0"), ("ip", "192.168.7.50"), ("frontend-id", "1"), ("handle", "0")] {
        setting.step(Path::new("/run/xen/root/usr/bin/xenstore-write"), &format!("{BACKEND}/{key} {value}")).run()?;
    }
    let bridge = Script {
        name: "vif-bridge",
        ours: &our_vif_bridge,
        words: "type_if=vif antispoof=no",
        expected: [1.0 / 25.0, 1.0 / 15.0],
    };
    let route = Script {
        name: "vif-route",
        ours: &our_vif_route,
        words: "type_if=vif antispoof=no reach=none",
        expected: [1.0 / 40.0, 1.0 / 40.0],
    };
    let nat = Script {
        name: "vif-nat",
        ours: &our_vif_nat,
        words: "type_if=vif antispoof=no",
        expected: [1.0 / 40.0, 1.0 / 40.0],
    };
    let with_rules =
        Script { name: "vif-bridge", ours: &our_vif_bridge, words: "type_if=vif", expected: [1.0 / 60.0, 1.0 / 40.0] };
    measure_script(bench, &setting, &bridge)?;
    measure_script(bench, &setting, &route)?;
    measure_script(bench, &setting, &nat)?;
    // rules in the kernel's own tables, which are in use
    host.replace(&bench.programs.iptables, &bench.programs.iptables_legacy)?;
    Step::new(&host, &bench.programs.iptables, "-P FORWARD DROP").run()?;
    measure_script(bench, &setting, &with_rules)
}

/// What the scripts are called with.
struct Setting<'a> {
    host: &'a Host,
    environment: [(&'static str, String); 3],
    path: String,
}

impl<'a> Setting<'a> {
    fn new(host: &'a Host) -> Self {
        let environment = [
            ("vif", String::from("vif1.0")),
            ("XENBUS_PATH", String::from(BACKEND)),
            ("LD_LIBRARY_PATH", format!("{XEN}/root/usr/lib/x86_64-linux-gnu")),
        ];
        Setting { host, environment, path: format!("/usr/sbin:/usr/bin:/sbin:/bin:{XEN}/root/usr/bin") }
    }

    fn step<'s>(&'s self, program: &'s Path, words: &'s str) -> Step<'s> {
        Step::new(self.host, program, words).with_environment(&self.environment).with_path(&self.path)
    }
}

fn measure_script(bench: &mut Bench, setting: &Setting, script: &Script) -> Result<(), String> {
    let programs = &bench.programs;
    let has_rules = !script.words.contains("antispoof=no");
    // Debian's scripts make no rules
    let folder = if has_rules { "scripts-with-rules" } else { "scripts" };
    let theirs = Path::new(XEN).join(folder).join(script.name);
    let words = |command: &str| format!("{command} {}", script.words);
    let (online, offline) = (words("online"), words("offline"));
    let [our_online, our_offline] = [&online, &offline].map(|words| setting.step(script.ours, words));
    let [their_online, their_offline] = [&online, &offline].map(|words| setting.step(&theirs, words));
    let has_rules = !script.words.contains("antispoof=no");
    let state = || {
        let rules = match has_rules {
            true => Step::new(setting.host, &programs.iptables, "-S").output()?.stdout,
            false => Vec::new(),
        };
        let links = setting.step(&programs.ip, "-o link show dev vif1.0").output()?;
        let routes = setting.step(&programs.ip, "route show dev vif1.0").output()?;
        let keys = setting.step(Path::new("/run/xen/root/usr/bin/xenstore-ls"), "-f /local").output()?;
        Ok::<_, String>([links.stdout, routes.stdout, keys.stdout, rules].concat())
    };
    // as netback creates it: Xen's vif-route leaves it on, and to switch it off takes the kernel longer than all of ours
    let flush = || setting.step(&programs.ip, "addr flush dev vif1.0");
    let reset = || setting.step(&programs.ip, "link set vif1.0 down");
    let mut states = Vec::new();
    for [online, offline] in [[&our_online, &our_offline], [&their_online, &their_offline]] {
        online.run()?;
        let on = state()?;
        offline.run()?;
        states.push((on, state()?));
        flush().run()?;
        reset().run()?;
    }
    if states[0] != states[1] {
        return Err(format!("{} leaves another state than Xen's script", script.name));
    }
    let rounds = bench.rounds(40);
    let count = |step: &Step| step.system_calls(&programs.strace);
    // Xen's scripts for routes fail if those are there
    let our_calls = [count(&our_online)?, count(&our_offline)?];
    // vif-nat leaves its address, and Xen's fails if it is there
    flush().run()?;
    reset().run()?;
    let their_calls = [count(&their_online)?, count(&their_offline)?];
    let steps = [our_online, our_offline, flush(), reset(), their_online, their_offline, flush(), reset()];
    let [our_online, our_offline, _, _, their_online, their_offline, ..] = medians(rounds, steps)?;
    let table = &mut bench.table;
    let rules = if has_rules { "with" } else { "without" };
    table.begin(&format!("{} {rules} rules, {rounds} rounds", script.name));
    table.line("online, to Xen 4.17's script", our_online, their_online, script.expected[0]);
    table.line("offline, to Xen 4.17's script", our_offline, their_offline, script.expected[1]);
    table.line("online, system calls", our_calls[0], their_calls[0], 0.05);
    table.line("offline, system calls", our_calls[1], their_calls[1], 0.05);
    Ok(())
}

/// A running xenstored. Dropping it closes the standard input of the shell that started it, which ends both.
struct Daemon(Child);

impl Daemon {
    fn start(host: &Host) -> Result<Self, String> {
        host.enter()?;
        let failed = |error| format!("cannot start xenstored: {error}");
        let shell = format!("set -e; xen={XEN}; . $xen/xenstored.sh; echo started; read || :");
        let mut daemon = Command::new("bash")
            .args(["-c", &shell])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Daemon)
            .map_err(failed)?;
        let mut said = String::new();
        if let Some(output) = daemon.0.stdout.take() {
            BufReader::new(output).read_line(&mut said).map_err(failed)?;
        }
        if said == "started\n" { Ok(daemon) } else { Err("cannot start xenstored".into()) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
