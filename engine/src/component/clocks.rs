//! Clocks: preview 1's, and timers that are the shard's.
use super::host::{Call, Host};
use super::state::Task;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Instant};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::p3::bindings::clocks::monotonic_clock as monotonic3;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

const REALTIME: u64 = 0;
const MONOTONIC: u64 = 1;
const RESOLUTION: u64 = 1_000_000;

struct Clock {
    host: Host,
    id: u64,
}

impl Clock {
    fn read(&self) -> u64 {
        let mut memory = [0; 8];
        let _ = self.host.call_now(Call::clock_time_get, &[self.id, 1, 0], &mut memory);
        u64::from_le_bytes(memory)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(RESOLUTION)
    }
    fn now(&self) -> Duration {
        Duration::from_nanos(self.read())
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        RESOLUTION
    }
    fn now(&self) -> u64 {
        self.read()
    }
}

pub fn install(wasi: &mut WasiCtxBuilder, host: &Host) {
    wasi.wall_clock(Clock { host: host.clone(), id: REALTIME });
    wasi.monotonic_clock(Clock { host: host.clone(), id: MONOTONIC });
}

pub struct Timers<'a> {
    host: &'a Host,
    table: &'a mut ResourceTable,
}

struct HasTimers;
impl HasData for HasTimers {
    type Data<'a> = Timers<'a>;
}

fn timers(task: &mut Task) -> Timers<'_> {
    Timers { host: &task.host, table: &mut task.table }
}

struct Timer {
    host: Host,
    nanoseconds: u64,
    fired: bool,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Timer {
    /// A timer that is left and polled again starts anew from where it began.
    async fn ready(&mut self) {
        if !self.fired {
            let now = Clock { host: self.host.clone(), id: MONOTONIC }.read();
            self.host.sleep(self.nanoseconds.saturating_sub(now)).await;
            self.fired = true;
        }
    }
}

impl Timers<'_> {
    fn clock(&self) -> Clock {
        Clock { host: self.host.clone(), id: MONOTONIC }
    }
}

impl monotonic_clock::Host for Timers<'_> {
    fn now(&mut self) -> Result<Instant> {
        Ok(self.clock().read())
    }
    fn resolution(&mut self) -> Result<Instant> {
        Ok(RESOLUTION)
    }
    fn subscribe_instant(&mut self, when: Instant) -> Result<Resource<DynPollable>> {
        let timer = self.table.push(Timer { host: self.host.clone(), nanoseconds: when, fired: false })?;
        subscribe(self.table, timer)
    }
    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        let when = self.clock().read().saturating_add(duration);
        self.subscribe_instant(when)
    }
}

impl monotonic3::Host for Timers<'_> {
    fn now(&mut self) -> Result<u64> {
        Ok(self.clock().read())
    }
    fn get_resolution(&mut self) -> Result<u64> {
        Ok(RESOLUTION)
    }
}

impl monotonic3::HostWithStore<Task> for HasTimers {
    async fn wait_until(store: &Accessor<Task, Self>, when: u64) -> Result<()> {
        let (host, now) = store.with(|mut view| {
            let timers = view.get();
            (timers.host.clone(), timers.clock().read())
        });
        if when > now {
            host.sleep(when - now).await;
        }
        Ok(())
    }
    async fn wait_for(store: &Accessor<Task, Self>, duration: u64) -> Result<()> {
        let host = store.with(|mut view| view.get().host.clone());
        if duration > 0 {
            host.sleep(duration).await;
        }
        Ok(())
    }
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    monotonic_clock::add_to_linker::<Task, HasTimers>(linker, timers)
}

pub fn add_to_3(linker: &mut Linker<Task>) -> Result<()> {
    monotonic3::add_to_linker::<Task, HasTimers>(linker, timers)
}
