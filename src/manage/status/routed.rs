//! Guests that are connected by routes, as `vif-route` and `vif-nat` do it: an interface of Xen's over which single addresses, or
//! networks without a next hop, are routed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use ipnet::IpNet;

use super::tree::{Line, Mark};
use crate::inspect::port::{guest_of, numbered};
use crate::inspect::snapshot::HostSnapshot;
use crate::json::Json;
use crate::kernel::LinkFile;
use crate::net::Family;

/// A guest's interface, with what is routed over it.
pub(super) struct RoutedGuest {
    pub(super) interface: OsString,
    /// The guest's number, if the interface has the name that Xen gave it.
    pub(super) guest: Option<u32>,
    pub(super) nets: Vec<IpNet>,
    /// Addresses for which this host answers ARP requests, each with the interface where it does.
    pub(super) published: Vec<(IpNet, String)>,
}

/// Finds the routed guests by the routes, in the order of their interfaces' names.
pub(super) fn guests(snapshot: &HostSnapshot) -> Vec<RoutedGuest> {
    let mut guests: Vec<RoutedGuest> = Vec::new();
    let to_guests = snapshot.all_routes().filter(|route| {
        let is_of_link = matches!(route.destination, IpNet::V6(net) if net.addr().is_unicast_link_local() || net.addr().is_multicast());
        route.gateway.is_none() && !route.is_default() && !is_of_link
    });
    for route in to_guests {
        match guests.iter_mut().find(|guest| guest.interface == route.interface) {
            Some(guest) => guest.nets.push(route.destination),
            None if is_routed(snapshot, &route.interface) => guests.push(RoutedGuest {
                interface: route.interface.clone(),
                guest: route.interface.to_str().and_then(guest_of),
                nets: vec![route.destination],
                published: Vec::new(),
            }),
            None => (),
        }
    }
    guests.sort_by(|one, other| numbered(&one.interface).cmp(&numbered(&other.interface)));
    if !guests.is_empty() {
        let published = snapshot.kernel.published_arp().unwrap_or_default();
        for guest in &mut guests {
            let is_own = |address: &IpNet| guest.nets.contains(address);
            let nets = published.iter().map(|(address, link)| (IpNet::V4((*address).into()), link.clone()));
            guest.published = nets.filter(|(net, _)| is_own(net)).collect();
        }
    }
    guests
}

/// Whether an interface is a guest's, and neither a bridge nor a port of one.
fn is_routed(snapshot: &HostSnapshot, link: &OsString) -> bool {
    let kernel = snapshot.kernel;
    let is_netbacks = || matches!(kernel.read_link_file(link.as_bytes(), LinkFile::XENBUS_NODE), Ok(Some(_)));
    (link.to_str().and_then(guest_of).is_some() || is_netbacks())
        && matches!(snapshot.bridge(link), Ok(None))
        && kernel.bridge_of(link.as_bytes()).is_none()
}

impl RoutedGuest {
    /// Returns whether packets to and from the guest are forwarded.
    pub(super) fn is_forwarded(&self, snapshot: &HostSnapshot) -> bool {
        let link = self.interface.to_string_lossy();
        self.nets.iter().map(Family::of).all(|family| snapshot.link_value(family, &link, "forwarding") != Some(0))
    }

    /// Returns its line of the picture.
    pub(super) fn line(&self, snapshot: &HostSnapshot) -> Line {
        let net = |net: &IpNet| {
            let on = self.published.iter().find(|(published, _)| published == net);
            let on = on.map_or(String::new(), |(_, link)| format!(" published on {link}"));
            format!("{}{on}", shown(net))
        };
        let nets: Vec<String> = self.nets.iter().map(net).collect();
        let state = if self.is_forwarded(snapshot) { "" } else { "; not forwarded" };
        Line::labelled(Mark::Plain, &self.interface.to_string_lossy(), &format!(" {}{state}", nets.join(", ")))
    }

    /// Returns it as JSON.
    pub(super) fn json(&self, snapshot: &HostSnapshot) -> Json {
        let published = |(net, link): &(IpNet, String)| {
            Json::Object(vec![("address", net.addr().into()), ("interface", link.as_str().into())])
        };
        Json::Object(vec![
            ("interface", Json::text(self.interface.display())),
            ("guest", self.guest.into()),
            ("routes", self.nets.iter().map(Json::text).collect()),
            ("published", self.published.iter().map(published).collect()),
            ("forwarded", self.is_forwarded(snapshot).into()),
        ])
    }
}

/// A network, without the prefix of a single address.
pub(super) fn shown(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}
