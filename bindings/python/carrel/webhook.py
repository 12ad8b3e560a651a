"""Verifies requests that Carrel sends to an endpoint, and any other that are signed as Standard Webhooks 1.0.0 has it.

    from carrel.webhook import BadSignature, Ids, Replayed, Verifier

    verifier = Verifier([os.environ["CRM_KEY"]], ids=Ids())

    try:
        id = verifier.verify(request.headers, body)  # the bytes as they came, before anybody parses them
    except Replayed:
        return 200                                   # it is done already: an event is sent at least once
    except BadSignature:
        return 401
    ...                                              # do what it says
    verifier.done(id)

Nothing but the standard library is needed. Shared keys only (`whsec_`): the standard library has no Ed25519.
"""

import base64
import binascii
import collections
import hashlib
import hmac
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

__all__ = ["BadSignature", "Ids", "Replayed", "Verifier"]

_MOST_SIGNATURES = 16
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")  # no '.', which ends it in what is signed
_SECONDS = re.compile(r"[0-9]{1,12}")


class BadSignature(Exception):
    """The request is not from somebody who has the key, or not as it was sent, or not from now."""


class Replayed(BadSignature):
    """The request is good, but what it says has been done, so answer 2xx."""


class IdStore(Protocol):
    """What `Ids` is, for those who keep ids elsewhere."""

    def __contains__(self, name: str, /) -> bool: ...
    def add(self, name: str, /) -> None: ...


class Ids:
    """The ids of what was done lately, in memory: for a receiver of one process. Thread-safe.

    Another one has the same `in` and `add` and keeps the ids in a database, best in the transaction that does what the
    event says.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._done: collections.OrderedDict[str, None] = collections.OrderedDict()

    def __contains__(self, name: object) -> bool:
        with self._lock:
            return name in self._done

    def add(self, name: str) -> None:
        with self._lock:
            self._done[name] = None
            if len(self._done) > self._most:
                self._done.popitem(last=False)


class Verifier:
    """`keys`: texts as they were agreed on, `whsec_...`; while a key changes, the new and the old one. `tolerance`:
    seconds that a request may be old, or ahead. `ids`: an `Ids`, or None when the receiver sees itself what it has
    done. Thread-safe, and the same for all requests."""

    def __init__(
        self,
        keys: str | Iterable[str],
        tolerance: float = 300,
        ids: IdStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        keys = [keys] if isinstance(keys, str) else list(keys)
        if not keys:
            raise ValueError("a verifier needs a key")
        self._keys = [_key(text) for text in keys]
        self._tolerance = tolerance
        self._ids = ids
        self._clock = clock

    def verify(self, headers: Mapping[str, str], body: bytes | bytearray | memoryview) -> str:
        """Returns the event's id. `headers`: a mapping, names in any case. `body`: bytes."""
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError("the body is needed as the bytes that were sent")
        found = _headers(headers)
        name, seconds, signatures = (found[each] for each in _NAMES)
        if not _ID.fullmatch(name):
            raise BadSignature("webhook-id is none")
        if not _SECONDS.fullmatch(seconds):
            raise BadSignature("webhook-timestamp is no number of seconds")
        if abs(self._clock() - int(seconds)) > self._tolerance:
            raise BadSignature("webhook-timestamp is too far from now")
        content = f"{name}.{seconds}.".encode() + bytes(body)
        given = signatures.split(" ")
        if len(given) > _MOST_SIGNATURES:
            raise BadSignature("webhook-signature has too many signatures")
        # All of them, so that the time taken tells nothing of which fits.
        fits = [key(signature, content) for key in self._keys for signature in given]
        if not any(fits):
            raise BadSignature("no signature fits")
        if self._ids is not None and name in self._ids:
            raise Replayed(name)
        return name

    def done(self, name: str) -> None:
        """What the event of this id says is done: from now on it is `Replayed`."""
        if self._ids is not None:
            self._ids.add(name)


_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in _NAMES:
            if lowered in found:
                raise BadSignature(f"{lowered} is there twice")
            found[lowered] = value
    for name in _NAMES:
        if not isinstance(found.get(name), str):
            raise BadSignature(f"{name} is missing")
    return found


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _key(text: str) -> Callable[[str, bytes], bool]:
    text = text.strip()
    if text.startswith("whsec_"):
        key = _bytes(text[6:])
        if key is None or not 24 <= len(key) <= 64:
            raise ValueError("a whsec_ key has 24 to 64 bytes, in base64")
        shared = key
        return lambda signature, content: _shared(shared, signature, content)
    raise ValueError("a key begins with whsec_")


def _shared(key: bytes, signature: str, content: bytes) -> bool:
    if not signature.startswith("v1,"):
        return False
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256))
    return hmac.compare_digest(signature[3:].encode("utf-8", "replace"), expected)
