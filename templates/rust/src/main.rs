//! Answers HTTP as a CGI program does: the request is in the environment and on standard input, the
//! answer goes to standard output as header lines, an empty line and the body.

use std::{env, io};

fn variable(name: &str, otherwise: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.into())
}

/// The decoded value of `key` in a query string.
fn query_value(query: &str, key: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, digits.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn main() -> io::Result<()> {
    let who = if variable("REQUEST_METHOD", "GET") == "POST" {
        io::read_to_string(io::stdin())?.trim().to_string()
    } else {
        query_value(&variable("QUERY_STRING", ""), "name").unwrap_or("world".into())
    };
    print!("Content-Type: text/plain; charset=utf-8\n\n");
    println!("{}, {who}!", variable("GREETING", "Hello"));
    Ok(())
}
