//! Values of the network and their text: pure types, no system calls.

mod bridge_id;
mod clock;
mod mac;
pub mod order;

pub use bridge_id::BridgeId;
pub use clock::ClockTime;
pub use mac::Mac;
