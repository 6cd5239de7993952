//! Addresses of links: IPv4 by label, as the address ioctls know them, and IPv6.

mod change;
mod info;
mod twins;
mod v4;
mod v6;

pub use info::Address;
