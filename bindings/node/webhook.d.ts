/** The request is not from somebody who has the key, or not as it was sent, or not from now. */
export class BadSignature extends Error {}
/** The request is good, but what it says has been done, so answer 2xx. */
export class Replayed extends BadSignature {}

/** Ids of what was done; best kept where what the events say is done. */
export interface IdStore {
  has(id: string): boolean;
  add(id: string): void;
}
/** In memory: for a receiver of one process. */
export class Ids implements IdStore {
  constructor(most?: number);
  has(id: string): boolean;
  add(id: string): void;
}

export interface VerifierOptions {
  /** Seconds that a request may be old, or ahead; 300. */
  tolerance?: number;
  ids?: IdStore | null;
  /** Seconds since 1970. */
  clock?: () => number;
}
export class Verifier {
  constructor(keys: string | Iterable<string>, options?: VerifierOptions);
  /** Returns the event's id. */
  verify(headers: Record<string, string | string[] | undefined>, body: Uint8Array): string;
  /** What the event of this id says is done: from now on it is `Replayed`. */
  done(id: string): void;
}
