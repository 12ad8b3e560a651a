//! The engine: every setting named here, refused settings returned as errors.
//!
//! `wasm_engine_t` is a `repr(C)` struct of one `Engine`; its field is private to the C API's crate, so the
//! pointer is cast. The layout is asserted below and by the tests that run modules on such an engine.
use crate::buffer::carrel_buffer;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::slice;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails,
};
use wasmtime_c_api::wasm_engine_t;

const _: () = assert!(size_of::<wasm_engine_t>() == size_of::<Engine>());
const _: () = assert!(align_of::<wasm_engine_t>() == align_of::<Engine>());
/// A lock file that resolves two versions of `wasmtime` is a type error here.
const _: fn(wasmtime_c_api::WasmtimeStore) -> wasmtime::Store<wasmtime_c_api::WasmtimeStoreData> = |store| store;

#[repr(C)]
pub struct carrel_engine_settings {
    slots: u32,
    warm_slots: u32,
    table_elements: u32,
    max_instance_size: u64,
    max_memory_size: u64,
    memory_reservation: u64,
    memory_guard_size: u64,
    memory_keep_resident: u64,
    table_keep_resident: u64,
    stack_keep_resident: u64,
    max_wasm_stack: u64,
    async_stack_size: u64,
    decommit_batch: u32,
    pooling: u8,
    pagemap_scan: u8,
    parallel_compilation: u8,
    backtrace: u8,
    concurrency: u8,
}

/// Of one component: languages that link dynamically have a dozen, and each that it is composed of has as many.
const CORE_INSTANCES: u32 = 64;
/// Of one component: each that it is composed of has one.
pub(crate) const MEMORIES: u32 = 8;
pub(crate) const TABLES: u32 = 16;
/// Of the pool.
pub(crate) const TABLES_A_SLOT: u32 = 4;
/// Of the pool of a concurrent engine, where each call of a component that blocks keeps one.
pub(crate) const STACKS_A_SLOT: u32 = 4;

pub(crate) fn engine_of(engine: &wasm_engine_t) -> &Engine {
    unsafe { &*(engine as *const wasm_engine_t).cast::<Engine>() }
}

fn pool(s: &carrel_engine_settings) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // Core instances are only counted. Whoever lets guests in counts memories and tables.
    pool.total_component_instances(s.slots)
        .max_component_instance_size(s.max_instance_size as usize)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .total_core_instances(s.slots.saturating_mul(CORE_INSTANCES))
        .total_memories(s.slots)
        .total_tables(s.slots.saturating_mul(TABLES_A_SLOT))
        .total_stacks(s.slots.saturating_mul(if s.concurrency != 0 { STACKS_A_SLOT } else { 1 }))
        .max_memories_per_module(1)
        .max_tables_per_module(TABLES_A_SLOT)
        .max_core_instance_size(s.max_instance_size as usize)
        .table_elements(s.table_elements as usize)
        .max_memory_size(s.max_memory_size as usize)
        .linear_memory_keep_resident(s.memory_keep_resident as usize)
        .table_keep_resident(s.table_keep_resident as usize)
        .max_unused_warm_slots(s.warm_slots.min(s.slots))
        .decommit_batch_size(s.decommit_batch.max(1) as usize)
        .async_stack_keep_resident(s.stack_keep_resident as usize)
        .pagemap_scan(if s.pagemap_scan != 0 { Enabled::Auto } else { Enabled::No });
    pool
}

fn config(s: &carrel_engine_settings) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(s.parallel_compilation != 0)
        .memory_reservation(s.memory_reservation)
        .memory_guard_size(s.memory_guard_size)
        .memory_may_move(false)
        .max_wasm_stack(s.max_wasm_stack as usize)
        .async_stack_size(s.async_stack_size as usize)
        .native_unwind_info(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(if s.backtrace != 0 { std::num::NonZeroUsize::new(20) } else { None })
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_tail_call(true)
        .wasm_relaxed_simd(true)
        .relaxed_simd_deterministic(true)
        // For what lies between the components of a component; the pool gives a module one of its own.
        .wasm_multi_memory(true)
        .wasm_component_model(true)
        .wasm_component_model_async(s.concurrency != 0)
        .concurrency_support(s.concurrency != 0)
        .wasm_memory64(false);
    if s.pooling != 0 {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(s)));
    } else {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    }
    config
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_engine_new(
    settings: &carrel_engine_settings,
    error: &mut carrel_buffer,
) -> *mut wasm_engine_t {
    if settings.memory_guard_size == 0 {
        error.set("a memory guard of 0 bytes lets one instance see another's memory");
        return std::ptr::null_mut();
    }
    match Engine::new(&config(settings)) {
        Ok(engine) => Box::into_raw(Box::new(engine)).cast::<wasm_engine_t>(),
        Err(cause) => {
            error.set(format!("{cause:#}"));
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_engine_compatibility(engine: &wasm_engine_t) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine_of(engine).precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// # Safety
/// `wasm` points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_engine_compile(
    engine: &wasm_engine_t,
    wasm: *const u8,
    size: usize,
    code: &mut carrel_buffer,
) -> bool {
    let wasm = unsafe { slice::from_raw_parts(wasm, size) };
    let component = wasm.get(4..8) == Some(&[0x0d, 0, 1, 0]);
    let engine = engine_of(engine);
    code.set_result(if component { engine.precompile_component(wasm) } else { engine.precompile_module(wasm) })
}

/// # Safety
/// `text` points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_wat_to_wasm(text: *const u8, size: usize, wasm: &mut carrel_buffer) -> bool {
    let text = unsafe { slice::from_raw_parts(text, size) };
    let result = wat::parse_bytes(text).map(|bytes| bytes.into_owned());
    wasm.set_result(result.map_err(|error| wasmtime::Error::msg(error.to_string())))
}
