//! What is printed of one thing: the same fields as text and as JSON.

use std::fmt::{self, Arguments, Write};

use crate::json::Json;

/// The fields of a link, an address or a route, in the order in which they are printed: as text or, if that is asked for, as
/// JSON.
#[derive(Debug)]
pub struct Record {
    is_json: bool,
    text: Vec<u8>,
    fields: Vec<(&'static str, Json)>,
}

impl Record {
    /// An empty one.
    pub fn new(is_json: bool) -> Self {
        Record { is_json, text: Vec::new(), fields: Vec::new() }
    }

    /// Whether its fields become JSON.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// A field that is in both.
    pub fn put(&mut self, key: &'static str, value: impl Into<Json>, text: impl AsRef<[u8]>) {
        self.json(key, value);
        self.text(text);
    }

    /// A field that is in both, its text put together in place.
    pub fn print(&mut self, key: &'static str, value: impl Into<Json>, text: Arguments) {
        self.json(key, value);
        self.args(text);
    }

    /// As [`Record::text`], put together in place.
    pub fn args(&mut self, text: Arguments) {
        if !self.is_json {
            // writing to a record does not fail
            let _ = self.write_fmt(text);
        }
    }

    /// Text between fields, or in other words than JSON has it.
    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        if !self.is_json {
            match text.as_ref() {
                // commas, dots and blanks are half of all; musl copies a byte no faster than a hundred
                [byte] => self.text.push(*byte),
                text => self.text.extend_from_slice(text),
            }
        }
    }

    /// A field of JSON that has no text of its own.
    pub fn json(&mut self, key: &'static str, value: impl Into<Json>) {
        if self.is_json {
            self.fields.push((key, value.into()));
        }
    }

    /// Takes over another's fields and text.
    pub fn append(&mut self, other: Record) {
        self.text.extend(other.text);
        self.fields.extend(other.fields);
    }

    /// The text.
    pub fn so_far(&self) -> &[u8] {
        &self.text
    }

    /// The JSON object.
    pub fn take_json(&mut self) -> Json {
        Json::Object(std::mem::take(&mut self.fields))
    }

    /// The text, for good.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }
}

impl Write for Record {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
