"""An application that was opened: its points, and what it provides to the modules there."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from carrel import _native
from carrel._errors import Error
from carrel._functions import Function, within
from carrel._loop import port_of

_F = TypeVar("_F", bound=Callable[[Any], Any])
_TEXT, _BOTH = 0, 1
_logger = logging.getLogger("carrel")


@dataclass(frozen=True)
class Reply:
    """What a point answered, and what came of each module."""

    text: bytes
    runs: list[dict[str, Any]]

    @property
    def output(self) -> Any:
        return orjson.loads(self.text)


def open(
    folder: str | os.PathLike[str],
    *,
    log: Callable[[dict[str, Any]], None] | None = None,
    cache: str | None = None,
    compiler: str | None = None,
    token: str | None = None,
    app: str | None = None,
) -> "App":
    """Opens a folder with carrel.toml; takes as long as its modules take to compile, once. Or a local server's socket,
    "unix:/path": with `token`, or the one in the file that CARREL_TOKEN_FILE names, and `app`, the app's host name,
    where the server has several with hook points.

    `log` is given what modules write to their standard error, and why they failed: {"event", "tenant", "module",
    "call", "text"}; without it, the logger "carrel" is. `cache` and `compiler` are for the whole process.
    """
    return App(folder, log=log, cache=cache, compiler=compiler, token=token, app=app)


def _log(line: dict[str, Any]) -> None:
    level = logging.INFO if line["event"] == "guest_log" else logging.WARNING
    _logger.log(level, "%s %s: %s", line.get("module", "app"), line["event"], line["text"])


def _text_of(input: Any) -> bytes:
    if isinstance(input, bytes):
        return input
    if isinstance(input, (bytearray, memoryview)):
        return bytes(input)
    return orjson.dumps(input)


def _place(folder: str | os.PathLike[str]) -> str:
    """A folder wherever the process goes later; the socket of a server ("unix:/path") as it is."""
    place = os.fspath(folder)
    return place if place.startswith("unix:") else os.path.abspath(place)


def _millis(seconds: float | None) -> int:
    if seconds is None:
        return 0
    return min(max(1, round(seconds * 1000)), 2**32 - 1)


class App:
    """Thread-safe. After a fork, the child's first call reads the folder again."""

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        log: Callable[[dict[str, Any]], None] | None = None,
        cache: str | None = None,
        compiler: str | None = None,
        token: str | None = None,
        app: str | None = None,
    ) -> None:
        tell = log or _log
        self._opening = (_place(folder), cache, compiler, token, app, lambda line: tell(orjson.loads(line)))
        self._lock = threading.Lock()
        self._provided: list[tuple[Any, ...]] = []
        self._handle = _native.open(*self._opening)
        self._process = _process
        self._closed = False

    def call(self, point: str, input: Any = None, *, tenant: str | None = None, timeout: float | None = None) -> Any:
        """Asks the modules at `point`, on this thread, and returns their answer as JSON means it.

        `input` is whatever orjson takes; bytes are JSON already. `tenant`: whose modules are asked, with those of
        tenants above it; all without it. `timeout` shortens the point's deadline, in seconds.
        """
        return orjson.loads(self._call(point, _text_of(input), tenant, timeout, _TEXT))

    def call_raw(
        self, point: str, input: bytes | str, *, tenant: str | None = None, timeout: float | None = None
    ) -> bytes:
        """The same from JSON text to JSON text."""
        return self._call(point, input, tenant, timeout, _TEXT)  # type: ignore[no-any-return]

    def ask(self, point: str, input: Any = None, *, tenant: str | None = None, timeout: float | None = None) -> Reply:
        """The same with what came of each module."""
        text, details = self._call(point, _text_of(input), tenant, timeout, _BOTH)
        return Reply(text, orjson.loads(details)["runs"])

    async def call_async(
        self, point: str, input: Any = None, *, tenant: str | None = None, timeout: float | None = None
    ) -> Any:
        """`call` without holding up the loop: the modules run on threads of the library."""
        return orjson.loads(await self._call_async(point, _text_of(input), tenant, timeout))

    async def call_raw_async(
        self, point: str, input: bytes | str, *, tenant: str | None = None, timeout: float | None = None
    ) -> bytes:
        return await self._call_async(point, input, tenant, timeout)

    def emit(self, point: str, event: Any, *, tenant: str | None = None) -> dict[str, Any]:
        """Tells a point of kind "event", at a server's socket, and returns when it is on the server's disk:
        {"id", "deliveries"}. `event` is whatever orjson takes, or a CloudEvent as JSON; `tenant` as for `call`."""
        told: dict[str, Any] = orjson.loads(_native.emit(self._here(), point, _text_of(event), tenant))
        return told

    async def emit_async(self, point: str, event: Any, *, tenant: str | None = None) -> dict[str, Any]:
        """`emit` on a thread of the loop's executor."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, lambda: self.emit(point, event, tenant=tenant))

    def provide(
        self,
        name: str,
        *,
        schema: dict[str, Any] | bool | None = None,
        timeout: float | None = None,
        rate: int | None = None,
    ) -> Callable[[_F], _F]:
        """A decorator: modules of points that say functions = ["NAME"] call the function as /app/NAME.

        It is given JSON, checked against `schema`, and returns JSON. A plain one runs on the thread that calls the
        point, or in the loop's executor below call_async; an async one on the loop. `timeout`, in seconds, is for one
        call; `rate` is calls a second of each binding (1,000). What it raises fails the module's call; a `Refusal` says
        why.
        """

        def provide(function: _F) -> _F:
            text = None if schema is None else orjson.dumps(schema).decode()
            wanted = (name, text, Function(name, function, timeout), _millis(timeout), rate or 0)
            handle = self._here()
            with self._lock:
                _native.provide(handle, *wanted)
                self._provided.append(wanted)
            return function

        return provide

    def points(self) -> list[dict[str, Any]]:
        """What there is: [{"point", "combine", "bindings": [{"name", "tenant"}]}]."""
        points: list[dict[str, Any]] = orjson.loads(_native.points(self._here()))["points"]
        return points

    def drain(self, timeout: float) -> None:
        """Refuses new calls and waits for those in progress: Error "late" when they take longer."""
        _native.drain(self._here(), _millis(timeout))

    def close(self) -> None:
        """Calls in progress run to their end. Closed twice is closed."""
        self._closed = True
        try:
            _native.close(self._handle)
        except Error as error:
            if error.code not in ("closed", "reopen"):
                raise

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, point: str, text: str | bytes, tenant: str | None, timeout: float | None, how: int) -> Any:
        handle = self._handle if self._process is _process else self._here()
        millis = 0 if timeout is None else _millis(timeout)
        return _native.call(handle, point, text, tenant, millis, within(), how)

    async def _call_async(self, point: str, text: str | bytes, tenant: str | None, timeout: float | None) -> bytes:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        waiter = (future, copy_context())
        _native.call_async(self._here(), point, text, tenant, _millis(timeout), within(), port_of(loop), waiter)
        return await future

    def _here(self) -> int:
        """The handle; in a child that was forked a new one, with what was provided."""
        if self._process is _process or self._closed:
            return self._handle
        with _forked:
            if self._process is not _process:
                self._lock = threading.Lock()
                handle = _native.open(*self._opening)
                for wanted in self._provided:
                    _native.provide(handle, *wanted)
                self._handle, self._process = handle, _process
        return self._handle


_process = object()  # another one in each process
_forked = threading.Lock()


def _after_fork() -> None:
    global _process, _forked
    _process = object()
    _forked = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
