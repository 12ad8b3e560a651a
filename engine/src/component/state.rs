//! What a task's store holds, and its limits.
use super::host::Host;
use super::outgoing::Hooks;
use super::stdio::{Input, Output};
use crate::engine::{MEMORIES, STACKS_A_SLOT, TABLES};
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Error, ResourceLimiter, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct carrel_task_limits {
    pub memory: u64,
    pub resources: u32,
    pub slots: u32,
    pub keep: bool,
}

/// What a guest prints goes to descriptor 1 for a command; where that is the response's body, to the log.
#[derive(Clone, Copy, PartialEq)]
pub enum Printing {
    Reply,
    Log,
}

/// Calls of a concurrent component that are in progress: each that blocks has a stack of its own.
pub struct Calls {
    now: u32,
    most: u32,
}

impl Calls {
    pub fn hook(&mut self, hook: CallHook) -> Result<()> {
        match hook {
            CallHook::CallingWasm if self.now == self.most => {
                Err(Error::msg(format!("more than {} calls of the component are in progress at once", self.most)))
            }
            CallHook::CallingWasm => {
                self.now += 1;
                Ok(())
            }
            CallHook::ReturningFromWasm => {
                self.now = self.now.saturating_sub(1);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

pub struct Task {
    pub host: Host,
    pub table: ResourceTable,
    pub wasi: WasiCtx,
    pub http: WasiHttpCtx,
    pub hooks: Hooks,
    pub bounds: Bounds,
    pub calls: Calls,
}

impl Task {
    pub fn new(host: Host, limits: carrel_task_limits, printing: Printing) -> Task {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.resources as usize);
        let mut wasi = WasiCtx::builder();
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        wasi.max_random_size(64 << 10);
        super::clocks::install(&mut wasi, &host);
        wasi.stdin(Input { host: host.clone(), empty: printing == Printing::Log });
        wasi.stdout(Output { host: host.clone(), fd: if printing == Printing::Reply { 1 } else { 2 } });
        wasi.stderr(Output { host: host.clone(), fd: 2 });
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MOST_FIELDS);
        Task {
            hooks: Hooks { host: host.clone() },
            host,
            table,
            wasi: wasi.build(),
            http,
            bounds: Bounds { memory: limits.memory as usize, held: 0, elements: 0 },
            // One stack waits for the next call.
            calls: Calls { now: 0, most: (limits.slots * STACKS_A_SLOT).saturating_sub(1) },
        }
    }
}

impl WasiView for Task {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Task {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Bytes of the fields of one message.
const MOST_FIELDS: usize = 32 << 10;
const MOST_ELEMENTS: usize = 400_000;
const MOST_INSTANCES: usize = 64;

/// Bounds of a store: memories and tables of all its instances together.
pub struct Bounds {
    memory: usize,
    pub held: usize, // never shrinks
    elements: usize,
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let held = self.held.saturating_add(desired.saturating_sub(current));
        if held > self.memory {
            return Ok(false);
        }
        self.held = held;
        Ok(true)
    }
    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > MOST_ELEMENTS {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }
    fn instances(&self) -> usize {
        MOST_INSTANCES
    }
    fn tables(&self) -> usize {
        TABLES as usize
    }
    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}
