//! `wasi:filesystem` 0.2 over preview 1's files.
use super::errno::Errno;
use super::host::{Call, Host};
use super::state::Task;
use super::streams::{At, Open, Reader, Writer};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

/// What is opened before the guest starts comes from here on.
pub const FIRST_PREOPEN: u32 = 3;
const LISTED_AT_ONCE: usize = 16 << 10;
const DIRENT: usize = 24;
const STAT: usize = 64;

type Fd = Resource<types::Descriptor>;
type Listing = Resource<types::DirectoryEntryStream>;

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) file: Place,
    pub(super) flags: DescriptorFlags,
    pub(super) kind: DescriptorType,
}

/// What was opened for the guest is never closed.
#[derive(Clone)]
pub(super) enum Place {
    Preopen(u32),
    File(Arc<Open>),
}

impl Place {
    fn fd(&self) -> u64 {
        match self {
            Place::Preopen(fd) => u64::from(*fd),
            Place::File(open) => u64::from(open.fd()),
        }
    }
}

pub(super) struct Listed {
    file: Place,
    cookie: u64,
    ended: bool,
    entries: VecDeque<DirectoryEntry>,
}

pub struct Files<'a> {
    pub(super) host: &'a Host,
    pub(super) table: &'a mut ResourceTable,
}

pub(super) struct HasFiles;
impl HasData for HasFiles {
    type Data<'a> = Files<'a>;
}

/// Memory for a call: `head` bytes for results, then texts.
struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    fn new(head: usize) -> Memory {
        Memory { bytes: vec![0; head] }
    }
    /// Offset and size of a text, as operands.
    fn text(&mut self, text: &str) -> (u64, u64) {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(text.as_bytes());
        (at, text.len() as u64)
    }
    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }
    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[at..at + 8].try_into().expect("eight bytes"))
    }
}

async fn call(host: &Host, function: Call, operands: &[u64], memory: &mut Memory) -> FsResult<()> {
    match host.call(function, operands, &mut memory.bytes).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(errno)) => Err(errno.code().into()),
        Err(trap) => Err(FsError::trap(trap)),
    }
}

fn kind_of(filetype: u8) -> DescriptorType {
    match filetype {
        1 => DescriptorType::BlockDevice,
        2 => DescriptorType::CharacterDevice,
        3 => DescriptorType::Directory,
        4 => DescriptorType::RegularFile,
        5 | 6 => DescriptorType::Socket,
        7 => DescriptorType::SymbolicLink,
        _ => DescriptorType::Unknown,
    }
}

fn time_of(nanoseconds: u64) -> Option<Datetime> {
    Some(Datetime { seconds: nanoseconds / 1_000_000_000, nanoseconds: (nanoseconds % 1_000_000_000) as u32 })
}

fn stat_of(memory: &Memory) -> DescriptorStat {
    DescriptorStat {
        type_: kind_of(memory.bytes[16]),
        link_count: memory.u64(24),
        size: memory.u64(32),
        data_access_timestamp: time_of(memory.u64(40)),
        data_modification_timestamp: time_of(memory.u64(48)),
        status_change_timestamp: time_of(memory.u64(56)),
    }
}

fn hash_of(memory: &Memory) -> MetadataHashValue {
    let mut lower = DefaultHasher::new();
    memory.bytes[..STAT].hash(&mut lower);
    let mut upper = DefaultHasher::new();
    (1u8, &memory.bytes[..STAT]).hash(&mut upper);
    MetadataHashValue { lower: lower.finish(), upper: upper.finish() }
}

/// A time and preview 1's flags for it, shifted for access (0) or modification (2).
fn new_time(time: NewTimestamp, shift: u32) -> FsResult<(u64, u64)> {
    match time {
        NewTimestamp::NoChange => Ok((0, 0)),
        NewTimestamp::Now => Ok((0, 2 << shift)),
        NewTimestamp::Timestamp(at) => {
            let seconds = at.seconds.checked_mul(1_000_000_000);
            let at = seconds.and_then(|seconds| seconds.checked_add(u64::from(at.nanoseconds)));
            Ok((at.ok_or(ErrorCode::Overflow)?, 1 << shift))
        }
    }
}

fn follow(flags: PathFlags) -> u64 {
    u64::from(flags.contains(PathFlags::SYMLINK_FOLLOW))
}

const RIGHTS: u64 = (1 << 30) - 1;
// To list is to read as well: `path_open` goes by either.
const READ_RIGHTS: u64 = 1 << 1 | 1 << 14;
const WRITE_RIGHTS: u64 = 1 | 1 << 6 | 1 << 8 | 1 << 22;

fn rights(flags: DescriptorFlags) -> u64 {
    let mut rights = RIGHTS & !READ_RIGHTS & !WRITE_RIGHTS;
    if flags.contains(DescriptorFlags::WRITE) {
        rights |= WRITE_RIGHTS;
    }
    if flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE) {
        rights |= READ_RIGHTS;
    }
    rights
}

impl Files<'_> {
    pub(super) fn entry(&self, fd: &Fd) -> Result<&Entry> {
        Ok(self.table.get(&Resource::<Entry>::new_borrow(fd.rep()))?)
    }
    fn place(&self, fd: &Fd) -> FsResult<Place> {
        Ok(self.entry(fd).map_err(FsError::trap)?.file.clone())
    }
    pub(super) fn push(&mut self, entry: Entry) -> Result<Fd> {
        Ok(Resource::new_own(self.table.push(entry)?.rep()))
    }
    pub(super) fn open_file(&self, fd: &Fd, wanted: DescriptorFlags) -> FsResult<Arc<Open>> {
        let entry = self.entry(fd).map_err(FsError::trap)?;
        if entry.kind == DescriptorType::Directory {
            let reads = wanted.contains(DescriptorFlags::READ);
            return Err(if reads { ErrorCode::IsDirectory } else { ErrorCode::BadDescriptor }.into());
        }
        if !entry.flags.contains(wanted) {
            return Err(ErrorCode::BadDescriptor.into());
        }
        match &entry.file {
            Place::File(open) => Ok(open.clone()),
            Place::Preopen(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }
    pub(super) fn end_of(&self, open: &Open) -> FsResult<u64> {
        let mut stat = [0; STAT];
        self.host.call_now(Call::fd_filestat_get, &[u64::from(open.fd()), 0], &mut stat).map_err(Errno::code)?;
        Ok(u64::from_le_bytes(stat[32..40].try_into().expect("eight bytes")))
    }
    async fn on_path(&mut self, function: Call, fd: Fd, path: String) -> FsResult<()> {
        let place = self.place(&fd)?;
        let mut memory = Memory::new(0);
        let (at, size) = memory.text(&path);
        call(self.host, function, &[place.fd(), at, size], &mut memory).await
    }
    async fn stat_of(&mut self, fd: &Fd) -> FsResult<Memory> {
        let place = self.place(fd)?;
        let mut memory = Memory::new(STAT);
        call(self.host, Call::fd_filestat_get, &[place.fd(), 0], &mut memory).await?;
        Ok(memory)
    }
    async fn stat_of_path(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<Memory> {
        let place = self.place(fd)?;
        let mut memory = Memory::new(STAT);
        let (at, size) = memory.text(path);
        call(self.host, Call::path_filestat_get, &[place.fd(), follow(flags), at, size, 0], &mut memory).await?;
        Ok(memory)
    }
}

impl preopens::Host for Files<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Fd, String)>> {
        let mut folders = Vec::new();
        for fd in FIRST_PREOPEN.. {
            // A tag, and the size of the name.
            let mut prestat = [0; 8];
            if self.host.call_now(Call::fd_prestat_get, &[u64::from(fd), 0], &mut prestat).is_err() {
                break;
            }
            let size = u32::from_le_bytes([prestat[4], prestat[5], prestat[6], prestat[7]]);
            let mut name = vec![0; size as usize];
            let operands = [u64::from(fd), 0, u64::from(size)];
            self.host.call_now(Call::fd_prestat_dir_name, &operands, &mut name).map_err(Error::new)?;
            let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
            let folder = self.push(Entry { file: Place::Preopen(fd), flags, kind: DescriptorType::Directory })?;
            folders.push((folder, String::from_utf8_lossy(&name).into_owned()));
        }
        Ok(folders)
    }
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        error.downcast()
    }
    fn filesystem_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<Errno>().map(|errno| errno.code()))
    }
}

impl types::HostDescriptor for Files<'_> {
    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let open = self.open_file(&fd, DescriptorFlags::READ)?;
        let stream: DynInputStream = Box::new(Reader::of(open, At::Offset(offset)));
        Ok(self.table.push(stream)?)
    }
    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        let open = self.open_file(&fd, DescriptorFlags::WRITE)?;
        let stream: DynOutputStream = Box::new(Writer::of(open, At::Offset(offset)));
        Ok(self.table.push(stream)?)
    }
    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let open = self.open_file(&fd, DescriptorFlags::WRITE)?;
        let end = self.end_of(&open)?;
        let stream: DynOutputStream = Box::new(Writer::of(open, At::Offset(end)));
        Ok(self.table.push(stream)?)
    }
    async fn advise(&mut self, fd: Fd, _: u64, _: u64, _: Advice) -> FsResult<()> {
        self.place(&fd).map(|_| ())
    }
    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        let place = self.place(&fd)?;
        call(self.host, Call::fd_datasync, &[place.fd()], &mut Memory::new(0)).await
    }
    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        let place = self.place(&fd)?;
        call(self.host, Call::fd_sync, &[place.fd()], &mut Memory::new(0)).await
    }
    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        Ok(self.entry(&fd).map_err(FsError::trap)?.flags)
    }
    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        Ok(self.entry(&fd).map_err(FsError::trap)?.kind)
    }
    async fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        let open = self.open_file(&fd, DescriptorFlags::WRITE)?;
        call(self.host, Call::fd_filestat_set_size, &[u64::from(open.fd()), size], &mut Memory::new(0)).await
    }
    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let place = self.place(&fd)?;
        let (accessed, how) = new_time(accessed, 0)?;
        let (modified, also) = new_time(modified, 2)?;
        let operands = [place.fd(), accessed, modified, how | also];
        call(self.host, Call::fd_filestat_set_times, &operands, &mut Memory::new(0)).await
    }
    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let place = self.place(&fd)?;
        let (accessed, how) = new_time(accessed, 0)?;
        let (modified, also) = new_time(modified, 2)?;
        let mut memory = Memory::new(0);
        let (at, size) = memory.text(&path);
        let operands = [place.fd(), follow(flags), at, size, accessed, modified, how | also];
        call(self.host, Call::path_filestat_set_times, &operands, &mut memory).await
    }
    async fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let open = self.open_file(&fd, DescriptorFlags::READ)?;
        let room = length.min(super::streams::AT_ONCE as u64) as usize;
        let mut at = At::Offset(offset);
        match super::streams::read(self.host, open.fd(), &mut at, room).await {
            Ok(Ok(bytes)) => Ok((bytes.to_vec(), bytes.is_empty() && room > 0)),
            Ok(Err(errno)) => Err(errno.code().into()),
            Err(trap) => Err(FsError::trap(trap)),
        }
    }
    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        let open = self.open_file(&fd, DescriptorFlags::WRITE)?;
        let mut at = At::Offset(offset);
        match super::streams::write(self.host, open.fd(), &mut at, &bytes).await {
            Ok(Ok(n)) => Ok(n as u64),
            Ok(Err(errno)) => Err(errno.code().into()),
            Err(trap) => Err(FsError::trap(trap)),
        }
    }
    async fn read_directory(&mut self, fd: Fd) -> FsResult<Listing> {
        let file = self.place(&fd)?;
        if self.entry(&fd).map_err(FsError::trap)?.kind != DescriptorType::Directory {
            return Err(ErrorCode::NotDirectory.into());
        }
        Ok(Resource::new_own(self.table.push(Listed::new(file))?.rep()))
    }
    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.on_path(Call::path_create_directory, fd, path).await
    }
    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.on_path(Call::path_remove_directory, fd, path).await
    }
    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.on_path(Call::path_unlink_file, fd, path).await
    }
    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        Ok(stat_of(&self.stat_of(&fd).await?))
    }
    async fn stat_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        Ok(stat_of(&self.stat_of_path(&fd, flags, &path).await?))
    }
    async fn link_at(&mut self, fd: Fd, flags: PathFlags, old: String, to: Fd, new: String) -> FsResult<()> {
        let (from, to) = (self.place(&fd)?, self.place(&to)?);
        let mut memory = Memory::new(0);
        let (old, old_size) = memory.text(&old);
        let (new, new_size) = memory.text(&new);
        let operands = [from.fd(), follow(flags), old, old_size, to.fd(), new, new_size];
        call(self.host, Call::path_link, &operands, &mut memory).await
    }
    async fn rename_at(&mut self, fd: Fd, old: String, to: Fd, new: String) -> FsResult<()> {
        let (from, to) = (self.place(&fd)?, self.place(&to)?);
        let mut memory = Memory::new(0);
        let (old, old_size) = memory.text(&old);
        let (new, new_size) = memory.text(&new);
        let operands = [from.fd(), old, old_size, to.fd(), new, new_size];
        call(self.host, Call::path_rename, &operands, &mut memory).await
    }
    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        let place = self.place(&fd)?;
        let mut memory = Memory::new(0);
        let (target, target_size) = memory.text(&target);
        let (path, path_size) = memory.text(&path);
        call(self.host, Call::path_symlink, &[target, target_size, place.fd(), path, path_size], &mut memory).await
    }
    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        const ROOM: usize = 4096;
        let place = self.place(&fd)?;
        let mut memory = Memory::new(8 + ROOM);
        let (path, size) = memory.text(&path);
        call(self.host, Call::path_readlink, &[place.fd(), path, size, 8, ROOM as u64, 0], &mut memory).await?;
        let used = (memory.u32(0) as usize).min(ROOM);
        String::from_utf8(memory.bytes[8..8 + used].to_vec()).map_err(|_| ErrorCode::IllegalByteSequence.into())
    }
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let place = self.place(&fd)?;
        let mut memory = Memory::new(STAT);
        let (at, size) = memory.text(&path);
        let mut oflags = 0;
        for (flag, bit) in
            [(OpenFlags::CREATE, 1), (OpenFlags::DIRECTORY, 2), (OpenFlags::EXCLUSIVE, 4), (OpenFlags::TRUNCATE, 8)]
        {
            oflags |= if how.contains(flag) { bit } else { 0 };
        }
        let mut fdflags = 0;
        if flags.contains(DescriptorFlags::DATA_INTEGRITY_SYNC) {
            fdflags |= 2;
        }
        if flags.contains(DescriptorFlags::FILE_INTEGRITY_SYNC) {
            fdflags |= 16;
        }
        let operands = [place.fd(), follow(path_flags), at, size, oflags, rights(flags), RIGHTS, fdflags, 0];
        call(self.host, Call::path_open, &operands, &mut memory).await?;
        let open = Arc::new(Open::new(self.host, memory.u32(0)));
        call(self.host, Call::fd_fdstat_get, &[u64::from(open.fd()), 0], &mut memory).await?;
        let kind = kind_of(memory.bytes[0]);
        Ok(self.push(Entry { file: Place::File(open), flags, kind }).map_err(FsError::trap)?)
    }
    async fn is_same_object(&mut self, a: Fd, b: Fd) -> Result<bool> {
        let (Ok(a), Ok(b)) = (self.stat_of(&a).await, self.stat_of(&b).await) else { return Ok(false) };
        Ok(a.bytes[..16] == b.bytes[..16])
    }
    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.stat_of(&fd).await?))
    }
    async fn metadata_hash_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        Ok(hash_of(&self.stat_of_path(&fd, flags, &path).await?))
    }
    fn drop(&mut self, fd: Fd) -> Result<()> {
        self.table.delete(Resource::<Entry>::new_own(fd.rep()))?;
        Ok(())
    }
}

impl types::HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(&mut self, stream: Listing) -> FsResult<Option<DirectoryEntry>> {
        let listed = self.table.get_mut(&Resource::<Listed>::new_borrow(stream.rep()))?;
        listed.next(self.host).await
    }
    fn drop(&mut self, stream: Listing) -> Result<()> {
        self.table.delete(Resource::<Listed>::new_own(stream.rep()))?;
        Ok(())
    }
}

impl Listed {
    pub(super) fn new(file: Place) -> Listed {
        Listed { file, cookie: 0, ended: false, entries: VecDeque::new() }
    }
    /// Nothing is the end.
    pub(super) async fn next(&mut self, host: &Host) -> FsResult<Option<DirectoryEntry>> {
        while self.entries.is_empty() && !self.ended {
            self.read_on(host).await?;
        }
        Ok(self.entries.pop_front())
    }
    async fn read_on(&mut self, host: &Host) -> FsResult<()> {
        let mut memory = Memory::new(8 + LISTED_AT_ONCE);
        let operands = [self.file.fd(), 8, LISTED_AT_ONCE as u64, self.cookie, 0];
        call(host, Call::fd_readdir, &operands, &mut memory).await?;
        let used = (memory.u32(0) as usize).min(LISTED_AT_ONCE);
        self.take(&memory.bytes[8..8 + used], used < LISTED_AT_ONCE)
    }
    /// Entries as preview 1 lists them; the last may be cut off, and is read again.
    fn take(&mut self, mut bytes: &[u8], last: bool) -> FsResult<()> {
        let mut taken = false;
        while bytes.len() >= DIRENT {
            let next = u64::from_le_bytes(bytes[0..8].try_into().expect("eight bytes"));
            let size = u32::from_le_bytes(bytes[16..20].try_into().expect("four bytes")) as usize;
            let type_ = kind_of(bytes[20]);
            let Some(name) = bytes.get(DIRENT..DIRENT + size) else { break };
            let name = String::from_utf8(name.to_vec()).map_err(|_| ErrorCode::IllegalByteSequence)?;
            if name != "." && name != ".." {
                self.entries.push_back(DirectoryEntry { type_, name });
            }
            self.cookie = next;
            bytes = &bytes[DIRENT + size..];
            taken = true;
        }
        self.ended = last || !taken;
        Ok(())
    }
}

pub(super) fn files(task: &mut Task) -> Files<'_> {
    Files { host: &task.host, table: &mut task.table }
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    types::add_to_linker::<Task, HasFiles>(linker, files)?;
    preopens::add_to_linker::<Task, HasFiles>(linker, files)
}
