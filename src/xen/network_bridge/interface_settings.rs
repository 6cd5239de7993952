//! Settings of /proc/sys that an administrator has made for an interface by its name. The bridge has the card's name, and gets them.

use crate::kernel::{Kernel, net_conf};
use crate::net::InterfaceName;

/// Family and name of the settings that decide about packets of the host itself and about those that it forwards. `disable_ipv6` comes
/// before those that need IPv6, `forwarding` before `accept_ra`, which depends on it.
const SETTINGS: [(&str, &str); 18] = [
    ("ipv4", "forwarding"),
    ("ipv4", "rp_filter"),
    ("ipv4", "proxy_arp"),
    ("ipv4", "arp_ignore"),
    ("ipv4", "arp_announce"),
    ("ipv4", "arp_filter"),
    ("ipv4", "accept_local"),
    ("ipv4", "accept_redirects"),
    ("ipv4", "send_redirects"),
    ("ipv4", "accept_source_route"),
    ("ipv4", "log_martians"),
    ("ipv6", "disable_ipv6"),
    ("ipv6", "forwarding"),
    ("ipv6", "accept_ra"),
    ("ipv6", "autoconf"),
    ("ipv6", "use_tempaddr"),
    ("ipv6", "accept_redirects"),
    ("ipv6", "proxy_ndp"),
];

/// The values of an interface; none for what the kernel does not have.
pub(super) struct InterfaceSettings(Vec<(&'static str, &'static str, String)>);

impl InterfaceSettings {
    /// Reads the settings of an interface.
    pub(super) fn read(kernel: &Kernel, link: &InterfaceName) -> Self {
        let value = |&(family, name): &(&'static str, &'static str)| {
            let value = kernel.sysctl(&net_conf(family, link.as_str(), name).ok()?).ok()?;
            Some((family, name, value))
        };
        InterfaceSettings(SETTINGS.iter().filter_map(value).collect())
    }

    /// Gives them to another interface, as far as it takes them.
    pub(super) fn put(&self, kernel: &Kernel, link: &InterfaceName) {
        for (family, name, value) in &self.0 {
            if let Ok(file) = net_conf(family, link.as_str(), name) {
                // packets flow without
                let _ = kernel.change_sysctl(&file, value);
            }
        }
    }
}
