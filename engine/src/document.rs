//! A JSON document as a tree that borrows the texts of its source: what a schema is checked against, a few times
//! cheaper to make than `serde_json`'s values.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub enum Document<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Document<'a>>),
    Object(Vec<Member<'a>>), // each name once; more than `FEW` are sorted by it
}

pub type Member<'a> = (Cow<'a, str>, Document<'a>);

const FEW: usize = 16;

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
    /// One JSON value that means the same to every reader: nested `depth` deep at most, no name twice in an object.
    pub fn parse(text: &'a [u8], depth: usize) -> Result<Document<'a>, serde_json::Error> {
        let text = str::from_utf8(text).map_err(serde_json::Error::custom)?;
        let mut from = serde_json::Deserializer::from_str(text);
        let document = Within(depth).deserialize(&mut from)?;
        from.end()?;
        Ok(document)
    }

    pub fn member(&self, name: &str) -> Option<&Document<'a>> {
        let Document::Object(members) = self else { return None };
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

/// A value, in which arrays and objects may be nested so deep.
#[derive(Clone, Copy)]
struct Within(usize);

impl Within {
    fn deeper<E: Error>(self) -> Result<Within, E> {
        self.0.checked_sub(1).map(Within).ok_or_else(|| E::custom("it is nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Document<'de>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Document<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

fn twice<E: Error>() -> E {
    E::custom("an object has a name twice")
}

impl<'de> Visitor<'de> for Within {
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
        let within = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(within)? {
            items.push(item);
        }
        Ok(Document::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Document<'de>, A::Error> {
        let within = self.deeper()?;
        let mut members: Vec<Member<'de>> = Vec::new();
        while let Some(Name(name)) = from.next_key()? {
            if members.len() < FEW && members.iter().any(|(each, _)| *each == name) {
                return Err(twice());
            }
            members.push((name, from.next_value_seed(within)?));
        }
        if members.len() > FEW {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            if members.windows(2).any(|two| two[0].0 == two[1].0) {
                return Err(twice());
            }
        }
        Ok(Document::Object(members))
    }
}
