//! The variables of `network-virtual`, and what is right in them.

use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};

use super::report::complaint;
use super::words::SUSE_FIREWALL;
use crate::call::Call;
use crate::error::Failure;
use crate::firewall::choice::{Kind, UnknownKind};
use crate::net::InterfaceName;
use crate::net::prefix::{Family, Notation, Prefix};
use crate::network::spec::{Mode, NetworkSpec};
use crate::program;
use crate::xen::script::Arguments;

/// The values of the variables, with their defaults.
pub(super) struct Settings {
    pub(super) bridge: String,
    /// The interface to the outside.
    pub(super) netdev: String,
    /// Address and prefix of the bridge, as given.
    pub(super) bridgeip: Option<String>,
    /// The network of the bridge, as given.
    brnet: Option<String>,
    pub(super) antispoof: bool,
    masquerade: Option<String>,
    pub(super) firewall: Option<String>,
    /// What holds the firewall's rules, as given.
    backend: Option<String>,
    pub(super) strict: bool,
}

impl Settings {
    pub(super) fn read(arguments: &Arguments) -> Self {
        let value = |name| arguments.value(name);
        let vifnum = value("vifnum").unwrap_or_else(|| "0".into());
        let is_yes = |name| value(name).as_deref() == Some("yes");
        Settings {
            bridge: value("bridge").unwrap_or_else(|| format!("xenbr{vifnum}")),
            netdev: value("netdev").unwrap_or_else(|| format!("eth{vifnum}")),
            bridgeip: value("bridgeip"),
            brnet: value("brnet"),
            antispoof: is_yes("antispoof"),
            masquerade: value("masquerade"),
            firewall: value("firewall"),
            backend: value("firewall_backend"),
            strict: is_yes("strict"),
        }
    }

    /// The network that the variables describe.
    pub(super) fn spec(&self) -> Result<NetworkSpec, Failure> {
        let bridge = interface("bridge", &self.bridge)?;
        let address = self.address()?;
        let masquerade = self.masqueraded(address)?;
        Ok(NetworkSpec {
            addresses: address.into_iter().collect(),
            masquerade: masquerade.into_iter().collect(),
            backend: self.backend()?,
            mode: Mode::Additive,
            ..NetworkSpec::of_bridge(&self.bridge, bridge)
        })
    }

    /// What holds the firewall's rules, if that is not to be chosen.
    fn backend(&self) -> Result<Option<Kind>, Failure> {
        let parse = |word: &String| {
            let refuse = |fault| complaint(&format!("firewall_backend=\"{word}\": {fault}"));
            word.parse().map_err(|fault: UnknownKind| refuse(fault))
        };
        self.backend.as_ref().map(parse).transpose()
    }

    fn address(&self) -> Result<Option<IpNet>, Failure> {
        let Some(text) = &self.bridgeip else { return Ok(None) };
        match Prefix::parse(text.as_bytes(), Family::Any, Notation::C) {
            Some(Prefix::Net { net, .. }) if !net.addr().is_unspecified() && !net.addr().is_multicast() => {
                Ok(Some(net))
            }
            _ => Err(complaint(&format!(
                "bridgeip=\"{text}\": an address with its prefix is expected, such as 192.168.10.1/24"
            ))),
        }
    }

    /// The network to masquerade, if that is asked for: `brnet`, or that of the bridge's address.
    fn masqueraded(&self, address: Option<IpNet>) -> Result<Option<Ipv4Net>, Failure> {
        match self.masquerade.as_deref() {
            None | Some("no") => return Ok(None),
            Some("yes") => (),
            Some(other) => return Err(complaint(&format!("masquerade=\"{other}\": yes or no is expected"))),
        }
        let net = match &self.brnet {
            None => address,
            Some(text) => match Prefix::parse(text.as_bytes(), Family::Inet, Notation::C) {
                Some(Prefix::Net { net, .. }) => Some(net),
                _ => {
                    let text = format!("brnet=\"{text}\": a network is expected, such as 192.168.10.0/24");
                    return Err(complaint(&text));
                }
            },
        };
        match net {
            Some(IpNet::V4(net)) => Ok(Some(net.trunc())),
            Some(IpNet::V6(_)) => {
                Err(complaint("masquerade=yes: only IPv4 networks are masqueraded; give one as brnet"))
            }
            None => Ok(None),
        }
    }

    /// The interface to the outside.
    pub(super) fn outside(&self) -> Result<InterfaceName, Failure> {
        interface("netdev", &self.netdev)
    }

    /// The firewall's command with its arguments, if there is one to run.
    pub(super) fn firewall(&self, call: &Call) -> Result<Option<(PathBuf, Vec<String>)>, Failure> {
        let path = (call.environment)("PATH");
        let words = self.firewall.as_deref().unwrap_or_default();
        let mut words = words.split_ascii_whitespace().map(String::from);
        match words.next() {
            None => Ok(program::find(SUSE_FIREWALL, path).map(|program| (program, vec!["start".into()]))),
            Some(none) if none == "none" => Ok(None),
            Some(program) => match program::find(&program, path) {
                Some(found) => Ok(Some((found, words.collect()))),
                None => Err(complaint(&format!("firewall=\"{program}\": there is no such program"))),
            },
        }
    }
}

fn interface(variable: &str, name: &str) -> Result<InterfaceName, Failure> {
    name.parse().map_err(|fault| complaint(&format!("{variable}=\"{name}\": {fault}")))
}
