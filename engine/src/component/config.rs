//! `wasi:config/store` over the files of `/config`, and `wasi:logging` into the module's log.
use super::errno::Errno;
use super::host::Host;
use super::paths;
use super::state::Task;
use super::streams::{self, At};
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower};
use wasmtime::{Result, StoreContextMut};

const CONFIG: [&str; 3] = ["0.2.0-draft-2024-09-27", "0.2.0-draft", "0.2.0-rc.1"];
const LOGGING: [&str; 2] = ["wasi:logging/logging", "wasi:logging/logging@0.1.0-draft"];
const LARGEST: usize = 1 << 20;
const MOST: usize = 1000;
const LOG: u32 = 2;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
#[allow(dead_code)] // part of the interface
enum Failure {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[allow(dead_code)] // made by guests
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

type Context<'a> = StoreContextMut<'a, Task>;
type Answer<T> = std::result::Result<T, Failure>;

async fn get(host: &Host, name: &str) -> Result<Answer<Option<String>>> {
    let whole = !name.is_empty() && !name.contains('/');
    if !whole {
        return Ok(Ok(None));
    }
    match paths::read(host, &format!("config/{}", paths::encoded(name)), LARGEST).await? {
        Ok(value) => Ok(Ok(Some(String::from_utf8_lossy(&value).into_owned()))),
        Err(Errno::NOENT) => Ok(Ok(None)),
        Err(errno) => Ok(Err(Failure::Io(errno.to_string()))),
    }
}

async fn get_all(host: &Host) -> Result<Answer<Vec<(String, String)>>> {
    let entries = match paths::list(host, "config", MOST).await? {
        Ok(entries) => entries,
        Err(Errno::NOENT) => Vec::new(),
        Err(errno) => return Ok(Err(Failure::Io(errno.to_string()))),
    };
    let mut all = Vec::with_capacity(entries.len());
    for (_, name) in entries {
        let name = paths::decoded(&name);
        match get(host, &name).await? {
            Ok(Some(value)) => all.push((name, value)),
            Ok(None) => {}
            Err(failure) => return Ok(Err(failure)),
        }
    }
    Ok(Ok(all))
}

fn add_config(store: &mut LinkerInstance<Task>) -> Result<()> {
    store.func_wrap_async("get", |context: Context, (name,): (String,)| {
        Box::new(async move { Ok((get(&context.data().host.clone(), &name).await?,)) })
    })?;
    store.func_wrap_async("get-all", |context: Context, (): ()| {
        Box::new(async move { Ok((get_all(&context.data().host.clone()).await?,)) })
    })
}

fn add_logging(logging: &mut LinkerInstance<Task>) -> Result<()> {
    logging.func_wrap_async("log", |context: Context, (level, place, message): (Level, String, String)| {
        Box::new(async move {
            let host = context.data().host.clone();
            let level = format!("{level:?}").to_uppercase();
            let line =
                if place.is_empty() { format!("{level} {message}\n") } else { format!("{level} {place}: {message}\n") };
            // A log that is full is no fault of the guest's.
            let _ = streams::write_all(&host, LOG, &mut At::Cursor, line.as_bytes()).await?;
            Ok(())
        })
    })
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    for version in CONFIG {
        add_config(&mut linker.instance(&format!("wasi:config/store@{version}"))?)?;
    }
    for name in LOGGING {
        add_logging(&mut linker.instance(name)?)?;
    }
    Ok(())
}
