//! Answers HTTP requests as a component of wasi:http/proxy.

use std::env;
use std::io::{self, Read, Write};

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Hello;
wasip2::http::proxy::export!(Hello);

impl Guest for Hello {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let greeting = env::var("GREETING").unwrap_or("Hello".into());
        let who = match request.method() {
            Method::Post => read_body(&request).expect("the request has its whole body"),
            _ => query_value(&request.path_with_query().unwrap_or_default(), "name").unwrap_or("world".into()),
        };
        // An error: nobody waits for the response any more.
        let _ = reply(response_out, &format!("{greeting}, {}!\n", who.trim()));
    }
}

fn read_body(request: &IncomingRequest) -> io::Result<String> {
    let body = request.consume().expect("taken once");
    let mut text = String::new();
    body.stream().expect("taken once").read_to_string(&mut text)?;
    Ok(text)
}

fn reply(response_out: ResponseOutparam, text: &str) -> io::Result<()> {
    let headers = [("content-type".into(), b"text/plain; charset=utf-8".to_vec())];
    let response = OutgoingResponse::new(Fields::from_list(&headers).expect("well-formed"));
    let body = response.body().expect("taken once");
    ResponseOutparam::set(response_out, Ok(response));
    let mut stream = body.write().expect("taken once");
    stream.write_all(text.as_bytes())?;
    Write::flush(&mut stream)?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(io::Error::other)
}

/// The decoded value of `key` in the query of a path.
fn query_value(path: &str, key: &str) -> Option<String> {
    let (_, query) = path.split_once('?')?;
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
