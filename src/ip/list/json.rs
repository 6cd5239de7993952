//! JSON as iproute2 writes it (lib/json_writer.c): compact, or pretty with its own idea of white space.

use std::fmt::Write;
use std::net::IpAddr;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// A whole number.
    Number(u64),
    /// A text; bytes that are not UTF-8 become the replacement character.
    Text(String),
    /// True or false.
    Bool(bool),
    /// Values in order.
    List(Vec<Json>),
    /// Values by key, in order.
    Object(Vec<(&'static str, Json)>),
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

impl Json {
    /// The whole document, with the end of its line.
    pub fn document(&self, pretty: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, pretty.then_some(0));
        text.push('\n');
        text
    }

    /// Writes the value; pretty at a depth, if there is one.
    fn write(&self, text: &mut String, depth: Option<usize>) {
        match self {
            // writing to a String does not fail
            Json::Number(number) => drop(write!(text, "{number}")),
            Json::Bool(value) => drop(write!(text, "{value}")),
            Json::Text(value) => quote(text, value),
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
                new_line(text, depth);
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
}
