//! `carrel:app/functions` over the files of `/app`: functions of the application that a hook point lets its modules
//! call. Input and answer are JSON.
use super::errno::Errno;
use super::host::Host;
use super::paths::{self, Io};
use super::state::Task;
use super::streams::{self, At};
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};

pub const INTERFACE: &str = "carrel:app/functions@0.1.0";
const LARGEST: usize = 1 << 20;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Failure {
    /// There is no such function, or it is not for this module.
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "too-often")]
    TooOften,
    #[component(name = "too-large")]
    TooLarge,
    /// The module's log says why.
    #[component(name = "failed")]
    Failed,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        match errno.0 {
            2 | 44 => Failure::Unknown,
            19 => Failure::TooOften,
            22 => Failure::TooLarge,
            _ => Failure::Failed,
        }
    }
}

async fn ask(host: &Host, name: &str, input: &str) -> Io<String> {
    if name.is_empty() || name.contains('/') {
        return Ok(Err(Errno::NOENT));
    }
    let path = format!("app/{}", paths::encoded(name));
    let file = match paths::open(host, &path, 0, paths::READ | paths::WRITE).await? {
        Ok(file) => file,
        Err(errno) => return Ok(Err(errno)),
    };
    if let Err(errno) = streams::write_all(host, file.fd(), &mut At::Cursor, input.as_bytes()).await? {
        return Ok(Err(errno));
    }
    Ok(paths::read_all(host, &file, LARGEST).await?.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    linker.instance(INTERFACE)?.func_wrap_async(
        "call",
        |context: StoreContextMut<Task>, (name, input): (String, String)| {
            Box::new(async move {
                let host = context.data().host.clone();
                let answer: std::result::Result<String, Failure> =
                    ask(&host, &name, &input).await?.map_err(Failure::from);
                Ok((answer,))
            })
        },
    )
}
