//! A component's world as WIT text: what it imports and exports, by name. Functions that stand in the world itself
//! have their types written out, those of interfaces are the interfaces' own.
use super::code::carrel_component;
use crate::buffer::carrel_buffer;
use std::fmt::Write;
use wasmtime::Engine;
use wasmtime::component::Type;
use wasmtime::component::types::{ComponentFunc, ComponentItem};

fn listed(types: impl Iterator<Item = Type>) -> String {
    types.map(|ty| type_text(&ty)).collect::<Vec<_>>().join(", ")
}

fn option_text(ty: Option<Type>) -> String {
    ty.map_or("_".to_string(), |ty| type_text(&ty))
}

fn type_text(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_string(),
        Type::S8 => "s8".to_string(),
        Type::U8 => "u8".to_string(),
        Type::S16 => "s16".to_string(),
        Type::U16 => "u16".to_string(),
        Type::S32 => "s32".to_string(),
        Type::U32 => "u32".to_string(),
        Type::S64 => "s64".to_string(),
        Type::U64 => "u64".to_string(),
        Type::Float32 => "f32".to_string(),
        Type::Float64 => "f64".to_string(),
        Type::Char => "char".to_string(),
        Type::String => "string".to_string(),
        Type::List(list) => format!("list<{}>", type_text(&list.ty())),
        Type::Tuple(tuple) => format!("tuple<{}>", listed(tuple.types())),
        Type::Option(option) => format!("option<{}>", type_text(&option.ty())),
        Type::Result(result) => format!("result<{}, {}>", option_text(result.ok()), option_text(result.err())),
        Type::Future(future) => format!("future<{}>", option_text(future.ty())),
        Type::Stream(stream) => format!("stream<{}>", option_text(stream.ty())),
        Type::Record(_) => "/* a record */".to_string(),
        Type::Variant(_) => "/* a variant */".to_string(),
        Type::Enum(_) => "/* an enum */".to_string(),
        Type::Flags(_) => "/* flags */".to_string(),
        Type::Borrow(_) => "/* a borrowed resource */".to_string(),
        Type::Own(_) => "/* a resource */".to_string(),
        _ => "/* a type of its own */".to_string(),
    }
}

fn function_text(function: &ComponentFunc) -> String {
    let params: Vec<String> = function.params().map(|(name, ty)| format!("{name}: {}", type_text(&ty))).collect();
    let results = listed(function.results());
    let arrow = if results.is_empty() { "" } else { " -> " };
    let asynchronous = if function.async_() { "async " } else { "" };
    format!("{asynchronous}func({}){arrow}{results}", params.join(", "))
}

fn item_text(name: &str, item: &ComponentItem, engine: &Engine) -> String {
    match item {
        ComponentItem::ComponentFunc(function) => format!("{name}: {};", function_text(function)),
        ComponentItem::ComponentInstance(_) if name.contains(':') => format!("{name};"),
        ComponentItem::ComponentInstance(instance) => {
            let mut text = format!("{name}: interface {{");
            for (inner, item) in instance.exports(engine) {
                let _ = write!(text, "\n    {}", item_text(inner, &item.ty, engine));
            }
            text + "\n  }"
        }
        ComponentItem::Resource(_) => format!("resource {name};"),
        _ => format!("/* {name} */"),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_wit(component: &carrel_component, text: &mut carrel_buffer) {
    let engine = component.0.engine();
    let world = component.0.component_type();
    let mut wit = "package root:component;\n\nworld root {\n".to_string();
    for (name, item) in world.imports(engine) {
        let _ = writeln!(wit, "  import {}", item_text(name, &item.ty, engine));
    }
    for (name, item) in world.exports(engine) {
        let _ = writeln!(wit, "  export {}", item_text(name, &item.ty, engine));
    }
    wit.push_str("}\n");
    text.set(wit);
}
