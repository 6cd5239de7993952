//! Shows what differs: a `-` line is what was wanted, a `+` line what ours did.

use crate::harness::outcome::Outcome;

/// A bridge has some 40 files: of one too many not all need be told.
const LINES_SHOWN: usize = 60;

/// What differs, or nothing.
pub(crate) fn differences(wanted: &Outcome, ours: &Outcome) -> String {
    let mut report = String::new();
    if wanted.status != ours.status {
        report += &format!("  status\n    -{}\n    +{}\n", wanted.status, ours.status);
    }
    let texts = [
        ("stdout", &wanted.stdout, &ours.stdout),
        ("stderr", &wanted.stderr, &ours.stderr),
        ("kernel", &wanted.kernel, &ours.kernel),
    ];
    for (name, wanted, ours) in texts.into_iter().filter(|(_, wanted, ours)| wanted != ours) {
        report += &format!("  {name}\n{}", lines(wanted, ours));
    }
    report
}

/// The lines that differ, each group after the line before it.
fn lines(wanted: &str, ours: &str) -> String {
    let wanted: Vec<&str> = wanted.split_inclusive('\n').collect();
    let ours: Vec<&str> = ours.split_inclusive('\n').collect();
    let common = common_lines(&wanted, &ours);
    let (mut at, mut ours_at) = (0, 0);
    let mut report = Vec::new();
    // Past the last common line a pair beyond both ends closes the last group.
    for (next, ours_next) in common.into_iter().chain([(wanted.len(), ours.len())]) {
        if (at < next || ours_at < ours_next) && at > 0 {
            report.push(shown(' ', wanted[at - 1]));
        }
        report.extend(wanted[at..next].iter().map(|line| shown('-', line)));
        report.extend(ours[ours_at..ours_next].iter().map(|line| shown('+', line)));
        (at, ours_at) = (next + 1, ours_next + 1);
    }
    if report.len() > LINES_SHOWN {
        report.truncate(LINES_SHOWN);
        report.push(String::from("     (and more)\n"));
    }
    report.concat()
}

/// Pairs of places of a longest common subsequence.
fn common_lines(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    // longest[i][j]: its length in a[i..] and b[j..].
    let mut longest = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] =
                if a[i] == b[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// A line with its trailing blanks, and the lack of a newline, made visible.
fn shown(sign: char, line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, ""),
        None => (line, "\u{2190} no newline"),
    };
    let text = line.trim_end_matches(' ');
    format!("    {sign}{text}{}{end}\n", "\u{b7}".repeat(line.len() - text.len()))
}
