// The stable ABI of CPython 3.11, so that one build serves every later one.
#pragma once

#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <carrel/carrel.h>

#include <memory>

namespace carrel::python {

struct Drop {
  void operator()(PyObject* object) const { Py_DECREF(object); }
};
// A reference of ours. Thread: with the GIL.
using Object = std::unique_ptr<PyObject, Drop>;

// References that threads without the GIL give up: the next `let_go` drops them.
void let_go_later(PyObject* object);  // any thread
void let_go();                        // with the GIL

// Lines of modules' logs wait here until a thread has the GIL: at the end of each call at the
// latest, and as many as there is room for.
void log_line(void* callable, const char* line, size_t size);  // any thread
void tell_lines();                                             // with the GIL

// The exception for `error`, which is freed; null: another exception is set.
Object failure_of(carrel_error* error);
// Sets it. Always null.
PyObject* raise(carrel_error* error);
// What makes exceptions: called with code, message, help and details.
PyObject* set_failure(PyObject* module, PyObject* maker);

}  // namespace carrel::python
