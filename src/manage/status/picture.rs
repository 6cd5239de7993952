//! The picture: a tree for each bridge, at most 80 columns wide.
//!
//! First the lines are written without their branches: a digit for the depth, a mark, the text. Then it is known which line is
//! the last of its branch, and the branches are drawn.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};

use super::ports;
use super::text::{Seconds, fill, put, text};
use super::view::{Brouter, Host, Way};
use crate::kernel::{Ipv6Flags, scope};

/// What every line fits into.
const WIDTH: usize = 80;
/// How wide labels are.
pub(super) const LABEL: usize = 11;
/// Routes over a bridge that are shown.
const ROUTES: usize = 8;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
    pub(super) utf8: bool,
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BOLD: &str = "1";
const FAINT: &str = "2";

impl Style {
    /// As the locale says, the first of these that is set.
    pub(super) fn of(locales: [Option<OsString>; 3], colour: bool) -> Self {
        let mut locale = locales.into_iter().flatten().find(|value| !value.is_empty()).unwrap_or_default();
        locale.make_ascii_uppercase();
        // behind it a modifier can be, such as @euro
        let locale = locale.as_encoded_bytes().split(|&byte| byte == b'@').next().unwrap_or_default();
        Style { colour, utf8: locale.ends_with(b"UTF-8") || locale.ends_with(b"UTF8") }
    }

    /// Prints a text in a colour. A name can hold any byte but '/' and blanks, and every character is to take one column.
    #[inline(never)]
    fn paint(self, out: &mut String, colour: &str, text: &str) {
        let is_coloured = self.colour && !colour.is_empty() && !text.is_empty();
        if is_coloured {
            put(out, &[&"\x1b[", &colour, &"m"]);
        }
        // letters of Latin; dashes, the signs of trees and the cross
        let is_narrow = |c| c < '\u{300}' || matches!(c, '…' | '─'..='╿' | '✗');
        let is_shown = |c: char| !c.is_control() && if self.utf8 { is_narrow(c) } else { c.is_ascii() };
        out.extend(text.chars().map(|c| if is_shown(c) { c } else { '?' }));
        if is_coloured {
            out.push_str("\x1b[0m");
        }
    }
}

/// Adds a line of the outermost branch.
#[inline(never)]
fn line(lines: &mut String, mark: &str, label: &str, parts: &[&dyn Display]) {
    let start = lines.len();
    put(lines, &[&"0", &mark, &label]);
    // the two signs before
    fill(lines, LABEL + 2);
    put(lines, parts);
    debug_assert!(!lines[start..].contains('\n'));
    lines.push('\n');
}

/// The whole picture.
#[inline(never)]
pub(super) fn picture(host: &Host, style: Style) -> String {
    let mut out = String::new();
    for brouter in &host.brouters {
        if !out.is_empty() {
            out.push('\n');
        }
        heading(&mut out, brouter, style);
        let mut lines = String::new();
        describe(&mut lines, brouter, host, style);
        draw(&mut out, &lines, style);
    }
    if host.brouters.is_empty() {
        out.push_str("This host has no bridge.\n");
    }
    if let Some(unknown) = &host.unknown {
        put(&mut out, &[&"\nNot known: ", unknown, &"\n"]);
    }
    out
}

#[inline(never)]
fn heading(out: &mut String, brouter: &Brouter, style: Style) {
    style.paint(out, BOLD, &brouter.bridge.to_string_lossy());
    if let [first, others @ ..] = brouter.networks.as_slice() {
        put(out, &[&", network ", first]);
        if !others.is_empty() {
            put(out, &[&" and ", &others.len(), &" more"]);
        }
    }
    out.push_str(": ");
    let faults = brouter.faults();
    let things = if faults == 1 { " thing out of order" } else { " things out of order" };
    let (colour, verdict) = match faults {
        0 if brouter.is_only_planned => ("", String::from("not up")),
        0 if brouter.remarks.is_empty() => (GREEN, "all is well".into()),
        0 => (GREEN, "well, as far as is known".into()),
        _ => (RED, text(&[&faults, &things])),
    };
    style.paint(out, colour, &verdict);
    out.push('\n');
}

/// The lines of a bridge: what is seen, and behind it what is out of order or not known of the same.
#[inline(never)]
fn describe(lines: &mut String, brouter: &Brouter, host: &Host, style: Style) {
    remarks(lines, brouter, "network");
    if let Some(link) = &brouter.link {
        let state = if brouter.is_up() { "up" } else { "down" };
        line(lines, " ", "bridge", &[&state, &", mtu ", &link.mtu, &", hardware address ", &link.address]);
        times(lines, brouter);
    }
    remarks(lines, brouter, "bridge");
    let addresses = host.addresses_of(&brouter.bridge);
    for address in addresses.iter().filter(|address| address.scope != scope::LINK) {
        let state = if address.v6.has(Ipv6Flags::TENTATIVE) { ", being tried" } else { "" };
        line(lines, " ", "address", &[&address.net, &state]);
    }
    remarks(lines, brouter, "address");
    if brouter.link.is_some() {
        ports::describe(lines, brouter, style);
    }
    remarks(lines, brouter, "port");
    let mut ways = host.ways_over(&brouter.bridge);
    ways.retain(|way| way.gateway.is_some());
    for way in ways.iter().take(ROUTES) {
        line(lines, " ", "route", &[&way.to, &Gateway(way)]);
    }
    if ways.len() > ROUTES {
        line(lines, " ", "route", &[&"and ", &(ways.len() - ROUTES), &" more"]);
    }
    if !addresses.is_empty() {
        outside(lines, brouter, host);
    }
    remarks(lines, brouter, "forwarding");
    for (net, has_rule) in &brouter.masquerade {
        if *has_rule == Some(true) {
            line(lines, " ", "masquerade", &[net]);
        }
    }
    remarks(lines, brouter, "masquerade");
    remarks(lines, brouter, "antispoof");
}

#[inline(never)]
fn remarks(lines: &mut String, brouter: &Brouter, label: &str) {
    for remark in brouter.remarks.iter().filter(|remark| remark.kind.label == label) {
        line(lines, if remark.kind.is_fault { "!" } else { "?" }, label, &[remark]);
    }
}

/// Spanning tree and the times that matter.
#[inline(never)]
fn times(lines: &mut String, brouter: &Brouter) {
    let info = &brouter.info;
    let (delay, ageing) = (Seconds(info.bridge_forward_delay), Seconds(info.ageing_time));
    let (hello, age) = (Seconds(info.hello_time), Seconds(info.max_age));
    let topology = if info.topology_change { ", the topology changes" } else { "" };
    match (info.stp_enabled, info.root_port) {
        (false, _) => {
            line(lines, ".", "", &[&"no spanning tree, forward delay ", &delay, &", ageing time ", &ageing]);
            return;
        }
        (_, 0) => line(lines, ".", "", &[&"spanning tree, of which it is the root", &topology]),
        (_, port) => line(lines, ".", "", &[&"spanning tree, its root behind port ", &port, &topology]),
    }
    let times: [&dyn Display; 8] =
        [&"forward delay ", &delay, &", hello time ", &hello, &", max age ", &age, &", ageing time ", &ageing];
    line(lines, ".", "", &times);
}

/// Where packets of guests go: by the default routes, and by the interface that the network names.
#[inline(never)]
fn outside(lines: &mut String, brouter: &Brouter, host: &Host) {
    let mut ways = host.ways_out();
    // where packets would go, too, if they were forwarded as they should be
    let is_off = brouter.remarks.iter().any(|remark| remark.kind.label == "forwarding");
    ways.retain(|way| is_off || host.forwards_to(way));
    for way in &ways {
        let family = if way.to.addr().is_ipv6() { ", IPv6 default route" } else { ", default route" };
        line(lines, " ", "outside", &[&Interface(&way.link, host), &family, &Gateway(way)]);
    }
    if let Some(named) = &brouter.outside
        && !ways.iter().any(|way| way.link == **named)
        && !brouter.remarks.iter().any(|remark| remark.kind.label == "outside")
    {
        line(lines, " ", "outside", &[&Interface(named.as_ref(), host)]);
    }
    remarks(lines, brouter, "outside");
    let text = match host.forwards {
        [None, None] => "not known",
        [Some(true), Some(true)] => "IPv4 and IPv6",
        [Some(true), _] => "IPv4, not IPv6",
        [_, Some(true)] => "IPv6, not IPv4",
        _ => "none: guests reach this host and each other",
    };
    line(lines, " ", "forwarding", &[&text]);
}

/// The next router, if there is one.
struct Gateway<'a>(&'a Way);

impl Display for Gateway<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.gateway.map_or(Ok(()), |gateway| write!(f, " by {gateway}"))
    }
}

/// An interface with its IPv4 addresses: an outside one has but one as a rule, and many of IPv6.
struct Interface<'a>(&'a OsStr, &'a Host);

impl Display for Interface<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        self.0.display().fmt(f)?;
        for address in self.1.addresses_of(self.0) {
            if address.net.addr().is_ipv4() {
                write!(f, " {}", address.net)?;
            }
        }
        Ok(())
    }
}

/// A line as it was written. One marked by a point goes on with the line before it.
fn parts(line: &str) -> (usize, &str, &str) {
    let (signs, text) = line.split_at_checked(2).unwrap_or(("0 ", line));
    (usize::from(signs.as_bytes()[0] & 7), &signs[1..], text)
}

/// Whether the branch of this depth has more to come.
fn goes_on(rest: &[&str], depth: usize) -> bool {
    let next = rest.iter().map(|line| parts(line)).find(|(other, mark, _)| *other <= depth && *mark != ".");
    next.is_some_and(|(other, ..)| other == depth)
}

/// Draws the branches before the lines.
#[inline(never)]
fn draw(out: &mut String, lines: &str, style: Style) {
    let [branch, last, trunk, fault] =
        if style.utf8 { ["├─", "└─", "│  ", "✗"] } else { ["|-", "`-", "|  ", "!"] };
    let lines: Vec<&str> = lines.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let rest = &lines[number + 1..];
        let (depth, mark, mut text) = parts(line);
        let trunks = |out: &mut String, depths| {
            for depth in 0..depths {
                style.paint(out, FAINT, if goes_on(rest, depth) { trunk } else { "   " });
            }
        };
        let (colour, sign) = match mark {
            "!" => (RED, fault),
            "?" => (YELLOW, mark),
            _ => ("", ""),
        };
        if mark == "." {
            trunks(out, depth + 1);
        } else {
            trunks(out, depth);
            let branch = if goes_on(rest, depth) { branch } else { last };
            // a sign stands in the place of the dash
            let stem = if sign.is_empty() { branch.len() } else { branch.len() / 2 };
            style.paint(out, FAINT, &branch[..stem]);
            style.paint(out, colour, sign);
            out.push(' ');
        }
        let (mut room, indent) = (WIDTH - 3 * (depth + 1), if depth == 0 { LABEL } else { 2 });
        // where it does not fit it is broken at a blank, or anywhere
        while let Some((end, _)) = text.char_indices().nth(room) {
            let cut = text.as_bytes()[..end].iter().rposition(|&byte| byte == b' ').filter(|&cut| cut > indent);
            let (before, after) = text.split_at(cut.unwrap_or(end));
            style.paint(out, colour, before);
            out.push('\n');
            trunks(out, depth + 1);
            (0..indent).for_each(|_| out.push(' '));
            text = after.trim_start();
            room = WIDTH - 3 * (depth + 1) - indent;
        }
        style.paint(out, colour, text);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { colour: false, utf8: false };

    #[test]
    fn branches() {
        let mut out = String::new();
        let lines = "0 a\n0.more of a\n0!ports\n1 p1\n1!p2\n1.  more of p2\n0 b\n1 c\n";
        draw(&mut out, lines, PLAIN);
        let wanted = "|- a\n|  more of a\n|! ports\n|  |- p1\n|  `! p2\n|       more of p2\n`- b\n   `- c\n";
        assert_eq!(out, wanted);
    }

    #[test]
    fn long_lines_are_broken() {
        let word = "x".repeat(30);
        let mut out = String::new();
        draw(&mut out, &text(&[&"0!label      ", &word, &" ", &word, &" ", &word, &word, &word, &"\n"]), PLAIN);
        let rest = "x".repeat(66);
        let last = "x".repeat(24);
        let wanted = text(&[
            &"`! label      ",
            &word,
            &" ",
            &word,
            &"\n              ",
            &rest,
            &"\n              ",
            &last,
            &"\n",
        ]);
        assert_eq!(out, wanted);
    }

    #[test]
    fn locale() {
        let utf8 = |locales: [&str; 3]| Style::of(locales.map(|value| Some(value.into())), false).utf8;
        assert!(utf8(["", "", "de_DE.UTF-8"]));
        assert!(utf8(["", "", "de_DE.utf8@euro"]));
        assert!(!utf8(["C", "", "C.UTF-8"]));
        assert!(utf8(["", "C.UTF-8", "C"]));
    }

    #[test]
    fn names_do_no_harm() {
        let painted = |utf8, text: &str| {
            let mut out = String::new();
            Style { colour: false, utf8 }.paint(&mut out, RED, text);
            out
        };
        assert_eq!(painted(true, "a\x1b[2Jbr\u{fc}cke\u{9b}\u{202e}\u{300}橋"), "a?[2Jbr\u{fc}cke????");
        assert_eq!(painted(false, "br\u{fc}cke\x7f"), "br?cke?");
    }
}
