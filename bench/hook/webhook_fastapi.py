"""The rule of guest.c as a WebHook's receiver has it: FastAPI on uvicorn, one worker, no access log.

webhook_fastapi.py PORT
"""

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.post("/discount")
async def discount(cart: dict):
    items = sum("sku" in item for item in cart["items"][:12])
    return {**cart, "discount": items % 10}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
