//! What is printed of one thing: the same fields as text and as JSON.

use super::json::Json;

/// The fields of a link, an address or a route, in the order in which they are printed.
#[derive(Debug, Default)]
pub struct Record {
    text: Vec<u8>,
    fields: Vec<(&'static str, Json)>,
}

impl Record {
    /// A field that is in both.
    pub fn put(&mut self, key: &'static str, value: impl Into<Json>, text: impl AsRef<[u8]>) {
        self.json(key, value);
        self.text(text);
    }

    /// Text between fields, or in other words than JSON has it.
    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        self.text.extend_from_slice(text.as_ref());
    }

    /// A field of JSON that has no text of its own.
    pub fn json(&mut self, key: &'static str, value: impl Into<Json>) {
        self.fields.push((key, value.into()));
    }

    /// Takes over the fields of an object.
    pub fn append(&mut self, object: Json) {
        if let Json::Object(fields) = object {
            self.fields.extend(fields);
        }
    }

    /// The text.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// The JSON object, and the text.
    pub fn into_parts(self) -> (Json, Vec<u8>) {
        (Json::Object(self.fields), self.text)
    }
}
