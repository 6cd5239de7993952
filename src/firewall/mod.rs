//! The host's firewall: rules as values, what changes them, and what becomes of a packet.
//!
//! [`rule`] has a rule, made of [`chain`], [`matches`] (with [`addresses`] and [`traffic`]) and [`target`]. [`backend`] changes rules,
//! in the kernel's own tables ([`table`]) by the host's [`iptables`] or by its [`nft`]; [`choice`] decides which. [`opening`] lets packets
//! pass a chain of others that drops them. [`survey`] reads the rules of all
//! programs as [`ruleset`]s, through which [`packet`] follows a packet.

pub mod addresses;
pub mod backend;
pub mod chain;
pub mod change;
pub mod choice;
pub mod error;
pub mod iptables;
pub mod matches;
pub mod nft;
pub mod nft_rule;
mod nft_ruleset;
pub mod opening;
pub(crate) mod packet;
pub mod rule;
pub mod ruleset;
pub(crate) mod survey;
pub mod table;
pub mod target;
pub mod traffic;
