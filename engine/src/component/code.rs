//! Compiled components: loading, and what they import and export.
use super::host::carrel_text;
use crate::buffer::carrel_buffer;
use crate::engine::{TABLES_A_SLOT, engine_of};
use std::fmt::Write;
use std::slice;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wasmtime_c_api::wasm_engine_t;

pub struct carrel_component(pub Component);

fn kind_of(item: &ComponentItem) -> &'static str {
    match item {
        ComponentItem::ComponentFunc(_) => "func",
        ComponentItem::CoreFunc(_) => "core-func",
        ComponentItem::Module(_) => "module",
        ComponentItem::Component(_) => "component",
        ComponentItem::ComponentInstance(_) => "instance",
        ComponentItem::Type(_) => "type",
        ComponentItem::Resource(_) => "resource",
    }
}

fn given(result: wasmtime::Result<Component>, error: &mut carrel_buffer) -> *mut carrel_component {
    match result {
        Ok(component) => Box::into_raw(Box::new(carrel_component(component))),
        Err(cause) => {
            error.set(format!("{cause:#}"));
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// `code` points to `size` bytes that `carrel_engine_compile` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_component_load(
    engine: &wasm_engine_t,
    code: *const u8,
    size: usize,
    error: &mut carrel_buffer,
) -> *mut carrel_component {
    let engine: &Engine = engine_of(engine);
    given(unsafe { Component::deserialize(engine, slice::from_raw_parts(code, size)) }, error)
}

/// # Safety
/// The file holds what `carrel_engine_compile` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_component_load_file(
    engine: &wasm_engine_t,
    path: carrel_text,
    error: &mut carrel_buffer,
) -> *mut carrel_component {
    let path = String::from_utf8_lossy(unsafe { path.bytes() }).into_owned();
    given(unsafe { Component::deserialize_file(engine_of(engine), path) }, error)
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_free(component: Option<Box<carrel_component>>) {
    drop(component);
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_code_bytes(component: &carrel_component) -> usize {
    let range = component.0.image_range();
    range.end as usize - range.start as usize
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_slots(component: &carrel_component) -> u32 {
    // Not known of one that imports modules, which is never prepared.
    let Some(needs) = component.0.resources_required() else { return 1 };
    needs.num_memories.max(needs.num_tables.div_ceil(TABLES_A_SLOT)).max(1)
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_names(component: &carrel_component, lines: &mut carrel_buffer) {
    let mut text = String::new();
    let world = component.0.component_type();
    let engine = component.0.engine();
    for (name, item) in world.imports(engine) {
        let _ = writeln!(text, "import {name} {}", kind_of(&item.ty));
    }
    for (name, item) in world.exports(engine) {
        let _ = writeln!(text, "export {name} {}", kind_of(&item.ty));
    }
    lines.set(text);
}
