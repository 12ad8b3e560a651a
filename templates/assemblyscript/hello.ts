// Answers HTTP as a CGI program does: the request is in the environment and on standard input, the
// answer goes to standard output as header lines, an empty line and the body.

import { print, readInput, variable } from "./wasi";

/** The decoded value of `key` in a query string, or null. */
function queryValue(query: string, key: string): string | null {
  const pairs = query.split("&");
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].startsWith(key + "=")) {
      return decode(pairs[i].substring(key.length + 1));
    }
  }
  return null;
}

function hexDigit(byte: u8): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function decode(text: string): string {
  const from = Uint8Array.wrap(String.UTF8.encode(text.replaceAll("+", " ")));
  const bytes = new Uint8Array(from.length);
  let n = 0;
  for (let i = 0; i < from.length; i++) {
    let byte = from[i];
    if (byte == 0x25 && i + 2 < from.length) {
      const high = hexDigit(from[i + 1]);
      const low = hexDigit(from[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = <u8>(high * 16 + low);
        i += 2;
      }
    }
    bytes[n++] = byte;
  }
  return String.UTF8.decode(bytes.buffer.slice(0, n));
}

export function _start(): void {
  let who: string | null;
  if (variable("REQUEST_METHOD") == "POST") {
    who = readInput().trim();
  } else {
    who = queryValue(variable("QUERY_STRING"), "name");
  }
  const greeting = variable("GREETING");
  print("Content-Type: text/plain; charset=utf-8\n\n");
  print(`${greeting != "" ? greeting : "Hello"}, ${who != null ? who : "world"}!\n`);
}
