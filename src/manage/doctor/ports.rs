//! What is on the bridge: ports, their addresses, and hardware addresses that are there twice.

use super::scene::{Net, Scene};
use super::{Problems, State};
use crate::kernel::{FdbEntry, Source, flag, port_state};
use crate::net::{Mac, order};

/// What Xen gives all its ports, so that none of them becomes the bridge's.
const OF_XEN: Mac = Mac([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]);

/// Whether every port is on and forwards.
pub(super) fn ports(scene: &Scene, net: &Net, problems: &mut Problems) {
    let kernel = scene.kernel;
    let bridge = net.bridge.as_bytes();
    let info = kernel.bridge_info(bridge, Source::Sysfs).unwrap_or_default();
    // a port of a bridge that is down is disabled, whatever else it is
    let is_up = kernel.link_flags(bridge).is_ok_and(|flags| flags & flag::UP != 0);
    for (port, state) in kernel.port_infos(bridge, Source::Sysfs).unwrap_or_default() {
        let port = port.to_string_lossy();
        let flags = kernel.link_flags(port.as_bytes()).unwrap_or(0);
        let is_listening = state.state == port_state::LISTENING;
        let ticks = state.forward_delay_timer.0 + if is_listening { info.forward_delay.0 } else { 0 };
        let text = match state.state {
            _ if flags & flag::UP == 0 => "%0 is down\nip link set %0 up",
            _ if flags & flag::RUNNING == 0 => "%0 has no carrier: no guest or no cable at its other end",
            port_state::FORWARDING => continue,
            _ if !is_up => continue,
            port_state::LISTENING | port_state::LEARNING if info.stp_enabled => {
                // with spanning tree the kernel takes no delay below 2 s
                "%0 listens and learns, and forwards in %2 s: the forward delay is %3 s\n\
                 brctl stp %1 off && brctl setfd %1 0"
            }
            port_state::LISTENING | port_state::LEARNING => {
                "%0 listens and learns, and forwards in %2 s: the forward delay is %3 s\nbrctl setfd %1 0"
            }
            port_state::BLOCKING => "%0 is blocking: by the spanning tree there is another way\nbrctl showstp %1",
            _ => "%0 is disabled, though it is up\nip link set %0 down && ip link set %0 up",
        };
        let seconds = |ticks: u64| ticks.div_ceil(100).to_string();
        let values: [&str; 4] = [&port, &net.bridge, &seconds(ticks), &seconds(info.forward_delay.0)];
        problems.add(if flags & flag::UP == 0 { State::Failure } else { State::Warning }, text, &values);
    }
    problems.well("all forward", &[]);
}

/// Whether a port has addresses, which belong to the bridge.
pub(super) fn addresses(scene: &Scene, net: &Net, problems: &mut Problems) {
    for own in &scene.addresses {
        if net.is_port(&own.link) {
            let bridge_has_one = scene.own(net).iter().any(|other| other.net.contains(&own.net.addr()));
            let text = match bridge_has_one {
                true => "the port %0 has an address, %1: that network is behind it alone\nip addr del %1 dev %0",
                false => {
                    "the port %0 has an address, %1, which belongs to the bridge\n\
                     ip addr del %1 dev %0 && ip addr add %1 dev %2"
                }
            };
            problems.failure(text, &[&own.link, &own.text, &net.bridge]);
        }
    }
    problems.well("no port has an address", &[]);
}

/// Whether a hardware address is there twice.
pub(super) fn macs(scene: &Scene, net: &Net, problems: &mut Problems) {
    let kernel = scene.kernel;
    // the bridge's comes last: it may be that of a port
    let mut macs: Vec<(&str, Mac)> = Vec::new();
    for link in net.ports.iter().chain([&net.bridge]) {
        if let Ok(mac) = kernel.ethernet_address(link.as_bytes()) {
            let mac = Mac(mac);
            let other = macs.iter().find(|(_, other)| *other == mac && mac != OF_XEN && *link != net.bridge);
            if let Some((other, mac)) = other {
                problems.warning(
                    "the ports %0 and %1 both have %2\nip link set %0 address fe:ff:ff:ff:ff:ff",
                    &[link, other, &mac.to_string()],
                );
            }
            macs.push((link, mac));
        }
    }
    for neighbour in kernel.neighbours_v4() {
        if neighbour.link != net.bridge {
            continue;
        }
        if let Some((link, _)) = macs.iter().find(|(_, mac)| *mac == neighbour.mac) {
            let text = match *link == net.bridge {
                true => {
                    "the guest %1 has the bridge's %2: frames to it end here\nip link set %0 address 02:00:5e:00:00:01"
                }
                false => {
                    "the guest %1 has %2, as the port %0: frames to it end here\nip link set %0 address fe:ff:ff:ff:ff:ff"
                }
            };
            problems.failure(text, &[link, &neighbour.address.to_string(), &neighbour.mac.to_string()]);
        }
    }
    learnt_elsewhere(scene, net, problems);
    problems.well("each is there once", &[]);
}

/// What this bridge has learnt, and another one too.
fn learnt_elsewhere(scene: &Scene, net: &Net, problems: &mut Problems) {
    if scene.bridges.len() < 2 {
        return;
    }
    let learnt = |bridge: &str| -> Vec<FdbEntry> {
        let table = scene.kernel.forwarding_table(bridge.as_bytes()).unwrap_or_default();
        table.into_iter().filter(|entry| !entry.is_local()).collect()
    };
    let key = |entry: &FdbEntry| order::name_key(&entry.mac().0);
    let here = learnt(&net.bridge);
    let sorted = order::places(here.iter().map(key));
    let mut infos = None;
    for other in scene.bridges.iter().filter(|other| **other != net.bridge) {
        for entry in learnt(other) {
            let Ok(place) = sorted.binary_search_by_key(&key(&entry), |(key, _)| *key) else { continue };
            let number = here[sorted[place].1].port_number();
            let infos = infos.get_or_insert_with(|| {
                scene.kernel.port_infos(net.bridge.as_bytes(), Source::Sysfs).unwrap_or_default()
            });
            let port = infos.iter().find(|(_, info)| info.number == number);
            let port = port.map_or("PORT".into(), |(port, _)| port.to_string_lossy());
            problems.warning(
                "%3 is behind %1 and on %2 too: a loop, or a guest on both\nbrctl delif %0 %1",
                &[&net.bridge, &port, other, &entry.mac().to_string()],
            );
        }
    }
}
