//! JSON: as iproute2's lib/json_writer.c writes it for `ip`, compact or pretty; on one line for brouter's own commands.

use std::fmt::{Display, Write};
use std::net::IpAddr;

use crate::terminal::is_shown;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// An unknown value.
    Null,
    /// A whole number.
    Number(u64),
    /// A number of hundredths, with two decimals.
    Hundredths(u64),
    /// A text; bytes that are not UTF-8 become the replacement character.
    Text(String),
    /// True or false.
    Bool(bool),
    /// Values in order.
    List(Vec<Json>),
    /// Values by key, in order.
    Object(Vec<(&'static str, Json)>),
    /// A value with a line end behind it.
    Line(Box<Json>),
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Json::Number(number.into())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Json::Number(number)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::Text(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::Text(text)
    }
}

impl From<IpAddr> for Json {
    fn from(address: IpAddr) -> Self {
        Json::Text(address.to_string())
    }
}

impl From<&[u8]> for Json {
    fn from(text: &[u8]) -> Self {
        Json::Text(String::from_utf8_lossy(text).into_owned())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

/// Null if there is no value.
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

/// A list.
impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

impl Json {
    /// Returns the text that a value is displayed as.
    pub fn text(value: impl Display) -> Self {
        Json::Text(value.to_string())
    }

    /// Returns the document as iproute2 writes it, with a line end. Like iproute2, it leaves control characters without a short
    /// escape as they are.
    pub fn document(&self, pretty: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, pretty.then_some(0));
        text.push('\n');
        text
    }

    /// Returns the document on one line, valid whatever the texts contain. What would steer a terminal is escaped.
    pub fn line(&self) -> String {
        let mut compact = String::new();
        self.write(&mut compact, None);
        let mut text = String::with_capacity(compact.len() + 1);
        for c in compact.chars() {
            match is_shown(c) {
                true => text.push(c),
                // only a text can hold one
                false => {
                    let units = &mut [0; 2];
                    text.extend(c.encode_utf16(units).iter().map(|unit| format!("\\u{unit:04x}")));
                }
            }
        }
        text.push('\n');
        text
    }

    /// Writes the value; pretty at a depth, if there is one.
    fn write(&self, text: &mut String, depth: Option<usize>) {
        match self {
            Json::Null => text.push_str("null"),
            // writing to a String does not fail
            Json::Number(number) => drop(write!(text, "{number}")),
            Json::Hundredths(number) => drop(write!(text, "{}.{:02}", number / 100, number % 100)),
            Json::Bool(value) => drop(write!(text, "{value}")),
            Json::Text(value) => quote(text, value),
            Json::Line(value) => {
                value.write(text, depth);
                text.push('\n');
            }
            Json::List(values) => {
                text.push('[');
                // only a pretty list sets its ends off
                let gap = if depth.is_some() { " " } else { "" };
                text.push_str(gap);
                for (place, value) in values.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    value.write(text, depth.map(|depth| depth + 1));
                }
                text.push_str(if values.is_empty() { "" } else { gap });
                text.push(']');
            }
            Json::Object(fields) => {
                text.push('{');
                for (place, (key, value)) in fields.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    new_line(text, depth.map(|depth| depth + 1));
                    quote(text, key);
                    text.push_str(if depth.is_some() { ": " } else { ":" });
                    value.write(text, depth.map(|depth| depth + 1));
                }
                if !fields.is_empty() {
                    new_line(text, depth);
                }
                text.push('}');
            }
        }
    }
}

fn new_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.extend(std::iter::repeat_n("    ", depth));
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\u{c}' => text.push_str("\\f"),
            '\u{8}' => text.push_str("\\b"),
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_pretty() {
        let inner = Json::Object(vec![("a", 1u32.into()), ("b", Json::List(vec!["x".into(), "y".into()]))]);
        let list = Json::List(vec![inner, Json::Object(vec![("c", Json::List(vec![]))])]);
        assert_eq!(list.document(false), "[{\"a\":1,\"b\":[\"x\",\"y\"]},{\"c\":[]}]\n");
        let pretty = "[ {\n        \"a\": 1,\n        \"b\": [ \"x\",\"y\" ]\n    },{\n        \"c\": [ ]\n    } ]\n";
        assert_eq!(list.document(true), pretty);
        assert_eq!(Json::from("a\"b\\c\n").document(false), "\"a\\\"b\\\\c\\n\"\n");
    }

    #[test]
    fn a_line_holds_no_control_characters() {
        let list = Json::List(vec![Json::from("a\tb\x01\x1f\x7fc\n"), Json::Null]);
        assert_eq!(list.line(), "[\"a\\tb\\u0001\\u001f\\u007fc\\n\",null]\n");
        assert_eq!(list.document(false), "[\"a\\tb\x01\x1f\x7fc\\n\",null]\n");
        let turned = Json::from("\u{9b}31m \u{202e}\u{feff}\u{e0041}ü");
        assert_eq!(turned.line(), "\"\\u009b31m \\u202e\\ufeff\\udb40\\udc41ü\"\n");
    }
}
