//! The way from the bridge to the outside and back.

use ipnet::{IpNet, Ipv4Net};

use super::scene::{Net, Own, Scene, shown};
use super::{Problems, State};
use crate::kernel::{Kernel, flag};

/// Whether two networks have addresses in common.
fn share(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Whether another link leads to addresses of the bridge's networks.
pub(super) fn overlap(scene: &Scene, net: &Net, problems: &mut Problems) {
    if let Some(cause) = scene.unread() {
        problems.not_known(&cause);
    }
    let is_own = |link: &str| link == net.bridge || link == "lo" || net.is_port(link);
    for own in scene.own(net) {
        for other in &scene.addresses {
            if is_own(&other.link) || !share(&own.net, &other.net) {
                continue;
            }
            // without its address on the link to the outside the host would be cut off
            let is_outside = scene.default_link(own.is_v6()) == Some(&other.link);
            let text = match is_outside {
                true if net.has_file => {
                    "%0 has %1, of the same network as %3 on %2\nbrouter down %4 && brouter up %4 --address %5"
                }
                true => "%0 has %1, of the same network as %3 on %2\nip addr add %5 dev %2 && ip addr del %3 dev %2",
                false => "%0 has %1, of the same network as %3 on %2\nip addr del %1 dev %0",
            };
            let values: [&str; 6] = [&other.link, &other.text, &net.bridge, &own.text, &net.name, &free(scene)];
            let is_wider = other.net.prefix_len() < own.net.prefix_len();
            problems.add(if is_wider { State::Warning } else { State::Failure }, text, &values);
        }
        for way in &scene.ways {
            let is_of_address = |other: &Own| other.link == way.link && other.net.trunc() == way.to;
            // a wider route is for the rest of its network
            if own.net.trunc().contains(&way.to) && !is_own(&way.link) && !scene.addresses.iter().any(is_of_address) {
                let text = "a route leads away from %1, which has %2: %0\nip route del $0";
                problems.failure(text, &[&way.text, &net.bridge, &own.text]);
            }
        }
    }
    problems.well("no other link has its networks", &[]);
}

/// An address in a network that nobody has.
fn free(scene: &Scene) -> String {
    for number in 10..=255 {
        let net = IpNet::V4(Ipv4Net::new_assert([192, 168, number, 1].into(), 24));
        let is_taken = scene.addresses.iter().any(|own| share(&own.net, &net))
            || scene.ways.iter().any(|way| way.to.prefix_len() > 0 && share(&way.to, &net));
        if !is_taken {
            return shown(&net);
        }
    }
    "NETWORK".into()
}

/// Whether there is an IPv4 network, and it is to be more than one of this host.
fn is_routed(scene: &Scene, net: &Net, problems: &mut Problems) -> bool {
    let is_routed = !net.is_isolated && scene.has_family(net, false);
    if !is_routed {
        problems.well("no IPv4 to the outside was asked for", &[]);
    }
    is_routed
}

/// Whether IPv4 packets are forwarded, both ways.
pub(super) fn forwarding(scene: &Scene, net: &Net, problems: &mut Problems) {
    let kernel = scene.kernel;
    if !is_routed(scene, net, problems) {
        return;
    }
    match kernel.text("/proc/sys/net/ipv4/ip_forward").as_deref() {
        Err(_) => problems.not_known("/proc/sys/net/ipv4/ip_forward cannot be read"),
        Ok("0") => problems.failure(
            "/proc/sys/net/ipv4/ip_forward is 0: no packet is forwarded\necho 1 >/proc/sys/net/ipv4/ip_forward",
            &[],
        ),
        // a packet is forwarded if the link that it comes by says so
        Ok(_) => {
            for link in [&net.bridge, scene.outside(net, false).unwrap_or_default()] {
                if kernel.link_value("ipv4", link, "forwarding") == Some(0) {
                    problems.failure(
                        "/proc/sys/net/ipv4/conf/%0/forwarding is 0: nothing from there is forwarded\n\
                         echo 1 >/proc/sys/net/ipv4/conf/%0/forwarding",
                        &[link],
                    );
                }
            }
        }
    }
    problems.well("/proc/sys/net/ipv4/ip_forward is 1", &[]);
}

/// Linux 2.6.31 brought 2, and takes the greater of the two values.
fn has_loose(kernel: &Kernel) -> bool {
    let release = kernel.release();
    let mut numbers = [0u32; 3];
    let mut place = 0;
    for byte in release.as_encoded_bytes() {
        match byte {
            b'0'..=b'9' => numbers[place] = numbers[place].saturating_mul(10).saturating_add((byte - b'0').into()),
            _ if place < 2 => place += 1,
            _ => break,
        }
    }
    numbers >= [2, 6, 31]
}

/// Says if a link drops packets of a network because it would send none there.
fn check_strict(scene: &Scene, link: &str, network: &str, way: &str, problems: &mut Problems) {
    let value = |link| scene.kernel.link_value("ipv4", link, "rp_filter").unwrap_or(0);
    let (all, own) = (value("all"), value(link));
    let (effective, off) = match has_loose(scene.kernel) {
        true => (all.max(own), "2"),
        false => (all.min(own), "0"),
    };
    if effective == 1 {
        problems.failure(
            "rp_filter of %0 is strict: packets from %1 are dropped, for the way there is by %2\n\
             echo %3 >/proc/sys/net/ipv4/conf/%0/rp_filter",
            &[link, network, way, off],
        );
    }
}

/// Whether packets are dropped because the way back is another.
pub(super) fn reverse_path(scene: &Scene, net: &Net, problems: &mut Problems) {
    for own in scene.own(net) {
        for way in &scene.ways {
            if way.link != net.bridge && own.net.trunc().contains(&way.to) && !own.is_v6() {
                check_strict(scene, &net.bridge, &shown(&way.to), &way.link, problems);
            }
        }
    }
    if let Some(default) =
        scene.default_link(false).filter(|default| *default != net.outside && !net.outside.is_empty())
    {
        check_strict(scene, &net.outside, "anywhere", default, problems);
    }
    problems.well("drops nothing here", &[]);
}

/// Whether there is a way out.
pub(super) fn outside(scene: &Scene, net: &Net, problems: &mut Problems) {
    let kernel = scene.kernel;
    if !is_routed(scene, net, problems) {
        return;
    }
    let outside = scene.outside(net, false).unwrap_or("INTERFACE");
    if outside != "INTERFACE" {
        let text = match kernel.flags_if_there(outside.as_bytes()) {
            Ok(Some(flags)) if flags & flag::UP == 0 => "%0 is down\nip link set %0 up",
            Ok(Some(flags)) if flags & flag::RUNNING == 0 => "%0 has no carrier: see to its cable",
            Ok(None) => "there is no interface %0",
            _ => "",
        };
        if !text.is_empty() {
            problems.failure(text, &[outside]);
        }
    }
    match (scene.default_link(false), scene.unread()) {
        (None, Some(cause)) => problems.not_known(&cause),
        // with rules, other tables than main can have it
        (None, None) if !kernel.has_rules_v4() => {
            problems.failure("there is no default route\nip route add default via ROUTER dev %0", &[outside]);
        }
        (Some(default), _) if default != outside && !kernel.has_rules_v4() => {
            let text = match net.has_file {
                true => {
                    "the default route leads by %0, not by the outside, %1\n\
                     sed -i 's/^outside=.*/outside=$0/; s/^netdev=.*/outside=$0/' /etc/brouter/%2.conf && brouter up %2"
                }
                false => "the default route leads by %0, not by the outside, %1\nbrouter down %2",
            };
            problems.warning(text, &[default, outside, &net.name]);
        }
        _ => (),
    }
    problems.well("%0 leads there", &[outside]);
}

/// Whether IPv6 packets are forwarded, and the host keeps its own default route then.
pub(super) fn ipv6(scene: &Scene, net: &Net, problems: &mut Problems) {
    let kernel = scene.kernel;
    if !scene.has_family(net, true) || net.is_isolated {
        return problems.well("no IPv6 to the outside was asked for", &[]);
    }
    if !kernel.forwards_v6() {
        problems.failure(
            "/proc/sys/net/ipv6/conf/all/forwarding is 0: no IPv6 packet is forwarded\n\
             echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
            &[],
        );
    }
    let default = scene.default_way(true);
    let outside = scene.outside(net, true).or(scene.default_link(false)).unwrap_or("INTERFACE");
    let is_deaf =
        kernel.forwards_v6() && kernel.link_value("ipv6", outside, "accept_ra").is_some_and(|accepts| accepts < 2);
    // unique local addresses lead nowhere else anyway (RFC 4193)
    let is_global = |own: &Own| matches!(own.net, IpNet::V6(net) if net.addr().segments()[0] & 0xfe00 != 0xfc00);
    let deaf = "%1: a host that forwards listens to routers only if accept_ra of %0 is 2\n\
                echo 2 >/proc/sys/net/ipv6/conf/%0/accept_ra";
    let none = "there is no default route";
    match default {
        Some(way) if way.is_announced && is_deaf => {
            problems.warning(deaf, &[outside, "the default route was announced, and will go"]);
        }
        None if scene.own(net).into_iter().any(is_global) => match is_deaf {
            true => problems.failure(deaf, &[outside, none]),
            false => problems.warning("%1\nip -6 route add default via ROUTER dev %0", &[outside, none]),
        },
        _ => (),
    }
    problems.well("/proc/sys/net/ipv6/conf/all/forwarding is 1", &[]);
}
