//! The way from a component's host functions to the shard: preview 1 calls that may wait, and wakers.
use super::errno::Errno;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use wasmtime::{Error, Result};

macro_rules! preview1 {
    ($($name:ident)*) => {
        /// In the order of the header's list.
        #[allow(dead_code)]
        #[repr(u32)]
        #[derive(Clone, Copy)]
        pub enum Call { $($name),* }
    };
}
preview1! {
    args_get args_sizes_get environ_get environ_sizes_get clock_time_get
    fd_close fd_datasync fd_fdstat_get fd_filestat_get fd_filestat_set_size
    fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get
    fd_pwrite fd_read fd_readdir fd_sync
    fd_write path_create_directory path_filestat_get path_filestat_set_times
    path_link path_open path_readlink path_remove_directory path_rename
    path_symlink path_unlink_file
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct carrel_text {
    data: *const u8,
    size: usize,
}

impl carrel_text {
    pub fn of(bytes: &[u8]) -> Self {
        carrel_text { data: bytes.as_ptr(), size: bytes.len() }
    }
    /// # Safety
    /// The text is readable, or empty.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(self.data, self.size) } }
    }
}

/// # Safety
/// As many are readable, or none.
pub unsafe fn texts_at<'a>(texts: *const carrel_text, count: usize) -> &'a [carrel_text] {
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(texts, count) } }
}

#[repr(C)]
pub struct carrel_component_host {
    call: extern "C" fn(*mut c_void, u32, *const u64, *mut u8, usize, *mut carrel_waiting, *mut i32) -> i32,
    sleep: extern "C" fn(*mut c_void, u64, *mut carrel_waiting),
    forget: extern "C" fn(*mut c_void, *const carrel_wait),
    tick: extern "C" fn(*mut c_void) -> i32,
    wake: extern "C" fn(*mut c_void),
    reply_head: extern "C" fn(*mut c_void, u16, *const carrel_text, usize),
    reply_trailers: extern "C" fn(*mut c_void, *const carrel_text, usize),
    request_trailers: extern "C" fn(*mut c_void, *mut *const carrel_text) -> usize,
}

const DONE: i32 = 0;
const PENDING: i32 = 1;

const IDLE: u8 = 0;
const POLLING: u8 = 1;
const NOTIFIED: u8 = 2;
const DEAD: u8 = 3;

/// A task's side of its host. Outlived by nothing it points to: once dead, no callback is made.
pub struct Shared {
    table: AtomicPtr<carrel_component_host>,
    user: AtomicPtr<c_void>, // changed while nothing is alive
    turn: AtomicU32,
    state: AtomicU8,
    alive: Mutex<bool>, // held while `wake` is called, which may be on another thread
    spawned: AtomicBool,
    trapped: AtomicBool,
    gave_way: AtomicBool,
}

// The callbacks but `wake` are made on the shard's thread alone: futures are polled and dropped there.
unsafe impl Send for Shared {}
unsafe impl Sync for Shared {}

/// What a guest holds of its host. One that is bound to a turn is of no use in the next of its instance.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
    turn: Option<u32>,
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.notify();
    }
}

impl Shared {
    /// It outlives the turn, and callbacks are made within that alone.
    fn table(&self) -> &carrel_component_host {
        unsafe { &*self.table.load(Relaxed) }
    }
    fn user(&self) -> *mut c_void {
        self.user.load(Relaxed)
    }
    fn notify(&self) {
        let mut seen = self.state.load(Acquire);
        loop {
            if seen == NOTIFIED || seen == DEAD {
                return;
            }
            match self.state.compare_exchange_weak(seen, NOTIFIED, AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        if seen == IDLE {
            let alive = self.alive.lock().unwrap_or_else(|broken| broken.into_inner());
            if *alive {
                (self.table().wake)(self.user());
            }
        }
    }
}

impl Host {
    pub fn new(table: *const carrel_component_host, user: *mut c_void) -> Host {
        let shared = Arc::new(Shared {
            table: AtomicPtr::new(table.cast_mut()),
            user: AtomicPtr::new(user),
            turn: AtomicU32::new(0),
            state: AtomicU8::new(IDLE),
            alive: Mutex::new(true),
            spawned: AtomicBool::new(false),
            trapped: AtomicBool::new(false),
            gave_way: AtomicBool::new(false),
        });
        Host { shared, turn: None }
    }

    /// Another turn of what `die` ended: of its instance, with another host.
    pub fn revive(&self, table: *const carrel_component_host, user: *mut c_void) {
        let mut alive = self.shared.alive.lock().unwrap_or_else(|broken| broken.into_inner());
        self.shared.table.store(table.cast_mut(), Relaxed);
        self.shared.user.store(user, Relaxed);
        self.shared.turn.fetch_add(1, Relaxed);
        self.shared.spawned.store(false, Relaxed);
        self.shared.gave_way.store(false, Relaxed);
        self.shared.state.store(IDLE, Release);
        *alive = true;
    }

    pub fn has_trapped(&self) -> bool {
        self.shared.trapped.load(Relaxed)
    }

    /// For what belongs to this turn: descriptors, calls, bodies.
    pub fn of_turn(&self) -> Host {
        Host { shared: self.shared.clone(), turn: Some(self.turn.unwrap_or_else(|| self.shared.turn.load(Relaxed))) }
    }
    pub fn is_of_another(&self) -> bool {
        self.turn.is_some_and(|turn| turn != self.shared.turn.load(Relaxed))
    }

    pub fn waker(&self) -> Waker {
        Waker::from(self.shared.clone())
    }

    /// From here on a wake-up means "again", not a callback.
    pub fn begin_poll(&self) {
        self.shared.state.store(POLLING, Release);
    }
    pub fn was_notified(&self) -> bool {
        self.shared.state.load(Acquire) == NOTIFIED
    }
    /// True: it was woken meanwhile.
    pub fn end_poll(&self) -> bool {
        if self.shared.state.compare_exchange(POLLING, IDLE, AcqRel, Acquire).is_ok() {
            return false;
        }
        self.shared.state.store(IDLE, Release);
        true
    }
    pub fn die(&self) {
        self.shared.state.store(DEAD, Release);
        *self.shared.alive.lock().unwrap_or_else(|broken| broken.into_inner()) = false;
    }
    fn dead(&self) -> bool {
        self.shared.state.load(Acquire) == DEAD
    }

    /// Work was given to the thread's runtime, which has to be turned.
    pub fn note_spawn(&self) {
        self.shared.spawned.store(true, Release);
    }
    pub fn has_spawned(&self) -> bool {
        self.shared.spawned.load(Acquire)
    }

    /// False: the guest ends.
    pub fn tick(&self) -> bool {
        self.shared.gave_way.store(true, Relaxed);
        !self.dead() && (self.shared.table().tick)(self.shared.user()) == 0
    }
    /// A tick has passed since this was last asked.
    pub fn gave_way(&self) -> bool {
        self.shared.gave_way.swap(false, Relaxed)
    }
    pub fn reply_head(&self, status: u16, fields: &[carrel_text]) {
        if !self.dead() {
            (self.shared.table().reply_head)(self.shared.user(), status, fields.as_ptr(), fields.len())
        }
    }
    pub fn reply_trailers(&self, fields: &[carrel_text]) {
        if !self.dead() {
            (self.shared.table().reply_trailers)(self.shared.user(), fields.as_ptr(), fields.len())
        }
    }

    /// Names and values that are none in HTTP are left out.
    pub fn request_trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        if self.dead() || self.is_of_another() {
            return trailers;
        }
        let mut fields = std::ptr::null();
        let count = (self.shared.table().request_trailers)(self.shared.user(), &mut fields);
        for pair in unsafe { texts_at(fields, count) }.chunks_exact(2) {
            let name = HeaderName::from_bytes(unsafe { pair[0].bytes() });
            let value = HeaderValue::from_bytes(unsafe { pair[1].bytes() });
            if let (Ok(name), Ok(value)) = (name, value) {
                trailers.append(name, value);
            }
        }
        trailers
    }

    fn poll_call(
        &self,
        function: Call,
        operands: &[u64],
        memory: &mut [u8],
        place: &mut Place,
        cx: &Context,
    ) -> Poll<Result<i32>> {
        if self.is_of_another() {
            return Poll::Ready(Ok(i32::from(Errno::BADF.0)));
        }
        if self.dead() || self.shared.trapped.load(Relaxed) {
            return Poll::Ready(Err(Error::msg("ended by the host")));
        }
        if !place.ready(cx) {
            return Poll::Pending;
        }
        let mut result = 0;
        let mut waiting = carrel_waiting { host: self, cx: cx.waker(), made: None };
        let status = (self.shared.table().call)(
            self.shared.user(),
            function as u32,
            operands.as_ptr(),
            memory.as_mut_ptr(),
            memory.len(),
            &mut waiting,
            &mut result,
        );
        place.wait = waiting.made.take();
        match status {
            DONE => Poll::Ready(Ok(result)),
            PENDING if place.wait.is_some() => Poll::Pending,
            _ => {
                self.shared.trapped.store(true, Relaxed);
                Poll::Ready(Err(Error::msg("ended by the host")))
            }
        }
    }

    /// Makes a preview 1 call; the outer error ends the guest.
    pub async fn call(&self, function: Call, operands: &[u64], memory: &mut [u8]) -> Result<Result<(), Errno>> {
        let mut place = Place { host: self.clone(), wait: None };
        let result = poll_fn(|cx| self.poll_call(function, operands, memory, &mut place, cx)).await?;
        Ok(Errno::check(result))
    }

    /// The same for a call that never waits.
    pub fn call_now(&self, function: Call, operands: &[u64], memory: &mut [u8]) -> Result<(), Errno> {
        let mut place = Place { host: self.clone(), wait: None };
        match self.poll_call(function, operands, memory, &mut place, &Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(result)) => Errno::check(result),
            Poll::Ready(Err(_)) => Err(Errno::IO),
            Poll::Pending => Err(Errno::AGAIN),
        }
    }

    pub async fn sleep(&self, nanoseconds: u64) {
        let mut place = Place { host: self.clone(), wait: None };
        let mut started = false;
        poll_fn(|cx| {
            if self.dead() || self.is_of_another() || !place.ready(cx) {
                return Poll::Pending;
            }
            if started {
                return Poll::Ready(());
            }
            started = true;
            let mut waiting = carrel_waiting { host: self, cx: cx.waker(), made: None };
            (self.shared.table().sleep)(self.shared.user(), nanoseconds, &mut waiting);
            place.wait = waiting.made.take();
            if place.wait.is_some() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await
    }
}

/// A wait, shared by who waits and who ends it.
pub struct carrel_wait {
    host: Host,
    ended: AtomicBool,
    waker: Mutex<Waker>,
}

pub struct carrel_waiting<'a> {
    host: &'a Host,
    cx: &'a Waker,
    made: Option<Arc<carrel_wait>>,
}

/// Where one call waits. Dropped before the wait has ended, it tells the host.
struct Place {
    host: Host,
    wait: Option<Arc<carrel_wait>>,
}

impl Place {
    /// True when there is nothing to wait for any more.
    fn ready(&mut self, cx: &Context) -> bool {
        let Some(wait) = &self.wait else { return true };
        if !wait.ended.load(Acquire) {
            wait.waker.lock().unwrap_or_else(|broken| broken.into_inner()).clone_from(cx.waker());
            if !wait.ended.load(Acquire) {
                return false;
            }
        }
        self.wait = None;
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            if !wait.ended.load(Acquire) && !self.host.dead() {
                (self.host.shared.table().forget)(self.host.shared.user(), Arc::as_ptr(&wait))
            }
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_wait_new(waiting: &mut carrel_waiting) -> *const carrel_wait {
    let wait = Arc::new(carrel_wait {
        host: waiting.host.clone(),
        ended: AtomicBool::new(false),
        waker: Mutex::new(waiting.cx.clone()),
    });
    waiting.made = Some(wait.clone());
    Arc::into_raw(wait)
}

/// # Safety
/// `wait` is from `carrel_wait_new` and was neither ended nor freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_wait_end(wait: *const carrel_wait) {
    let wait = unsafe { Arc::from_raw(wait) };
    wait.ended.store(true, Release);
    let waker = wait.waker.lock().unwrap_or_else(|broken| broken.into_inner()).clone();
    waker.wake();
    // Who waits may be a task of the thread's runtime, which turns only when ours is polled.
    wait.host.shared.notify();
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_wait_free(wait: *const carrel_wait) {
    drop(unsafe { Arc::from_raw(wait) });
}

/// The thread's runtime, for what `wasmtime-wasi` spawns: without a driver, turned by polls.
pub struct Runtime(UnsafeCell<Option<tokio::runtime::Runtime>>);

thread_local! {
    static RUNTIME: Runtime = const { Runtime(UnsafeCell::new(None)) };
}

/// Runs `work` where spawning is possible, whichever thread this is.
pub fn with_runtime<T>(work: impl FnOnce(&tokio::runtime::Runtime) -> T) -> T {
    RUNTIME.with(|place| {
        // Filled once and never again borrowed mutably.
        let slot = place.0.get();
        if unsafe { (*slot).is_none() } {
            let made = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
            unsafe { *slot = Some(made) };
        }
        let runtime = unsafe { (*slot).as_ref().expect("filled above") };
        let _entered = runtime.enter();
        work(runtime)
    })
}

/// Lets spawned work go on.
pub fn turn_runtime(runtime: &tokio::runtime::Runtime) {
    runtime.block_on(tokio::task::yield_now());
}
