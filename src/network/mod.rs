//! The engine that makes and removes virtual networks.
//!
//! A network is described by a [`spec`], compared with the host by a [`plan`], made by [`step`]s that each know their reverse,
//! and remembered by [`state`] under /run/brouter.

pub mod plan;
pub mod spec;
pub mod state;
pub mod step;

use crate::error::Failure;

/// A wrong call: status 2.
fn complaint(text: Vec<u8>) -> Failure {
    Failure::new([&b"brouter: "[..], &text].concat()).with_status(2)
}
