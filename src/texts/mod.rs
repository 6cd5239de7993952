//! Texts of the original tools that more than one command prints, as functions from typed facts to a
//! [`Failure`](crate::error::Failure).

pub mod bridge_utils;
pub mod iproute2;
