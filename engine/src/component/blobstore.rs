//! `wasi:blobstore` over the files of `/blobs`: so grants, quotas, conflicts and commits are those of every turn.
//!
//! Its resources are the store's, used on the shard's thread; dropping one closes its descriptor.
use super::errno::Errno;
use super::host::Host;
use super::paths::{self, Io};
use super::state::Task;
use super::streams::{self, At, Open, Reader, Writer};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context as Waking, Poll};
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// The draft that wasmCloud has. Spin's of September 2024 is the same but for its name.
const DRAFTS: [&str; 2] = ["0.2.0-draft", "0.2.0-draft-2024-09-01"];
const MOST_NAMES: usize = 10_000; // of one listing
const MOST_AT_ONCE: u64 = 1000; // names that one call reads, or deletes
const LARGEST_AT_ONCE: u64 = 8 << 20; // bytes of one value that is no stream
/// What a value holds before it is said where it goes.
const MOST_HELD: usize = 64 << 10;

type Answer<T> = std::result::Result<T, String>;
type Context<'a> = StoreContextMut<'a, Task>;

#[derive(Clone)]
struct Container {
    name: String,
}

struct Incoming {
    file: Arc<Open>,
    start: u64,
    size: u64,
}

/// Where a value's bytes go, shared by the value and its stream.
struct Sink {
    held: BytesMut,
    writer: Option<Writer>,
    ended: bool,
}

#[derive(Clone)]
struct Outgoing {
    sink: Arc<Mutex<Sink>>,
    has_body: bool,
}

struct Names {
    left: Vec<String>, // the next is the last
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct ContainerInfo {
    #[component(name = "name")]
    name: String,
    #[component(name = "created-at")]
    created_at: u64,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct ObjectInfo {
    #[component(name = "name")]
    name: String,
    #[component(name = "container")]
    container: String,
    #[component(name = "created-at")]
    created_at: u64,
    #[component(name = "size")]
    size: u64,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct ObjectId {
    #[component(name = "container")]
    container: String,
    #[component(name = "object")]
    object: String,
}

const UNKNOWN_TIME: u64 = 0; // blobs have no times

fn folder_of(name: &str) -> Option<String> {
    let whole = !name.is_empty() && !name.contains('/');
    whole.then(|| format!("blobs/{}", paths::encoded(name)))
}

impl Container {
    fn path(&self, object: &str) -> String {
        format!("blobs/{}/{}", paths::encoded(&self.name), paths::encoded(object))
    }
    async fn exists(host: &Host, name: &str) -> Io<bool> {
        let Some(folder) = folder_of(name) else { return Ok(Ok(false)) };
        Ok(match paths::kind(host, &folder).await? {
            Ok(kind) => Ok(kind == 3),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        })
    }
    async fn names(&self, host: &Host) -> Io<Vec<String>> {
        paths::below(host, &format!("blobs/{}", paths::encoded(&self.name)), MOST_NAMES).await
    }
    /// An object's size. A name that is only the beginning of others' is none.
    async fn size(&self, host: &Host, object: &str) -> Io<u64> {
        Ok(match paths::look(host, &self.path(object)).await? {
            Ok((3, _)) => Err(Errno::NOENT),
            Ok((_, size)) => Ok(size),
            Err(errno) => Err(errno),
        })
    }
    async fn delete(&self, host: &Host, object: &str) -> Io<()> {
        match paths::remove(host, &self.path(object)).await? {
            Err(Errno::NOENT | Errno::ISDIR) => Ok(Ok(())),
            other => Ok(other),
        }
    }
    async fn delete_all(&self, host: &Host, objects: &[String]) -> Io<()> {
        for object in objects {
            if let Err(errno) = self.delete(host, object).await? {
                return Ok(Err(errno));
            }
        }
        Ok(Ok(()))
    }
}

async fn copy(host: &Host, from: &str, to: &str) -> Io<()> {
    // Onto itself it would be emptied first.
    if from == to {
        return Ok(paths::look(host, from).await?.map(|_| ()));
    }
    let source = match paths::open(host, from, 0, paths::READ).await? {
        Ok(file) => file,
        Err(errno) => return Ok(Err(errno)),
    };
    let target = match paths::open(host, to, paths::CREATE | paths::TRUNCATE, paths::WRITE).await? {
        Ok(file) => file,
        Err(errno) => return Ok(Err(errno)),
    };
    let (mut read, mut written) = (At::Cursor, At::Cursor);
    loop {
        match streams::read(host, source.fd(), &mut read, streams::AT_ONCE).await? {
            Err(errno) => return Ok(Err(errno)),
            Ok(piece) if piece.is_empty() => return Ok(Ok(())),
            Ok(piece) => {
                if let Err(errno) = streams::write_all(host, target.fd(), &mut written, &piece).await? {
                    return Ok(Err(errno));
                }
            }
        }
    }
}

fn answered<T>(done: std::result::Result<T, Errno>) -> (Answer<T>,) {
    (done.map_err(|errno| words(errno).to_string()),)
}

/// Errors of this interface are texts.
fn words(errno: Errno) -> String {
    match errno {
        Errno::NOENT => "no such object".to_string(),
        Errno(2 | 63 | 69 | 76) => "access denied".to_string(),
        Errno(19 | 51) => "the quota is reached".to_string(),
        Errno::INVAL => "no such part of the object".to_string(),
        Errno::OVERFLOW => format!("more than {MOST_NAMES} objects"),
        _ => errno.to_string(),
    }
}

fn container(context: &Context, this: &Resource<Container>) -> Result<(Host, Container)> {
    let task = context.data();
    Ok((task.host.clone(), task.table.get(this)?.clone()))
}

impl Outgoing {
    fn new() -> Outgoing {
        Outgoing {
            sink: Arc::new(Mutex::new(Sink { held: BytesMut::new(), writer: None, ended: false })),
            has_body: false,
        }
    }
    fn lock(&self) -> MutexGuard<'_, Sink> {
        self.sink.lock().unwrap_or_else(|broken| broken.into_inner())
    }
    /// Says where the bytes go; those that are held go there.
    async fn send_to(&self, host: &Host, path: &str) -> Result<Answer<()>> {
        if self.lock().writer.is_some() {
            return Ok(Err("the value was written already".to_string()));
        }
        let file = match paths::open(host, path, paths::CREATE | paths::TRUNCATE, paths::WRITE).await? {
            Ok(file) => Arc::new(file),
            Err(errno) => return Ok(Err(words(errno))),
        };
        let held = std::mem::take(&mut self.lock().held);
        let mut at = At::Offset(0);
        if let Err(errno) = streams::write_all(host, file.fd(), &mut at, &held).await? {
            return Ok(Err(words(errno)));
        }
        self.lock().writer = Some(Writer::of(file, at));
        Ok(Ok(()))
    }
    async fn finish(self) -> Result<Answer<()>> {
        if self.lock().writer.is_none() {
            return Ok(Err("the value was not given to write-data".to_string()));
        }
        poll_fn(|cx| self.lock().poll_drain(cx)).await;
        let mut sink = self.lock();
        sink.ended = true;
        let Some(mut writer) = sink.writer.take() else { return Ok(Ok(())) };
        match writer.flush() {
            Ok(()) => Ok(Ok(())),
            Err(StreamError::Trap(trap)) => Err(trap),
            Err(StreamError::Closed) => Ok(Err("the object is closed".to_string())),
            Err(StreamError::LastOperationFailed(cause)) => {
                Ok(Err(cause.downcast_ref::<Errno>().map_or_else(|| cause.to_string(), |errno| words(*errno))))
            }
        }
    }
}

impl Sink {
    fn poll_drain(&mut self, cx: &mut Waking) -> Poll<()> {
        match &mut self.writer {
            Some(writer) => writer.poll_drain(cx),
            None => Poll::Ready(()),
        }
    }
}

/// The stream of an outgoing value.
struct Body(Outgoing);

#[wasmtime_wasi::async_trait]
impl Pollable for Body {
    async fn ready(&mut self) {
        poll_fn(|cx| self.0.lock().poll_drain(cx)).await;
    }
}

impl OutputStream for Body {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut locked = self.0.lock();
        let sink = &mut *locked;
        if sink.ended {
            return Err(StreamError::Closed);
        }
        match &mut sink.writer {
            Some(writer) => writer.write(bytes),
            None if bytes.len() > MOST_HELD - sink.held.len() => Err(StreamError::trap("write exceeded budget")),
            None => {
                sink.held.extend_from_slice(&bytes);
                Ok(())
            }
        }
    }
    fn flush(&mut self) -> StreamResult<()> {
        let mut locked = self.0.lock();
        let sink = &mut *locked;
        match &mut sink.writer {
            Some(writer) => writer.flush(),
            None => Ok(()),
        }
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        let mut locked = self.0.lock();
        let sink = &mut *locked;
        if sink.ended {
            return Err(StreamError::Closed);
        }
        match &mut sink.writer {
            Some(writer) => writer.check_write(),
            // It would wait for ever.
            None if sink.held.len() == MOST_HELD => Err(StreamError::LastOperationFailed(Error::msg(
                "more is written than is held before write-data says where it goes",
            ))),
            None => Ok(MOST_HELD - sink.held.len()),
        }
    }
}

/// A part of an object as a stream.
struct Part {
    reader: Reader,
    left: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Part {
    async fn ready(&mut self) {
        if self.left > 0 {
            self.reader.ready().await;
        }
    }
}

impl InputStream for Part {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.left == 0 {
            return Err(StreamError::Closed);
        }
        let bytes = self.reader.read(size.min(usize::try_from(self.left).unwrap_or(usize::MAX)))?;
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }
}

async fn read_whole(host: &Host, value: &Incoming) -> Result<Answer<Vec<u8>>> {
    if value.size > LARGEST_AT_ONCE {
        return Ok(Err(format!("more than {LARGEST_AT_ONCE} bytes: read them as a stream")));
    }
    let mut bytes = Vec::new();
    let mut at = At::Offset(value.start);
    while (bytes.len() as u64) < value.size {
        let room = (value.size as usize - bytes.len()).min(streams::AT_ONCE);
        match streams::read(host, value.file.fd(), &mut at, room).await? {
            Err(errno) => return Ok(Err(words(errno))),
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => bytes.extend_from_slice(&piece),
        }
    }
    Ok(Ok(bytes))
}

fn add_types(types: &mut LinkerInstance<Task>) -> Result<()> {
    types.resource("outgoing-value", ResourceType::host::<Outgoing>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Outgoing>::new_own(rep))?;
        Ok(())
    })?;
    types.resource("incoming-value", ResourceType::host::<Incoming>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Incoming>::new_own(rep))?;
        Ok(())
    })?;
    types.func_wrap_async("[static]outgoing-value.new-outgoing-value", |mut context: Context, (): ()| {
        Box::new(async move { Ok((context.data_mut().table.push(Outgoing::new())?,)) })
    })?;
    types.func_wrap_async(
        "[method]outgoing-value.outgoing-value-write-body",
        |mut context: Context, (this,): (Resource<Outgoing>,)| {
            Box::new(async move {
                let table = &mut context.data_mut().table;
                let value = table.get_mut(&this)?;
                if std::mem::replace(&mut value.has_body, true) {
                    return Ok((Err(()),));
                }
                let stream: DynOutputStream = Box::new(Body(value.clone()));
                Ok((Ok::<Resource<DynOutputStream>, ()>(table.push(stream)?),))
            })
        },
    )?;
    types.func_wrap_async(
        "[static]outgoing-value.finish",
        |mut context: Context, (this,): (Resource<Outgoing>,)| {
            Box::new(async move {
                let value = context.data_mut().table.delete(this)?;
                Ok((value.finish().await?,))
            })
        },
    )?;
    types.func_wrap_async(
        "[static]incoming-value.incoming-value-consume-sync",
        |mut context: Context, (this,): (Resource<Incoming>,)| {
            Box::new(async move {
                let host = context.data().host.clone();
                let value = context.data_mut().table.delete(this)?;
                Ok((read_whole(&host, &value).await?,))
            })
        },
    )?;
    types.func_wrap_async(
        "[static]incoming-value.incoming-value-consume-async",
        |mut context: Context, (this,): (Resource<Incoming>,)| {
            Box::new(async move {
                let table = &mut context.data_mut().table;
                let Incoming { file, start, size } = table.delete(this)?;
                let part = Part { reader: Reader::of(file, At::Offset(start)), left: size };
                let stream: DynInputStream = Box::new(part);
                Ok((Answer::Ok(table.push(stream)?),))
            })
        },
    )?;
    types.func_wrap_async("[method]incoming-value.size", |context: Context, (this,): (Resource<Incoming>,)| {
        Box::new(async move { Ok((context.data().table.get(&this)?.size,)) })
    })
}

/// The part from `start` to `end`, which is inclusive and may be beyond the object's.
async fn part_of(host: &Host, path: &str, start: u64, end: u64) -> Io<Incoming> {
    let size = match paths::look(host, path).await? {
        Ok((3, _)) => return Ok(Err(Errno::NOENT)),
        Ok((_, size)) => size,
        Err(errno) => return Ok(Err(errno)),
    };
    if start > size || end < start {
        return Ok(Err(Errno::INVAL));
    }
    let size = end.saturating_add(1).min(size) - start;
    Ok(paths::open(host, path, 0, paths::READ).await?.map(|file| Incoming { file: Arc::new(file), start, size }))
}

fn add_container(instance: &mut LinkerInstance<Task>) -> Result<()> {
    type This = Resource<Container>;
    instance.resource("container", ResourceType::host::<Container>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Container>::new_own(rep))?;
        Ok(())
    })?;
    instance.resource("stream-object-names", ResourceType::host::<Names>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Names>::new_own(rep))?;
        Ok(())
    })?;
    instance.func_wrap_async("[method]container.name", |context: Context, (this,): (This,)| {
        Box::new(async move { Ok((Answer::Ok(container(&context, &this)?.1.name),)) })
    })?;
    instance.func_wrap_async("[method]container.info", |context: Context, (this,): (This,)| {
        Box::new(async move {
            let name = container(&context, &this)?.1.name;
            Ok((Answer::Ok(ContainerInfo { name, created_at: UNKNOWN_TIME }),))
        })
    })?;
    instance.func_wrap_async(
        "[method]container.get-data",
        |mut context: Context, (this, name, start, end): (This, String, u64, u64)| {
            Box::new(async move {
                let (host, container) = container(&context, &this)?;
                match part_of(&host, &container.path(&name), start, end).await? {
                    Ok(part) => Ok((Answer::Ok(context.data_mut().table.push(part)?),)),
                    Err(errno) => Ok(answered(Err(errno))),
                }
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]container.write-data",
        |context: Context, (this, name, value): (This, String, Resource<Outgoing>)| {
            Box::new(async move {
                let (host, container) = container(&context, &this)?;
                let value = context.data().table.get(&value)?.clone();
                Ok((value.send_to(&host, &container.path(&name)).await?,))
            })
        },
    )?;
    instance.func_wrap_async("[method]container.list-objects", |mut context: Context, (this,): (This,)| {
        Box::new(async move {
            let (host, container) = container(&context, &this)?;
            match container.names(&host).await? {
                Ok(mut left) => {
                    left.reverse();
                    Ok((Answer::Ok(context.data_mut().table.push(Names { left })?),))
                }
                Err(errno) => Ok(answered(Err(errno))),
            }
        })
    })?;
    instance.func_wrap_async("[method]container.delete-object", |context: Context, (this, name): (This, String)| {
        Box::new(async move {
            let (host, container) = container(&context, &this)?;
            Ok(answered(container.delete(&host, &name).await?))
        })
    })?;
    instance.func_wrap_async(
        "[method]container.delete-objects",
        |context: Context, (this, names): (This, Vec<String>)| {
            Box::new(async move {
                let (host, container) = container(&context, &this)?;
                if names.len() as u64 > MOST_AT_ONCE {
                    return Ok((Err(format!("more than {MOST_AT_ONCE} objects at once")),));
                }
                Ok(answered(container.delete_all(&host, &names).await?))
            })
        },
    )?;
    instance.func_wrap_async("[method]container.has-object", |context: Context, (this, name): (This, String)| {
        Box::new(async move {
            let (host, container) = container(&context, &this)?;
            Ok(answered(match container.size(&host, &name).await? {
                Ok(_) => Ok(true),
                Err(Errno::NOENT) => Ok(false),
                Err(errno) => Err(errno),
            }))
        })
    })?;
    instance.func_wrap_async("[method]container.object-info", |context: Context, (this, name): (This, String)| {
        Box::new(async move {
            let (host, container) = container(&context, &this)?;
            let size = container.size(&host, &name).await?;
            let info = |size| ObjectInfo { name, container: container.name, created_at: UNKNOWN_TIME, size };
            Ok(answered(size.map(info)))
        })
    })?;
    instance.func_wrap_async("[method]container.clear", |context: Context, (this,): (This,)| {
        Box::new(async move {
            let (host, container) = container(&context, &this)?;
            match container.names(&host).await? {
                Ok(names) => Ok(answered(container.delete_all(&host, &names).await?)),
                Err(errno) => Ok(answered(Err(errno))),
            }
        })
    })?;
    instance.func_wrap_async(
        "[method]stream-object-names.read-stream-object-names",
        |mut context: Context, (this, most): (Resource<Names>, u64)| {
            Box::new(async move {
                let left = &mut context.data_mut().table.get_mut(&this)?.left;
                let rest = left.len() - left.len().min(most.min(MOST_AT_ONCE) as usize);
                let names: Vec<String> = left.drain(rest..).rev().collect();
                Ok((Answer::Ok((names, left.is_empty())),))
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]stream-object-names.skip-stream-object-names",
        |mut context: Context, (this, most): (Resource<Names>, u64)| {
            Box::new(async move {
                let left = &mut context.data_mut().table.get_mut(&this)?.left;
                let skipped = left.len().min(usize::try_from(most).unwrap_or(usize::MAX));
                left.truncate(left.len() - skipped);
                Ok((Answer::Ok((skipped as u64, left.is_empty())),))
            })
        },
    )
}

fn no_container(name: &str) -> String {
    format!("no container {name:?} is granted: containers are the stores that the module's `blobs` grants name")
}

async fn opened(mut context: Context<'_>, name: String) -> Result<(Answer<Resource<Container>>,)> {
    let host = context.data().host.clone();
    Ok(match Container::exists(&host, &name).await? {
        Ok(true) => (Ok(context.data_mut().table.push(Container { name })?),),
        Ok(false) => (Err(no_container(&name)),),
        Err(errno) => (Err(words(errno)),),
    })
}

fn path_of(id: &ObjectId) -> Answer<String> {
    match folder_of(&id.container) {
        Some(_) => Ok(Container { name: id.container.clone() }.path(&id.object)),
        None => Err(no_container(&id.container)),
    }
}

async fn transfer(host: &Host, from: &ObjectId, to: &ObjectId, keep: bool) -> Result<Answer<()>> {
    let (from, to) = match (path_of(from), path_of(to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(text), _) | (_, Err(text)) => return Ok(Err(text)),
    };
    if !keep {
        match paths::rename(host, &from, &to).await? {
            Err(Errno::XDEV) => {} // of another container
            other => return Ok(other.map_err(words)),
        }
    }
    if let Err(errno) = copy(host, &from, &to).await? {
        return Ok(Err(words(errno)));
    }
    if keep { Ok(Ok(())) } else { Ok(paths::remove(host, &from).await?.map_err(words)) }
}

fn add_blobstore(instance: &mut LinkerInstance<Task>) -> Result<()> {
    // What is granted is there already; nothing else can be made.
    for name in ["create-container", "get-container"] {
        instance.func_wrap_async(name, |context: Context, (name,): (String,)| Box::new(opened(context, name)))?;
    }
    instance.func_wrap_async("delete-container", |_: Context, (_,): (String,)| {
        Box::new(async move { Ok((Answer::<()>::Err("containers stay as long as they are granted".to_string()),)) })
    })?;
    instance.func_wrap_async("container-exists", |context: Context, (name,): (String,)| {
        Box::new(async move { Ok(answered(Container::exists(&context.data().host.clone(), &name).await?)) })
    })?;
    instance.func_wrap_async("copy-object", |context: Context, (from, to): (ObjectId, ObjectId)| {
        Box::new(async move { Ok((transfer(&context.data().host.clone(), &from, &to, true).await?,)) })
    })?;
    instance.func_wrap_async("move-object", |context: Context, (from, to): (ObjectId, ObjectId)| {
        Box::new(async move { Ok((transfer(&context.data().host.clone(), &from, &to, false).await?,)) })
    })
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    for draft in DRAFTS {
        add_types(&mut linker.instance(&format!("wasi:blobstore/types@{draft}"))?)?;
        add_container(&mut linker.instance(&format!("wasi:blobstore/container@{draft}"))?)?;
        add_blobstore(&mut linker.instance(&format!("wasi:blobstore/blobstore@{draft}"))?)?;
    }
    Ok(())
}
