//! The engine that makes and removes virtual networks.
//!
//! A network is described by a [`spec`], compared with the host by a [`plan`], made by [`step`]s that each know their reverse,
//! and remembered by [`state`] under /run/brouter.

pub mod apply;
pub mod context;
mod former;
pub mod item;
pub mod plan;
pub mod removal;
pub mod setting;
pub mod spec;
pub mod state;
pub mod step;
