//! Streams over descriptors: what is read ahead, and what is still to be written.
use super::errno::Errno;
use super::host::{Call, Host};
use bytes::{Bytes, BytesMut};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// Bytes moved by one call.
pub const AT_ONCE: usize = 64 << 10;
/// Bytes read ahead of the guest, for each stream it holds.
const AHEAD: usize = 16 << 10;
const HEADER: usize = 16; // an iovec and the count of bytes moved

/// Where a stream is: a place of its own, or the descriptor's.
#[derive(Clone, Copy)]
pub enum At {
    Offset(u64),
    Cursor,
}

fn buffer(room: usize) -> BytesMut {
    let mut memory = BytesMut::zeroed(HEADER + room);
    memory[0..4].copy_from_slice(&(HEADER as u32).to_le_bytes());
    memory[4..8].copy_from_slice(&(room as u32).to_le_bytes());
    memory
}

fn moved(memory: &[u8]) -> usize {
    u32::from_le_bytes([memory[8], memory[9], memory[10], memory[11]]) as usize
}

/// Reads once: empty is the end. A file without places is read from where it is.
pub async fn read(host: &Host, fd: u32, at: &mut At, room: usize) -> Result<Result<Bytes, Errno>> {
    let mut memory = buffer(room);
    let fd = u64::from(fd);
    if let At::Offset(offset) = *at {
        match host.call(Call::fd_pread, &[fd, 0, 1, offset, 8], &mut memory).await? {
            Err(Errno::SPIPE) => *at = At::Cursor,
            Err(errno) => return Ok(Err(errno)),
            Ok(()) => {
                *at = At::Offset(offset.saturating_add(moved(&memory) as u64));
                return Ok(Ok(taken(memory)));
            }
        }
    }
    match host.call(Call::fd_read, &[fd, 0, 1, 8], &mut memory).await? {
        Err(errno) => Ok(Err(errno)),
        Ok(()) => Ok(Ok(taken(memory))),
    }
}

fn taken(memory: BytesMut) -> Bytes {
    let n = moved(&memory);
    let bytes = memory.freeze();
    if n * 4 < bytes.len() {
        Bytes::copy_from_slice(&bytes[HEADER..HEADER + n])
    } else {
        bytes.slice(HEADER..HEADER + n)
    }
}

/// Writes once; says how many bytes were taken.
pub async fn write(host: &Host, fd: u32, at: &mut At, bytes: &[u8]) -> Result<Result<usize, Errno>> {
    let piece = &bytes[..bytes.len().min(AT_ONCE)];
    let mut memory = buffer(piece.len());
    memory[HEADER..].copy_from_slice(piece);
    let fd = u64::from(fd);
    if let At::Offset(offset) = *at {
        match host.call(Call::fd_pwrite, &[fd, 0, 1, offset, 8], &mut memory).await? {
            Err(Errno::SPIPE) => *at = At::Cursor,
            Err(errno) => return Ok(Err(errno)),
            Ok(()) => {
                *at = At::Offset(offset.saturating_add(moved(&memory) as u64));
                return Ok(Ok(moved(&memory)));
            }
        }
    }
    match host.call(Call::fd_write, &[fd, 0, 1, 8], &mut memory).await? {
        Err(errno) => Ok(Err(errno)),
        Ok(()) => Ok(Ok(moved(&memory))),
    }
}

pub async fn write_all(host: &Host, fd: u32, at: &mut At, mut bytes: &[u8]) -> Result<Result<(), Errno>> {
    while !bytes.is_empty() {
        match write(host, fd, at, bytes).await? {
            Err(errno) => return Ok(Err(errno)),
            Ok(0) => return Ok(Err(Errno::IO)),
            Ok(n) => bytes = &bytes[n..],
        }
    }
    Ok(Ok(()))
}

/// A descriptor that is closed when nobody uses it any more.
pub struct Open {
    pub host: Host,
    fd: u32,
}

impl Open {
    pub fn new(host: &Host, fd: u32) -> Open {
        Open { host: host.of_turn(), fd }
    }
    /// Of no file, once its turn is over.
    pub fn fd(&self) -> u32 {
        if self.host.is_of_another() { u32::MAX } else { self.fd }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // What could not be written fails the turn, not the guest: the host keeps it.
        let _ = self.host.call_now(Call::fd_close, &[u64::from(self.fd)], &mut []);
    }
}

/// A call in progress. It is never given up for another try, which could lose what it holds.
pub(super) type Step<T> = Pin<Box<dyn Future<Output = (At, Result<Result<T, Errno>>)> + Send>>;

/// Lets a call go on for now; the host is woken when it can go on again.
fn at_once(poll: impl FnOnce(&mut Context) -> Poll<()>) {
    let _ = poll(&mut Context::from_waker(Waker::noop()));
}

enum Failure {
    Errno(Errno),
    Trap(String),
}

impl Failure {
    fn stream_error(&self) -> StreamError {
        match self {
            Failure::Errno(errno) => StreamError::LastOperationFailed(Error::new(*errno)),
            Failure::Trap(text) => StreamError::Trap(Error::msg(text.clone())),
        }
    }
}

/// An input stream of a descriptor, kept open by `_file` if it is one of the guest's own.
pub struct Reader {
    step: Option<Step<Bytes>>, // goes before its file
    host: Host,
    fd: u32,
    _file: Option<Arc<Open>>,
    at: At,
    ahead: Bytes,
    ended: bool,
    failure: Option<Failure>,
}

impl Reader {
    pub fn new(host: Host, fd: u32, at: At) -> Reader {
        Reader { step: None, host, fd, _file: None, at, ahead: Bytes::new(), ended: false, failure: None }
    }
    pub fn of(file: Arc<Open>, at: At) -> Reader {
        let reader = Reader::new(file.host.clone(), file.fd(), at);
        Reader { _file: Some(file), ..reader }
    }
    fn start(&self) -> Step<Bytes> {
        let (host, fd, mut at) = (self.host.clone(), self.fd, self.at);
        Box::pin(async move {
            let result = read(&host, fd, &mut at, AHEAD).await;
            (at, result)
        })
    }
    fn poll_fill(&mut self, cx: &mut Context) -> Poll<()> {
        if !self.ahead.is_empty() || self.ended || self.failure.is_some() {
            return Poll::Ready(());
        }
        let mut step = self.step.take().unwrap_or_else(|| self.start());
        let Poll::Ready((at, result)) = step.as_mut().poll(cx) else {
            self.step = Some(step);
            return Poll::Pending;
        };
        self.at = at;
        match result {
            Ok(Ok(bytes)) => {
                self.ended = bytes.is_empty();
                self.ahead = bytes;
            }
            Ok(Err(errno)) => self.failure = Some(Failure::Errno(errno)),
            Err(trap) => self.failure = Some(Failure::Trap(format!("{trap:#}"))),
        }
        Poll::Ready(())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll_fill(cx)).await;
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 {
            at_once(|cx| self.poll_fill(cx));
        }
        if let Some(failure) = self.failure.take() {
            self.ended = true;
            return Err(failure.stream_error());
        }
        if self.ahead.is_empty() && self.ended {
            return Err(StreamError::Closed);
        }
        Ok(self.ahead.split_to(size.min(self.ahead.len())))
    }
}

/// An output stream of a descriptor, as above.
pub struct Writer {
    step: Option<Step<usize>>, // goes before its file
    host: Host,
    fd: u32,
    _file: Option<Arc<Open>>,
    at: At,
    left: Bytes,
    failure: Option<Failure>,
    closed: bool,
}

impl Writer {
    pub fn new(host: Host, fd: u32, at: At) -> Writer {
        Writer { step: None, host, fd, _file: None, at, left: Bytes::new(), failure: None, closed: false }
    }
    pub fn of(file: Arc<Open>, at: At) -> Writer {
        let writer = Writer::new(file.host.clone(), file.fd(), at);
        Writer { _file: Some(file), ..writer }
    }
    fn start(&self) -> Step<usize> {
        let (host, fd, mut at, left) = (self.host.clone(), self.fd, self.at, self.left.clone());
        Box::pin(async move {
            let result = write(&host, fd, &mut at, &left).await;
            (at, result)
        })
    }
    fn poll_step(&mut self, cx: &mut Context) -> Poll<Result<Result<usize, Errno>>> {
        let mut step = self.step.take().unwrap_or_else(|| self.start());
        let Poll::Ready((at, result)) = step.as_mut().poll(cx) else {
            self.step = Some(step);
            return Poll::Pending;
        };
        self.at = at;
        Poll::Ready(result)
    }
    pub(super) fn poll_drain(&mut self, cx: &mut Context) -> Poll<()> {
        while !self.left.is_empty() {
            match ready!(self.poll_step(cx)) {
                Ok(Ok(n)) => self.left = self.left.split_off(n.min(self.left.len())),
                Ok(Err(errno)) => self.fail(Failure::Errno(errno)),
                Err(trap) => self.fail(Failure::Trap(format!("{trap:#}"))),
            }
        }
        Poll::Ready(())
    }
    fn fail(&mut self, failure: Failure) {
        self.left = Bytes::new();
        self.failure = Some(failure);
    }
    fn check(&mut self) -> StreamResult<()> {
        if self.closed {
            return Err(StreamError::Closed);
        }
        match self.failure.take() {
            Some(Failure::Errno(Errno::PIPE)) => {
                self.closed = true;
                Err(StreamError::Closed)
            }
            Some(failure) => {
                self.closed = true;
                Err(failure.stream_error())
            }
            None => Ok(()),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll_drain(cx)).await;
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if !self.left.is_empty() || bytes.len() > AT_ONCE {
            return Err(StreamError::trap("write exceeded budget"));
        }
        self.left = bytes;
        at_once(|cx| self.poll_drain(cx));
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        at_once(|cx| self.poll_drain(cx));
        self.check()?;
        Ok(if self.left.is_empty() { AT_ONCE } else { 0 })
    }
}
