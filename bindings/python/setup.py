"""The extension, against a libcarrel that was installed into carrel/_lib: tools/dev/bindings.sh does both.

CARREL_INCLUDE is where carrel/carrel.h is, CARREL_VERSION the package's version.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

native = Extension(
    "carrel._native",
    sources=sorted(map(str, Path("native").glob("*.cc"))),
    depends=sorted(map(str, Path("native").glob("*.h"))),
    include_dirs=[os.environ["CARREL_INCLUDE"]],
    extra_objects=["carrel/_lib/libcarrel.so.1"],
    extra_compile_args=["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
    extra_link_args=["-Wl,-rpath,$ORIGIN/_lib"],
    py_limited_api=True,
)
setup(version=os.environ["CARREL_VERSION"], ext_modules=[native], options={"bdist_wheel": {"py_limited_api": "cp311"}})
