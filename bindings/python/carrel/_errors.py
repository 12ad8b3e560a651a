"""What goes wrong, by code: docs/reference/errors.md lists them."""

from typing import Any

import orjson

from carrel import _native


class Error(Exception):
    """What libcarrel says: `code` is a stable name such as "not_found"; `help` says what to do, or is ""."""

    def __init__(self, code: str, message: str, help: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" ({self.help})" if self.help else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message, self.help, self.details)


class InputRefused(Error):
    """The input is not what the point takes: `details["problems"]` names the places. No module was asked."""


class ModuleFailed(Error):
    """A module did badly, and the point says that the call then fails: `binding` names whose it is."""

    @property
    def binding(self) -> str | None:
        return self.details.get("binding")


class Closed(Error):
    """The app was closed."""


class Refusal(Exception):
    """Raised by a function of the application: its text is a reason that the module's owner may see."""


_CLASSES: dict[str, type[Error]] = {"hook_input": InputRefused, "closed": Closed}


def _failure(code: str, message: str, help: str, details: str) -> Error:
    kind = _CLASSES.get(code)
    if kind is None:
        kind = ModuleFailed if code.startswith(("guest_", "hook_")) else Error
    return kind(code, message, help, orjson.loads(details))


_native.set_failure(_failure)
