//! What somebody may have meant who typed a word that does not exist.

/// Returns the known word that is nearest to one that is not known, at a distance of at most two edits; one for a short word.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = match word.chars().count() {
        0..2 => 0,
        2..4 => 1,
        _ => 2,
    };
    let distances = known.into_iter().map(|known| (distance(word, known), known));
    distances
        .filter(|(distance, _)| (1..=most).contains(distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Returns how many edits lead from one word to another: a letter inserted, removed or replaced, or two neighbours exchanged
/// (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|word| word.chars().collect::<Vec<_>>());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_near() {
        let known = ["up", "down", "status", "doctor", "ls", "ip", "brctl"];
        for (word, wanted) in [
            ("stauts", Some("status")),
            ("statsu", Some("status")),
            ("dwon", Some("down")),
            ("dctr", Some("doctor")),
            ("pu", Some("up")),
            ("bctl", Some("brctl")),
            ("x", None),
            ("start", None),
            ("", None),
            ("status", None),
        ] {
            assert_eq!(nearest(word, known), wanted, "{word}");
        }
        assert_eq!(nearest("lst", known), Some("ls"));
    }
}
