//! The one table of applets, and how a program becomes one of them.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

use nix::errno::Errno;

use crate::era::{self, Era};
use crate::error::Outcome;
use crate::kernel::Kernel;
use crate::stdio::{Stderr, Stdout};
use crate::{brctl, ip, xen};

/// One call of a command: what it was called with, what it may look at, and where it writes.
pub struct Call<'a> {
    /// `argv[0]` as given: getopt's messages begin with it.
    pub program: &'a OsStr,
    /// The arguments after it.
    pub args: &'a [OsString],
    /// The value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The kernel to ask and to change.
    pub kernel: &'a Kernel,
    /// The tools that are followed.
    pub era: Era,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error, for what is said on the way; what ends the call is its [`Outcome`].
    pub err: &'a mut dyn Write,
}

/// A command of its own name.
pub struct Applet {
    /// The name by which it is called.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Does it.
    pub run: fn(&mut Call) -> Outcome,
}

/// Linux bridges, as bridge-utils' brctl.
pub static BRCTL: Applet = Applet { name: "brctl", summary: "administer Ethernet bridges", run: brctl::run };
/// Links, addresses and routes, as iproute2's ip.
pub static IP: Applet = Applet { name: "ip", summary: "show and change links, addresses and routes", run: ip::run };
/// `ip address` by its own name.
pub static IPADDR: Applet = Applet { name: "ipaddr", summary: "the same as ip address", run: ip::run };
/// `ip link` by its own name.
pub static IPLINK: Applet = Applet { name: "iplink", summary: "the same as ip link", run: ip::run };
/// `ip route` by its own name.
pub static IPROUTE: Applet = Applet { name: "iproute", summary: "the same as ip route", run: ip::run };
/// The network of a Xen host, as Xen's network-virtual script.
pub static NETWORK_VIRTUAL: Applet = Applet {
    name: "network-virtual",
    summary: "start, stop or show a virtual network for Xen guests",
    run: xen::network_virtual::run,
};
/// A guest's interface on a bridge, as Xen's hotplug script vif-bridge.
pub static VIF_BRIDGE: Applet =
    Applet { name: "vif-bridge", summary: "attach a Xen guest's interface to a bridge", run: xen::vif_bridge::run };

/// Every applet; links, lists and manual pages follow this table.
pub static TABLE: [&Applet; 7] = [&BRCTL, &IP, &IPADDR, &IPLINK, &IPROUTE, &NETWORK_VIRTUAL, &VIF_BRIDGE];

/// The applet of a name.
pub fn find(name: &OsStr) -> Option<&'static Applet> {
    TABLE.into_iter().find(|applet| name == applet.name)
}

/// Runs a function as the whole of this process: the only place that reads argv, prints a failure and decides the status.
pub fn start(run: impl FnOnce(&mut Call) -> Outcome) -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    let mut out = Stdout::new();
    let kernel = Kernel::running();
    let outcome = Era::choose(std::env::var_os(era::VARIABLE), &kernel).and_then(|era| {
        let outcome = run(&mut Call {
            program: &program,
            args: &args,
            environment: &|name| std::env::var_os(name),
            kernel: &kernel,
            era,
            out: &mut out,
            err: &mut Stderr,
        });
        outcome.map_err(|failure| failure.told_in(era))
    });
    let status = match outcome {
        Ok(()) => 0,
        Err(failure) => {
            // nobody is left to be told if this fails
            let _ = Stderr.write_all(&failure.text);
            failure.status
        }
    };
    // the originals do not look whether their output arrived; but a reader who left ends them, by a signal that std's start
    // has switched off: the status is what a shell makes of that
    let _ = out.flush();
    match out.error() {
        Some(Errno::EPIPE) => ExitCode::from(128 + 13),
        _ => ExitCode::from(status),
    }
}
