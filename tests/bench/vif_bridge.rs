//! Measures attaching and detaching a guest's interface: our program and the script of Xen 4.17, alternately, with a real xenstored
//! and without firewall rules.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::host::Host;
use crate::step::{Step, medians};
use crate::{Bench, xenstored};

// /run is private to this process
const XEN: &str = "/run/xen";
const SCRIPT: &str = "/run/xen/scripts/vif-bridge";
const BACKEND: &str = "/local/domain/0/backend/vif/1/0";

const ONLINE: &str = "online type_if=vif antispoof=no";
const OFFLINE: &str = "offline type_if=vif antispoof=no";

pub(crate) fn measure(bench: &mut Bench) -> Result<(), String> {
    xenstored::prepare(Path::new(XEN), Path::new("/run"))?;
    let programs = &bench.programs;
    let host = Host::new()?;
    programs.make_links(&host, "link add vif1.0 type veth peer name g1\nlink set g1 up\n")?;
    Step::new(&host, &programs.brctl, "addbr xenbr0").run()?;
    let _daemon = Daemon::start(&host)?;

    let environment = [
        ("vif", String::from("vif1.0")),
        ("XENBUS_PATH", String::from(BACKEND)),
        ("LD_LIBRARY_PATH", format!("{XEN}/root/usr/lib/x86_64-linux-gnu")),
    ];
    let path = format!("/usr/sbin:/usr/bin:/sbin:/bin:{XEN}/root/usr/bin");
    let step = |program, words| Step::new(&host, program, words).with_environment(&environment).with_path(&path);
    let ours = |words| step(&programs.our_vif_bridge, words);
    let script = |words| step(Path::new(SCRIPT), words);
    let write = format!("{BACKEND}/bridge xenbr0");
    step(Path::new("/run/xen/root/usr/bin/xenstore-write"), &write).run()?;

    let state = || {
        let links = step(&programs.ip, "-o link show dev vif1.0").output()?;
        let keys = step(Path::new("/run/xen/root/usr/bin/xenstore-ls"), "-f /local").output()?;
        Ok::<_, String>([links.stdout, keys.stdout].concat())
    };
    let mut states = Vec::new();
    for (online, offline) in [(ours(ONLINE), ours(OFFLINE)), (script(ONLINE), script(OFFLINE))] {
        online.run()?;
        let on = state()?;
        offline.run()?;
        states.push((on, state()?));
    }
    if states[0] != states[1] {
        return Err("vif-bridge leaves another state than Xen's script".into());
    }

    let rounds = bench.rounds(40);
    let [online, offline, script_online, script_offline] =
        medians(rounds, [ours(ONLINE), ours(OFFLINE), script(ONLINE), script(OFFLINE)])?;
    let count = |step: Step| step.system_calls(&programs.strace);
    let (online_calls, script_online_calls) = (count(ours(ONLINE))?, count(script(ONLINE))?);
    let (offline_calls, script_offline_calls) = (count(ours(OFFLINE))?, count(script(OFFLINE))?);
    let table = &mut bench.table;
    table.begin(&format!("vif-bridge, {rounds} rounds"));
    table.line("online, to Xen 4.17's script", online, script_online, 1.0 / 25.0);
    table.line("offline, to Xen 4.17's script", offline, script_offline, 1.0 / 15.0);
    table.line("online, system calls", online_calls, script_online_calls, 0.05);
    table.line("offline, system calls", offline_calls, script_offline_calls, 0.05);
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
