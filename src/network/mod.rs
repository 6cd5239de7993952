//! The engine that makes and removes virtual networks.
//!
//! A network is described by a [`spec`], whose [`setting`]s come from options or a file. A [`plan`] compares its [`item`]s with the
//! host and with the [`state`] that an earlier call has [`store`]d under /run/brouter. It is carried out [`step`] by step in a
//! [`context`], and undone if one fails ([`apply`]). [`removal`] plans the way back. [`ip_config`] moves
//! addresses and routes from one link to another. A [`catalog`] merges what is known of all networks.

mod address;
pub mod apply;
pub mod catalog;
pub mod conflict;
pub mod context;
pub(crate) mod dropped;
mod former;
pub mod ip_config;
pub mod item;
pub mod misplaced;
pub mod opening;
pub mod overlap;
pub mod plan;
pub mod plan_error;
pub mod publication;
pub mod published;
pub mod removal;
mod renaming;
pub mod setting;
pub mod spec;
pub mod stable_mac;
pub mod state;
pub mod step;
pub mod store;
pub mod wanted;
