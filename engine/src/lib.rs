//! Carrel's engine archive: Wasmtime's official C API, and what it lacks. The contract is what lies in
//! `include/carrel/`; each module here implements one part of it.
#![allow(non_camel_case_types)]

pub use wasmtime_c_api::*;

mod buffer;
mod component;
mod document;
mod engine;
mod export;
mod html;
mod schema;
mod suspend;
