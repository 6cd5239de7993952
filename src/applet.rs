//! The one table of commands. Links, lists and manual pages follow it.

use crate::call::Applet;
use crate::{brctl, ip, xen};

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
/// A Xen host's network card on a bridge, as Xen's network-bridge script.
pub static NETWORK_BRIDGE: Applet = Applet {
    name: "network-bridge",
    summary: "put the network card of a Xen host on a bridge",
    run: xen::network_bridge::run,
};
/// The network of a Xen host, as Xen's network-virtual script.
pub static NETWORK_VIRTUAL: Applet = Applet {
    name: "network-virtual",
    summary: "start, stop or show a virtual network for Xen guests",
    run: xen::network_virtual::run,
};
/// Forwarding and proxy ARP for routed guests, as Xen's network-route script.
pub static NETWORK_ROUTE: Applet = Applet {
    name: "network-route",
    summary: "start or stop forwarding to routed Xen guests",
    run: xen::network_route::run,
};
/// Forwarding and masquerading for routed guests, as Xen's network-nat script.
pub static NETWORK_NAT: Applet = Applet {
    name: "network-nat",
    summary: "start or stop masquerading of routed Xen guests",
    run: xen::network_nat::run,
};
/// A guest's interface on a bridge, as Xen's hotplug script vif-bridge.
pub static VIF_BRIDGE: Applet =
    Applet { name: "vif-bridge", summary: "attach a Xen guest's interface to a bridge", run: xen::vif_bridge::run };

/// A guest's interface with routes, as Xen's hotplug script vif-route.
pub static VIF_ROUTE: Applet =
    Applet { name: "vif-route", summary: "route a Xen guest's addresses over its interface", run: xen::vif_route::run };

/// A guest's interface behind this host as its router, as Xen's hotplug script vif-nat.
pub static VIF_NAT: Applet =
    Applet { name: "vif-nat", summary: "be the router of a Xen guest", run: xen::vif_nat::run };

/// Every applet; links, lists and manual pages follow this table.
pub static TABLE: [&Applet; 12] = [
    &BRCTL,
    &IP,
    &IPADDR,
    &IPLINK,
    &IPROUTE,
    &NETWORK_BRIDGE,
    &NETWORK_NAT,
    &NETWORK_ROUTE,
    &NETWORK_VIRTUAL,
    &VIF_BRIDGE,
    &VIF_NAT,
    &VIF_ROUTE,
];

/// The parts of [`BRCTL`] and [`IP`] that network scripts run.
pub static SCRIPT: [&Applet; 2] = [
    &Applet { name: "brctl", summary: BRCTL.summary, run: brctl::script::run },
    &Applet { name: "ip", summary: IP.summary, run: ip::script::run },
];
