//! The ports of a bridge: a line for each, or where they are many, one for those of the same state.

use super::picture::{LABEL, Style};
use super::text::{fill, put, text};
use super::view::{Brouter, Port, split};
use crate::kernel::{Count, Traffic};

/// So many ports of one state get a line each.
const FEW: usize = 16;

/// The ports, with those that do not forward first.
#[inline(never)]
pub(super) fn describe(lines: &mut String, brouter: &Brouter, style: Style) {
    let ports = &brouter.ports;
    if ports.is_empty() {
        lines.push_str("0 ports      none\n");
        return;
    }
    // there is to be room for `1024 ports`
    let mut names = if ports.len() > FEW { LABEL - 1 } else { LABEL - 3 };
    for port in ports {
        names = names.max(port.name.len());
    }
    row(lines, "0 ", &plural(ports.len(), "port"), names + 3, ["state", "rx / packets", "tx / packets", "learnt"]);
    for state in ["disabled", "blocking", "listening", "learning", "unknown", "forwarding"] {
        let mut group: Vec<&Port> = ports.iter().collect();
        group.retain(|port| port.state() == state);
        let size = if group.len() > FEW { group.len() } else { 1 };
        for some in group.chunks(size) {
            let mark = if brouter.is_out_of_order(some[0]) { "1!" } else { "1 " };
            describe_group(lines, mark, some, names);
            if size > 1 {
                ranges(lines, some, style);
            }
        }
    }
}

/// A port, or several of the same state in one line.
#[inline(never)]
fn describe_group(lines: &mut String, mark: &str, group: &[&Port], names: usize) {
    let first = group[0];
    let (mut learnt, mut sum, mut reason) = (0, Some(Traffic::default()), first.reason.as_str());
    for port in group {
        learnt += port.learnt.len();
        sum = sum.zip(port.traffic).map(|(sum, traffic)| sum.with(traffic));
        reason = if port.reason == reason { reason } else { "" };
    }
    let last = match (learnt, first.learnt.first()) {
        _ if !first.forwards() => reason.into(),
        (0, _) => "nothing".into(),
        (1, Some(one)) => text(&[&one.mac()]),
        (several, _) => plural(several, "address"),
    };
    let (mut received, mut sent) = (String::new(), String::new());
    if let Some(sum) = sum {
        (received, sent) = (count(sum.received), count(sum.sent));
    }
    let name = match group.len() {
        1 => text(&[&first.name.display()]),
        many => plural(many, "port"),
    };
    row(lines, mark, &name, names, [first.state(), &received, &sent, &last]);
}

#[inline(never)]
fn row(lines: &mut String, signs: &str, name: &str, names: usize, [state, received, sent, last]: [&str; 4]) {
    let column = 2 + names + 2;
    put(lines, &[&signs, &name]);
    fill(lines, column);
    lines.push_str(state);
    for (end, count) in [(column + 24, received), (column + 38, sent)] {
        fill(lines, end - count.len());
        lines.push_str(count);
    }
    put(lines, &[&"  ", &last, &"\n"]);
}

/// The names of ports, those with consecutive numbers as the first and the last.
#[inline(never)]
fn ranges(lines: &mut String, ports: &[&Port], style: Style) {
    let parts = |place: usize| ports.get(place).map(|port| split(port.name.as_encoded_bytes()));
    let follows = |place: usize| {
        let next =
            |(before, number, behind): (_, Option<u32>, _)| Some((before, Some(number?.checked_add(1)?), behind));
        place > 0 && parts(place).is_some() && parts(place) == parts(place - 1).and_then(next)
    };
    lines.push_str("1.");
    for (place, port) in ports.iter().enumerate() {
        let is_within = follows(place) && follows(place + 1);
        let before = match (place, follows(place)) {
            _ if is_within => continue,
            (0, _) => "  ",
            (_, true) if place > 1 && follows(place - 1) => {
                if style.utf8 {
                    " … "
                } else {
                    " .. "
                }
            }
            _ => ", ",
        };
        put(lines, &[&before, &port.name.display()]);
    }
    lines.push('\n');
}

/// `1 port`, `2 ports`, `3 addresses`.
fn plural(count: usize, noun: &str) -> String {
    let end = match noun {
        _ if count == 1 => "",
        "address" => "es",
        _ => "s",
    };
    text(&[&count, &" ", &noun, &end])
}

/// Bytes and packets in at most twelve columns.
fn count(count: Count) -> String {
    let mut text = human(count.bytes, 1024, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"]);
    let packets = human(count.packets, 1000, &["", "k", "M", "G", "T", "P", "E"]);
    let column = text.len() + 5 - packets.len();
    fill(&mut text, column);
    text + &packets
}

/// A number in the unit of which there are less than a thousand, a small one with its tenths.
#[inline(never)]
fn human(number: u64, step: u64, units: &[&str; 7]) -> String {
    let (mut unit, mut size) = (0, 1);
    while number / size >= 1000 && unit < 6 {
        unit += 1;
        size *= step;
    }
    let whole = number / size;
    match (unit, whole) {
        (1.., 0..10) => text(&[&whole, &".", &(number % size * 10 / size), &units[unit]]),
        _ => text(&[&whole, &units[unit]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let bytes = |number, packets| count(Count { bytes: number, packets });
        for (number, text) in [(0, "0 B"), (999, "999 B"), (1000, "0.9 KiB"), (1536, "1.5 KiB"), (10_240, "10 KiB")] {
            assert_eq!(bytes(number, 0), [text, "    0"].concat());
        }
        assert_eq!(bytes(1_288_490, 9_999), "1.2 MiB 9.9k");
        assert_eq!(bytes(u64::MAX, u64::MAX), "15 EiB  18E");
        assert_eq!(bytes(1_023_999, 999_999), "999 KiB 999k");
        assert_eq!(bytes(1_024_000, 1_000_000), "0.9 MiB 1.0M");
        assert_eq!(bytes(1_048_576, 1_000_000), "1.0 MiB 1.0M");
    }
}
