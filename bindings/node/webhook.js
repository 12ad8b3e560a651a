// Verifies requests that Carrel sends to an endpoint, and any other that are signed as Standard Webhooks 1.0.0 has it.
//
//   const { BadSignature, Ids, Replayed, Verifier } = require('./webhook');
//   const verifier = new Verifier([process.env.CRM_KEY], { ids: new Ids() });
//
//   let id;
//   try {
//     id = verifier.verify(request.headers, body); // a Buffer: the bytes as they came, before anybody parses them
//   } catch (error) {
//     if (error instanceof Replayed) return response.writeHead(200).end(); // done already: it is sent at least once
//     if (error instanceof BadSignature) return response.writeHead(401).end();
//     throw error;
//   }
//   ...                                            // do what it says
//   verifier.done(id);
//
// Nothing but Node is needed.
'use strict';

const crypto = require('node:crypto');

const MOST_SIGNATURES = 16;
const NAMES = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/; // no '.', which ends it in what is signed
const SECONDS = /^[0-9]{1,12}$/;
const PUBLIC_KEY = Buffer.from('302a300506032b6570032100', 'hex'); // what stands before 32 bytes of Ed25519 in DER

/** The request is not from somebody who has the key, or not as it was sent, or not from now. */
class BadSignature extends Error {}

/** The request is good, but what it says has been done, so answer 2xx. */
class Replayed extends BadSignature {}

/** The ids of what was done lately, in memory: for a receiver of one process. */
class Ids {
  constructor(most = 100000) {
    this.most = most;
    this.done = new Set();
  }

  has(id) {
    return this.done.has(id);
  }

  add(id) {
    this.done.add(id);
    if (this.done.size > this.most) this.done.delete(this.done.values().next().value);
  }
}

// Node's own decoder takes anything.
function bytesOf(text) {
  const plain = text.replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(plain)) return null;
  const bytes = Buffer.from(plain, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : null;
}

function sharedKey(key) {
  return (signature, content) => {
    if (!signature.startsWith('v1,')) return false;
    const expected = crypto.createHmac('sha256', key).update(content).digest();
    const given = bytesOf(signature.slice(3));
    return given !== null && given.length === expected.length && crypto.timingSafeEqual(given, expected);
  };
}

function publicKey(bytes) {
  const key = crypto.createPublicKey({ key: Buffer.concat([PUBLIC_KEY, bytes]), format: 'der', type: 'spki' });
  return (signature, content) => {
    const given = signature.startsWith('v1a,') ? bytesOf(signature.slice(4)) : null;
    return given !== null && given.length === 64 && crypto.verify(null, content, key, given);
  };
}

function keyOf(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith('whsec_')) {
    const bytes = bytesOf(trimmed.slice(6));
    if (bytes === null || bytes.length < 24 || bytes.length > 64)
      throw new RangeError('a whsec_ key has 24 to 64 bytes, in base64');
    return sharedKey(bytes);
  }
  if (trimmed.startsWith('whpk_')) {
    const bytes = bytesOf(trimmed.slice(5));
    if (bytes === null || bytes.length !== 32) throw new RangeError('a whpk_ key has 32 bytes, in base64');
    return publicKey(bytes);
  }
  throw new RangeError('a key begins with whsec_ or whpk_');
}

function headersOf(headers) {
  const found = {};
  for (const [name, value] of Object.entries(headers)) {
    const lowered = name.toLowerCase();
    if (!NAMES.includes(lowered)) continue;
    if (lowered in found || typeof value !== 'string') throw new BadSignature(`${lowered} is there twice`);
    found[lowered] = value;
  }
  for (const name of NAMES) if (!(name in found)) throw new BadSignature(`${name} is missing`);
  return NAMES.map((name) => found[name]);
}

/**
 * `keys`: texts as they were agreed on, `whsec_...` (shared) or `whpk_...` (the sender's public key); while a key
 * changes, the new and the old one. The same for all requests.
 */
class Verifier {
  constructor(keys, { tolerance = 300, ids = null, clock = () => Date.now() / 1000 } = {}) {
    const all = typeof keys === 'string' ? [keys] : [...keys];
    if (all.length === 0) throw new RangeError('a verifier needs a key');
    this.keys = all.map(keyOf);
    this.tolerance = tolerance;
    this.ids = ids;
    this.clock = clock;
  }

  /** Returns the event's id. `headers`: as Node has them. `body`: a Buffer. */
  verify(headers, body) {
    if (!(body instanceof Uint8Array)) throw new TypeError('the body is needed as the bytes that were sent');
    const [id, seconds, given] = headersOf(headers);
    if (!ID.test(id)) throw new BadSignature('webhook-id is none');
    if (!SECONDS.test(seconds)) throw new BadSignature('webhook-timestamp is no number of seconds');
    if (Math.abs(this.clock() - Number(seconds)) > this.tolerance)
      throw new BadSignature('webhook-timestamp is too far from now');
    const signatures = given.split(' ');
    if (signatures.length > MOST_SIGNATURES) throw new BadSignature('webhook-signature has too many signatures');
    const content = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body]);
    // All of them, so that the time taken tells nothing of which fits.
    const fits = this.keys.flatMap((key) => signatures.map((signature) => key(signature, content)));
    if (!fits.includes(true)) throw new BadSignature('no signature fits');
    if (this.ids !== null && this.ids.has(id)) throw new Replayed(id);
    return id;
  }

  /** What the event of this id says is done: from now on it is `Replayed`. */
  done(id) {
    if (this.ids !== null) this.ids.add(id);
  }
}

module.exports = { BadSignature, Ids, Replayed, Verifier };
