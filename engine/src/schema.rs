//! JSON Schema 2020-12 for documents and schemas that nobody vouches for: nothing is fetched, patterns take linear
//! time, and a check that would take too many steps or too much stack ends as one. The contract is
//! `include/carrel/schema.h`.
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::json::{Array, Json, Node, NodeIdentity, Object, SerdeJson};
use jsonschema::types::JsonType;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Number, Value};

use crate::buffer::carrel_buffer;
use crate::document::{Document, Member};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const STEPS: u64 = 2_000_000; // some ten milliseconds
const STEPS_TO_EXPLAIN: u64 = 200_000;
const STACK: usize = 1 << 20; // bytes of the caller's
const PATTERN_BYTES: usize = 1 << 20; // of one compiled pattern
const MOST_PROBLEMS: usize = 8;
const LONGEST: usize = 512; // bytes of one message

/// What a check may still take.
struct Budget {
    steps: Cell<u64>,
    floor: usize, // of the stack
}

/// What a check that is over its bounds unwinds with.
struct Spent;

impl Budget {
    fn of(steps: u64) -> Budget {
        let here = 0u8;
        Budget { steps: Cell::new(steps), floor: (std::ptr::from_ref(&here) as usize).saturating_sub(STACK) }
    }

    #[inline(always)]
    fn step(&self, cost: usize) {
        let here = 0u8;
        let left = self.steps.get();
        let cost = 1 + cost as u64;
        if left < cost || (std::ptr::from_ref(&here) as usize) < self.floor {
            self.spent();
        }
        self.steps.set(left - cost);
    }

    #[cold]
    fn spent(&self) -> ! {
        self.steps.set(0);
        resume_unwind(Box::new(Spent)) // without a word on standard error
    }
}

/// Nothing: a check was over its bounds, or the library gave up.
fn bounded<T>(check: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(check)).ok()
}

/// Documents, each look at which is a step.
struct Counted;

#[derive(Clone, Copy)]
struct Looked<'a>(&'a Document<'a>, &'a Budget);

impl Looked<'_> {
    #[inline(always)]
    fn step(&self, cost: usize) {
        self.1.step(cost);
    }
}

impl Json for Counted {
    type Node<'a> = Looked<'a>;
    type PreparedKey = String;
    type StringBuffer = ();
    const KEYS_PER_LOOKUP: usize = SerdeJson::KEYS_PER_LOOKUP;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(_: &mut (), string: &str, f: impl FnOnce(Looked<'_>) -> T) -> T {
        // Nobody asks for one: names have nodes of their own, and their document's budget.
        f(Looked(&Document::Text(Cow::Borrowed(string)), &Budget::of(0)))
    }
}

impl<'a> Node<'a, Counted> for Looked<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Members<'a>> {
        self.step(0);
        matches!(self.0, Document::Object(_)).then_some(Members(*self))
    }
    fn as_array(&self) -> Option<Items<'a>> {
        self.step(0);
        if let Document::Array(items) = self.0 { Some(Items(items, self.1)) } else { None }
    }
    // Who asks for a text reads it.
    fn as_string(&self) -> Option<Cow<'a, str>> {
        let Document::Text(text) = self.0 else {
            self.step(0);
            return None;
        };
        self.step(text.len() / 64);
        Some(Cow::Borrowed(text))
    }
    fn as_number(&self) -> Option<&'a Number> {
        self.step(0);
        if let Document::Number(number) = self.0 { Some(number) } else { None }
    }
    fn as_boolean(&self) -> Option<bool> {
        self.step(0);
        if let Document::Bool(value) = self.0 { Some(*value) } else { None }
    }
    fn is_null(&self) -> bool {
        self.step(0);
        matches!(self.0, Document::Null)
    }
    fn json_type(&self) -> JsonType {
        self.step(0);
        match self.0 {
            Document::Null => JsonType::Null,
            Document::Bool(_) => JsonType::Boolean,
            Document::Number(_) => JsonType::Number,
            Document::Text(_) => JsonType::String,
            Document::Array(_) => JsonType::Array,
            Document::Object(_) => JsonType::Object,
        }
    }
    fn string_length(&self) -> Option<u64> {
        let text = self.as_string()?;
        Some(text.chars().count() as u64)
    }
    fn equals_value(&self, expected: &Value) -> bool {
        self.step(0);
        match (self.0, expected) {
            (Document::Text(text), Value::String(expected)) => text == expected,
            (Document::Text(_), _) | (_, Value::String(_)) => false,
            _ => jsonschema::json::cmp::equal(&self.0.to_value(), expected),
        }
    }
    fn to_value(&self) -> Cow<'a, Value> {
        self.step(0);
        Cow::Owned(self.0.to_value())
    }
    fn identity(&self) -> Option<NodeIdentity> {
        self.step(0);
        Some(NodeIdentity::new(std::ptr::from_ref(self.0) as usize))
    }
}

/// Of an object.
struct Members<'a>(Looked<'a>);

impl<'a> Members<'a> {
    fn all(&self) -> &'a [Member<'a>] {
        if let Document::Object(members) = self.0.0 { members } else { &[] }
    }
}

struct MembersIter<'a>(std::slice::Iter<'a, Member<'a>>, &'a Budget);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Looked<'a>);
    fn next(&mut self) -> Option<Self::Item> {
        self.1.step(0);
        self.0.next().map(|(name, value)| (name.as_ref(), Looked(value, self.1)))
    }
}

impl<'a> Object<'a, Counted> for Members<'a> {
    type Node = Looked<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.all().len()
    }
    fn get(&self, key: &String) -> Option<Looked<'a>> {
        self.0.step(0);
        self.0.0.member(key).map(|value| Looked(value, self.0.1))
    }
    fn members(&self) -> MembersIter<'a> {
        MembersIter(self.all().iter(), self.0.1)
    }
    fn try_for_each_name_node<B>(&self, _: &mut (), mut f: impl FnMut(Looked<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.members().try_for_each(|(name, _)| f(Looked(&Document::Text(Cow::Borrowed(name)), self.0.1)))
    }
}

struct Items<'a>(&'a [Document<'a>], &'a Budget);

struct ItemsIter<'a>(std::slice::Iter<'a, Document<'a>>, &'a Budget);

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Looked<'a>;
    fn next(&mut self) -> Option<Looked<'a>> {
        self.1.step(0);
        self.0.next().map(|item| Looked(item, self.1))
    }
}

impl<'a> Array<'a, Counted> for Items<'a> {
    type Node = Looked<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }
    fn elements(&self) -> ItemsIter<'a> {
        ItemsIter(self.0.iter(), self.1)
    }
    fn is_unique(&self) -> bool {
        self.1.step(self.0.len());
        let values: Vec<Value> = self.0.iter().map(Document::to_value).collect();
        jsonschema::json::unique::is_unique(&values)
    }
}

pub struct carrel_schema(Validator<Counted>);

fn compile(text: &[u8]) -> Result<Validator<Counted>, String> {
    let schema: Value = serde_json::from_slice(text).map_err(|error| format!("it is not JSON: {error}"))?;
    if let Some(dialect) = schema.get("$schema") {
        if dialect.as_str().map(|text| text.trim_end_matches('#')) != Some(DIALECT) {
            return Err(format!("its $schema is not {DIALECT}"));
        }
    }
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
    let options = jsonschema::options_for::<Counted>().with_draft(Draft::Draft202012).with_pattern_options(patterns);
    match bounded(|| options.offline().build(&schema).map_err(|error| text_of(&error, error.to_string()))) {
        Some(built) => built,
        None => Err("the library cannot take it".to_owned()),
    }
}

fn shorten(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

fn text_of(error: &ValidationError<'_>, text: String) -> String {
    shorten(format!("{}: {text}", error.instance_path().as_str()))
}

fn problem(at: &str, message: String) -> Value {
    serde_json::json!({"at": at, "message": shorten(message)})
}

/// Why the document is not valid; values of the document are not repeated.
fn problems(schema: &Validator<Counted>, document: &Document) -> Vec<Value> {
    let listed = bounded(|| {
        let budget = Budget::of(STEPS_TO_EXPLAIN);
        let errors = schema.iter_errors(Looked(document, &budget)).take(MOST_PROBLEMS);
        errors.map(|error| problem(error.instance_path().as_str(), error.masked().to_string())).collect::<Vec<_>>()
    });
    match listed {
        Some(list) if !list.is_empty() => list,
        _ => vec![problem("", "does not match the schema".to_owned())],
    }
}

fn check(schema: &Validator<Counted>, text: &[u8], depth: usize) -> Vec<Value> {
    let document = match Document::parse(text, depth) {
        Ok(document) => document,
        Err(error) => return vec![problem("", format!("is not JSON: {error}"))],
    };
    match bounded(|| schema.is_valid(Looked(&document, &Budget::of(STEPS)))) {
        Some(true) => Vec::new(),
        Some(false) => problems(schema, &document),
        None => vec![problem("", "takes too long to check against the schema".to_owned())],
    }
}

/// # Safety
/// `data` points to `size` bytes.
unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, size) } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_schema_new(
    json: *const u8,
    size: usize,
    error: &mut carrel_buffer,
) -> Option<Box<carrel_schema>> {
    match compile(unsafe { bytes(json, size) }) {
        Ok(validator) => Some(Box::new(carrel_schema(validator))),
        Err(text) => {
            error.set(text);
            None
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_schema_free(schema: Option<Box<carrel_schema>>) {
    drop(schema);
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_schema_check(
    schema: &carrel_schema,
    json: *const u8,
    size: usize,
    depth: usize,
    problems: &mut carrel_buffer,
) -> bool {
    let found = check(&schema.0, unsafe { bytes(json, size) }, depth);
    if found.is_empty() {
        return true;
    }
    problems.set(Value::Array(found).to_string());
    false
}
