"""Functions that the application provides, and in whose course points are called again."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any

import orjson

from carrel import _native
from carrel._errors import Refusal

_logger = logging.getLogger("carrel")


class _Underway:
    """A call of a function until it has answered: what it calls in turn counts as deeper."""

    def __init__(self, call: int) -> None:
        self.call = call


_underway: ContextVar[_Underway | None] = ContextVar("carrel", default=None)


def within() -> int:
    """The call of a function that this is part of; 0: none."""
    here = _underway.get()
    return here.call if here is not None else 0


class Function:
    """What the library calls, on the thread of whoever called the point; answers in any case."""

    def __init__(self, name: str, function: Callable[[Any], Any], timeout: float | None) -> None:
        if not callable(function):
            raise TypeError("a function is provided")
        self.name = name
        self._function = function
        self._timeout = timeout
        call = getattr(type(function), "__call__", None)  # noqa: B004
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
        self._tasks: set[asyncio.Future[None]] = set()

    def __call__(self, call: int, text: str) -> None:
        here = _Underway(call)
        token = _underway.set(here)
        try:
            if self._is_async:
                _need_no_loop()
                asyncio.run(self._run(call, text))
            else:
                _native.answer(call, orjson.dumps(self._function(orjson.loads(text))))
        except Exception as thrown:
            self._refuse(call, thrown)
        finally:
            here.call = 0
            _underway.reset(token)

    def start(self, loop: asyncio.AbstractEventLoop, context: Context, call: int, text: str) -> None:
        """On a loop, whose thread must not be held up: what is not async is run by the loop's executor."""
        context = context.copy()
        started: asyncio.Future[None]
        try:
            if self._is_async:
                started = loop.create_task(self._in_task(call, text), context=context)
            else:
                started = loop.run_in_executor(None, context.run, self, call, text)
        except RuntimeError as thrown:  # the executor, or the loop, is being shut down
            self._refuse(call, thrown)
            return
        self._tasks.add(started)  # or it might be collected
        started.add_done_callback(self._tasks.discard)

    async def _in_task(self, call: int, text: str) -> None:
        here = _Underway(call)
        _underway.set(here)  # of the task alone
        try:
            await self._run(call, text)
        except Exception as thrown:
            self._refuse(call, thrown)
        except BaseException:
            _native.refuse(call, "it was cancelled")
            raise
        finally:
            here.call = 0

    async def _run(self, call: int, text: str) -> None:
        running: Coroutine[Any, Any, Any] = self._function(orjson.loads(text))
        _native.answer(call, orjson.dumps(await asyncio.wait_for(running, self._timeout)))

    def _refuse(self, call: int, thrown: Exception) -> None:
        if isinstance(thrown, Refusal):
            _native.refuse(call, str(thrown).replace("\0", " ").encode("utf-8", "replace").decode())
            return
        # Its text may hold what is the application's alone.
        _native.refuse(call, f"it raised {type(thrown).__name__}")
        _logger.error("the function %s failed", self.name, exc_info=thrown)


def _need_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("an async function cannot run while App.call holds up its loop: await App.call_async")
