//! The variables of `network-bridge`.

use super::words::NAME;
use crate::error::{Failure, errno_text};
use crate::firewall::choice::{Kind, UnknownKind};
use crate::kernel::Kernel;
use crate::net::InterfaceName;
use crate::xen::engine::complaint;
use crate::xen::script::Arguments;

/// The variables that mean something.
pub(super) const VARIABLES: [&str; 7] =
    ["command", "vifnum", "bridge", "netdev", "pdev", "antispoof", "firewall_backend"];

/// The network that the arguments ask for.
pub(super) struct Settings {
    /// The network card.
    pub(super) netdev: InterfaceName,
    /// The bridge.
    pub(super) bridge: InterfaceName,
    /// The card's new name.
    pub(super) pdev: InterfaceName,
    /// netloop's interfaces, if they are there.
    pub(super) netloop: Option<Netloop>,
    /// Let guests send from their own addresses only.
    pub(super) antispoof: bool,
    /// What holds the firewall's rules, if that is not to be chosen.
    pub(super) backend: Option<Kind>,
}

/// A pair of interfaces of the module netloop: what one of them sends the other receives.
pub(super) struct Netloop {
    /// The host's end, `vethN`.
    pub(super) host: InterfaceName,
    /// The bridge's end, `vif0.N`.
    pub(super) port: InterfaceName,
}

impl Settings {
    /// Reads the variables, with the defaults of the original where it has working ones. The card is the one of the default route.
    pub(super) fn read(kernel: &Kernel, arguments: &Arguments) -> Result<Self, Failure> {
        let named = |variable: &str| arguments.value(variable).map(|value| interface(variable, &value)).transpose();
        let number = arguments.value("vifnum");
        if let Some(number) = number.as_ref().filter(|number| number.parse::<u16>().is_err()) {
            return Err(complaint(NAME, &format!("vifnum=\"{number}\": a number is expected")));
        }
        let netdev = match (named("netdev")?, &number) {
            (Some(netdev), _) => netdev,
            (None, Some(number)) => interface("vifnum", &format!("eth{number}"))?,
            (None, None) => default_netdev(kernel)?,
        };
        let pdev = match named("pdev")? {
            Some(pdev) => pdev,
            None => format!("p{netdev}").parse().map_err(|_| {
                complaint(
                    NAME,
                    &format!("{netdev}: p{netdev} is too long for a name; give the card another one: pdev=pnic"),
                )
            })?,
        };
        let digits = netdev.as_str().trim_start_matches(|c: char| !c.is_ascii_digit());
        let number = number.unwrap_or_else(|| digits.parse().map_or(0, |number: u16| number).to_string());
        let netloop = Netloop::find(kernel, &number);
        let bridge = match (named("bridge")?, &netloop) {
            (Some(bridge), _) => bridge,
            (None, Some(_)) => interface("vifnum", &format!("xenbr{number}"))?,
            (None, None) => netdev.clone(),
        };
        let antispoof = match arguments.value("antispoof").as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => return Err(complaint(NAME, &format!("antispoof=\"{other}\": yes or no is expected"))),
        };
        let backend = arguments.value("firewall_backend").map(|word| {
            let parsed = word.parse();
            parsed.map_err(|fault: UnknownKind| complaint(NAME, &format!("firewall_backend=\"{word}\": {fault}")))
        });
        Ok(Settings { netdev, bridge, pdev, netloop, antispoof, backend: backend.transpose()? })
    }
}

impl Netloop {
    fn find(kernel: &Kernel, number: &str) -> Option<Self> {
        let existing = |name: String| {
            let name: InterfaceName = name.parse().ok()?;
            (kernel.has_link(name.as_bytes()) == Ok(true)).then_some(name)
        };
        Some(Netloop { host: existing(format!("veth{number}"))?, port: existing(format!("vif0.{number}"))? })
    }
}

fn interface(variable: &str, name: &str) -> Result<InterfaceName, Failure> {
    name.parse().map_err(|fault| complaint(NAME, &format!("{variable}=\"{name}\": {fault}")))
}

/// Returns the interface of the default route with the lowest metric, else eth0.
fn default_netdev(kernel: &Kernel) -> Result<InterfaceName, Failure> {
    let routes = kernel.routes_v4().map_err(|unreadable| {
        complaint(NAME, &format!("cannot read {}: {}", unreadable.file, errno_text(unreadable.errno)))
    })?;
    let link = routes.default_link().unwrap_or("eth0".as_ref());
    InterfaceName::new(link.as_encoded_bytes())
        .map_err(|fault| complaint(NAME, &format!("netdev=\"{}\": {fault}", link.display())))
}
