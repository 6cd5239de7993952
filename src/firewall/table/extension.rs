//! Matches and targets of modules in bytes, in each revision that some kernel knows (linux/netfilter/xt_*.h, nf_nat.h).

use std::net::IpAddr;

use super::content::{ACCEPT, DROP, RETURN, parts, verdict};
use super::header::{IFNAMSIZ, interface};
use super::layout::Layout;
use crate::firewall::error::{FirewallError, Result};
use crate::firewall::matches::{Match, Module};
use crate::firewall::rule::Rule;
use crate::firewall::target::Target;
use crate::firewall::traffic::{Ports, Protocol, States};
use crate::net::{Family, InterfaceName};

/// A match or target in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) name: &'static str,
    pub(super) revision: u8,
    /// As long as the C structure, without the bytes that align it.
    pub(super) data: Vec<u8>,
}

/// Returns the encodings of what a rule has of a module, the newest first.
///
/// # Errors
/// [`FirewallError::Unfit`].
pub(super) fn encode_match(rule: &Rule, module: Module) -> Result<Vec<Encoding>> {
    let own = || rule.matches.iter().filter(|one| one.module() == Some(module));
    let unfit = || FirewallError::Unfit(own().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    match module {
        Module::Ports => ports(rule, own()).ok_or_else(unfit).map(|only| vec![only]),
        Module::Physdev => Ok(vec![physdev(own())]),
        Module::State | Module::Conntrack => own().next().and_then(states).ok_or_else(unfit),
        Module::Addrtype => Ok(addrtype(rule.family, own())),
    }
}

/// `struct xt_tcp`, `struct xt_udp`.
fn ports<'a>(rule: &Rule, own: impl Iterator<Item = &'a Match>) -> Option<Encoding> {
    const INV_SRCPT: u8 = 1;
    const INV_DSTPT: u8 = 2;
    let is_protocol = |one: &&Match| matches!(one, Match::Protocol(Protocol::Tcp | Protocol::Udp));
    let Some(Match::Protocol(protocol)) = rule.matches.iter().find(is_protocol) else { return None };
    let mut ranges = [Ports { first: 0, last: u16::MAX }; 2];
    let mut inversion = 0;
    for one in own {
        let (plain, is_negated) = one.plain();
        let (index, ports, negation) = match plain {
            Match::SourcePort(ports) => (0, ports, INV_SRCPT),
            Match::DestinationPort(ports) => (1, ports, INV_DSTPT),
            _ => continue,
        };
        ranges[index] = *ports;
        inversion |= if is_negated { negation } else { 0 };
    }
    if ranges.iter().any(|ports| ports.first > ports.last) {
        return None;
    }
    let mut data: Vec<u8> =
        ranges.iter().flat_map(|ports| [ports.first, ports.last]).flat_map(u16::to_ne_bytes).collect();
    match protocol {
        // option, flags and their mask compare nothing
        Protocol::Tcp => data.extend([0, 0, 0, inversion]),
        _ => data.extend([inversion, 0]),
    }
    Some(Encoding { name: protocol.name(), revision: 0, data })
}

/// Bits of `struct xt_physdev_info`.
const OP_IN: u8 = 0x01;
const OP_OUT: u8 = 0x02;
const OP_BRIDGED: u8 = 0x04;

/// Whether a checked entry accepts what passes a bridge port, whatever else it compares.
pub(super) fn accepts_port(layout: Layout, entry: &[u8], port: &InterfaceName) -> bool {
    let (name, mask) = interface(port);
    let compares = |data: &[u8]| {
        let Some(&[invert, bits]) = data.get(4 * IFNAMSIZ..4 * IFNAMSIZ + 2) else { return false };
        let is_at = |start: usize| data[start..].starts_with(&name) && data[start + IFNAMSIZ..].starts_with(&mask);
        let is_named = |bit: u8, start: usize| bits & !invert & bit != 0 && is_at(start);
        is_named(OP_IN, 0) || is_named(OP_OUT, 2 * IFNAMSIZ)
    };
    verdict(layout, entry) == Some(ACCEPT)
        && parts(layout, entry).iter().any(|part| (part.name, part.revision) == (b"physdev", 0) && compares(part.data))
}

/// `struct xt_physdev_info`.
fn physdev<'a>(own: impl Iterator<Item = &'a Match>) -> Encoding {
    let mut data = vec![0; 4 * IFNAMSIZ];
    let (mut invert, mut bitmask) = (0, 0);
    for one in own {
        let (plain, is_negated) = one.plain();
        let bit = match plain {
            Match::PortIn(name) => {
                set_port(&mut data[..2 * IFNAMSIZ], name);
                OP_IN
            }
            Match::PortOut(name) => {
                set_port(&mut data[2 * IFNAMSIZ..], name);
                OP_OUT
            }
            _ => OP_BRIDGED,
        };
        bitmask |= bit;
        invert |= if is_negated { bit } else { 0 };
    }
    data.extend([invert, bitmask]);
    Encoding { name: "physdev", revision: 0, data }
}

fn set_port(fields: &mut [u8], name: &InterfaceName) {
    let (name, mask) = interface(name);
    fields[..IFNAMSIZ].copy_from_slice(&name);
    fields[IFNAMSIZ..].copy_from_slice(&mask);
}

/// `struct xt_conntrack_mtinfo3`, `2` and `1`, and `struct xt_state_info`, which kernels before 2.6.25 have alone.
fn states(one: &Match) -> Option<Vec<Encoding>> {
    const STATE: u16 = 1;
    const STATE_ALIAS: u16 = 1 << 13;
    let (plain, is_negated) = one.plain();
    let (states, flags) = match plain {
        Match::State(states) if !states.contains(States::DNAT) => (*states, STATE | STATE_ALIAS),
        Match::Conntrack(states) => (*states, STATE),
        _ => return None,
    };
    let bits =
        [(States::INVALID, 0), (States::ESTABLISHED, 1), (States::RELATED, 2), (States::NEW, 3), (States::DNAT, 7)];
    let mask: u16 = bits.into_iter().filter(|(state, _)| states.contains(*state)).map(|(_, bit)| 1 << bit).sum();
    let inverted = if is_negated { STATE } else { 0 };
    // addresses, times, protocol and ports compare nothing
    let mut start = vec![0; 146];
    start.extend(flags.to_ne_bytes());
    start.extend(inverted.to_ne_bytes());
    let conntrack = |revision, rest: &[u8]| Encoding { name: "conntrack", revision, data: [&start, rest].concat() };
    let mut encodings = vec![
        conntrack(3, &[&mask.to_ne_bytes()[..], &[0; 12]].concat()),
        conntrack(2, &[&mask.to_ne_bytes()[..], &[0; 4]].concat()),
        conntrack(1, &[mask as u8, 0]),
    ];
    if !is_negated && !states.contains(States::DNAT) {
        encodings.push(Encoding { name: "state", revision: 0, data: u32::from(mask).to_ne_bytes().into() });
    }
    Some(encodings)
}

/// `struct xt_addrtype_info_v1` and, for IPv4 on kernels before 2.6.39, `struct xt_addrtype_info`.
fn addrtype<'a>(family: Family, own: impl Iterator<Item = &'a Match>) -> Vec<Encoding> {
    const LOCAL: u16 = 1 << 2;
    let (mut types, mut inverted) = ([0_u16; 2], [0_u32; 2]);
    for one in own {
        let (plain, is_negated) = one.plain();
        let index = usize::from(*plain == Match::DestinationLocal);
        types[index] = LOCAL;
        inverted[index] = is_negated.into();
    }
    let start: Vec<u8> = types.into_iter().flat_map(u16::to_ne_bytes).collect();
    let flags = inverted[0] | inverted[1] << 1;
    let encoding =
        |revision, rest: Vec<u8>| Encoding { name: "addrtype", revision, data: [start.clone(), rest].concat() };
    let mut encodings = vec![encoding(1, flags.to_ne_bytes().into())];
    if family == Family::V4 {
        encodings.push(encoding(0, inverted.into_iter().flat_map(u32::to_ne_bytes).collect()));
    }
    encodings
}

/// Returns the encodings of a rule's target, the newest first.
///
/// # Errors
/// [`FirewallError::Unfit`].
pub(super) fn encode_target(rule: &Rule) -> Result<Vec<Encoding>> {
    let standard = |verdict: i32| vec![Encoding { name: "", revision: 0, data: verdict.to_ne_bytes().into() }];
    Ok(match &rule.target {
        Target::Accept => standard(ACCEPT),
        Target::Drop => standard(DROP),
        Target::Return => standard(RETURN),
        Target::Masquerade => vec![masquerade(rule.family)],
        Target::Dnat { address, ports } if Family::of_address(address) == rule.family => dnat(*address, *ports),
        Target::Dnat { .. } => return Err(FirewallError::Unfit(rule.target.to_string())),
    })
}

/// `struct nf_nat_ipv4_multi_range_compat` with one range of nothing, and `struct nf_nat_range`.
fn masquerade(family: Family) -> Encoding {
    let mut data = vec![0; if family == Family::V4 { 20 } else { 40 }];
    if family == Family::V4 {
        data[..4].copy_from_slice(&1_u32.to_ne_bytes());
    }
    Encoding { name: "MASQUERADE", revision: 0, data }
}

/// `struct nf_nat_range2` (since 4.18) and, before, `struct nf_nat_ipv4_multi_range_compat` or `struct nf_nat_range`.
fn dnat(address: IpAddr, ports: Option<Ports>) -> Vec<Encoding> {
    const MAP_IPS: u32 = 1;
    const PROTO_SPECIFIED: u32 = 2;
    let flags = (MAP_IPS | if ports.is_some() { PROTO_SPECIFIED } else { 0 }).to_ne_bytes();
    let Ports { first, last } = ports.unwrap_or(0.into());
    // in network order, unlike those of a match
    let ports = [first.to_be_bytes(), last.to_be_bytes()].concat();
    let address = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut wide = address.clone();
    wide.resize(16, 0);
    let range = [&flags[..], &wide, &wide, &ports].concat();
    let encoding = |revision, data| Encoding { name: "DNAT", revision, data };
    let newest = encoding(2, [&range[..], &[0; 4]].concat());
    let older = match address.len() {
        4 => encoding(0, [&1_u32.to_ne_bytes()[..], &flags, &address, &address, &ports].concat()),
        _ => encoding(1, range),
    };
    vec![newest, older]
}
