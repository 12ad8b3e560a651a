//! `wasi:filesystem` 0.3: 0.2's functions, and streams of its own.
//!
//! A stream is its store's, polled on the shard's thread. It ends with what it moves or when it is dropped; either way
//! who waits for its result is told.
use super::errno::Errno;
use super::files::{Entry, Files, HasFiles, Listed, files};
use super::host::Host;
use super::state::Task;
use super::streams::{self, At, Open, Step};
use bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, Destination, FutureReader, Linker, Resource, ResourceTable, Source, StreamConsumer,
    StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{self as old, HostDescriptor as _};
use wasmtime_wasi::p3::bindings::clocks::system_clock::Instant;
use wasmtime_wasi::p3::bindings::filesystem::preopens;
use wasmtime_wasi::p3::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p3::filesystem::{FilesystemError, FilesystemResult};

type Fd = Resource<types::Descriptor>;
type Ended = std::result::Result<(), ErrorCode>;
type Telling = Option<oneshot::Sender<Ended>>;

/// Both generations name these alike, but for what is not seen here: a call that would wait does so.
macro_rules! same {
    ($of:expr, $from:ident => $to:ident, $($name:ident)*) => {
        match $of { $($from::$name => $to::$name,)* $from::WouldBlock => $to::Io }
    };
}

fn code(code: old::ErrorCode) -> ErrorCode {
    use old::ErrorCode as Old;
    same!(code, Old => ErrorCode, Access Already BadDescriptor Busy Deadlock Quota Exist FileTooLarge
        IllegalByteSequence InProgress Interrupted Invalid Io IsDirectory Loop TooManyLinks MessageSize NameTooLong
        NoDevice NoEntry NoLock InsufficientMemory InsufficientSpace NotDirectory NotEmpty NotRecoverable Unsupported
        NoTty NoSuchDevice Overflow NotPermitted Pipe ReadOnly InvalidSeek TextFileBusy CrossDevice)
}

fn error(error: FsError) -> FilesystemError {
    match error.downcast() {
        Ok(old) => code(old).into(),
        Err(trap) => FilesystemError::trap(trap),
    }
}

fn kind(kind: old::DescriptorType) -> DescriptorType {
    use old::DescriptorType as Old;
    match kind {
        Old::BlockDevice => DescriptorType::BlockDevice,
        Old::CharacterDevice => DescriptorType::CharacterDevice,
        Old::Directory => DescriptorType::Directory,
        Old::Fifo => DescriptorType::Fifo,
        Old::SymbolicLink => DescriptorType::SymbolicLink,
        Old::RegularFile => DescriptorType::RegularFile,
        Old::Socket => DescriptorType::Socket,
        Old::Unknown => DescriptorType::Other(None),
    }
}

fn instant(time: Datetime) -> Option<Instant> {
    Some(Instant { seconds: i64::try_from(time.seconds).ok()?, nanoseconds: time.nanoseconds })
}

fn stat(stat: old::DescriptorStat) -> DescriptorStat {
    DescriptorStat {
        type_: kind(stat.type_),
        link_count: stat.link_count,
        size: stat.size,
        data_access_timestamp: stat.data_access_timestamp.and_then(instant),
        data_modification_timestamp: stat.data_modification_timestamp.and_then(instant),
        status_change_timestamp: stat.status_change_timestamp.and_then(instant),
    }
}

/// Files have no times before 1970.
fn time(time: NewTimestamp) -> FilesystemResult<old::NewTimestamp> {
    Ok(match time {
        NewTimestamp::NoChange => old::NewTimestamp::NoChange,
        NewTimestamp::Now => old::NewTimestamp::Now,
        NewTimestamp::Timestamp(Instant { seconds, nanoseconds }) => {
            let seconds = u64::try_from(seconds).map_err(|_| ErrorCode::Invalid)?;
            old::NewTimestamp::Timestamp(Datetime { seconds, nanoseconds })
        }
    })
}

macro_rules! same_flags {
    ($of:expr, $from:ident => $to:ident, $($name:ident)*) => {{
        let (from, mut to) = ($of, $to::empty());
        $(if from.contains($from::$name) { to |= $to::$name; })*
        to
    }};
}

fn follow(flags: PathFlags) -> old::PathFlags {
    use old::PathFlags as Old;
    same_flags!(flags, PathFlags => Old, SYMLINK_FOLLOW)
}
fn how(flags: OpenFlags) -> old::OpenFlags {
    use old::OpenFlags as Old;
    same_flags!(flags, OpenFlags => Old, CREATE DIRECTORY EXCLUSIVE TRUNCATE)
}
fn wanted(flags: DescriptorFlags) -> old::DescriptorFlags {
    use old::DescriptorFlags as Old;
    same_flags!(flags, DescriptorFlags => Old, READ WRITE FILE_INTEGRITY_SYNC DATA_INTEGRITY_SYNC REQUESTED_WRITE_SYNC
        MUTATE_DIRECTORY)
}
fn given(flags: old::DescriptorFlags) -> DescriptorFlags {
    use old::DescriptorFlags as Old;
    same_flags!(flags, Old => DescriptorFlags, READ WRITE FILE_INTEGRITY_SYNC DATA_INTEGRITY_SYNC REQUESTED_WRITE_SYNC
        MUTATE_DIRECTORY)
}

/// Descriptors in a table of their own: the store's cannot be held while a call waits.
struct Aside {
    host: Host,
    table: ResourceTable,
}

impl Aside {
    fn files(&mut self) -> Files<'_> {
        Files { host: &self.host, table: &mut self.table }
    }
}

fn aside<const N: usize>(store: &Accessor<Task, HasFiles>, fds: [&Fd; N]) -> FilesystemResult<(Aside, [Fd; N])> {
    store.with(|mut view| {
        let from = view.get();
        let mut aside = Aside { host: from.host.clone(), table: ResourceTable::new() };
        let mut own = Vec::with_capacity(N);
        for fd in fds {
            let entry = from.entry(fd).map_err(FilesystemError::trap)?.clone();
            own.push(aside.files().push(entry).map_err(FilesystemError::trap)?);
        }
        let own = <[Fd; N]>::try_from(own).map_err(|_| FilesystemError::trap(Error::msg("a descriptor is missing")))?;
        Ok((aside, own))
    })
}

fn tell(telling: &mut Telling, ended: Ended) {
    if let Some(telling) = telling.take() {
        let _ = telling.send(ended); // nobody may want to know
    }
}

/// A file's bytes as a stream.
struct Reading {
    step: Option<Step<Bytes>>, // goes before its file
    file: Arc<Open>,
    at: At,
    telling: Telling,
}

impl Reading {
    fn start(&self) -> Step<Bytes> {
        let (file, mut at) = (self.file.clone(), self.at);
        Box::pin(async move {
            let result = streams::read(&file.host, file.fd(), &mut at, streams::AT_ONCE).await;
            (at, result)
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        tell(&mut self.telling, Ok(()));
    }
}

impl<D> StreamProducer<D> for Reading {
    type Item = u8;
    type Buffer = Bytes;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut into: Destination<'a, u8, Bytes>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if into.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let mut step = self.step.take().unwrap_or_else(|| self.start());
        let Poll::Ready((at, result)) = step.as_mut().poll(cx) else {
            self.step = Some(step); // what it reads is not lost: the next read has it
            return if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending };
        };
        self.at = at;
        let ended = match result {
            Err(trap) => return Poll::Ready(Err(trap)),
            Ok(Ok(bytes)) if !bytes.is_empty() => {
                into.set_buffer(bytes);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(errno)) => Err(code(errno.code())),
        };
        tell(&mut self.telling, ended);
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

/// A stream's bytes into a file.
struct Writing {
    step: Option<Step<usize>>, // goes before its file
    file: Arc<Open>,
    at: At,
    telling: Telling,
}

impl Writing {
    fn start(&self, bytes: &[u8]) -> Step<usize> {
        let (file, mut at) = (self.file.clone(), self.at);
        let piece = Bytes::copy_from_slice(&bytes[..bytes.len().min(streams::AT_ONCE)]);
        Box::pin(async move {
            let result = streams::write(&file.host, file.fd(), &mut at, &piece).await;
            (at, result)
        })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        tell(&mut self.telling, Ok(()));
    }
}

impl<D> StreamConsumer<D> for Writing {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<D>,
        from: Source<'_, u8>,
        _: bool,
    ) -> Poll<Result<StreamResult>> {
        let mut from = from.as_direct(store);
        if from.remaining().is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        // A write that has begun is not given up: it may have happened.
        let mut step = self.step.take().unwrap_or_else(|| self.start(from.remaining()));
        let Poll::Ready((at, result)) = step.as_mut().poll(cx) else {
            self.step = Some(step);
            return Poll::Pending;
        };
        self.at = at;
        let failure = match result {
            Err(trap) => return Poll::Ready(Err(trap)),
            Ok(Ok(n)) if n > 0 => {
                let n = n.min(from.remaining().len());
                from.mark_read(n);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Ok(Ok(_)) => Errno::IO,
            Ok(Err(errno)) => errno,
        };
        tell(&mut self.telling, Err(code(failure.code())));
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

type Next = Pin<Box<dyn Future<Output = (Listed, wasmtime_wasi::p2::FsResult<Option<old::DirectoryEntry>>)> + Send>>;

/// A folder's entries as a stream.
struct Listing {
    step: Option<Next>, // goes before its folder
    host: Host,
    listed: Option<Listed>, // nothing while `step` has it
    telling: Telling,
}

impl Drop for Listing {
    fn drop(&mut self) {
        tell(&mut self.telling, Ok(()));
    }
}

impl<D> StreamProducer<D> for Listing {
    type Item = DirectoryEntry;
    type Buffer = Option<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut into: Destination<'a, DirectoryEntry, Option<DirectoryEntry>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if into.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        if let Some(mut listed) = self.listed.take() {
            let host = self.host.clone();
            self.step = Some(Box::pin(async move {
                let next = listed.next(&host).await;
                (listed, next)
            }));
        }
        let Some(step) = &mut self.step else { return Poll::Ready(Ok(StreamResult::Dropped)) };
        let Poll::Ready((listed, next)) = step.as_mut().poll(cx) else {
            return if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending };
        };
        self.step = None;
        let ended = match next {
            Ok(Some(entry)) => {
                self.listed = Some(listed);
                into.set_buffer(Some(DirectoryEntry { type_: kind(entry.type_), name: entry.name }));
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Ok(None) => Ok(()),
            Err(failed) => match failed.downcast() {
                Ok(old) => Err(code(old)),
                Err(trap) => return Poll::Ready(Err(trap)),
            },
        };
        tell(&mut self.telling, ended);
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

/// The failure that a stream's future tells; what ends the guest goes on.
fn told<T>(opened: wasmtime_wasi::p2::FsResult<T>) -> Result<std::result::Result<T, ErrorCode>> {
    match opened {
        Ok(value) => Ok(Ok(value)),
        Err(failed) => failed.downcast().map(|old| Err(code(old))),
    }
}

type Streamed<T> = (StreamReader<T>, FutureReader<Ended>);

fn write_into(
    mut store: Access<'_, Task, HasFiles>,
    mut data: StreamReader<u8>,
    opened: std::result::Result<(Arc<Open>, u64), ErrorCode>,
) -> Result<FutureReader<Ended>> {
    let (telling, told) = oneshot::channel();
    match opened {
        Ok((file, at)) => {
            data.pipe(&mut store, Writing { step: None, file, at: At::Offset(at), telling: Some(telling) })?;
        }
        Err(failed) => {
            data.close(&mut store)?;
            let _ = telling.send(Err(failed));
        }
    }
    FutureReader::new(&mut store, told)
}

impl types::HostDescriptorWithStore<Task> for HasFiles {
    fn read_via_stream(mut store: Access<Task, Self>, fd: Fd, offset: u64) -> Result<Streamed<u8>> {
        let (telling, ended) = oneshot::channel();
        let stream = match told(store.get().open_file(&fd, old::DescriptorFlags::READ))? {
            Ok(file) => {
                let reading = Reading { step: None, file, at: At::Offset(offset), telling: Some(telling) };
                StreamReader::new(&mut store, reading)?
            }
            Err(failed) => {
                let _ = telling.send(Err(failed));
                StreamReader::new(&mut store, std::iter::empty())?
            }
        };
        Ok((stream, FutureReader::new(&mut store, ended)?))
    }
    fn write_via_stream(
        mut store: Access<'_, Task, Self>,
        fd: Fd,
        data: StreamReader<u8>,
        offset: u64,
    ) -> Result<FutureReader<Ended>> {
        let opened = told(store.get().open_file(&fd, old::DescriptorFlags::WRITE))?;
        write_into(store, data, opened.map(|file| (file, offset)))
    }
    fn append_via_stream(
        mut store: Access<'_, Task, Self>,
        fd: Fd,
        data: StreamReader<u8>,
    ) -> Result<FutureReader<Ended>> {
        let files = store.get();
        let opened = files.open_file(&fd, old::DescriptorFlags::WRITE);
        let opened = told(opened.and_then(|file| files.end_of(&file).map(|end| (file, end))))?;
        write_into(store, data, opened)
    }
    fn read_directory(mut store: Access<'_, Task, Self>, fd: Fd) -> Result<Streamed<DirectoryEntry>> {
        let (telling, ended) = oneshot::channel();
        let (host, entry) = {
            let files = store.get();
            (files.host.clone(), files.entry(&fd)?.clone())
        };
        let stream = if entry.kind == old::DescriptorType::Directory {
            let listed = Some(Listed::new(entry.file));
            StreamReader::new(&mut store, Listing { step: None, host, listed, telling: Some(telling) })?
        } else {
            let _ = telling.send(Err(ErrorCode::NotDirectory));
            StreamReader::new(&mut store, std::iter::empty())?
        };
        Ok((stream, FutureReader::new(&mut store, ended)?))
    }
    async fn advise(store: &Accessor<Task, Self>, fd: Fd, _: u64, _: u64, _: Advice) -> FilesystemResult<()> {
        aside(store, [&fd]).map(|_| ())
    }
    async fn sync_data(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().sync_data(fd).await.map_err(error)
    }
    async fn sync(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().sync(fd).await.map_err(error)
    }
    async fn get_flags(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<DescriptorFlags> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().get_flags(fd).await.map(given).map_err(error)
    }
    async fn get_type(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<DescriptorType> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().get_type(fd).await.map(kind).map_err(error)
    }
    async fn set_size(store: &Accessor<Task, Self>, fd: Fd, size: u64) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().set_size(fd, size).await.map_err(error)
    }
    async fn set_times(
        store: &Accessor<Task, Self>,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().set_times(fd, time(accessed)?, time(modified)?).await.map_err(error)
    }
    async fn set_times_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        let (accessed, modified) = (time(accessed)?, time(modified)?);
        aside.files().set_times_at(fd, follow(flags), path, accessed, modified).await.map_err(error)
    }
    async fn create_directory_at(store: &Accessor<Task, Self>, fd: Fd, path: String) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().create_directory_at(fd, path).await.map_err(error)
    }
    async fn remove_directory_at(store: &Accessor<Task, Self>, fd: Fd, path: String) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().remove_directory_at(fd, path).await.map_err(error)
    }
    async fn unlink_file_at(store: &Accessor<Task, Self>, fd: Fd, path: String) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().unlink_file_at(fd, path).await.map_err(error)
    }
    async fn stat(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<DescriptorStat> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().stat(fd).await.map(stat).map_err(error)
    }
    async fn stat_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FilesystemResult<DescriptorStat> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().stat_at(fd, follow(flags), path).await.map(stat).map_err(error)
    }
    async fn link_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
        to: Fd,
        name: String,
    ) -> FilesystemResult<()> {
        let (mut aside, [fd, to]) = aside(store, [&fd, &to])?;
        aside.files().link_at(fd, follow(flags), path, to, name).await.map_err(error)
    }
    async fn rename_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        path: String,
        to: Fd,
        name: String,
    ) -> FilesystemResult<()> {
        let (mut aside, [fd, to]) = aside(store, [&fd, &to])?;
        aside.files().rename_at(fd, path, to, name).await.map_err(error)
    }
    async fn symlink_at(store: &Accessor<Task, Self>, fd: Fd, target: String, path: String) -> FilesystemResult<()> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().symlink_at(fd, target, path).await.map_err(error)
    }
    async fn readlink_at(store: &Accessor<Task, Self>, fd: Fd, path: String) -> FilesystemResult<String> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        aside.files().readlink_at(fd, path).await.map_err(error)
    }
    async fn open_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FilesystemResult<Fd> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        let opened = aside.files().open_at(fd, follow(path_flags), path, how(open_flags), wanted(flags)).await;
        let opened = opened.map_err(error)?;
        let entry = aside.table.delete(Resource::<Entry>::new_own(opened.rep())).map_err(FilesystemError::trap)?;
        store.with(|mut view| view.get().push(entry)).map_err(FilesystemError::trap)
    }
    async fn is_same_object(store: &Accessor<Task, Self>, a: Fd, b: Fd) -> Result<bool> {
        match aside(store, [&a, &b]) {
            Ok((mut aside, [a, b])) => aside.files().is_same_object(a, b).await,
            Err(failed) => failed.downcast().map(|_| false),
        }
    }
    async fn metadata_hash(store: &Accessor<Task, Self>, fd: Fd) -> FilesystemResult<MetadataHashValue> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        let hash = aside.files().metadata_hash(fd).await.map_err(error)?;
        Ok(MetadataHashValue { lower: hash.lower, upper: hash.upper })
    }
    async fn metadata_hash_at(
        store: &Accessor<Task, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FilesystemResult<MetadataHashValue> {
        let (mut aside, [fd]) = aside(store, [&fd])?;
        let hash = aside.files().metadata_hash_at(fd, follow(flags), path).await.map_err(error)?;
        Ok(MetadataHashValue { lower: hash.lower, upper: hash.upper })
    }
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FilesystemError) -> Result<ErrorCode> {
        error.downcast()
    }
}

impl types::HostDescriptor for Files<'_> {
    fn drop(&mut self, fd: Fd) -> Result<()> {
        old::HostDescriptor::drop(self, fd)
    }
}

impl preopens::Host for Files<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Fd, String)>> {
        wasmtime_wasi::p2::bindings::filesystem::preopens::Host::get_directories(self)
    }
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    types::add_to_linker::<Task, HasFiles>(linker, files)?;
    preopens::add_to_linker::<Task, HasFiles>(linker, files)
}
