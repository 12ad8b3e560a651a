//! Bodies between descriptors and `wasi:http`.
use super::errno::Errno;
use super::host::Host;
use super::streams::{self, At, Open};
use bytes::Bytes;
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

/// A descriptor's bytes as a body.
pub struct FileBody {
    host: Host,
    fd: u32,
    file: Option<Arc<Open>>,
    ahead: Bytes,
    patience: Option<Duration>, // between bytes
    step: Option<Step>,
    ended: bool,
}

impl FileBody {
    pub fn new(host: Host, fd: u32) -> FileBody {
        FileBody { host, fd, file: None, ahead: Bytes::new(), patience: None, step: None, ended: false }
    }
    pub fn of(file: Arc<Open>, ahead: Bytes, patience: Option<Duration>) -> FileBody {
        let body = FileBody::new(file.host.clone(), file.fd);
        FileBody { file: Some(file), ahead, patience, ..body }
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
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.ahead)))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if self.step.is_none() {
            self.step = Some(self.start());
        }
        let Some(step) = &mut self.step else { return Poll::Ready(None) };
        let Poll::Ready(result) = step.as_mut().poll(cx) else { return Poll::Pending };
        self.step = None;
        match result {
            Ok(bytes) if bytes.is_empty() => {
                self.ended = true;
                Poll::Ready(None)
            }
            Ok(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Err(error) => {
                self.ended = true;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}
