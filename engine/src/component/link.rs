//! The linker: every interface of WASI 0.2 and 0.3 that a component may import, and worlds prepared against it.
use super::code::carrel_component;
use super::state::Task;
use crate::buffer::carrel_buffer;
use crate::engine::engine_of;
use wasmtime::component::{Component, Linker};
use wasmtime::{Error, Result};
use wasmtime_c_api::wasm_engine_t;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p3::bindings::CommandPre as CommandPre3;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

pub struct carrel_component_linker {
    linker: Linker<Task>,
}

pub enum World {
    Http(ProxyPre<Task>),
    Command(CommandPre<Task>),
    Service(ServicePre<Task>),
    Command3(CommandPre3<Task>),
}

pub struct carrel_component_pre {
    pub world: World,
}

/// WASI 0.3 where the engine can run it.
fn make(engine: &wasmtime::Engine) -> Result<Linker<Task>> {
    let concurrency = engine.get_concurrency_support();
    let mut linker = Linker::<Task>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    if concurrency {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    }
    // Files, clocks and the environment are preview 1's.
    linker.allow_shadowing(true);
    super::files::add_to(&mut linker)?;
    super::clocks::add_to(&mut linker)?;
    super::stdio::add_environment_to(&mut linker)?;
    if concurrency {
        super::files3::add_to(&mut linker)?;
        super::clocks::add_to_3(&mut linker)?;
        super::stdio::add_environment_to_3(&mut linker)?;
    }
    super::keyvalue::add_to(&mut linker)?;
    super::blobstore::add_to(&mut linker)?;
    super::config::add_to(&mut linker)?;
    super::functions::add_to(&mut linker)?;
    linker.allow_shadowing(false);
    Ok(linker)
}

/// Packages of one track: any of its versions will do.
const PROVIDED: [&str; 7] = [
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:sockets/", // linked, and every call is refused
];
/// Drafts, each of its own name.
const DRAFTS: [&str; 4] = ["wasi:keyvalue/", "wasi:blobstore/", "wasi:config/", "wasi:logging/"];

/// The component's imports that nothing here provides; the linker's own error names one.
fn unprovided(component: &Component) -> Vec<String> {
    let world = component.component_type();
    let names = world.imports(component.engine()).map(|(name, _)| name.to_string());
    let known = |name: &String| {
        let among = |packages: &[&str]| packages.iter().any(|package| name.starts_with(package));
        name == super::functions::INTERFACE
            || among(&DRAFTS)
            || (among(&PROVIDED) && (name.contains("@0.2.") || name.contains("@0.3.")))
    };
    names.filter(|name| !known(name)).map(|name| name.chars().take(LONGEST_NAME).collect()).take(MOST_NAMED).collect()
}

const LONGEST_NAME: usize = 128;
const MOST_NAMED: usize = 100;

fn prepare(linker: &Linker<Task>, component: &Component, world: i32) -> Result<carrel_component_pre> {
    let unprovided = unprovided(component);
    if !unprovided.is_empty() {
        return Err(Error::msg(format!("nothing provides its import of {}", unprovided.join(", "))));
    }
    let pre = linker.instantiate_pre(component)?;
    let world = match world {
        0 => World::Http(ProxyPre::new(pre)?),
        1 => World::Command(CommandPre::new(pre)?),
        2 => World::Service(ServicePre::new(pre)?),
        3 => World::Command3(CommandPre3::new(pre)?),
        _ => return Err(Error::msg("no such world")),
    };
    Ok(carrel_component_pre { world })
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_linker_new(
    engine: &wasm_engine_t,
    error: &mut carrel_buffer,
) -> *mut carrel_component_linker {
    match make(engine_of(engine)) {
        Ok(linker) => Box::into_raw(Box::new(carrel_component_linker { linker })),
        Err(cause) => {
            error.set(format!("{cause:#}"));
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_linker_free(linker: Option<Box<carrel_component_linker>>) {
    drop(linker);
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_prepare(
    linker: &carrel_component_linker,
    component: &carrel_component,
    world: i32,
    error: &mut carrel_buffer,
) -> *mut carrel_component_pre {
    match prepare(&linker.linker, &component.0, world) {
        Ok(pre) => Box::into_raw(Box::new(pre)),
        Err(cause) => {
            error.set(format!("{cause:#}"));
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_component_pre_free(pre: Option<Box<carrel_component_pre>>) {
    drop(pre);
}
