//! The request as CGI gives it (environment), and the reply as CGI wants it (standard output).

use std::env;

/// A variable of the request, or of the module's `config`; empty if it is not set.
pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// A parameter of the route. Under a prefix route, which has none, the last segment of the path.
pub fn route_parameter(name: &str) -> String {
    let value = variable(&format!("CARREL_PARAM_{}", name.to_uppercase()));
    if !value.is_empty() {
        return value;
    }
    variable("PATH_INFO").rsplit('/').next().unwrap_or_default().to_string()
}

/// The decoded value of `key` in the query string.
pub fn query(key: &str) -> Option<String> {
    variable("QUERY_STRING")
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                i += 2;
            }
            None if bytes[i] == b'+' => out.push(b' '),
            None => out.push(bytes[i]),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub fn reply(status: u16, content_type: &str, body: &str) {
    print!("Status: {status}\nContent-Type: {content_type}\n\n{body}\n");
}

/// Problem details (RFC 9457).
pub fn problem(status: u16, title: &str, detail: &str) {
    let body = serde_json::json!({
        "type": "about:blank", "title": title, "status": status, "detail": detail,
    });
    reply(status, "application/problem+json", &body.to_string());
}
