//! One snapshot of the host: the plan of `brouter up` compares with it, `status` draws it, `doctor` judges it.
//!
//! A [`snapshot`] reads each fact when it is first asked for, and once. It belongs to one moment: whoever changes the host takes a
//! new one.

pub(crate) mod bridge;
mod fact;
pub(crate) mod port;
pub(crate) mod route;
pub(crate) mod snapshot;
