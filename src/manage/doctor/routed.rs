//! Guests that are connected by routes.

use std::ffi::OsStr;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::report::Report;
use super::subject::Host;
use super::xen::{Backend, Backends, is_xen};
use crate::net::Family;
use crate::shell::quoted;
use crate::xenstore::Store;

/// A guest's interface with what is routed over it.
struct Guest {
    interface: String,
    nets: Vec<IpNet>,
    /// The command that connects it.
    command: String,
    /// Whether it is reached from outside as if it were on the link there.
    is_on_link: bool,
}

/// Checks whether routed guests reach the outside, and are reached.
pub(super) fn routed(host: &Host, report: &mut Report) {
    if !is_xen(host, report) {
        return;
    }
    let Ok(mut store) = Store::open(host.xenstored.clone()) else {
        return report.unknown("xenstored cannot be asked");
    };
    let backends = Backends::read(&mut store).backends;
    let guests: Vec<Guest> = backends.iter().filter_map(|backend| guest(host, &mut store, backend)).collect();
    for guest in &guests {
        for net in &guest.nets {
            check_route(host, guest, net, report);
        }
        check_interface(host, guest, report);
        if guest.is_on_link {
            check_reach(host, guest, report);
        }
    }
    report.ok(if guests.is_empty() { "no guest is routed" } else { "routed guests are reachable" });
}

/// Returns a guest whose interface a script for routes has connected.
fn guest(host: &Host, store: &mut Store, backend: &Backend) -> Option<Guest> {
    let script = backend.value(store, "script");
    let name = script.rsplit('/').next().unwrap_or_default();
    if !["vif-route", "vif-nat"].contains(&name) || backend.value(store, "hotplug-status") != "connected" {
        return None;
    }
    let is_nat = name == "vif-nat";
    let words = backend.value(store, "ip");
    let address = |word: &str| word.parse::<IpAddr>().ok().map(IpNet::from);
    let nets = words.split_whitespace().filter_map(|word| word.parse().ok().or_else(|| address(word)));
    // behind an address vif-nat has the prefix of the guest
    let mut nets: Vec<IpNet> = nets.map(|net: IpNet| if is_nat { net.addr().into() } else { net }).collect();
    if nets.is_empty() && is_nat {
        nets.extend(default_address(backend, store));
    }
    let command = backend.known_script(host, &script)?;
    Some(Guest {
        interface: backend.interface(store),
        nets,
        command: backend.call(store, &command),
        is_on_link: !is_nat,
    })
}

/// Returns the address that vif-nat gives a guest without one: 10.GUEST.GUEST.DEVICE, devices counted from 1.
fn default_address(backend: &Backend, store: &mut Store) -> Option<IpNet> {
    let mut number = |name| backend.value(store, name).trim().parse::<u16>().ok();
    let [high, low] = number("frontend-id")?.to_be_bytes();
    let device = u8::try_from(number("handle")?).ok()?.checked_add(1)?;
    Some(IpAddr::from([10, high, low, device]).into())
}

fn check_route(host: &Host, guest: &Guest, net: &IpNet, report: &mut Report) {
    let tap = format!("{}-emu", guest.interface);
    let is_own = |link: &OsStr| link == guest.interface.as_str() || link == tap.as_str();
    let routes: Vec<_> = host.snapshot.all_routes().filter(|route| route.destination == *net).collect();
    let own = routes.iter().find(|route| is_own(&route.interface));
    let precedes = |metric| own.is_none_or(|own| metric <= own.metric);
    if let Some(other) = routes.iter().find(|route| !is_own(&route.interface) && precedes(route.metric)) {
        let link = other.interface.to_string_lossy();
        let evidence = format!("{net} is routed over {link}, not over {}", guest.interface);
        report.failure(evidence, format!("ip route del {net} dev {}", quoted(&link)));
    }
    if own.is_none() {
        report.failure(format!("no route leads to {net} over {}", guest.interface), guest.command.clone());
    }
}

fn check_interface(host: &Host, guest: &Guest, report: &mut Report) {
    let name = guest.interface.as_str();
    let of = |link: &str, value| host.snapshot.link_value(Family::V4, link, value);
    let set = |link: &str, value: &str| format!("echo 1 >/proc/sys/net/ipv4/conf/{}/{value}", quoted(link));
    if of(name, "proxy_arp") == Some(0) {
        let lost = if guest.is_on_link { "its router" } else { "other guests" };
        report.failure(format!("proxy_arp of {name} is 0: the guest does not find {lost}"), set(name, "proxy_arp"));
    }
    if of(name, "rp_filter") == Some(0) && of("all", "rp_filter") == Some(0) {
        report
            .warning(format!("rp_filter of {name} is 0: the guest may send from any address"), set(name, "rp_filter"));
    }
    let outside = host.default_interface(Family::V4);
    for link in [Some(name), outside.as_deref()].into_iter().flatten() {
        if of(link, "forwarding") == Some(0) {
            report.failure(
                format!("forwarding of {link} is 0: nothing from there is forwarded"),
                set(link, "forwarding"),
            );
        }
    }
}

/// Checks whether this host answers ARP requests for the guest in the networks of its other interfaces.
fn check_reach(host: &Host, guest: &Guest, report: &mut Report) {
    let published = host.snapshot.kernel.published_arp().unwrap_or_default();
    for net in &guest.nets {
        let IpNet::V4(net) = net else { continue };
        for own in host.addresses().filter(|own| own.link != guest.interface.as_str() && is_within(net, &own.net)) {
            let link = own.link.to_string_lossy();
            let is_published = published.iter().any(|(address, on)| *address == net.addr() && *on == link);
            if !is_published && host.snapshot.link_value(Family::V4, &link, "proxy_arp") == Some(0) {
                let evidence = format!("no ARP request for {} is answered on {link}", net.addr());
                report.failure(evidence, guest.command.clone());
            }
        }
    }
}

/// Whether a single address is in a network of several.
fn is_within(net: &Ipv4Net, other: &IpNet) -> bool {
    matches!(other, IpNet::V4(other) if net.prefix_len() == 32 && other.prefix_len() < 32 && other.contains(&net.addr()))
}
