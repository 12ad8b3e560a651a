//! Carrel's engine archive: Wasmtime's official C API, and what it lacks. The contract is
//! `include/carrel/engine.h` and `include/carrel/component.h`; each module here implements one part of it.
#![allow(non_camel_case_types)]

pub use wasmtime_c_api::*;

mod buffer;
mod component;
mod engine;
mod suspend;
