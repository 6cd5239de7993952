//! Words of the POSIX shell: quotes removed and added, nothing evaluated.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::terminal::is_shown;

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
pub fn quoted(word: &str) -> String {
    quoted_name(OsStr::new(word))
}

/// Returns a name, which may hold any byte, as the shell must be given it. One that a terminal cannot show is written as `$'…'`,
/// which bash, zsh, ksh and busybox read.
pub fn quoted_name(name: &OsStr) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:+@=,%".contains(&byte);
    if !name.is_empty() && name.as_bytes().iter().copied().all(is_plain) {
        return name.to_string_lossy().into_owned();
    }
    match name.to_str().filter(|name| name.chars().all(is_shown)) {
        Some(name) => format!("'{}'", name.replace('\'', "'\\''")),
        None => format!("$'{}'", escaped(name.as_bytes())),
    }
}

/// Returns bytes with escapes in octal digits for those that do not stand for themselves between `$'` and `'`.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    let escape =
        |text: &mut String, bytes: &[u8]| bytes.iter().for_each(|byte| text.push_str(&format!("\\{byte:03o}")));
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match is_shown(c) && !matches!(c, '\'' | '\\' | '!') {
                true => text.push(c),
                false => escape(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape(&mut text, chunk.invalid());
    }
    text
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
        let names = [
            ("eth0.1", "eth0.1"),
            ("a;b", "'a;b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("~", "'~'"),
            ("a b$(c)`d`!", "'a b$(c)`d`!'"),
            ("a\x1b[m'!\\", "$'a\\033[m\\047\\041\\134'"),
            ("ü\u{202e}\n", "$'ü\\342\\200\\256\\012'"),
        ];
        for (name, wanted) in names {
            assert_eq!(quoted(name), wanted);
        }
        assert_eq!(quoted_name(OsStr::from_bytes(b"b\xff")), "$'b\\377'");
    }
}
