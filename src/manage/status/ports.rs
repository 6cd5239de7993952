//! The ports of a bridge: a line for each or, where they are many, one for those in the same state.

use super::model::BridgeStatus;
use super::style::Style;
use super::text::{count, plural};
use super::tree::{LABEL, Line, Mark};
use crate::inspect::port::{Port, numbered};
use crate::kernel::{FdbEntry, Traffic};

/// More ports in one state than these share a line.
const FEW: usize = 16;

/// What is told of a port.
struct Row<'a> {
    port: &'a Port,
    traffic: Option<Traffic>,
    learnt: &'a [FdbEntry],
    reason: Option<String>,
    is_tunnel: bool,
}

/// Returns the lines of the ports. Those that do not forward come first.
pub(super) fn lines(status: &BridgeStatus, style: Style) -> Vec<Line> {
    let ports = status.ports();
    let Some(bridge) = status.bridge.as_ref().filter(|_| !ports.is_empty()) else {
        return vec![Line::labelled(Mark::Plain, "ports", "none")];
    };
    let row = |port| Row {
        port,
        traffic: bridge.traffic_of(port),
        learnt: bridge.learnt_behind(port),
        reason: status.reason(port),
        is_tunnel: status.is_tunnel(port),
    };
    let rows: Vec<Row> = ports.iter().map(row).collect();
    // `1024 ports` must fit
    let shortest = if ports.len() > FEW { LABEL - 1 } else { LABEL - 3 };
    let width = ports.iter().map(|port| port.name.to_string_lossy().chars().count()).fold(shortest, usize::max);
    let heading = columns(&plural(ports.len(), "port"), width + 3, ["state", "rx / packets", "tx / packets", "learnt"]);
    let mut lines = vec![Line { depth: 0, mark: Mark::Plain, continues: false, text: heading }];
    for state in ["disabled", "blocking", "listening", "learning", "unknown", "forwarding"] {
        let (tunnels, group): (Vec<&Row>, Vec<&Row>) =
            rows.iter().filter(|row| row.port.state() == state).partition(|row| row.is_tunnel);
        let size = if group.len() > FEW { group.len() } else { 1 };
        for some in group.chunks(size).chain(tunnels.chunks(1)) {
            let mark = if status.is_faulty(some[0].port) { Mark::Fault } else { Mark::Plain };
            lines.push(Line { depth: 1, mark, continues: false, text: describe(some, width) });
            if some.len() > 1 {
                let text = format!("  {}", ranges(some, style));
                lines.push(Line { depth: 1, mark: Mark::Plain, continues: true, text });
            }
        }
    }
    lines
}

/// Describes a port, or several in the same state.
fn describe(group: &[&Row], width: usize) -> String {
    let first = group[0];
    let addresses: usize = group.iter().map(|row| row.learnt.len()).sum();
    let sum = group.iter().try_fold(Traffic::default(), |sum, row| Some(sum.sum(row.traffic?)));
    let [received, sent] = sum.map_or([String::new(), String::new()], |sum| [count(sum.received), count(sum.sent)]);
    let last = match (addresses, first.learnt) {
        _ if !first.port.forwards() => {
            let is_shared = group.iter().all(|row| row.reason == first.reason);
            first.reason.clone().filter(|_| is_shared).unwrap_or_default()
        }
        (0, _) if first.is_tunnel => "other hosts".into(),
        (addresses, _) if first.is_tunnel => format!("{addresses} on other hosts"),
        (0, _) => "nothing".into(),
        (1, [one]) => one.mac().to_string(),
        _ => plural(addresses, "address"),
    };
    let name = match group.len() {
        1 => first.port.name.to_string_lossy().into_owned(),
        many => plural(many, "port"),
    };
    columns(&name, width, [first.port.state(), &received, &sent, &last])
}

fn columns(name: &str, width: usize, [state, received, sent, last]: [&str; 4]) -> String {
    format!("{name:<width$}  {state:<10}{received:>14}{sent:>14}  {last}")
}

/// Lists the names of ports, those with consecutive numbers as the first and the last.
fn ranges(group: &[&Row], style: Style) -> String {
    let name = |place: usize| group.get(place).map(|row| numbered(&row.port.name));
    let follows = |place: usize| match (place.checked_sub(1).and_then(name), name(place)) {
        (Some((before, Some(last), behind)), Some(name)) => name == (before, last.checked_add(1), behind),
        _ => false,
    };
    let mut text = String::new();
    for (place, row) in group.iter().enumerate() {
        text.push_str(match (follows(place), follows(place + 1)) {
            _ if place == 0 => "",
            (true, true) => continue,
            (true, false) if follows(place - 1) => {
                if style.utf8 {
                    " … "
                } else {
                    " .. "
                }
            }
            _ => ", ",
        });
        text.push_str(&row.port.name.to_string_lossy());
    }
    text
}
