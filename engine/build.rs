//! Copies the C headers of `wasmtime-c-api-impl`, its generated `conf.h` included, to `OUT_DIR/include`,
//! so that the C++ side is compiled against exactly the headers this archive was built from.
use std::{env, fs, io, path::Path};

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let include = env::var("DEP_WASMTIME_C_API_INCLUDE").expect("wasmtime-c-api-impl exports its headers");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("include");
    copy_tree(Path::new(&include), &out).expect("headers can be copied");
}
