//! Byte buffers handed to C++.
use std::ptr;

#[repr(C)]
pub struct carrel_buffer {
    data: *mut u8,
    size: usize,
    capacity: usize,
}

impl carrel_buffer {
    pub fn set(&mut self, bytes: impl Into<Vec<u8>>) {
        let mut bytes = std::mem::ManuallyDrop::new(bytes.into());
        *self = carrel_buffer { data: bytes.as_mut_ptr(), size: bytes.len(), capacity: bytes.capacity() };
    }

    /// `Ok` fills the buffer with the value, `Err` with the whole chain of causes; says which it was.
    pub fn set_result<T: Into<Vec<u8>>>(&mut self, result: wasmtime::Result<T>) -> bool {
        match result {
            Ok(bytes) => {
                self.set(bytes);
                true
            }
            Err(error) => {
                self.set(format!("{error:#}"));
                false
            }
        }
    }
}

/// # Safety
/// `buffer` was filled by this archive, or is zeroed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_buffer_free(buffer: &mut carrel_buffer) {
    if !buffer.data.is_null() {
        drop(unsafe { Vec::from_raw_parts(buffer.data, buffer.size, buffer.capacity) });
    }
    *buffer = carrel_buffer { data: ptr::null_mut(), size: 0, capacity: 0 };
}
