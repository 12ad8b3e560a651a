//! Bodies between descriptors and `wasi:http`.
use super::errno::Errno;
use super::host::Host;
use super::streams::{self, At, Open};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use wasmtime_wasi_http::Error;

/// What preview 1's error for a call to the outside, or for a body, is in `wasi:http`.
pub fn error_of(errno: Errno) -> Error {
    match errno.0 {
        2 | 76 => Error::HttpRequestDenied,
        13 => Error::TlsProtocolError,
        14 => Error::ConnectionRefused,
        15 => Error::ConnectionTerminated,
        19 => Error::ConnectionLimitReached,
        22 => Error::HttpRequestBodySize(None),
        23 | 38 => Error::DestinationUnavailable,
        28 => Error::HttpRequestUriInvalid,
        32 => Error::LoopDetected,
        35 => Error::HttpResponseBodySize(None),
        44 => Error::DnsError { rcode: None, info_code: None },
        63 => Error::DestinationIpProhibited,
        65 => Error::HttpProtocolError,
        73 => Error::ConnectionTimeout,
        _ => Error::InternalError(Some(errno.to_string())),
    }
}

/// The same once a response has begun.
fn error_of_answer(errno: Errno) -> Error {
    match errno.0 {
        15 => Error::HttpResponseIncomplete,
        73 => Error::HttpResponseTimeout,
        _ => error_of(errno),
    }
}

pub fn trapped(trap: wasmtime::Error) -> Error {
    Error::InternalError(Some(format!("{trap:#}")))
}

/// The first of a future and its timeout.
pub async fn within<T>(host: &Host, limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    let Some(limit) = limit else { return Some(work.await) };
    let mut work = std::pin::pin!(work);
    let mut timer = std::pin::pin!(host.sleep(limit.as_nanos().min(u128::from(u64::MAX)) as u64));
    std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
    })
    .await
}

type Step = Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send>>;

/// How a body stands in its descriptor.
enum Form {
    Request, // as it is; its trailers are asked for
    Whole,
    Chunked(Chunks),
}

/// A descriptor's bytes as a body.
pub struct FileBody {
    host: Host,
    fd: u32,
    file: Option<Arc<Open>>,
    ahead: Bytes,
    form: Form,
    patience: Option<Duration>, // between bytes
    step: Option<Step>,
    ended: bool,
}

type Piece = Option<Result<Frame<Bytes>, Error>>;

impl FileBody {
    fn new(host: Host, fd: u32, form: Form) -> FileBody {
        FileBody { host, fd, file: None, ahead: Bytes::new(), form, patience: None, step: None, ended: false }
    }
    pub fn of_request(host: Host) -> FileBody {
        FileBody::new(host, 0, Form::Request)
    }
    pub fn of_answer(file: Arc<Open>, ahead: Bytes, patience: Option<Duration>) -> FileBody {
        let body = FileBody::new(file.host.clone(), file.fd(), Form::Whole);
        FileBody { file: Some(file), ahead, patience, ..body }
    }
    pub fn of_chunked_answer(file: Arc<Open>, ahead: &[u8], patience: Option<Duration>) -> FileBody {
        let form = Form::Chunked(Chunks { text: ahead.into(), at: Phase::Size, trailers: HeaderMap::new() });
        let body = FileBody::new(file.host.clone(), file.fd(), form);
        FileBody { file: Some(file), patience, ..body }
    }

    fn start(&self) -> Step {
        let (host, fd, patience) = (self.host.clone(), self.fd, self.patience);
        let file = self.file.clone();
        let error_of = if file.is_some() { error_of_answer } else { error_of };
        Box::pin(async move {
            let _open = file;
            let mut at = At::Cursor;
            match within(&host, patience, streams::read(&host, fd, &mut at, streams::AT_ONCE)).await {
                None => Err(Error::ConnectionReadTimeout),
                Some(Ok(Ok(bytes))) => Ok(bytes),
                Some(Ok(Err(errno))) => Err(error_of(errno)),
                Some(Err(trap)) => Err(trapped(trap)),
            }
        })
    }

    /// What is there without another read. Nothing: that is needed.
    fn next(&mut self) -> Option<Piece> {
        if !self.ahead.is_empty() {
            return Some(Some(Ok(Frame::data(std::mem::take(&mut self.ahead)))));
        }
        if self.ended {
            return Some(None);
        }
        let Form::Chunked(chunks) = &mut self.form else { return None };
        let piece = chunks.next()?;
        self.ended = !matches!(&piece, Some(Ok(frame)) if frame.is_data());
        Some(piece)
    }

    fn take(&mut self, read: Result<Bytes, Error>) -> Result<(), Error> {
        let bytes = read.inspect_err(|_| self.ended = true)?;
        match &mut self.form {
            Form::Chunked(chunks) if !bytes.is_empty() => chunks.text.extend_from_slice(&bytes),
            Form::Chunked(_) => {
                self.ended = true;
                return Err(Error::HttpResponseIncomplete);
            }
            _ => {
                self.ended = bytes.is_empty();
                self.ahead = bytes;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Piece {
        if !matches!(self.form, Form::Request) {
            return None;
        }
        self.form = Form::Whole;
        let trailers = self.host.request_trailers();
        if trailers.is_empty() { None } else { Some(Ok(Frame::trailers(trailers))) }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        loop {
            match self.next() {
                Some(None) => return Poll::Ready(self.end()),
                Some(piece) => return Poll::Ready(piece),
                None => {}
            }
            let mut step = self.step.take().unwrap_or_else(|| self.start());
            let Poll::Ready(read) = step.as_mut().poll(cx) else {
                self.step = Some(step);
                return Poll::Pending;
            };
            if let Err(error) = self.take(read) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

enum Phase {
    Size,
    Data(usize), // bytes of it that are left
    DataEnd,
    Trailers,
}

/// A body in chunks, as the device writes it for who takes trailers.
struct Chunks {
    text: BytesMut,
    at: Phase,
    trailers: HeaderMap,
}

const LONGEST_LINE: usize = 64 << 10;

impl Chunks {
    fn line(&mut self) -> Result<Option<BytesMut>, Error> {
        match self.text.windows(2).position(|two| two == b"\r\n") {
            Some(end) => {
                let line = self.text.split_to(end);
                let _ = self.text.split_to(2);
                Ok(Some(line))
            }
            None if self.text.len() > LONGEST_LINE => Err(Error::HttpProtocolError),
            None => Ok(None),
        }
    }

    /// The next piece of what is there; within it, nothing is the body's end.
    fn next(&mut self) -> Option<Piece> {
        self.step().map_or_else(|error| Some(Some(Err(error))), |piece| piece)
    }

    fn step(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            match self.at {
                Phase::Size => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    let size = str::from_utf8(&line).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
                    self.at = match size.ok_or(Error::HttpProtocolError)? {
                        0 => Phase::Trailers,
                        size => Phase::Data(size),
                    };
                }
                Phase::Data(_) if self.text.is_empty() => return Ok(None),
                Phase::Data(left) => {
                    let n = left.min(self.text.len());
                    self.at = if n == left { Phase::DataEnd } else { Phase::Data(left - n) };
                    return Ok(Some(Some(Ok(Frame::data(self.text.split_to(n).freeze())))));
                }
                Phase::DataEnd => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    if !line.is_empty() {
                        return Err(Error::HttpProtocolError);
                    }
                    self.at = Phase::Size;
                }
                Phase::Trailers => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    if line.is_empty() {
                        let trailers = std::mem::take(&mut self.trailers);
                        return Ok(Some((!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)))));
                    }
                    let (name, value) = field_of(&line).ok_or(Error::HttpProtocolError)?;
                    self.trailers.append(name, value);
                }
            }
        }
    }
}

/// "Name: value".
pub fn field_of(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}
