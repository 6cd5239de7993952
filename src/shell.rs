//! Words of the POSIX shell: quotes removed and added, nothing evaluated.

/// Removes the quotes from the right-hand side of an assignment.
///
/// # Errors
/// In words: a quote is not closed, or a shell would expand or run something.
pub fn unquoted(value: &str) -> Result<String, &'static str> {
    const EVALUATED: &str = "needs a shell to evaluate it, and nothing is evaluated here";
    const UNBALANCED: &str = "has a quote without its partner (xend splits its line at blanks)";
    let mut plain = String::new();
    let mut rest = value.trim_end_matches([' ', '\t']).chars();
    if rest.as_str().starts_with('~') {
        return Err(EVALUATED);
    }
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                let (quoted, after) = rest.as_str().split_once('\'').ok_or(UNBALANCED)?;
                plain.push_str(quoted);
                rest = after.chars();
            }
            '"' => loop {
                match rest.next().ok_or(UNBALANCED)? {
                    '"' => break,
                    '$' | '`' => return Err(EVALUATED),
                    '\\' => match rest.next().ok_or(UNBALANCED)? {
                        escaped @ ('"' | '\\' | '$' | '`') => plain.push(escaped),
                        other => plain.extend(['\\', other]),
                    },
                    quoted => plain.push(quoted),
                }
            },
            '\\' => plain.push(rest.next().ok_or(EVALUATED)?),
            '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | ' ' | '\t' | '\n' => return Err(EVALUATED),
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// Returns a word as the shell must be given it: in quotes if it would read it differently.
pub fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:+@=,%".contains(&byte);
    match name.bytes().all(is_plain) && !name.is_empty() {
        true => name.into(),
        false => {
            let mut quoted = String::from("'");
            for c in name.chars() {
                match c {
                    '\'' => quoted.push_str("'\\''"),
                    other => quoted.push(other),
                }
            }
            quoted.push('\'');
            quoted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_stripped_as_by_the_shell() {
        let good = [
            ("10.0.0.1/24", "10.0.0.1/24"),
            ("\"10.0.0.1/24\"", "10.0.0.1/24"),
            ("'a b'", "a b"),
            ("a\\ b", "a b"),
            ("a\"b c\"'d'e", "ab cde"),
            ("\"a\\\"b\\c\"", "a\"b\\c"),
            ("'$(x)'", "$(x)"),
            ("a#b*?[x]{y}!=", "a#b*?[x]{y}!="),
            ("b  ", "b"),
            ("", ""),
        ];
        for (value, plain) in good {
            assert_eq!(unquoted(value).as_deref(), Ok(plain), "{value}");
        }
        for value in [
            "$(id)", "\"$x\"", "`id`", "\"`id`\"", "a;b", "a b", "a&b", "a|b", "a>b", "~root", "\"a", "'a", "\"a\\",
            "a\\",
        ] {
            assert!(unquoted(value).is_err(), "{value}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        for (name, wanted) in [("eth0.1", "eth0.1"), ("a;b", "'a;b'"), ("it's", "'it'\\''s'"), ("", "''")] {
            assert_eq!(quoted(name), wanted);
        }
    }
}
