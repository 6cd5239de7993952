//! Patterns of the shell (fnmatch(3) without flags).

/// Whether a text matches a pattern with `*`, `?` and `[...]`.
pub(super) fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| matches_pattern(rest, &text[skipped..])),
        [b'?', rest @ ..] => !text.is_empty() && matches_pattern(rest, &text[1..]),
        [b'[', set @ ..] if set.iter().skip(1).any(|&byte| byte == b']') => {
            let (set, rest) = set.split_at(1 + set.iter().skip(1).position(|&byte| byte == b']').unwrap_or(0));
            text.first().is_some_and(|&byte| is_in_set(set, byte)) && matches_pattern(&rest[1..], &text[1..])
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && matches_pattern(rest, &text[1..])
        }
    }
}

/// The inside of `[...]`: bytes and ranges, with `!` or `^` at the start those that are not in it.
fn is_in_set(set: &[u8], byte: u8) -> bool {
    let (negated, mut set) = match set {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    loop {
        match set {
            [from, b'-', to, rest @ ..] => {
                found |= (*from..=*to).contains(&byte);
                set = rest;
            }
            [one, rest @ ..] => {
                found |= *one == byte;
                set = rest;
            }
            [] => return found != negated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn patterns() {
        for (pattern, text) in
            [("v1*", "v1:0"), ("*", ""), ("v?", "v1"), ("v[0-9]", "v7"), ("v[!a]", "vb"), ("\\*", "*")]
        {
            assert!(matches_pattern(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("v1", "v1:0"), ("v?", "v"), ("v[0-9]", "va"), ("v[!a]", "va"), ("[", "x"), ("", "v")] {
            assert!(!matches_pattern(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}
