//! Colours of a listing (lib/color.c).

use std::ffi::OsStr;

/// What is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// The name of a link.
    Name,
    /// A hardware address.
    Hardware,
    Ipv4,
    Ipv6,
    Up,
    Down,
}

/// The escape sequence that ends a colour.
pub(super) const CLEAR: &str = "\x1b[0m";

/// The colours for a background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    is_dark: bool,
}

impl Palette {
    /// Chooses the colours by the variable COLORFGBG, whose last word is the background.
    pub(super) fn of(variable: Option<&OsStr>) -> Self {
        let text = variable.map(OsStr::as_encoded_bytes).unwrap_or_default();
        let background = text.iter().rposition(|&byte| byte == b';').map(|at| &text[at + 1..]);
        Palette { is_dark: matches!(background, Some([b'0'..=b'6' | b'8'])) }
    }

    /// Returns the escape sequence that begins a colour.
    pub(super) fn start(self, color: Color) -> &'static str {
        match (color, self.is_dark) {
            (Color::Name, false) => "\x1b[36m",
            (Color::Name, true) => "\x1b[1;36m",
            (Color::Hardware, false) => "\x1b[33m",
            (Color::Hardware, true) => "\x1b[1;33m",
            (Color::Ipv4, false) => "\x1b[35m",
            (Color::Ipv4, true) => "\x1b[1;35m",
            (Color::Ipv6, false) => "\x1b[34m",
            (Color::Ipv6, true) => "\x1b[1;34m",
            (Color::Up, false) => "\x1b[32m",
            (Color::Up, true) => "\x1b[1;32m",
            (Color::Down, false) => "\x1b[31m",
            (Color::Down, true) => "\x1b[1;31m",
        }
    }
}

/// When colours are wanted: the operand of `-color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum When {
    #[default]
    Never,
    Auto,
    Always,
}

impl When {
    /// Parses `-color[=WHEN]`, in which `-color` may be cut short; `None` for another option.
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        let mut parts = option.splitn(2, |&byte| byte == b'=');
        let name = parts.next().filter(|name| name.len() > 1 && b"-color".starts_with(name));
        match (name?, parts.next().unwrap_or_default()) {
            (_, b"" | b"always") => Some(When::Always),
            (_, b"auto") => Some(When::Auto),
            (_, b"never") => Some(When::Never),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        assert_eq!(When::parse(b"-c"), Some(When::Always));
        assert_eq!(When::parse(b"-col=auto"), Some(When::Auto));
        assert_eq!(When::parse(b"-color=never"), Some(When::Never));
        assert_eq!((When::parse(b"-c=no"), When::parse(b"-colors"), When::parse(b"-")), (None, None, None));
    }

    #[test]
    fn backgrounds() {
        let start = |variable: &str| Palette::of(Some(OsStr::new(variable))).start(Color::Name);
        assert_eq!(
            (start("15;0"), start("0;15"), start("0;7"), start("8")),
            ("\x1b[1;36m", "\x1b[36m", "\x1b[36m", "\x1b[36m")
        );
    }
}
