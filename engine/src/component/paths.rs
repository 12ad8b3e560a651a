//! Files of the guest's tree by path, for interfaces that are not about files.
use super::errno::Errno;
use super::files::FIRST_PREOPEN;
use super::host::{Call, Host};
use super::streams::{self, At, Open};
use bytes::BytesMut;
use wasmtime::Result;

pub const READ: u64 = 1 << 1;
pub const WRITE: u64 = 1 << 6;
pub const CREATE: u64 = 1;
const FOLDER: u64 = 2;
pub const TRUNCATE: u64 = 8;
const STAT: usize = 64;
const DIRENT: usize = 24;
const DEEPEST: usize = 64; // folders
const LISTED_AT_ONCE: usize = 16 << 10;

pub type Io<T> = Result<std::result::Result<T, Errno>>;

/// A name as a path holds it: what preview 1's tree encodes, and "%" for an empty segment.
pub fn encoded(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for (index, segment) in name.split('/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        match segment {
            "" => path.push('%'),
            "." => path.push_str("%2E"),
            ".." => path.push_str("%2E."),
            _ => {
                for letter in segment.chars() {
                    match letter {
                        '%' => path.push_str("%25"),
                        '\0' => path.push_str("%00"),
                        _ => path.push(letter),
                    }
                }
            }
        }
    }
    path
}

/// The reverse, for one segment that was listed.
pub fn decoded(segment: &str) -> String {
    if segment == "%" {
        return String::new();
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |digit: u8| (digit as char).to_digit(16);
        match (byte, after) {
            (b'%', &[high, low, ..]) if hex(high).is_some() && hex(low).is_some() => {
                bytes.push((hex(high).unwrap_or(0) * 16 + hex(low).unwrap_or(0)) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub async fn open(host: &Host, path: &str, oflags: u64, rights: u64) -> Io<Open> {
    let mut memory = vec![0; 4];
    memory.extend_from_slice(path.as_bytes());
    let operands = [u64::from(FIRST_PREOPEN), 0, 4, path.len() as u64, oflags, rights, rights, 0, 0];
    Ok(host.call(Call::path_open, &operands, &mut memory).await?.map(|()| {
        let fd = u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]);
        Open::new(host, fd)
    }))
}

pub async fn read(host: &Host, path: &str, most: usize) -> Io<Vec<u8>> {
    let file = match open(host, path, 0, READ).await? {
        Ok(file) => file,
        Err(errno) => return Ok(Err(errno)),
    };
    read_all(host, &file, most).await
}

/// From where it is to its end.
pub async fn read_all(host: &Host, file: &Open, most: usize) -> Io<Vec<u8>> {
    let mut at = At::Cursor;
    let mut bytes = BytesMut::new();
    loop {
        match streams::read(host, file.fd(), &mut at, streams::AT_ONCE).await? {
            Err(errno) => return Ok(Err(errno)),
            Ok(piece) if piece.is_empty() => return Ok(Ok(bytes.to_vec())),
            Ok(piece) if bytes.len() + piece.len() > most => return Ok(Err(Errno::OVERFLOW)),
            Ok(piece) => bytes.extend_from_slice(&piece),
        }
    }
}

pub async fn write(host: &Host, path: &str, bytes: &[u8]) -> Io<()> {
    let file = match open(host, path, CREATE | TRUNCATE, WRITE).await? {
        Ok(file) => file,
        Err(errno) => return Ok(Err(errno)),
    };
    let mut at = At::Cursor;
    streams::write_all(host, file.fd(), &mut at, bytes).await
}

pub async fn remove(host: &Host, path: &str) -> Io<()> {
    let mut memory = path.as_bytes().to_vec();
    let operands = [u64::from(FIRST_PREOPEN), 0, path.len() as u64];
    host.call(Call::path_unlink_file, &operands, &mut memory).await
}

pub async fn rename(host: &Host, from: &str, to: &str) -> Io<()> {
    let folder = u64::from(FIRST_PREOPEN);
    let mut memory = from.as_bytes().to_vec();
    memory.extend_from_slice(to.as_bytes());
    let operands = [folder, 0, from.len() as u64, folder, from.len() as u64, to.len() as u64];
    host.call(Call::path_rename, &operands, &mut memory).await
}

/// What is there, as preview 1 numbers it: 3 for a folder, 4 for a file; and its size.
pub async fn look(host: &Host, path: &str) -> Io<(u8, u64)> {
    let mut memory = vec![0; STAT];
    memory.extend_from_slice(path.as_bytes());
    let operands = [u64::from(FIRST_PREOPEN), 0, STAT as u64, path.len() as u64, 0];
    let seen = host.call(Call::path_filestat_get, &operands, &mut memory).await?;
    Ok(seen.map(|()| (memory[16], u64::from_le_bytes(memory[32..40].try_into().expect("eight bytes")))))
}

pub async fn kind(host: &Host, path: &str) -> Io<u8> {
    Ok(look(host, path).await?.map(|(kind, _)| kind))
}

/// The names of all files below a folder, with its folders' as their beginnings.
pub async fn below(host: &Host, folder: &str, most: usize) -> Io<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![(folder.to_string(), String::new(), 0)];
    while let Some((path, prefix, depth)) = folders.pop() {
        let entries = match list(host, &path, most).await? {
            Ok(entries) => entries,
            Err(errno) => return Ok(Err(errno)),
        };
        for (kind, name) in entries {
            let whole = format!("{prefix}{}", decoded(&name));
            if kind != 3 {
                names.push(whole);
            } else if depth < DEEPEST {
                folders.push((format!("{path}/{name}"), format!("{whole}/"), depth + 1));
            }
            if names.len() + folders.len() > most {
                return Ok(Err(Errno::OVERFLOW));
            }
        }
    }
    Ok(Ok(names))
}

/// Kinds and names of a folder's entries, at most `most`.
pub async fn list(host: &Host, path: &str, most: usize) -> Io<Vec<(u8, String)>> {
    let folder = match open(host, path, FOLDER, READ | 1 << 14).await? {
        Ok(folder) => folder,
        Err(errno) => return Ok(Err(errno)),
    };
    let mut entries = Vec::new();
    let mut cookie = 0;
    loop {
        let mut memory = vec![0; 8 + LISTED_AT_ONCE];
        let operands = [u64::from(folder.fd()), 8, LISTED_AT_ONCE as u64, cookie, 0];
        if let Err(errno) = host.call(Call::fd_readdir, &operands, &mut memory).await? {
            return Ok(Err(errno));
        }
        let used = (u32::from_le_bytes([memory[0], memory[1], memory[2], memory[3]]) as usize).min(LISTED_AT_ONCE);
        let mut bytes = &memory[8..8 + used];
        let mut taken = false;
        while bytes.len() >= DIRENT {
            let size = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]) as usize;
            let Some(name) = bytes.get(DIRENT..DIRENT + size) else { break };
            let name = String::from_utf8_lossy(name).into_owned();
            if name != "." && name != ".." {
                entries.push((bytes[20], name));
            }
            if entries.len() > most {
                return Ok(Err(Errno::OVERFLOW));
            }
            cookie = u64::from_le_bytes(bytes[0..8].try_into().expect("eight bytes"));
            bytes = &bytes[DIRENT + size..];
            taken = true;
        }
        if used < LISTED_AT_ONCE || !taken {
            return Ok(Ok(entries));
        }
    }
}
