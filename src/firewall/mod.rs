//! The host's firewall: rules as values, the programs that change them, and what becomes of a packet.

pub mod iptables;
pub(crate) mod packet;
pub mod rule;
pub mod ruleset;
