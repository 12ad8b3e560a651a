// carrel._native: libcarrel's functions for the package's Python, and nothing for anybody else.
#include "calls.h"

namespace carrel::python {
namespace {

// open(folder, cache, compiler, token, app, log): the handle; the texts may be None. `log` is kept
// for ever, since lines of calls in progress may come after the handle was closed.
PyObject* open(PyObject*, PyObject* arguments) {
  PyObject* folder = nullptr;
  carrel_open_options options = CARREL_OPEN_OPTIONS;
  PyObject* log = nullptr;
  if (!PyArg_ParseTuple(arguments, "O&zzzzO", PyUnicode_FSConverter, &folder, &options.cache,
                        &options.compiler, &options.token, &options.app, &log))
    return nullptr;
  const Object path(folder);
  options.log = log_line;
  options.log_user = Py_NewRef(log);
  carrel_handle handle = 0;
  PyThreadState* const state = PyEval_SaveThread();
  carrel_error* const error = carrel_open(PyBytes_AsString(folder), &options, &handle);
  PyEval_RestoreThread(state);
  tell_lines();
  if (error != nullptr) return raise(error);
  return PyLong_FromUnsignedLongLong(handle);
}

PyObject* close(PyObject*, PyObject* handle) {
  const carrel_handle number = PyLong_AsUnsignedLongLong(handle);
  if (PyErr_Occurred()) return nullptr;
  carrel_error* const error = carrel_close(number);
  let_go();
  if (error != nullptr) return raise(error);
  Py_RETURN_NONE;
}

// drain(handle, timeout_ms)
PyObject* drain(PyObject*, PyObject* arguments) {
  unsigned long long handle = 0;
  unsigned timeout = 0;
  if (!PyArg_ParseTuple(arguments, "KI", &handle, &timeout)) return nullptr;
  PyThreadState* const state = PyEval_SaveThread();
  carrel_error* const error = carrel_drain(handle, timeout);
  PyEval_RestoreThread(state);
  if (error != nullptr) return raise(error);
  Py_RETURN_NONE;
}

// points(handle): JSON.
PyObject* points(PyObject*, PyObject* handle) {
  const carrel_handle number = PyLong_AsUnsignedLongLong(handle);
  if (PyErr_Occurred()) return nullptr;
  carrel_reply* reply = nullptr;
  if (carrel_error* const error = carrel_points(number, &reply)) return raise(error);
  size_t size = 0;
  const char* const text = carrel_reply_output(reply, &size);
  PyObject* const output = PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(size));
  carrel_reply_free(reply);
  return output;
}

// emit(handle, point, event, tenant or None): JSON.
PyObject* emit(PyObject*, PyObject* arguments) {
  unsigned long long handle = 0;
  const char *point = nullptr, *event = nullptr;
  Py_ssize_t size = 0;
  carrel_call_options options = CARREL_CALL_OPTIONS;
  if (!PyArg_ParseTuple(arguments, "Kss#z", &handle, &point, &event, &size, &options.tenant))
    return nullptr;
  carrel_reply* reply = nullptr;
  PyThreadState* const state = PyEval_SaveThread();
  carrel_error* const error =
      carrel_emit(handle, point, event, static_cast<size_t>(size), &options, &reply);
  PyEval_RestoreThread(state);
  tell_lines();
  if (error != nullptr) return raise(error);
  size_t told = 0;
  const char* const text = carrel_reply_output(reply, &told);
  PyObject* const output = PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(told));
  carrel_reply_free(reply);
  return output;
}

PyMethodDef functions[] = {
    {"set_failure", set_failure, METH_O, nullptr},
    {"open", open, METH_VARARGS, nullptr},
    {"close", close, METH_O, nullptr},
    {"drain", drain, METH_VARARGS, nullptr},
    {"points", points, METH_O, nullptr},
    {"emit", emit, METH_VARARGS, nullptr},
    {"call", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(call)), METH_FASTCALL, nullptr},
    {"call_async", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(call_async)),
     METH_FASTCALL, nullptr},
    {"provide", provide, METH_VARARGS, nullptr},
    {"answer", answer, METH_VARARGS, nullptr},
    {"refuse", refuse, METH_VARARGS, nullptr},
    {}};

int fill(PyObject* module) {
  // Objects wait for any thread with the GIL, so there is one interpreter.
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
    PyErr_SetString(PyExc_ImportError, "carrel works in the main interpreter only");
    return -1;
  }
  if (carrel_abi() != CARREL_ABI) {
    PyErr_SetString(PyExc_ImportError, "libcarrel is of another ABI than this package");
    return -1;
  }
  const Object type(make_port_type());
  if (!type || PyModule_AddObjectRef(module, "Port", type.get()) != 0) return -1;
  return PyModule_AddStringConstant(module, "version", carrel_version());
}

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void*>(fill)}, {}};
PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "carrel._native",
                          nullptr,
                          0,
                          functions,
                          slots,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace
}  // namespace carrel::python

PyMODINIT_FUNC PyInit__native() { return PyModuleDef_Init(&carrel::python::definition); }
