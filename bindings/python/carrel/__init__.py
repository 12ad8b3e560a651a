"""Calls hook points, at which your customers' Wasm modules run, in this process.

    import carrel

    app = carrel.open("shop/")                                    # a folder with carrel.toml
    discount = app.call("cart.discounts", {"total": 12.5}, tenant="shop/merchant-17")
    shipping = await app.call_async("cart.shipping", {"total": 12.5})

`carrel.webhook` verifies requests that Carrel sends to endpoints, and needs nothing of the rest.
"""

from carrel._app import App, Reply, open
from carrel._errors import Closed, Error, InputRefused, ModuleFailed, Refusal
from carrel._native import version as __version__

__all__ = ["App", "Closed", "Error", "InputRefused", "ModuleFailed", "Refusal", "Reply", "__version__", "open"]
