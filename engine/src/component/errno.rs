//! Preview 1's error numbers, and what they are in WASI 0.2.
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub u16);

impl Errno {
    pub const AGAIN: Errno = Errno(6);
    pub const BADF: Errno = Errno(8);
    pub const IO: Errno = Errno(29);
    pub const ISDIR: Errno = Errno(31);
    pub const INVAL: Errno = Errno(28);
    pub const NOENT: Errno = Errno(44);
    pub const OVERFLOW: Errno = Errno(61);
    pub const PIPE: Errno = Errno(64);
    pub const SPIPE: Errno = Errno(70);
    pub const XDEV: Errno = Errno(75);

    pub fn check(result: i32) -> Result<(), Errno> {
        if result == 0 { Ok(()) } else { Err(Errno(result as u16)) }
    }

    pub fn code(self) -> ErrorCode {
        match self.0 {
            2 | 76 => ErrorCode::Access,
            6 => ErrorCode::WouldBlock,
            7 => ErrorCode::Already,
            8 => ErrorCode::BadDescriptor,
            10 => ErrorCode::Busy,
            16 => ErrorCode::Deadlock,
            19 => ErrorCode::Quota,
            20 => ErrorCode::Exist,
            22 => ErrorCode::FileTooLarge,
            25 => ErrorCode::IllegalByteSequence,
            26 => ErrorCode::InProgress,
            27 => ErrorCode::Interrupted,
            28 => ErrorCode::Invalid,
            31 => ErrorCode::IsDirectory,
            32 => ErrorCode::Loop,
            34 => ErrorCode::TooManyLinks,
            35 => ErrorCode::MessageSize,
            37 => ErrorCode::NameTooLong,
            43 => ErrorCode::NoDevice,
            44 => ErrorCode::NoEntry,
            46 => ErrorCode::NoLock,
            48 => ErrorCode::InsufficientMemory,
            51 => ErrorCode::InsufficientSpace,
            54 => ErrorCode::NotDirectory,
            55 => ErrorCode::NotEmpty,
            56 => ErrorCode::NotRecoverable,
            52 | 58 => ErrorCode::Unsupported,
            59 => ErrorCode::NoTty,
            60 => ErrorCode::NoSuchDevice,
            61 => ErrorCode::Overflow,
            63 => ErrorCode::NotPermitted,
            64 => ErrorCode::Pipe,
            69 => ErrorCode::ReadOnly,
            70 => ErrorCode::InvalidSeek,
            74 => ErrorCode::TextFileBusy,
            75 => ErrorCode::CrossDevice,
            _ => ErrorCode::Io,
        }
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.code())
    }
}
impl std::error::Error for Errno {}
