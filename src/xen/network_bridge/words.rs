//! Names that `network-bridge` uses.

/// The script's name, which begins its messages.
pub(super) const NAME: &str = "network-bridge";
