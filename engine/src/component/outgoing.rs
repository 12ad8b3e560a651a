//! Outgoing HTTP: each request is one use of the device `/http/new`, like a module's. So there is one way
//! out, with the module's grants, and a turn that is run again is given the responses it had.
//!
//! A request is its store's, polled on the shard's thread; dropping it closes the device's descriptor, and so cancels
//! the call.
use super::errno::Errno;
use super::files::FIRST_PREOPEN;
use super::host::{Call, Host};
use super::http::{FileBody, error_of, field_of, trapped, within};
use super::streams::{self, At, Open};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
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
        Err(errno) if errno == Errno::NOENT => Err(Error::HttpRequestDenied),
        Err(errno) => Err(error_of(errno)),
    }
}

/// What the host sets itself is left out, but for the length, which it wants for a body that is streamed. The body is
/// written in chunks, which have an end and trailers; trailers of the response are asked for.
fn head_of(request: &http::request::Parts) -> Vec<u8> {
    use http::header::{HOST, TE, TRANSFER_ENCODING};
    let mut head =
        format!("{} {} HTTP/1.1\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n", request.method, request.uri)
            .into_bytes();
    for (name, value) in request.headers.iter().filter(|(name, _)| ![HOST, TRANSFER_ENCODING, TE].contains(name)) {
        add_field(&mut head, name, value);
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn add_field(text: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    text.extend_from_slice(name.as_str().as_bytes());
    text.extend_from_slice(b": ");
    text.extend_from_slice(value.as_bytes());
    text.extend_from_slice(b"\r\n");
}

async fn write(host: &Host, file: &Open, bytes: &[u8]) -> Result<std::result::Result<(), Errno>> {
    let mut at = At::Cursor;
    streams::write_all(host, file.fd(), &mut at, bytes).await.map_err(trapped)
}

/// A body that is whole soon is sent with its length; one that takes time, as it comes.
const SOON: Duration = Duration::from_millis(50);

fn chunk_of(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// To its end, or as far as it is wanted: its answer may come earlier.
async fn send_body(host: Host, file: Arc<Open>, mut body: WasiBody) -> Result<()> {
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => match write(&host, &file, &chunk_of(&bytes)).await? {
                Err(Errno::PIPE) => return Ok(()),
                written => written.map_err(error_of)?,
            },
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    let mut last = b"0\r\n".to_vec();
    for (name, value) in &trailers {
        add_field(&mut last, name, value);
    }
    last.extend_from_slice(b"\r\n");
    match write(&host, &file, &last).await? {
        Err(Errno::PIPE) => Ok(()),
        written => written.map_err(error_of),
    }
}

async fn send(host: Host, request: Request<WasiBody>, options: RequestOptions) -> Result<Response<WasiBody>> {
    let file = open(&host).await?;
    let (parts, body) = request.into_parts();
    write(&host, &file, &head_of(&parts)).await?.map_err(error_of)?;
    let mut sending = std::pin::pin!(send_body(host.clone(), file.clone(), body));
    let mut reading = std::pin::pin!(read_head(&host, &file));
    let early = match within(&host, Some(SOON), sending.as_mut()).await {
        Some(sent) => sent.map(|()| None)?,
        None => {
            // What is wrong with the request is said by its answer.
            let _ = host.call(Call::fd_datasync, &[u64::from(file.fd())], &mut []).await.map_err(trapped)?;
            poll_fn(|cx| match sending.as_mut().poll(cx) {
                Poll::Ready(sent) => Poll::Ready(sent.map(|()| None)),
                Poll::Pending => reading.as_mut().poll(cx).map(|head| head.map(Some)),
            })
            .await?
        }
    };
    let patience = match (options.connect_timeout, options.first_byte_timeout) {
        (Some(connect), Some(first)) => connect.checked_add(first),
        (_, first) => first,
    };
    let head = match early {
        Some(head) => Some(Ok(head)),
        None => within(&host, patience, reading).await,
    };
    let (mut response, ahead) = head.ok_or(Error::ConnectionReadTimeout)??;
    let patience = options.between_bytes_timeout;
    let body = match response.headers_mut().remove(http::header::TRANSFER_ENCODING) {
        Some(_) => FileBody::of_chunked_answer(file.clone(), &ahead, patience),
        None => FileBody::of_answer(file.clone(), ahead, patience),
    };
    Ok(response.map(|()| body.boxed_unsync()))
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
