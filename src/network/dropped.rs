//! What drops the packets that a network needs to be forwarded.

use ipnet::IpNet;

use super::opening::Flow;
use super::publication::Publication;
use crate::firewall::opening::Obstacle;
use crate::firewall::survey::Rules;
use crate::inspect::snapshot::HostSnapshot;
use crate::net::{Family, InterfaceName};

/// A network, as far as packets are forwarded for it.
pub(crate) struct Forwarded<'a> {
    pub(crate) bridge: &'a InterfaceName,
    pub(crate) addresses: &'a [IpNet],
    /// The interface to the outside, if guests are to reach it.
    pub(crate) outside: Option<&'a InterfaceName>,
    pub(crate) publications: &'a [Publication],
    /// Only the kernel's legacy tables are looked at, for which no program is run.
    pub(crate) only_legacy: bool,
}

impl Forwarded<'_> {
    /// Returns the packets that have to be forwarded.
    pub(crate) fn flows(&self) -> Vec<Flow> {
        let mut flows = Vec::new();
        for family in Family::BOTH {
            if let Some(outside) = self.outside
                && self.addresses.iter().any(|net| Family::of(net) == family)
            {
                flows.extend([Flow::Out(family, outside.clone()), Flow::Back(family, outside.clone())]);
            }
        }
        flows
            .extend(self.publications.iter().flat_map(|&publication| [Flow::To(publication), Flow::From(publication)]));
        flows
    }

    /// Returns the rules that are looked at.
    pub(crate) fn rules<'h>(&self, host: &'h HostSnapshot, family: Family) -> &'h Rules {
        if self.only_legacy { host.legacy_firewall(family) } else { host.firewall(family) }
    }

    /// Returns what drops packets, each chain once.
    pub(crate) fn obstacles(&self, host: &HostSnapshot, flow: &Flow) -> Vec<Obstacle> {
        let guest = |publication: &Publication| vec![IpNet::from(publication.guest)];
        let nets = match flow {
            Flow::Out(family, _) | Flow::Back(family, _) => {
                self.addresses.iter().filter(|net| Family::of(net) == *family).copied().collect()
            }
            Flow::To(publication) | Flow::From(publication) => guest(publication),
        };
        let rules = self.rules(host, flow.family());
        let mut found: Vec<Obstacle> = Vec::new();
        for net in nets {
            for obstacle in Obstacle::all(rules, &flow.packet(self.bridge, &net)) {
                if !found.iter().any(|known| known.place == obstacle.place) {
                    found.push(obstacle);
                }
            }
        }
        found
    }
}
