//! What a terminal or a log may be sent of a text that others have written.

/// Returns whether a character stands for itself. Control characters (C0, DEL, C1) steer a terminal; others change the direction
/// of writing, or cannot be seen.
pub fn is_shown(c: char) -> bool {
    let is_hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !is_hidden
}

/// Returns a text as one line: characters that do not stand for themselves are replaced by `?`.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { '?' }).collect()
}

/// Returns a text of several lines, each as [`one_line`] does it.
pub fn lines(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_replaced() {
        let text = "a\x1b[2J\x07\u{9b}31m\x7f\u{202e}b\u{2066}\u{200f}\u{61c}\u{feff}\u{e0041}\tü橋\r";
        assert_eq!(one_line(text), "a?[2J??31m??b??????ü橋?");
        assert_eq!(lines("a\nb\x1b\n"), "a\nb?\n");
        assert_eq!(one_line("a\nb\u{2028}c\u{85}"), "a?b?c?");
    }
}
