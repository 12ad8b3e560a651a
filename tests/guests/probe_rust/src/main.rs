//! What Rust's standard library asks of WASI: `probe_rust NAME [ARGUMENT]...`, or the same as a query
//! string (`NAME&ARGUMENT`) under CGI. A check that fails panics, which ends the guest in a trap.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, process, thread};

fn echo() -> io::Result<()> {
    io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(())
}

fn files(folder: &str) -> io::Result<()> {
    let path = format!("{folder}/rust");
    fs::create_dir(&path)?;
    let name = format!("{path}/a");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&name)?;
    file.write_all(b"hello world")?;
    file.seek(SeekFrom::Start(6))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    assert_eq!(text, "world");
    file.set_len(5)?;
    assert_eq!(file.metadata()?.len(), 5);
    drop(file);
    assert_eq!(fs::read(&name)?, b"hello");
    let anew = OpenOptions::new().write(true).create_new(true).open(&name);
    assert_eq!(anew.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    fs::copy(&name, format!("{path}/b"))?;
    fs::rename(format!("{path}/b"), format!("{path}/c"))?;
    let mut names: Vec<_> = fs::read_dir(&path)?.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(File::open(format!("{path}/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(fs::remove_dir(&path).is_err());
    fs::remove_dir_all(&path)?;
    assert!(!fs::exists(&path)?);
    println!("ok files");
    Ok(())
}

fn time(milliseconds: u64) -> io::Result<()> {
    let wanted = Duration::from_millis(milliseconds);
    let before = Instant::now();
    thread::sleep(wanted);
    let took = before.elapsed();
    assert!(took + Duration::from_millis(2) >= wanted, "slept only {took:?}");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    assert!(since.as_secs() > 1_700_000_000);
    println!("ok time");
    Ok(())
}

/// HashMap draws its keys from the host's randomness: the order of iteration tells.
fn random() -> io::Result<()> {
    let order = || {
        let map: HashMap<u32, ()> = (0..64).map(|n| (n, ())).collect();
        map.into_keys().collect::<Vec<_>>()
    };
    let orders: HashSet<_> = (0..4).map(|_| order()).collect();
    assert!(orders.len() > 1, "four maps have one order");
    println!("{:?}", &order()[..8]);
    Ok(())
}

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.is_empty() {
        let query = env::var("QUERY_STRING").unwrap_or_default();
        arguments = query.split('&').map(String::from).collect();
    }
    if env::var("REQUEST_METHOD").is_ok() {
        print!("Content-Type: text/plain\n\n");
    }
    let argument = |n: usize, otherwise: &str| arguments.get(n).cloned().unwrap_or(otherwise.into());
    match argument(0, "").as_str() {
        "echo" => echo(),
        "fs" => files(&argument(1, "/tmp")),
        "time" => time(argument(1, "20").parse().expect("milliseconds")),
        "random" => random(),
        "cat" => io::copy(&mut File::open(argument(1, "/event/body"))?, &mut io::stdout()).map(drop),
        "env" => {
            let mut all: Vec<_> = env::vars().collect();
            all.sort();
            all.iter().for_each(|(name, value)| println!("{name}={value}"));
            Ok(())
        }
        "exit" => process::exit(argument(1, "0").parse().expect("a status")),
        "panic" => panic!("as asked"),
        other => {
            eprintln!("probe_rust: no subcommand {other:?}: echo fs time random cat env exit panic");
            process::exit(64)
        }
    }
}
