//! A JSON document as a tree that borrows the texts of its source: what a schema is checked against, a few times
//! cheaper to make than `serde_json`'s values.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub enum Document<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Document<'a>>),
    Object(Vec<(Cow<'a, str>, Document<'a>)>), // by name, each once
}

impl Document<'_> {
    pub fn to_value(&self) -> Value {
        match self {
            Document::Null => Value::Null,
            Document::Bool(value) => Value::Bool(*value),
            Document::Number(value) => Value::Number(value.clone()),
            Document::Text(text) => Value::String(text.to_string()),
            Document::Array(items) => Value::Array(items.iter().map(Document::to_value).collect()),
            Document::Object(members) => {
                let pairs = members.iter().map(|(name, value)| (name.to_string(), value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

impl<'a> Document<'a> {
    pub fn member(&self, name: &str) -> Option<&Document<'a>> {
        let Document::Object(members) = self else { return None };
        const FEW: usize = 16;
        let at = if members.len() <= FEW {
            members.iter().position(|(each, _)| each == name)
        } else {
            members.binary_search_by(|(each, _)| each.as_ref().cmp(name)).ok()
        };
        at.map(|at| &members[at].1)
    }
}

struct Name<'a>(Cow<'a, str>);

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;
    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a name")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name<'de>, D::Error> {
        from.deserialize_str(NameVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document<'de>;
    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Document<'de>, E> {
        Ok(Document::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Document<'de>, E> {
        Ok(Document::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Document<'de>, E> {
        Ok(Document::Number(value.into()))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Document<'de>, E> {
        Ok(Document::Number(value.into()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Document<'de>, E> {
        Ok(Number::from_f64(value).map_or(Document::Null, Document::Number))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Document<'de>, E> {
        Ok(Document::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Document<'de>, E> {
        Ok(Document::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Document<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Document::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Document<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Document<'de>)> = Vec::new();
        let mut sorted = true;
        while let Some((Name(name), value)) = from.next_entry()? {
            sorted &= members.last().is_none_or(|(last, _)| *last < name);
            members.push((name, value));
        }
        if !sorted {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.reverse(); // of a name that is there twice the last one counts
            members.dedup_by(|a, b| a.0 == b.0);
            members.reverse();
        }
        Ok(Document::Object(members))
    }
}

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Document<'de>, D::Error> {
        from.deserialize_any(DocumentVisitor)
    }
}
