//! What a call asks for beside its command.

use ipnet::IpNet;

use crate::net::InterfaceName;
use crate::net::prefix::{Family, Notation, Prefix};
use crate::xen::script::Arguments;
use crate::xen::vif::config::name;
use crate::xen::vif::device;
use crate::xen::vif::error::VifError;
use crate::xen::vif::frame::Context;

/// For which of the guest's addresses this host answers on the interface to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those in a network of that interface.
    OnLink,
    /// All single ones.
    Arp,
    /// None, as the original.
    None,
}

/// What the routes must be.
pub(super) struct RouteConfig {
    /// The name that the interface must get.
    pub(super) vifname: Option<Result<InterfaceName, VifError>>,
    /// What `ip` says.
    pub(super) ip: String,
    /// The guest's addresses and networks.
    pub(super) nets: Vec<IpNet>,
    pub(super) reach: Reach,
    pub(super) antispoof: bool,
}

impl RouteConfig {
    /// Reads keys and arguments. A key counts even if it is empty.
    ///
    /// # Errors
    /// xenstored does not answer. For a call that connects also a value that cannot be used.
    pub(super) fn read(context: &mut Context) -> Result<Self, VifError> {
        let plugs = context.config.command.plugs();
        let arguments = context.arguments;
        let vifname = device::new_name(context.keys, context.config)?;
        let ip = match context.keys.value("ip") {
            Err(VifError::Value { .. }) if !plugs => None,
            ip => ip?.or_else(|| arguments.value("ip")),
        };
        let ip = ip.unwrap_or_default();
        let nets = ip.split_whitespace().map(net);
        if !plugs {
            let nets = nets.filter_map(Result::ok).collect();
            return Ok(RouteConfig { vifname, ip, nets, reach: Reach::None, antispoof: false });
        }
        let reach = match arguments.value("reach").as_deref() {
            None => Reach::OnLink,
            Some("arp") => Reach::Arp,
            Some("none") => Reach::None,
            Some(other) => return Err(VifError::Reach(other.into())),
        };
        Ok(RouteConfig {
            vifname,
            nets: nets.collect::<Result<_, _>>()?,
            ip,
            reach,
            antispoof: arguments.value("antispoof").as_deref() != Some("no"),
        })
    }
}

/// Reads the interface whose address this host uses, if one is named.
///
/// # Errors
/// It is no name of an interface.
pub(super) fn netdev(arguments: &Arguments) -> Result<Option<InterfaceName>, VifError> {
    arguments.value("netdev").map(|netdev| name("netdev", netdev)).transpose()
}

/// Parses an address or a network as iproute2 does.
fn net(word: &str) -> Result<IpNet, VifError> {
    let net = match Prefix::parse(word.as_bytes(), Family::Any, Notation::C) {
        Some(Prefix::Net { net, .. }) => net,
        Some(Prefix::All) => IpNet::V4(Default::default()),
        None => return Err(VifError::Net(word.into())),
    };
    match net == net.trunc() {
        true => Ok(net),
        false => Err(VifError::HostBits(net)),
    }
}
