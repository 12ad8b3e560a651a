//! Exports by their place in a module, which is looked for once: a name costs an instance several misses of
//! the cache.
use std::mem::MaybeUninit;
use std::slice;
use wasmtime::{Caller, Extern, Instance, Module, ModuleExport};
use wasmtime_c_api::{
    WasmtimeStoreContextMut, WasmtimeStoreData, wasmtime_caller_t, wasmtime_extern_t, wasmtime_module_t,
};

/// As many bytes as C has for it.
#[repr(C)]
pub struct carrel_export {
    place: ModuleExport,
}
const _: () = assert!(size_of::<carrel_export>() == 16 && align_of::<carrel_export>() == 8);

// `wasmtime_module_t` is a struct of one `Module`, cast like the engine.
const _: () = assert!(size_of::<wasmtime_module_t>() == size_of::<Module>());
const _: () = assert!(align_of::<wasmtime_module_t>() == align_of::<Module>());

/// # Safety
/// `name` points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_module_export(
    module: &wasmtime_module_t,
    name: *const u8,
    size: usize,
    export: &mut MaybeUninit<carrel_export>,
) -> bool {
    let module = unsafe { &*(module as *const wasmtime_module_t).cast::<Module>() };
    let name = str::from_utf8(unsafe { slice::from_raw_parts(name, size) }).unwrap_or_default();
    match module.get_export_index(name) {
        Some(place) => {
            export.write(carrel_export { place });
            true
        }
        None => false,
    }
}

fn give(found: Option<Extern>, item: &mut MaybeUninit<wasmtime_extern_t>) -> bool {
    match found {
        Some(found) => {
            item.write(found.into());
            true
        }
        None => false,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_instance_export(
    store: WasmtimeStoreContextMut<'_>,
    instance: &Instance,
    export: &carrel_export,
    item: &mut MaybeUninit<wasmtime_extern_t>,
) -> bool {
    give(instance.get_module_export(store, &export.place), item)
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_caller_export(
    caller: &mut wasmtime_caller_t<'_>,
    export: &carrel_export,
    item: &mut MaybeUninit<wasmtime_extern_t>,
) -> bool {
    // Cast as in `suspend`.
    let caller = unsafe { &mut *(caller as *mut wasmtime_caller_t<'_>).cast::<Caller<'_, WasmtimeStoreData>>() };
    give(caller.get_module_export(&export.place), item)
}
