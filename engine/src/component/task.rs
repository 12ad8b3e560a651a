//! A task: one run of a component's world, polled by its shard.
//!
//! The C++ side owns it and frees it; each call of it is made on the shard's thread, and a panic inside is the task's
//! end. Freed at any moment, it drops the guest and whatever that waits for.
use super::host::{Host, carrel_component_host, carrel_text, texts_at, turn_runtime, with_runtime};
use super::http::FileBody;
use super::link::{World, carrel_component_pre};
use super::state::{Printing, Task, carrel_task_limits};
use super::streams::{self, At};
use crate::buffer::carrel_buffer;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Empty};
use std::ffi::c_void;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::{Engine, Error, Result, Store, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p3::bindings::CommandPre as CommandPre3;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3::Request as Request3;
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode as ErrorCode3;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

#[repr(C)]
pub struct carrel_http_request {
    method: carrel_text,
    scheme: carrel_text,
    authority: carrel_text,
    target: carrel_text,
    fields: *const carrel_text,
    field_count: usize,
    has_body: bool,
}

#[repr(C)]
pub struct carrel_task_result {
    end: i32,
    code: u32,
    memory_peak: u64,
    text: carrel_buffer,
    frames: carrel_buffer,
}

const RETURNED: i32 = 0;
const EXITED: i32 = 1;
const TRAPPED: i32 = 2;
const REFUSED: i32 = 3;
const BAD_REPLY: i32 = 4;

#[derive(Default)]
struct End {
    end: i32,
    code: u32,
    memory_peak: usize,
    text: String,
    frames: String,
}

const LONGEST_TEXT: usize = 4 << 10;
const LONGEST_NAME: usize = 256;

fn clipped(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
    text
}

/// Texts and names are the guest's: bounded, because they go to logs.
fn frames_of(error: &Error) -> String {
    let mut lines = String::new();
    if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
        for frame in trace.frames() {
            let name = clipped(frame.func_name().unwrap_or_default().replace('\n', " "), LONGEST_NAME);
            let _ = writeln!(lines, "{} {name}", frame.module_offset().unwrap_or(0));
        }
    }
    lines
}

impl End {
    fn of(result: Result<()>, instantiated: bool, memory_peak: usize) -> End {
        let Err(error) = result else { return End { memory_peak, ..End::default() } };
        if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
            return End { end: EXITED, code: *code as u32, memory_peak, ..End::default() };
        }
        let frames = frames_of(&error);
        // The backtrace is a cause of its own; the reason is what it was added to.
        let text = clipped(format!("{}", error.root_cause()), LONGEST_TEXT);
        let end = if !instantiated && frames.is_empty() { REFUSED } else { TRAPPED };
        End { end, memory_peak, text, frames, ..End::default() }
    }
    fn of_run(result: Result<std::result::Result<(), ()>>, instantiated: bool, memory_peak: usize) -> End {
        match result {
            Ok(Err(())) => End { end: EXITED, code: 1, memory_peak, ..End::default() },
            Ok(Ok(())) => End { memory_peak, ..End::default() },
            Err(error) => End::of(Err(error), instantiated, memory_peak),
        }
    }
    fn bad_reply(text: String) -> End {
        End { end: BAD_REPLY, text: clipped(text, LONGEST_TEXT), ..End::default() }
    }
}

/// A store and its instance between two turns.
pub struct carrel_instance {
    store: Store<Task>,
    served: Served,
}

enum Served {
    Proxy(Proxy),
    Service(Service),
}

/// How a guest ended, and what is left for another turn if it ended well.
type Ended = (End, Option<Box<carrel_instance>>);
type Guest = Pin<Box<dyn Future<Output = Ended> + Send>>;
type Pump = Pin<Box<dyn Future<Output = std::result::Result<(), String>> + Send>>;

pub struct carrel_task {
    host: Host,
    guest: Option<Guest>,
    pump: Option<Pump>, // of the response's body
    end: End,
    kept: Option<Box<carrel_instance>>,
    starved: Arc<AtomicBool>, // the pump waits for the guest
}

/// Bytes that one call may hand to the host.
const LARGEST_CALL: usize = 32 << 20;

fn store_for(engine: &Engine, host: &Host, limits: carrel_task_limits, printing: Printing) -> Store<Task> {
    let mut store = Store::new(engine, Task::new(host.clone(), limits, printing));
    store.limiter(|task| &mut task.bounds);
    store.epoch_deadline_callback(|context| {
        if context.data().host.tick() { Ok(UpdateDeadline::Yield(1)) } else { Err(Error::msg("limit")) }
    });
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(LARGEST_CALL);
    if limits.slots > 0 {
        store.call_hook(|mut context, hook| context.data_mut().calls.hook(hook));
    }
    store
}

type Answer<E> = std::result::Result<Response<WasiBody>, E>;

/// The store of an earlier turn, or a new one.
fn store_of(
    kept: Option<Box<carrel_instance>>,
    engine: &Engine,
    host: &Host,
    limits: carrel_task_limits,
) -> (Store<Task>, Option<Served>) {
    match kept {
        Some(kept) => {
            let carrel_instance { mut store, served } = *kept;
            store.set_epoch_deadline(1);
            (store, Some(served))
        }
        None => (store_for(engine, host, limits, Printing::Log), None),
    }
}

fn ended(result: Result<Served>, instantiated: bool, store: Store<Task>, keep: bool) -> Ended {
    let held = store.data().bounds.held;
    match result {
        Ok(served) => {
            let kept = keep.then(|| Box::new(carrel_instance { store, served }));
            (End::of(Ok(()), true, held), kept)
        }
        Err(error) => (End::of(Err(error), instantiated, held), None),
    }
}

async fn handle(
    pre: ProxyPre<Task>,
    host: Host,
    limits: carrel_task_limits,
    scheme: Scheme,
    request: Request<WasiBody>,
    answer: oneshot::Sender<Answer<ErrorCode>>,
    kept: Option<Box<carrel_instance>>,
) -> Ended {
    let (mut store, served) = store_of(kept, pre.engine(), &host, limits);
    let mut instantiated = served.is_some();
    let result = async {
        let request = store.data_mut().http().new_incoming_request(scheme, request)?;
        let answer = store.data_mut().http().new_response_outparam(answer)?;
        let proxy = match served {
            Some(Served::Proxy(proxy)) => proxy,
            _ => pre.instantiate_async(&mut store).await?,
        };
        instantiated = true;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, answer).await?;
        Ok(Served::Proxy(proxy))
    }
    .await;
    ended(result, instantiated, store, limits.keep)
}

/// WASI 0.3: the response's body is made while it is sent, until it is `sent`.
async fn serve(
    pre: ServicePre<Task>,
    host: Host,
    limits: carrel_task_limits,
    request: Request<WasiBody>,
    answer: oneshot::Sender<Answer<ErrorCode3>>,
    sent: oneshot::Receiver<()>,
    kept: Option<Box<carrel_instance>>,
) -> Ended {
    let (mut store, served) = store_of(kept, pre.engine(), &host, limits);
    let mut instantiated = served.is_some();
    let result = async {
        let service = match served {
            Some(Served::Service(service)) => service,
            _ => pre.instantiate_async(&mut store).await?,
        };
        instantiated = true;
        let (request, _sent) = Request3::from_http(store.data_mut().http().hooks, request);
        let serving = store.run_concurrent(async |accessor| -> Result<()> {
            let response = match service.handle(accessor, request).await? {
                Ok(response) => accessor.with(|store| response.into_http(store, async { Ok(()) })).map(Ok)?,
                Err(code) => Err(code),
            };
            if answer.send(response).is_ok() {
                let _ = sent.await;
            }
            Ok(())
        });
        serving.await??;
        Ok(Served::Service(service))
    }
    .await;
    ended(result, instantiated, store, limits.keep)
}

async fn run3(pre: CommandPre3<Task>, host: Host, limits: carrel_task_limits) -> Ended {
    let mut store = store_for(pre.engine(), &host, limits, Printing::Reply);
    let mut instantiated = false;
    let result = async {
        let command = pre.instantiate_async(&mut store).await?;
        instantiated = true;
        store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await).await?
    }
    .await;
    (End::of_run(result, instantiated, store.data().bounds.held), None)
}

async fn run(pre: CommandPre<Task>, host: Host, limits: carrel_task_limits) -> Ended {
    let mut store = store_for(pre.engine(), &host, limits, Printing::Reply);
    let mut instantiated = false;
    let result = async {
        let command = pre.instantiate_async(&mut store).await?;
        instantiated = true;
        command.wasi_cli_run().call_run(&mut store).await
    }
    .await;
    (End::of_run(result, instantiated, store.data().bounds.held), None)
}

fn give_fields(fields: &HeaderMap, give: impl FnOnce(&[carrel_text])) {
    let mut texts = Vec::with_capacity(fields.len() * 2);
    for (name, value) in fields {
        texts.push(carrel_text::of(name.as_str().as_bytes()));
        texts.push(carrel_text::of(value.as_bytes()));
    }
    give(&texts);
}

/// The response as the guest makes it: its head, then its body to descriptor 1.
async fn pump<E: std::fmt::Debug>(
    host: Host,
    answer: oneshot::Receiver<Answer<E>>,
    sent: Option<oneshot::Sender<()>>,
    starved: Arc<AtomicBool>,
) -> std::result::Result<(), String> {
    let _sent = sent; // dropped at the end
    starved.store(true, Relaxed);
    let answered = answer.await;
    starved.store(false, Relaxed);
    let response = match answered {
        Err(_) => return Err("the component returned without a response".to_string()),
        Ok(Err(code)) => return Err(format!("the component answered with an error: {code:?}")),
        Ok(Ok(response)) => response,
    };
    let (head, mut body) = response.into_parts();
    give_fields(&head.headers, |fields| host.reply_head(head.status.as_u16(), fields));
    let mut at = At::Cursor;
    loop {
        starved.store(true, Relaxed);
        let frame = body.frame().await;
        starved.store(false, Relaxed);
        let Some(frame) = frame else { break };
        match frame.map(http_body::Frame::into_data) {
            Err(error) => return Err(format!("the body was not finished: {error}")),
            Ok(Ok(bytes)) => match streams::write_all(&host, 1, &mut at, &bytes).await {
                Ok(Ok(())) => {}
                Ok(Err(errno)) => return Err(format!("the body could not be sent: {errno}")),
                Err(trap) => return Err(format!("the body could not be sent: {trap}")),
            },
            Ok(Err(frame)) => {
                if let Ok(trailers) = frame.into_trailers() {
                    give_fields(&trailers, |fields| host.reply_trailers(fields));
                }
            }
        }
    }
    Ok(())
}

const PENDING: i32 = 0;
const AGAIN: i32 = 1;
const ENDED: i32 = 2;
const MOST_ROUNDS: usize = 64; // of guest and pump, before others get the shard

fn text_of_panic(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("the engine's host code failed: {}", text.unwrap_or("no reason given"))
}

impl carrel_task {
    fn poll(&mut self) -> i32 {
        let waker = self.host.waker();
        let mut cx = Context::from_waker(&waker);
        with_runtime(|runtime| {
            for _ in 0..MOST_ROUNDS {
                self.host.begin_poll();
                if self.host.has_spawned() {
                    turn_runtime(runtime);
                }
                self.poll_guest(&mut cx);
                if self.host.has_spawned() {
                    turn_runtime(runtime);
                }
                self.poll_pump(&mut cx);
                // What a guest that has returned did not finish, nobody will.
                if self.kept.is_some() && self.pump.is_some() && self.starved.load(Relaxed) {
                    self.kept = None;
                    self.poll_pump(&mut cx);
                }
                if self.guest.is_none() && self.pump.is_none() {
                    return ENDED;
                }
                if self.host.gave_way() {
                    break;
                }
                if !self.host.was_notified() {
                    break;
                }
            }
            if self.host.end_poll() { AGAIN } else { PENDING }
        })
    }

    fn poll_guest(&mut self, cx: &mut Context) {
        if let Some(guest) = &mut self.guest {
            if let Poll::Ready((end, kept)) = guest.as_mut().poll(cx) {
                self.guest = None;
                self.kept = kept;
                // Who failed has no response any more, whatever it said.
                if end.end != RETURNED {
                    self.pump = None;
                }
                self.end = end;
            }
        }
    }

    fn poll_pump(&mut self, cx: &mut Context) {
        if let Some(pump) = &mut self.pump {
            if let Poll::Ready(sent) = pump.as_mut().poll(cx) {
                self.pump = None;
                if let Err(text) = sent {
                    if self.end.end == RETURNED {
                        let peak = self.end.memory_peak;
                        self.end = End { memory_peak: peak, ..End::bad_reply(text) };
                        self.guest = None; // nobody hears it any more
                    }
                }
            }
        }
    }
}

/// # Safety
/// The request's texts are readable.
unsafe fn request_of(request: &carrel_http_request, host: &Host) -> Result<Request<WasiBody>> {
    let text = |text: carrel_text| unsafe { text.bytes() };
    let body: WasiBody = if request.has_body {
        FileBody::of_request(host.of_turn()).boxed_unsync()
    } else {
        Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync()
    };
    let mut made = Request::new(body);
    *made.method_mut() = Method::from_bytes(text(request.method))?;
    *made.uri_mut() = Uri::try_from(text(request.target))?;
    let fields = unsafe { texts_at(request.fields, request.field_count) };
    let map = made.headers_mut();
    for pair in fields.chunks_exact(2) {
        map.try_append(HeaderName::from_bytes(text(pair[0]))?, HeaderValue::from_bytes(text(pair[1]))?)?;
    }
    if !map.contains_key(http::header::HOST) {
        map.insert(http::header::HOST, HeaderValue::from_bytes(text(request.authority))?);
    }
    Ok(made)
}

fn started(host: Host, guest: Guest, pump: Option<Pump>, starved: Arc<AtomicBool>) -> *mut carrel_task {
    let task = carrel_task { host, guest: Some(guest), pump, end: End::default(), kept: None, starved };
    Box::into_raw(Box::new(task))
}

/// # Safety
/// `host` and `user` outlive the task; the request is as the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_http_start(
    pre: &carrel_component_pre,
    host: *const carrel_component_host,
    user: *mut c_void,
    limits: &carrel_task_limits,
    request: &carrel_http_request,
    kept: Option<Box<carrel_instance>>,
    error: &mut carrel_buffer,
) -> *mut carrel_task {
    let host = match &kept {
        Some(kept) => {
            let own = kept.store.data().host.clone();
            own.revive(host, user);
            own
        }
        None => Host::new(host, user),
    };
    let made = match unsafe { request_of(request, &host) } {
        Ok(made) => made,
        Err(cause) => {
            error.set(format!("{cause:#}"));
            host.die();
            carrel_instance_free(kept);
            return std::ptr::null_mut();
        }
    };
    let starved = Arc::new(AtomicBool::new(false));
    let secure = unsafe { request.scheme.bytes() } == b"https";
    match &pre.world {
        World::Http(pre) => {
            let scheme = if secure { Scheme::Https } else { Scheme::Http };
            let (answer, answered) = oneshot::channel();
            let guest = Box::pin(handle(pre.clone(), host.clone(), *limits, scheme, made, answer, kept));
            let pump = Box::pin(pump(host.clone(), answered, None, starved.clone()));
            started(host, guest, Some(pump), starved)
        }
        World::Service(pre) => {
            let (answer, answered) = oneshot::channel();
            let (sending, sent) = oneshot::channel();
            let whole = whole_uri(made, secure);
            let guest = Box::pin(serve(pre.clone(), host.clone(), *limits, whole, answer, sent, kept));
            let pump = Box::pin(pump(host.clone(), answered, Some(sending), starved.clone()));
            started(host, guest, Some(pump), starved)
        }
        _ => {
            error.set("not prepared for HTTP");
            std::ptr::null_mut()
        }
    }
}

/// WASI 0.3 takes scheme and authority from the request's target.
fn whole_uri(mut request: Request<WasiBody>, secure: bool) -> Request<WasiBody> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    let host = request.headers().get(http::header::HOST);
    parts.authority = host.and_then(|host| http::uri::Authority::try_from(host.as_bytes()).ok());
    if parts.authority.is_some() {
        parts.scheme = Some(if secure { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
    }
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_command_start(
    pre: &carrel_component_pre,
    host: *const carrel_component_host,
    user: *mut c_void,
    limits: &carrel_task_limits,
    error: &mut carrel_buffer,
) -> *mut carrel_task {
    let host = Host::new(host, user);
    let guest: Guest = match &pre.world {
        World::Command(pre) => Box::pin(run(pre.clone(), host.clone(), *limits)),
        World::Command3(pre) => Box::pin(run3(pre.clone(), host.clone(), *limits)),
        _ => {
            error.set("not prepared as a command");
            return std::ptr::null_mut();
        }
    };
    started(host, guest, None, Arc::default())
}

/// Of a task of HTTP that has ended well.
#[unsafe(no_mangle)]
pub extern "C" fn carrel_task_keep(task: &mut carrel_task) -> Option<Box<carrel_instance>> {
    let ended_well =
        task.guest.is_none() && task.pump.is_none() && task.end.end == RETURNED && !task.host.has_trapped();
    if ended_well { task.kept.take() } else { None }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_instance_free(kept: Option<Box<carrel_instance>>) {
    let Some(kept) = kept else { return };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        with_runtime(|runtime| {
            drop(kept);
            turn_runtime(runtime); // what it spawned goes as well
        })
    }));
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_task_poll(task: &mut carrel_task) -> i32 {
    match catch_unwind(AssertUnwindSafe(|| task.poll())) {
        Ok(status) => status,
        Err(panic) => {
            // What is left of them may panic again while it is dropped.
            let (guest, pump) = (task.guest.take(), task.pump.take());
            carrel_instance_free(task.kept.take());
            let _ = catch_unwind(AssertUnwindSafe(|| with_runtime(|_| drop(pump))));
            let _ = catch_unwind(AssertUnwindSafe(|| with_runtime(|_| drop(guest))));
            task.end = End { end: TRAPPED, text: text_of_panic(panic), ..End::default() };
            ENDED
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_task_result_get(task: &mut carrel_task, result: &mut carrel_task_result) {
    result.end = task.end.end;
    result.code = task.end.code;
    result.memory_peak = task.end.memory_peak as u64;
    result.text.set(std::mem::take(&mut task.end.text));
    result.frames.set(std::mem::take(&mut task.end.frames));
}

#[unsafe(no_mangle)]
pub extern "C" fn carrel_task_free(task: Option<Box<carrel_task>>) {
    let Some(mut task) = task else { return };
    task.host.die();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        with_runtime(|runtime| {
            task.pump = None;
            task.guest = None;
            task.kept = None;
            if task.host.has_spawned() {
                turn_runtime(runtime);
            }
        })
    }));
    if dropped.is_err() {
        std::mem::forget(task);
    }
}
