//! `brouter ls`: one line for each network.

use argh::FromArgs;

use super::check;
use super::model::{BridgeStatus, HostStatus};
use super::text::plural;
use crate::call::Call;
use crate::error::Outcome;
use crate::manage::output::say;
use crate::net::rtnetlink::Scope;
use crate::terminal::one_line;

/// List networks: name, bridge, addresses, number of ports, state. Bridges of others have no name.
#[derive(FromArgs)]
pub(in crate::manage) struct Options {
    /// print the names of networks alone
    #[argh(switch, short = 'q')]
    quiet: bool,
}

/// `brouter ls`
pub(in crate::manage) fn list(call: &mut Call, options: &Options) -> Outcome {
    let host = check::check(call, None, true)?;
    let rows = host.bridges.iter().flat_map(|status| rows(&host, status));
    if options.quiet {
        let names = rows.filter(|[name, ..]| name != "-").map(|[name, ..]| name + "\n");
        return say(call, &names.collect::<String>());
    }
    let mut table = vec![["network", "bridge", "addresses", "ports", "state"].map(String::from)];
    table.extend(rows);
    let widths = [0, 1, 2, 3].map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |[name, bridge, addresses, ports, state]: &[String; 5]| {
        let [first, second, third, fourth] = widths;
        format!("{name:first$}  {bridge:second$}  {addresses:third$}  {ports:>fourth$}  {state}\n")
    };
    say(call, &table.iter().map(line).collect::<String>())
}

/// Returns the rows of the networks on a bridge, or of the bridge itself.
fn rows(host: &HostStatus, status: &BridgeStatus) -> Vec<[String; 5]> {
    let addresses = host.snapshot.addresses_of(&status.name).filter(|address| address.scope != Scope::LINK);
    let addresses: Vec<String> = addresses.map(|address| address.net.to_string()).collect();
    let state = match status.faults().count() {
        _ if status.is_only_planned => "not up".into(),
        0 if status.findings.is_empty() => "well".into(),
        0 => "well, as far as is known".into(),
        faults => plural(faults, "fault"),
    };
    let or_none = |text: String| if text.is_empty() { "-".into() } else { text };
    let row = |name: &str| {
        let bridge = one_line(&status.name.to_string_lossy());
        [name.into(), bridge, or_none(addresses.join(",")), status.ports().len().to_string(), state.clone()]
    };
    match status.networks.is_empty() {
        true => vec![row("-")],
        false => status.networks.iter().map(|name| row(name)).collect(),
    }
}
