//! Prints differences: a `-` line is expected, a `+` line is ours.

use crate::harness::outcome::Outcome;

/// A bridge has some 40 files: if there is an extra one, not all need to be printed.
const LINES_SHOWN: usize = 60;

/// Compares two outcomes.
///
/// # Errors
/// The differences, to be printed.
pub(crate) fn compare(expected: &Outcome, ours: &Outcome) -> Result<(), String> {
    let mut report = String::new();
    if expected.status != ours.status {
        report += &format!("  status\n    -{}\n    +{}\n", expected.status, ours.status);
    }
    let texts = [
        ("stdout", &expected.stdout, &ours.stdout),
        ("stderr", &expected.stderr, &ours.stderr),
        ("kernel", &expected.kernel, &ours.kernel),
    ];
    for (name, expected, ours) in texts.into_iter().filter(|(_, expected, ours)| expected != ours) {
        report += &format!("  {name}\n{}", lines(expected, ours));
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// Returns the lines that differ, each group after the line that precedes it.
fn lines(expected: &str, ours: &str) -> String {
    let expected: Vec<&str> = expected.split_inclusive('\n').collect();
    let ours: Vec<&str> = ours.split_inclusive('\n').collect();
    let common = common_lines(&expected, &ours);
    let (mut at, mut ours_at) = (0, 0);
    let mut report = Vec::new();
    // A pair past both ends closes the last group.
    for (next, ours_next) in common.into_iter().chain([(expected.len(), ours.len())]) {
        if (at < next || ours_at < ours_next) && at > 0 {
            report.push(shown(' ', expected[at - 1]));
        }
        report.extend(expected[at..next].iter().map(|line| shown('-', line)));
        report.extend(ours[ours_at..ours_next].iter().map(|line| shown('+', line)));
        (at, ours_at) = (next + 1, ours_next + 1);
    }
    if report.len() > LINES_SHOWN {
        report.truncate(LINES_SHOWN);
        report.push(String::from("     (and more)\n"));
    }
    report.concat()
}

/// Returns the pairs of indexes of a longest common subsequence.
fn common_lines(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    // longest[i][j]: length of the longest common subsequence of a[i..] and b[j..]
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

/// Returns a line with visible trailing blanks, and a mark if its newline is missing.
fn shown(sign: char, line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, ""),
        None => (line, "\u{2190} no newline"),
    };
    let text = line.trim_end_matches(' ');
    format!("    {sign}{text}{}{end}\n", "\u{b7}".repeat(line.len() - text.len()))
}
