//! Host functions that may suspend the guest, typed so that a call which need not suspend costs little more
//! than a synchronous one. The C++ side is asked again at every poll.
use crate::buffer::carrel_buffer;
use std::ffi::{CStr, c_char, c_void};
use std::future::poll_fn;
use std::slice;
use std::task::Poll;
use wasmtime::{Caller, Error, Linker, Result};
use wasmtime_c_api::{WasmtimeStoreData, wasmtime_caller_t, wasmtime_linker_t};

type HostFn = extern "C" fn(*mut c_void, *mut wasmtime_caller_t<'_>, *const u64, &mut i32) -> i32;

// `wasmtime_caller_t` is a `repr(C)` struct of one `Caller`, cast like the engine.
const _: () = assert!(size_of::<wasmtime_caller_t<'_>>() == size_of::<Caller<'_, WasmtimeStoreData>>());
const _: () = assert!(align_of::<wasmtime_caller_t<'_>>() == align_of::<Caller<'_, WasmtimeStoreData>>());

const DONE: i32 = 0;
const PENDING: i32 = 1;

#[derive(Clone, Copy)]
struct Host {
    function: HostFn,
    env: *mut c_void,
}

// The linker and every store made from it stay on one shard's thread.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    fn poll(&self, caller: &mut Caller<'_, WasmtimeStoreData>, args: &[u64]) -> Poll<Result<i32>> {
        let mut result = 0;
        let caller = (caller as *mut Caller<'_, WasmtimeStoreData>).cast::<wasmtime_caller_t<'_>>();
        match (self.function)(self.env, caller, args.as_ptr(), &mut result) {
            DONE => Poll::Ready(Ok(result)),
            PENDING => Poll::Pending,
            _ => Poll::Ready(Err(Error::msg("ended by the host"))),
        }
    }
}

macro_rules! operand {
    (i) => {
        i32
    };
    (I) => {
        i64
    };
}

macro_rules! widen {
    (i, $value:ident) => {
        u64::from($value as u32)
    };
    (I, $value:ident) => {
        $value as u64
    };
}

macro_rules! signatures {
    ($params:expr, $linker:expr, $module:expr, $name:expr, $host:expr;
     $($spelled:literal: ($($kind:tt $value:ident),*);)*) => {
        match $params {
            $($spelled => $linker.func_wrap_async(
                $module,
                $name,
                move |mut caller: Caller<'_, WasmtimeStoreData>, ($($value,)*): ($(operand!($kind),)*)| {
                    let host = $host;
                    let args = [$(widen!($kind, $value)),*];
                    Box::new(async move { poll_fn(move |_| host.poll(&mut caller, &args)).await })
                },
            ).map(|_| ()),)*
            other => Err(Error::msg(format!("no host function has the operands \"{other}\""))),
        }
    };
}

fn define(linker: &mut Linker<WasmtimeStoreData>, module: &str, name: &str, params: &str, host: Host) -> Result<()> {
    signatures!(params, linker, module, name, host;
        "": ();
        "i": (i a);
        "ii": (i a, i b);
        "iI": (i a, I b);
        "iii": (i a, i b, i c);
        "iIi": (i a, I b, i c);
        "iII": (i a, I b, I c);
        "iiii": (i a, i b, i c, i d);
        "iIii": (i a, I b, i c, i d);
        "iIIi": (i a, I b, I c, i d);
        "iiiii": (i a, i b, i c, i d, i e);
        "iiiIi": (i a, i b, i c, I d, i e);
        "iiiiii": (i a, i b, i c, i d, i e, i f);
        "iiiiiii": (i a, i b, i c, i d, i e, i f, i g);
        "iiiiIIi": (i a, i b, i c, i d, I e, I f, i g);
        "iiiiiIIii": (i a, i b, i c, i d, i e, I f, I g, i h, i j);
    )
}

/// # Safety
/// The texts are readable for their sizes, `params` ends with NUL, and `env` outlives the linker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_linker_define_suspending(
    linker: &mut wasmtime_linker_t,
    module: *const c_char,
    module_size: usize,
    name: *const c_char,
    name_size: usize,
    params: *const c_char,
    function: HostFn,
    env: *mut c_void,
    error: &mut carrel_buffer,
) -> bool {
    let text = |data: *const c_char, size| {
        str::from_utf8(unsafe { slice::from_raw_parts(data.cast::<u8>(), size) }).unwrap_or_default()
    };
    let params = unsafe { CStr::from_ptr(params) }.to_str().unwrap_or_default();
    // `wasmtime_linker_t` is a `repr(C)` struct of one `Linker`, cast like the engine.
    const _: () = assert!(size_of::<wasmtime_linker_t>() == size_of::<Linker<WasmtimeStoreData>>());
    let linker = unsafe { &mut *(linker as *mut wasmtime_linker_t).cast::<Linker<WasmtimeStoreData>>() };
    match define(linker, text(module, module_size), text(name, name_size), params, Host { function, env }) {
        Ok(()) => true,
        Err(cause) => {
            error.set(format!("{cause:#}"));
            false
        }
    }
}
