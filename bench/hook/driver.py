"""What the hook benchmark measures from Python.

driver.py FOLDER POINT INPUT COUNT: lines "p50 X" of `call` with a dict in and out, "raw X" of `call_raw`, "async X" of
`call_async`, one after another: in microseconds. A fifth of COUNT comes first and is not measured.
"""

import asyncio
import json
import statistics
import sys
import time

import carrel

folder, point, file, count = *sys.argv[1:4], int(sys.argv[4])
with open(file, "rb") as opened:
    text = opened.read()
cart = json.loads(text)
app = carrel.open(folder)


def measure(name, once):
    took = []
    for _ in range(count + count // 5):
        begin = time.perf_counter_ns()
        once()
        took.append(time.perf_counter_ns() - begin)
    print(name, statistics.median(took[count // 5 :]) / 1000)


async def awaited():
    took = []
    for _ in range(count // 5):
        begin = time.perf_counter_ns()
        await app.call_async(point, cart)
        took.append(time.perf_counter_ns() - begin)
    print("async", statistics.median(took[count // 25 :]) / 1000)


assert app.call(point, cart)["discount"] == 2
measure("p50", lambda: app.call(point, cart))
measure("raw", lambda: app.call_raw(point, text))
asyncio.run(awaited())
