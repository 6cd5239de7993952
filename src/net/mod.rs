//! Values of the network and their text: pure types, no system calls.

mod bridge_id;
mod class;
mod clock;
mod family;
mod interface;
mod label;
mod mac;
pub mod number;
pub mod prefix;
pub mod rtnetlink;

pub use bridge_id::BridgeId;
pub use class::class_prefix;
pub use clock::ClockTime;
pub use family::Family;
pub use interface::{BadName, InterfaceName};
pub use label::labels;
pub use mac::Mac;
