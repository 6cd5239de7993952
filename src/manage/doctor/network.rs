//! What is kept of a network, its bridge, and the host's own firewall.

use super::Problems;
use super::scene::{Kept, Net, Scene, is_v6, shown};
use crate::kernel::flag;
use crate::program;

/// What network-virtual runs by default, where it is installed.
const SUSE_FIREWALL: &str = "rcSuSEfirewall2";

/// Whether what is kept of the network fits what there is.
pub(super) fn record(scene: &Scene, net: &Net, problems: &mut Problems) {
    let Net { name, bridge, .. } = net;
    let folder = scene.records.folder().to_string_lossy();
    // of options nothing is kept that could be given again
    let again = if net.has_file { "up" } else { "down" };
    let values: [&str; 5] = [&folder, name, bridge, again, &net.fault];
    if !net.fault.is_empty() {
        problems.failure("%4", &values);
    }
    if net.is_begun {
        problems.warning(
            "%0/%2.making: a start of network-virtual was not ended\nnetwork-virtual stop firewall=none bridge=%2",
            &values,
        );
    }
    match net.kept {
        Kept::Nonsense => problems.failure("%0/%1.network is no record of brouter's\nrm %0/%1.network", &values),
        Kept::HalfDone => {
            problems.failure("%0/%1.changing: a change of %1 was not ended, or goes on\nbrouter $3 %1", &values)
        }
        Kept::Whole if !net.is_there => {
            problems.failure("%0/%1.network: %1 is up, but its bridge %2 is gone\nbrouter $3 %1", &values);
        }
        Kept::Nothing if !net.is_there && net.fault.is_empty() => {
            problems.failure("/etc/brouter/%1.conf: %1 is not up\nbrouter up %1", &values);
        }
        Kept::Nothing => problems.well("nothing is kept of it", &[]),
        Kept::Whole => problems.well("%0/%1.network fits", &values),
    }
}

/// Whether it is up and has its addresses and ports.
pub(super) fn bridge(scene: &Scene, net: &Net, problems: &mut Problems) {
    let bridge = net.bridge.as_str();
    if scene.kernel.link_flags(bridge.as_bytes()).is_ok_and(|flags| flags & flag::UP == 0) {
        problems.failure("%0 is down\nip link set %0 up", &[bridge]);
    }
    for wanted in &net.wanted {
        if scene.own(net).iter().any(|own| own.net == *wanted) {
            continue;
        }
        let is_off = is_v6(wanted) && scene.kernel.link_value("ipv6", bridge, "disable_ipv6") == Some(1);
        let text = match is_off {
            true => {
                "%0 cannot have %1: /proc/sys/net/ipv6/conf/%0/disable_ipv6 is 1\n\
                 echo 0 >/proc/sys/net/ipv6/conf/%0/disable_ipv6 && ip addr add %1 dev %0"
            }
            false => "%0 has not its address %1\nip addr add %1 dev %0",
        };
        problems.failure(text, &[bridge, &shown(wanted)]);
    }
    if !net.has_address && net.wanted.is_empty() {
        problems.failure("%0 has no address: guests have no router\nip addr add 192.168.10.1/24 dev %0", &[bridge]);
    }
    if net.ports.is_empty() {
        // the guests' ports come with the guests
        problems.warning("%0 has no ports: no guest is on it\nbrctl addif %0 INTERFACE", &[bridge]);
    }
    problems.well("%0 is up, with address and ports", &[bridge]);
}

/// Whether the firewall's command, which is run when the network changes, is there.
pub(super) fn hook(scene: &Scene, net: &Net, problems: &mut Problems) {
    let is_there = |program: &str| program::find(program, scene.path.clone()).is_some();
    let program = net.firewall.split(' ').next().unwrap_or_default();
    if program.is_empty() {
        let is_of_script = net.kept == Kept::Nothing && is_there(SUSE_FIREWALL);
        return problems.well(if is_of_script { SUSE_FIREWALL } else { "there is none to be run" }, &[]);
    }
    if !is_there(program) {
        let text = match net.has_file {
            true => {
                "/etc/brouter/%1.conf: firewall: there is no program %0\n\
                 sed -i 's/^firewall=/#&/' /etc/brouter/%1.conf && brouter up %1"
            }
            false => "firewall: there is no program %0\ninstall -m 755 FILE %0",
        };
        problems.failure(text, &[program, &net.name]);
    }
    problems.well("%0 is there", &[program]);
}
