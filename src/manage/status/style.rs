//! What a terminal can show, and texts made fit for it.

use std::ffi::OsString;

use crate::terminal::is_shown;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
    pub(super) utf8: bool,
    /// What every line fits into.
    pub(super) width: usize,
}

/// A colour or weight, by its number in the terminal's escape sequence (ECMA-48, SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain = 0,
    Bold = 1,
    Faint = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Style {
    /// Chooses by the locale: the first of these variables that is set.
    pub(super) fn of(locales: [Option<OsString>; 3], colour: bool, width: usize) -> Self {
        let mut locale = locales.into_iter().flatten().find(|value| !value.is_empty()).unwrap_or_default();
        locale.make_ascii_uppercase();
        // a modifier may follow, such as @euro
        let locale = locale.as_encoded_bytes().split(|&byte| byte == b'@').next().unwrap_or_default();
        Style { colour, utf8: locale.ends_with(b"UTF-8") || locale.ends_with(b"UTF8"), width }
    }

    /// Appends a text. A name can hold any byte but '/' and blanks, and every character is to take one column: others become
    /// question marks.
    pub(super) fn paint(self, out: &mut String, ink: Ink, text: &str) {
        let is_coloured = self.colour && ink != Ink::Plain && !text.is_empty();
        if is_coloured {
            out.push_str(&format!("\x1b[{}m", ink as u8));
        }
        // Latin letters; dashes, box drawing and the cross
        let is_narrow = |c| c < '\u{300}' || matches!(c, '…' | '─'..='╿' | '✗');
        let is_one_column = |c: char| is_shown(c) && if self.utf8 { is_narrow(c) } else { c.is_ascii() };
        out.extend(text.chars().map(|c| if is_one_column(c) { c } else { '?' }));
        if is_coloured {
            out.push_str("\x1b[0m");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locale() {
        let utf8 = |locales: [&str; 3]| Style::of(locales.map(|value| Some(value.into())), false, 80).utf8;
        assert!(utf8(["", "", "de_DE.UTF-8"]));
        assert!(utf8(["", "", "de_DE.utf8@euro"]));
        assert!(!utf8(["C", "", "C.UTF-8"]));
        assert!(utf8(["", "C.UTF-8", "C"]));
    }

    #[test]
    fn names_do_no_harm() {
        let painted = |utf8, text: &str| {
            let mut out = String::new();
            Style { colour: false, utf8, width: 80 }.paint(&mut out, Ink::Red, text);
            out
        };
        assert_eq!(painted(true, "a\x1b[2Jbr\u{fc}cke\u{9b}\u{202e}\u{300}橋"), "a?[2Jbr\u{fc}cke????");
        assert_eq!(painted(false, "br\u{fc}cke\x7f"), "br?cke?");
    }
}
