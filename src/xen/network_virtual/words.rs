//! Names that `network-virtual` uses.

/// The script's name, which begins its messages.
pub(super) const NAME: &str = "network-virtual";

/// What SUSE's hosts ran, and what is run by default where it is installed.
pub(super) const SUSE_FIREWALL: &str = "rcSuSEfirewall2";

/// The variables that mean something.
pub(super) const VARIABLES: [&str; 11] = [
    "command",
    "vifnum",
    "bridge",
    "netdev",
    "bridgeip",
    "brnet",
    "antispoof",
    "firewall",
    "firewall_backend",
    "masquerade",
    "strict",
];
