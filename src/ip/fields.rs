//! What is printed: the same fields as text and as JSON.

use std::fmt::{self, Arguments};
use std::io::Write;

use super::options::Options;
use crate::json::Json;

/// The fields of a link, an address or a route in the order in which they are printed: as text or, if `-json` is given, as JSON.
#[derive(Debug)]
pub(super) struct Fields {
    is_json: bool,
    text: Vec<u8>,
    fields: Vec<(&'static str, Json)>,
}

impl Fields {
    pub(super) fn new(is_json: bool) -> Self {
        Fields { is_json, text: Vec::new(), fields: Vec::new() }
    }

    /// Whether the fields become JSON.
    pub(super) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Adds a field that is in both.
    pub(super) fn put(&mut self, key: &'static str, value: impl Into<Json>, text: impl AsRef<[u8]>) {
        self.json(key, value);
        self.text(text);
    }

    /// Adds a field that is in both, with text from `format_args!`.
    pub(super) fn print(&mut self, key: &'static str, value: impl Into<Json>, text: Arguments) {
        self.json(key, value);
        self.print_text(text);
    }

    /// Adds text between fields, or text that JSON has in other words.
    pub(super) fn text(&mut self, text: impl AsRef<[u8]>) {
        if !self.is_json {
            self.text.extend_from_slice(text.as_ref());
        }
    }

    /// Adds text from `format_args!`.
    pub(super) fn print_text(&mut self, text: Arguments) {
        if !self.is_json {
            // writing to fields does not fail
            let _ = fmt::Write::write_fmt(self, text);
        }
    }

    /// Adds a field that only JSON has.
    pub(super) fn json(&mut self, key: &'static str, value: impl Into<Json>) {
        if self.is_json {
            self.fields.push((key, value.into()));
        }
    }

    /// Moves another's fields and text to the end.
    pub(super) fn append(&mut self, other: Fields) {
        self.text.extend(other.text);
        self.fields.extend(other.fields);
    }

    /// Takes the JSON object out.
    pub(super) fn take_object(&mut self) -> Json {
        Json::Object(std::mem::take(&mut self.fields))
    }

    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }
}

impl fmt::Write for Fields {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}

/// Prints one record after the other, or a JSON list of them.
pub(super) fn print_records(out: &mut dyn Write, records: impl IntoIterator<Item = Fields>, options: Options) {
    let records = records.into_iter();
    match options.json {
        true => print_objects(out, records.map(|mut record| record.take_object()).collect(), options),
        false => records.for_each(|record| print(out, record.into_text())),
    }
}

/// Prints a JSON list.
pub(super) fn print_objects(out: &mut dyn Write, objects: Vec<Json>, options: Options) {
    print(out, Json::List(objects).document(options.pretty));
}

/// Writes text without asking whether it arrives: iproute2 does not.
pub(super) fn print(out: &mut dyn Write, text: impl AsRef<[u8]>) {
    let _ = out.write_all(text.as_ref());
}
