//! HTML of strangers made safe by an allow-list. The contract is `include/carrel/html.h`.
use std::collections::HashSet;
use std::panic::catch_unwind;

use crate::buffer::carrel_buffer;

fn clean(html: &str) -> String {
    ammonia::Builder::default()
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(html)
        .to_string()
}

/// # Safety
/// `html` points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn carrel_html_clean(html: *const u8, size: usize, safe: &mut carrel_buffer) -> bool {
    let bytes = if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(html, size) } };
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match catch_unwind(|| clean(text)) {
        Ok(cleaned) => {
            safe.set(cleaned);
            true
        }
        Err(_) => false,
    }
}
