//! The host's firewall: rules as values, what changes them, and what becomes of a packet.
//!
//! [`rule`] has a rule, made of [`chain`], [`matches`] (with [`addresses`] and [`traffic`]) and [`target`]. [`backend`] changes rules,
//! in the kernel's own tables ([`table`]) or by the host's [`iptables`]; [`choice`] decides which. [`survey`] reads the rules of all
//! programs as [`ruleset`]s, through which [`packet`] follows a packet.

pub mod addresses;
pub mod backend;
pub mod chain;
pub mod change;
pub mod choice;
pub mod error;
pub mod iptables;
pub mod matches;
mod nft_ruleset;
pub(crate) mod packet;
pub mod rule;
pub mod ruleset;
mod saved;
pub(crate) mod survey;
pub mod table;
pub mod target;
pub mod traffic;
