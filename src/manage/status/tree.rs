//! Lines drawn as a tree, folded to a width.

use super::style::{Ink, Style};

/// Columns of the labels of the outermost branch.
pub(super) const LABEL: usize = 11;
/// Columns that a branch takes.
const BRANCH: usize = 3;

/// A line of the tree, without its branches.
#[derive(Debug)]
pub(super) struct Line {
    /// 0 for a line of the outermost branch.
    pub(super) depth: usize,
    pub(super) mark: Mark,
    /// It continues the line before it, and has no branch of its own.
    pub(super) continues: bool,
    pub(super) text: String,
}

/// How a line is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Plain,
    Fault,
    Unknown,
}

impl Line {
    /// Returns a line of the outermost branch.
    pub(super) fn labelled(mark: Mark, label: &str, text: &str) -> Self {
        Line { depth: 0, mark, continues: false, text: format!("{label:<LABEL$}{text}") }
    }

    /// Returns whether it need not be folded.
    pub(super) fn fits(&self, style: Style) -> bool {
        self.text.chars().count() + BRANCH * (self.depth + 1) <= style.width
    }

    /// Returns a line that continues a labelled one.
    pub(super) fn continued(text: &str) -> Self {
        Line { continues: true, ..Line::labelled(Mark::Plain, "", text) }
    }
}

/// Draws lines with their branches.
pub(super) fn draw(lines: &[Line], style: Style) -> String {
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let rest = &lines[number + 1..];
        branch(&mut out, line, rest, style);
        let indent = if line.depth == 0 { LABEL } else { 2 };
        let ink = match line.mark {
            Mark::Plain => Ink::Plain,
            Mark::Fault => Ink::Red,
            Mark::Unknown => Ink::Yellow,
        };
        for (place, part) in fold(&line.text, style.width - BRANCH * (line.depth + 1), indent).into_iter().enumerate() {
            if place > 0 {
                out.push('\n');
                trunks(&mut out, rest, line.depth + 1, style);
                out.extend(std::iter::repeat_n(' ', indent));
            }
            style.paint(&mut out, ink, part);
        }
        out.push('\n');
    }
    out
}

/// Returns whether the branch of this depth goes on after a line.
fn goes_on(rest: &[Line], depth: usize) -> bool {
    let next = rest.iter().find(|line| line.depth <= depth && !line.continues);
    next.is_some_and(|line| line.depth == depth)
}

/// Draws the branches that pass by on the left of a line.
fn trunks(out: &mut String, rest: &[Line], depths: usize, style: Style) {
    let trunk = if style.utf8 { "│  " } else { "|  " };
    for depth in 0..depths {
        style.paint(out, Ink::Faint, if goes_on(rest, depth) { trunk } else { "   " });
    }
}

/// Draws what is left of a line. A sign stands in the place of the branch's dash.
fn branch(out: &mut String, line: &Line, rest: &[Line], style: Style) {
    if line.continues {
        return trunks(out, rest, line.depth + 1, style);
    }
    trunks(out, rest, line.depth, style);
    let (fork, end, dash) = if style.utf8 { ("├", "└", "─") } else { ("|", "`", "-") };
    let stem = if goes_on(rest, line.depth) { fork } else { end };
    match line.mark {
        Mark::Plain => style.paint(out, Ink::Faint, &[stem, dash].concat()),
        mark => {
            let fault = if style.utf8 { "✗" } else { "!" };
            let (ink, sign) = if mark == Mark::Fault { (Ink::Red, fault) } else { (Ink::Yellow, "?") };
            style.paint(out, Ink::Faint, stem);
            style.paint(out, ink, sign);
        }
    }
    out.push(' ');
}

/// Splits a text into parts that fit: at a blank behind the indent, or anywhere. All parts but the first are indented.
fn fold(text: &str, room: usize, indent: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut width) = (text, room);
    while let Some((end, _)) = rest.char_indices().nth(width) {
        let blank = rest[..end].rfind(' ').filter(|&blank| blank > indent);
        let (part, after) = rest.split_at(blank.unwrap_or(end));
        parts.push(part);
        rest = after.trim_start();
        width = room - indent;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { colour: false, utf8: false, width: 80 };

    #[test]
    fn branches() {
        let line = |depth, mark, continues, text: &str| Line { depth, mark, continues, text: text.into() };
        let lines = [
            line(0, Mark::Plain, false, "a"),
            line(0, Mark::Plain, true, "more of a"),
            line(0, Mark::Fault, false, "ports"),
            line(1, Mark::Plain, false, "p1"),
            line(1, Mark::Fault, false, "p2"),
            line(1, Mark::Plain, true, "  more of p2"),
            line(0, Mark::Plain, false, "b"),
            line(1, Mark::Unknown, false, "c"),
        ];
        let wanted = "|- a\n|  more of a\n|! ports\n|  |- p1\n|  `! p2\n|       more of p2\n`- b\n   `? c\n";
        assert_eq!(draw(&lines, PLAIN), wanted);
        let wanted = "├─ a\n│  more of a\n├✗ ports\n│  ├─ p1\n│  └✗ p2\n│       more of p2\n└─ b\n   └? c\n";
        assert_eq!(draw(&lines, Style { utf8: true, ..PLAIN }), wanted);
    }

    #[test]
    fn long_lines_are_folded() {
        let word = "x".repeat(30);
        let line = Line::labelled(Mark::Fault, "label", &format!("{word} {word} {word}{word}{word}"));
        let wanted = format!(
            "`! label      {word} {word}\n              {}\n              {}\n",
            "x".repeat(66),
            "x".repeat(24)
        );
        assert_eq!(draw(&[line], PLAIN), wanted);
    }
}
