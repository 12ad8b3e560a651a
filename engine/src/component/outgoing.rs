//! Outgoing HTTP: each request is one use of the device `/http/new`, like a module's. So there is one way
//! out, with the module's grants, and a turn that is run again is given the responses it had.
use super::files::FIRST_PREOPEN;
use super::host::{Call, Host};
use super::http::{FileBody, error_of, field_of, trapped, within};
use super::streams::{self, At, Open};
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

/// Below the root, which a turn has as its first preopened folder.
const DEVICE: &str = "http/new";
const MOST_HEAD: usize = 256 << 10;
/// Each body that a guest makes may hold two such pieces.
const BODY_AT_ONCE: usize = 16 << 10;

pub struct Hooks {
    pub host: Host,
}

type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Io)>> + Send>;
type Io = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Hooks {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_AT_ONCE
    }
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_AT_ONCE
    }
    fn send_request(&mut self, request: Request<WasiBody>, options: Option<RequestOptions>, _: Io) -> Sending {
        let host = self.host.of_turn();
        host.note_spawn();
        Box::new(async move {
            let response = send(host, request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

async fn open(host: &Host) -> Result<Arc<Open>> {
    const READ_AND_WRITE: u64 = 1 << 1 | 1 << 6;
    let mut memory = vec![0; 4];
    memory.extend_from_slice(DEVICE.as_bytes());
    let operands = [u64::from(FIRST_PREOPEN), 0, 4, DEVICE.len() as u64, 0, READ_AND_WRITE, 0, 0, 0];
    match host.call(Call::path_open, &operands, &mut memory).await.map_err(trapped)? {
        Ok(()) => {
            let fd = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]);
            Ok(Arc::new(Open::new(host, fd)))
        }
        // Without a grant there is no such device.
        Err(errno) if errno == super::errno::Errno::NOENT => Err(Error::HttpRequestDenied),
        Err(errno) => Err(error_of(errno)),
    }
}

/// What the host sets itself is left out, but for the length, which it wants for a body that is streamed. Trailers of the response are asked for.
fn head_of(request: &http::request::Parts) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\nTE: trailers\r\n", request.method, request.uri).into_bytes();
    for (name, value) in &request.headers {
        if *name == http::header::HOST || *name == http::header::TRANSFER_ENCODING || *name == http::header::TE {
            continue;
        }
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

async fn write(host: &Host, file: &Open, bytes: &[u8]) -> Result<()> {
    let mut at = At::Cursor;
    streams::write_all(host, file.fd(), &mut at, bytes).await.map_err(trapped)?.map_err(error_of)
}

/// A body that is whole soon is sent with its length; one that takes time, as it comes.
const SOON: u64 = 50_000_000; // ns

async fn send_body(host: &Host, file: &Open, body: &mut WasiBody) -> Result<()> {
    let mut soon = std::pin::pin!(host.sleep(SOON));
    let mut waits = true;
    loop {
        let mut frame = body.frame();
        let frame = poll_fn(|cx| match Pin::new(&mut frame).poll(cx) {
            Poll::Pending if waits => soon.as_mut().poll(cx).map(|()| None),
            polled => polled.map(Some),
        });
        match frame.await {
            None => {
                waits = false;
                // What is wrong with the request is said by its answer.
                let _ = host.call(Call::fd_datasync, &[u64::from(file.fd())], &mut []).await.map_err(trapped)?;
            }
            Some(None) => return Ok(()),
            Some(Some(frame)) => {
                // Trailers are not sent.
                if let Ok(bytes) = frame?.into_data() {
                    write(host, file, &bytes).await?;
                }
            }
        }
    }
}

async fn send(host: Host, request: Request<WasiBody>, options: RequestOptions) -> Result<Response<WasiBody>> {
    let file = open(&host).await?;
    let (parts, mut body) = request.into_parts();
    write(&host, &file, &head_of(&parts)).await?;
    send_body(&host, &file, &mut body).await?;
    let patience = match (options.connect_timeout, options.first_byte_timeout) {
        (Some(connect), Some(first)) => connect.checked_add(first),
        (_, first) => first,
    };
    match within(&host, patience, read_head(&host, &file)).await {
        None => Err(Error::ConnectionReadTimeout),
        Some(head) => {
            let (mut response, ahead) = head?;
            let patience = options.between_bytes_timeout;
            let body = match response.headers_mut().remove(http::header::TRANSFER_ENCODING) {
                Some(_) => FileBody::of_chunked_answer(file, &ahead, patience),
                None => FileBody::of_answer(file, ahead, patience),
            };
            Ok(response.map(|()| body.boxed_unsync()))
        }
    }
}

async fn read_head(host: &Host, file: &Open) -> Result<(Response<()>, Bytes)> {
    let mut seen = BytesMut::new();
    let mut at = At::Cursor;
    loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = seen.split_to(end + 4).freeze();
            return Ok((parse_head(&head).ok_or(Error::HttpProtocolError)?, seen.freeze()));
        }
        if seen.len() > MOST_HEAD {
            return Err(Error::HttpResponseHeaderSectionSize(None));
        }
        let bytes =
            streams::read(host, file.fd(), &mut at, streams::AT_ONCE).await.map_err(trapped)?.map_err(error_of)?;
        if bytes.is_empty() {
            return Err(Error::HttpResponseIncomplete);
        }
        seen.extend_from_slice(&bytes);
    }
}

fn parse_head(head: &[u8]) -> Option<Response<()>> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = str::from_utf8(lines.next()?).ok()?.split(' ').nth(1)?.parse::<u16>().ok()?;
    let mut response = Response::builder().status(status).body(()).ok()?;
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = field_of(line)?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}
