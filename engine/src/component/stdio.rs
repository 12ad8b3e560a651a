//! Standard streams and the environment.
use super::host::{Call, Host};
use super::state::Task;
use super::streams::{self, At, Reader, Writer};
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, empty};
use wasmtime::component::{HasData, Linker};
use wasmtime::{Error, Result};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::bindings::cli::environment;
use wasmtime_wasi::p2::{InputStream, OutputStream};
use wasmtime_wasi::p3::bindings::cli::environment as environment3;

pub struct Input {
    pub host: Host,
    pub empty: bool,
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        if self.empty {
            return Box::new(empty());
        }
        Box::new(Polled::new(self.host.clone(), 0))
    }
    fn p2_stream(&self) -> Box<dyn InputStream> {
        if self.empty {
            return Box::new(wasmtime_wasi::p2::pipe::ClosedInputStream);
        }
        Box::new(Reader::new(self.host.clone(), 0, At::Cursor))
    }
}

pub struct Output {
    pub host: Host,
    pub fd: u32,
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Polled::new(self.host.clone(), self.fd))
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Writer::new(self.host.clone(), self.fd, At::Cursor))
    }
}

/// A descriptor as WASI 0.3 wants it.
struct Polled {
    host: Host,
    fd: u32,
    read: Option<Step<Bytes>>,
    write: Option<Step<usize>>,
}

type Step<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + Sync>>;

impl Polled {
    fn new(host: Host, fd: u32) -> Polled {
        Polled { host, fd, read: None, write: None }
    }
}

fn flat<T>(result: Result<std::result::Result<T, super::errno::Errno>>) -> io::Result<T> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(errno)) if errno == super::errno::Errno::PIPE => Err(io::ErrorKind::BrokenPipe.into()),
        Ok(Err(errno)) => Err(io::Error::other(errno)),
        Err(trap) => Err(io::Error::other(trap.to_string())),
    }
}

impl AsyncRead for Polled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context, into: &mut ReadBuf) -> Poll<io::Result<()>> {
        let (host, fd, room) = (self.host.clone(), self.fd, into.remaining().min(streams::AT_ONCE));
        let step = self.read.get_or_insert_with(|| {
            Box::pin(async move { flat(streams::read(&host, fd, &mut At::Cursor, room).await) })
        });
        let result = ready!(step.as_mut().poll(cx));
        self.read = None;
        // Less room than when it began would lose bytes; callers keep their buffer.
        result.map(|bytes| into.put_slice(&bytes[..bytes.len().min(into.remaining())])).into()
    }
}

impl AsyncWrite for Polled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (host, fd) = (self.host.clone(), self.fd);
        let step = self.write.get_or_insert_with(|| {
            let piece = Bytes::copy_from_slice(&bytes[..bytes.len().min(streams::AT_ONCE)]);
            Box::pin(async move { flat(streams::write(&host, fd, &mut At::Cursor, &piece).await) })
        });
        let result = ready!(step.as_mut().poll(cx));
        self.write = None;
        result.into()
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub struct Environment<'a>(&'a Host);

struct HasEnvironment;
impl HasData for HasEnvironment {
    type Data<'a> = Environment<'a>;
}

impl Environment<'_> {
    /// A list as preview 1 gives it: pointers to texts that end with NUL.
    fn texts(&self, sizes: Call, get: Call) -> Result<Vec<String>> {
        let mut memory = [0; 8];
        self.0.call_now(sizes, &[0, 4], &mut memory).map_err(Error::new)?;
        let count = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]) as usize;
        let size = u32::from_le_bytes([memory[4], memory[5], memory[6], memory[7]]) as usize;
        let mut memory = vec![0; count * 4 + size];
        self.0.call_now(get, &[0, (count * 4) as u64], &mut memory).map_err(Error::new)?;
        let texts = memory[count * 4..].split(|byte| *byte == 0).take(count);
        Ok(texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect())
    }
}

impl environment::Host for Environment<'_> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        let texts = self.texts(Call::environ_sizes_get, Call::environ_get)?;
        Ok(texts
            .into_iter()
            .map(|text| match text.split_once('=') {
                Some((name, value)) => (name.to_string(), value.to_string()),
                None => (text, String::new()),
            })
            .collect())
    }
    fn get_arguments(&mut self) -> Result<Vec<String>> {
        self.texts(Call::args_sizes_get, Call::args_get)
    }
    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
}

impl environment3::Host for Environment<'_> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        environment::Host::get_environment(self)
    }
    fn get_arguments(&mut self) -> Result<Vec<String>> {
        environment::Host::get_arguments(self)
    }
    fn get_initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
}

pub fn add_environment_to(linker: &mut Linker<Task>) -> Result<()> {
    environment::add_to_linker::<Task, HasEnvironment>(linker, |task| Environment(&task.host))
}

pub fn add_environment_to_3(linker: &mut Linker<Task>) -> Result<()> {
    environment3::add_to_linker::<Task, HasEnvironment>(linker, |task| Environment(&task.host))
}
