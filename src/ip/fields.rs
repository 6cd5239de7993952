//! What is printed: the same fields as text and as JSON.

use std::fmt::{self, Arguments, Display};
use std::io::Write;

use super::color::{CLEAR, Color, Palette};
use super::options::Options;
use crate::json::Json;

/// Records of links, addresses or routes with their fields in the order in which they are printed: as text or, if `-json` is
/// given, as JSON.
#[derive(Debug)]
pub(super) struct Fields {
    is_json: bool,
    palette: Option<Palette>,
    text: Vec<u8>,
    /// Those of the record that has not ended.
    fields: Vec<(&'static str, Json)>,
    objects: Vec<Json>,
}

impl Fields {
    pub(super) fn new(is_json: bool) -> Self {
        Fields { is_json, palette: None, text: Vec::new(), fields: Vec::new(), objects: Vec::new() }
    }

    /// Returns fields for the output that options ask for.
    pub(super) fn of(options: Options) -> Self {
        Fields { palette: options.palette, ..Fields::new(options.json) }
    }

    /// Adds fields whose text has a colour.
    pub(super) fn colored(&mut self, color: Option<Color>, put: impl FnOnce(&mut Self)) {
        let start = self.palette.zip(color).map(|(palette, color)| palette.start(color));
        self.text(start.unwrap_or_default());
        put(self);
        self.text(start.map_or("", |_| CLEAR));
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

    /// Adds a field that is in both; in JSON as the text of its Display.
    pub(super) fn show(&mut self, key: &'static str, value: impl Display, text: Arguments) {
        if self.is_json {
            self.json(key, value.to_string());
        }
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

    /// Ends a record: the fields that follow belong to another one. (Its text ends with what is put last.)
    pub(super) fn end_record(&mut self) {
        if self.is_json {
            self.objects.push(Json::Object(std::mem::take(&mut self.fields)));
        }
    }

    /// Ends a record that has a line end in JSON too.
    pub(super) fn end_line(&mut self) {
        self.text("\n");
        if self.is_json {
            self.objects.push(Json::Line(Box::new(Json::Object(std::mem::take(&mut self.fields)))));
        }
    }

    /// Puts the records of others as a list.
    pub(super) fn list(&mut self, key: &'static str, records: Fields) {
        self.json(key, Json::List(records.objects));
        self.text(records.text);
    }

    /// Puts the fields of others as an object.
    pub(super) fn object(&mut self, key: &'static str, fields: Fields) {
        self.json(key, Json::Object(fields.fields));
        self.text(fields.text);
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

/// Prints the records of one part after the other, or one JSON list of them all.
pub(super) fn print_records(out: &mut dyn Write, parts: impl IntoIterator<Item = Fields>, options: Options) {
    let mut objects = Vec::new();
    for part in parts {
        print(out, part.text);
        objects.extend(part.objects);
    }
    if options.json {
        print(out, Json::List(objects).document(options.pretty));
    }
}

/// Writes text without asking whether it arrives: iproute2 does not.
pub(super) fn print(out: &mut dyn Write, text: impl AsRef<[u8]>) {
    let _ = out.write_all(text.as_ref());
}
