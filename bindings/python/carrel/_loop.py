"""How calls come back to an event loop: a file descriptor wakes it, and nothing else touches Python."""

import asyncio
import os
import threading
import weakref
from contextvars import Context

from carrel import _native
from carrel._functions import Function

Waiter = tuple["asyncio.Future[bytes]", Context]

_ports: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _native.Port]" = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def port_of(loop: asyncio.AbstractEventLoop) -> _native.Port:
    """Made at a loop's first call."""
    port = _ports.get(loop)
    if port is None:
        port = _native.Port()
        loop.add_reader(port.fileno(), _take, port)
        with _lock:
            _ports[loop] = port
    return port


def _take(port: _native.Port) -> None:
    loop = asyncio.get_running_loop()
    for (future, context), function, first, second in port.take():
        if isinstance(function, Function):
            function.start(loop, context, first, second)
        elif future.done():  # whoever waited was cancelled
            continue
        elif first is not None:
            future.set_exception(first)
        else:
            future.set_result(second)


def _after_fork() -> None:
    """The parent's descriptors wake the parent's loops."""
    global _lock
    _lock = threading.Lock()
    _ports.clear()


os.register_at_fork(after_in_child=_after_fork)
