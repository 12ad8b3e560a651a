// What the module's functions are; module.cc has the table.
#pragma once

#include "port.h"

namespace carrel::python {

// call(handle, point, input, tenant or None, timeout_ms, within, how): how is 0 for the output, 1
// for (output, details), in bytes.
PyObject* call(PyObject*, PyObject* const* arguments, Py_ssize_t count);
// call_async(handle, point, input, tenant or None, timeout_ms, within, port, waiter)
PyObject* call_async(PyObject*, PyObject* const* arguments, Py_ssize_t count);

PyObject* provide(PyObject*, PyObject* arguments);
PyObject* answer(PyObject*, PyObject* arguments);
PyObject* refuse(PyObject*, PyObject* arguments);

}  // namespace carrel::python
