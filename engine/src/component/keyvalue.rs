//! `wasi:keyvalue` in both drafts that are in use, over the files of `/kv`: so grants, conflicts and commits are
//! those of every turn. Draft 2 (Spin) differs from draft 1 (wasmCloud, Wasmtime) in its cursors, in signed
//! increments and in compare-and-swap.
use super::errno::Errno;
use super::host::Host;
use super::paths::{self, Io};
use super::state::Task;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

const DRAFTS: [&str; 2] = ["0.2.0-draft", "0.2.0-draft2"];
const LARGEST_VALUE: usize = 1 << 20;
const MOST_KEYS: usize = 10_000; // of one listing
const MOST_IN_BATCH: usize = 1000;

#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(variant)]
enum Failure {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        match errno.0 {
            2 | 63 | 69 | 76 => Failure::AccessDenied,
            _ => Failure::Other(errno.to_string()),
        }
    }
}

type Answer<T> = std::result::Result<T, Failure>;
type Value = Vec<u8>;

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Keys1 {
    #[component(name = "keys")]
    keys: Vec<String>,
    #[component(name = "cursor")]
    cursor: Option<u64>,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Keys2 {
    #[component(name = "keys")]
    keys: Vec<String>,
    #[component(name = "cursor")]
    cursor: Option<String>,
}

#[derive(Clone)]
struct Bucket {
    folder: String,
}

struct Cas {
    bucket: Bucket,
    key: String,
    seen: Option<Value>,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum Swapped {
    #[component(name = "store-error")]
    Store(Failure),
    #[component(name = "cas-failed")]
    Failed(Resource<Cas>),
}

impl Bucket {
    fn path(&self, key: &str) -> String {
        format!("{}/{}", self.folder, paths::encoded(key))
    }
    async fn get(&self, host: &Host, key: &str) -> Io<Option<Value>> {
        match paths::read(host, &self.path(key), LARGEST_VALUE).await? {
            Err(Errno::NOENT) => Ok(Ok(None)),
            // A key's name may be the beginning of others': then it is a folder as well.
            Err(errno) if errno.0 == 31 => Ok(Ok(None)),
            other => Ok(other.map(Some)),
        }
    }
    async fn set(&self, host: &Host, key: &str, value: &[u8]) -> Io<()> {
        paths::write(host, &self.path(key), value).await
    }
    async fn delete(&self, host: &Host, key: &str) -> Io<()> {
        match paths::remove(host, &self.path(key)).await? {
            Err(Errno::NOENT) => Ok(Ok(())),
            other => Ok(other),
        }
    }
    async fn keys(&self, host: &Host) -> Io<Vec<String>> {
        paths::below(host, &self.folder, MOST_KEYS).await
    }
    /// Values that are added to are decimal numbers.
    async fn add(&self, host: &Host, key: &str, delta: i128, most: i128) -> Result<Answer<i128>> {
        let before = match self.get(host, key).await? {
            Ok(before) => before,
            Err(errno) => return Ok(Err(errno.into())),
        };
        let number = match &before {
            None => Some(0),
            Some(value) => str::from_utf8(value).ok().and_then(|text| text.trim().parse::<i128>().ok()),
        };
        let Some(after) = number.map(|number| number + delta).filter(|after| *after <= most && -*after <= most + 1)
        else {
            return Ok(Err(Failure::Other("the value is no number that can be added to".to_string())));
        };
        Ok(self.set(host, key, after.to_string().as_bytes()).await?.map(|()| after).map_err(Failure::from))
    }
}

type Context<'a> = StoreContextMut<'a, Task>;

fn bucket(context: &Context, bucket: &Resource<Bucket>) -> Result<(Host, Bucket)> {
    let task = context.data();
    Ok((task.host.clone(), task.table.get(bucket)?.clone()))
}

fn answered<T>(done: std::result::Result<T, Errno>) -> (Answer<T>,) {
    (done.map_err(Failure::from),)
}

fn add_store(store: &mut LinkerInstance<Task>, cursors_are_texts: bool) -> Result<()> {
    store.resource("bucket", ResourceType::host::<Bucket>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Bucket>::new_own(rep))?;
        Ok(())
    })?;
    store.func_wrap_async("open", |mut context: Context, (name,): (String,)| {
        Box::new(async move {
            let host = context.data().host.clone();
            let folder = format!("kv/{}", paths::encoded(&name));
            let known = !name.is_empty() && !name.contains('/');
            let opened: Answer<Resource<Bucket>> = match paths::kind(&host, &folder).await? {
                Ok(3) if known => Ok(context.data_mut().table.push(Bucket { folder })?),
                Ok(_) | Err(Errno::NOENT) => Err(Failure::NoSuchStore),
                Err(errno) => Err(errno.into()),
            };
            Ok((opened,))
        })
    })?;
    store.func_wrap_async("[method]bucket.get", |context: Context, (this, key): (Resource<Bucket>, String)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            Ok(answered(bucket.get(&host, &key).await?))
        })
    })?;
    store.func_wrap_async(
        "[method]bucket.set",
        |context: Context, (this, key, value): (Resource<Bucket>, String, Value)| {
            Box::new(async move {
                let (host, bucket) = bucket(&context, &this)?;
                Ok(answered(bucket.set(&host, &key, &value).await?))
            })
        },
    )?;
    store.func_wrap_async("[method]bucket.delete", |context: Context, (this, key): (Resource<Bucket>, String)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            Ok(answered(bucket.delete(&host, &key).await?))
        })
    })?;
    store.func_wrap_async("[method]bucket.exists", |context: Context, (this, key): (Resource<Bucket>, String)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            Ok(answered(bucket.get(&host, &key).await?.map(|value| value.is_some())))
        })
    })?;
    // A listing is whole, so there is never a cursor to go on from.
    if cursors_are_texts {
        store.func_wrap_async(
            "[method]bucket.list-keys",
            |context: Context, (this, _): (Resource<Bucket>, Option<String>)| {
                Box::new(async move {
                    let (host, bucket) = bucket(&context, &this)?;
                    Ok(answered(bucket.keys(&host).await?.map(|keys| Keys2 { keys, cursor: None })))
                })
            },
        )
    } else {
        store.func_wrap_async(
            "[method]bucket.list-keys",
            |context: Context, (this, _): (Resource<Bucket>, Option<u64>)| {
                Box::new(async move {
                    let (host, bucket) = bucket(&context, &this)?;
                    Ok(answered(bucket.keys(&host).await?.map(|keys| Keys1 { keys, cursor: None })))
                })
            },
        )
    }
}

fn add_unsigned_atomics(atomics: &mut LinkerInstance<Task>) -> Result<()> {
    atomics.func_wrap_async("increment", |context: Context, (this, key, delta): (Resource<Bucket>, String, u64)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            let after = bucket.add(&host, &key, i128::from(delta), i128::from(u64::MAX)).await?;
            Ok((after.map(|after| after as u64),))
        })
    })
}

fn add_signed_atomics(atomics: &mut LinkerInstance<Task>) -> Result<()> {
    atomics.resource("cas", ResourceType::host::<Cas>(), |mut context, rep| {
        context.data_mut().table.delete(Resource::<Cas>::new_own(rep))?;
        Ok(())
    })?;
    atomics.func_wrap_async("increment", |context: Context, (this, key, delta): (Resource<Bucket>, String, i64)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            let after = bucket.add(&host, &key, i128::from(delta), i128::from(i64::MAX)).await?;
            Ok((after.map(|after| after as i64),))
        })
    })?;
    atomics.func_wrap_async("[static]cas.new", |mut context: Context, (this, key): (Resource<Bucket>, String)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            let made: Answer<Resource<Cas>> = match bucket.get(&host, &key).await? {
                Ok(seen) => Ok(context.data_mut().table.push(Cas { bucket, key, seen })?),
                Err(errno) => Err(errno.into()),
            };
            Ok((made,))
        })
    })?;
    atomics.func_wrap_async("[method]cas.current", |context: Context, (this,): (Resource<Cas>,)| {
        Box::new(async move {
            let current: Answer<Option<Value>> = Ok(context.data().table.get(&this)?.seen.clone());
            Ok((current,))
        })
    })?;
    atomics.func_wrap_async("swap", |mut context: Context, (this, value): (Resource<Cas>, Value)| {
        Box::new(async move {
            let host = context.data().host.clone();
            let Cas { bucket, key, seen } = context.data_mut().table.delete(this)?;
            let done: std::result::Result<(), Swapped> = match bucket.get(&host, &key).await? {
                Err(errno) => Err(Swapped::Store(errno.into())),
                Ok(now) if now == seen => {
                    bucket.set(&host, &key, &value).await?.map_err(|errno| Swapped::Store(errno.into()))
                }
                Ok(now) => Err(Swapped::Failed(context.data_mut().table.push(Cas { bucket, key, seen: now })?)),
            };
            Ok((done,))
        })
    })
}

fn too_many<T>() -> (Answer<T>,) {
    (Err(Failure::Other(format!("more than {MOST_IN_BATCH} keys at once"))),)
}

async fn get_many(host: &Host, bucket: &Bucket, keys: Vec<String>) -> Io<Vec<(String, Option<Value>)>> {
    let mut values = Vec::with_capacity(keys.len());
    let mut bytes = 0;
    for key in keys {
        match bucket.get(host, &key).await? {
            Err(errno) => return Ok(Err(errno)),
            Ok(value) => {
                bytes += value.as_ref().map_or(0, Vec::len);
                values.push((key, value));
            }
        }
        if bytes > 8 * LARGEST_VALUE {
            return Ok(Err(Errno::OVERFLOW));
        }
    }
    Ok(Ok(values))
}

fn add_batch(batch: &mut LinkerInstance<Task>, absent_inside: bool) -> Result<()> {
    if absent_inside {
        batch.func_wrap_async("get-many", |context: Context, (this, keys): (Resource<Bucket>, Vec<String>)| {
            Box::new(async move {
                let (host, bucket) = bucket(&context, &this)?;
                if keys.len() > MOST_IN_BATCH {
                    return Ok(too_many());
                }
                Ok(answered(get_many(&host, &bucket, keys).await?))
            })
        })?;
    } else {
        batch.func_wrap_async("get-many", |context: Context, (this, keys): (Resource<Bucket>, Vec<String>)| {
            Box::new(async move {
                let (host, bucket) = bucket(&context, &this)?;
                if keys.len() > MOST_IN_BATCH {
                    return Ok(too_many());
                }
                let values = get_many(&host, &bucket, keys).await?;
                Ok(answered(values.map(|values| {
                    values.into_iter().map(|(key, value)| value.map(|value| (key, value))).collect::<Vec<_>>()
                })))
            })
        })?;
    }
    batch.func_wrap_async(
        "set-many",
        |context: Context, (this, values): (Resource<Bucket>, Vec<(String, Value)>)| {
            Box::new(async move {
                let (host, bucket) = bucket(&context, &this)?;
                if values.len() > MOST_IN_BATCH {
                    return Ok(too_many());
                }
                for (key, value) in values {
                    if let Err(errno) = bucket.set(&host, &key, &value).await? {
                        return Ok(answered(Err(errno)));
                    }
                }
                Ok(answered(Ok(())))
            })
        },
    )?;
    batch.func_wrap_async("delete-many", |context: Context, (this, keys): (Resource<Bucket>, Vec<String>)| {
        Box::new(async move {
            let (host, bucket) = bucket(&context, &this)?;
            if keys.len() > MOST_IN_BATCH {
                return Ok(too_many());
            }
            for key in keys {
                if let Err(errno) = bucket.delete(&host, &key).await? {
                    return Ok(answered(Err(errno)));
                }
            }
            Ok(answered(Ok(())))
        })
    })
}

pub fn add_to(linker: &mut Linker<Task>) -> Result<()> {
    for (index, draft) in DRAFTS.iter().enumerate() {
        let second = index == 1;
        add_store(&mut linker.instance(&format!("wasi:keyvalue/store@{draft}"))?, second)?;
        let atomics = &mut linker.instance(&format!("wasi:keyvalue/atomics@{draft}"))?;
        if second {
            add_signed_atomics(atomics)?
        } else {
            add_unsigned_atomics(atomics)?
        }
        add_batch(&mut linker.instance(&format!("wasi:keyvalue/batch@{draft}"))?, second)?;
    }
    Ok(())
}
