// Functions that the application provides.
#include <pthread.h>
#include <unistd.h>

#include "calls.h"

namespace carrel::python {
namespace {

// Python ends a thread that wants the GIL when the process is ending, which must not unwind the
// library's frames: the thread stays here instead.
void park(void*) {
  for (;;) ::pause();
}

// On the thread of the caller, who is inside of carrel_call.
void run_here(Caller& caller, const Function& function, carrel_function_call call,
              const char* input, size_t size) {
  PyEval_RestoreThread(caller.state);
  const Object done(PyObject_CallFunction(function.callable, "Ks#",
                                          static_cast<unsigned long long>(call), input,
                                          static_cast<Py_ssize_t>(size)));
  if (!done) {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != nullptr) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    caller.raised.reset(value);
  }
  caller.state = PyEval_SaveThread();
}

void call_function(void* user, carrel_function_call call, const char* input, size_t size) {
  const auto& function = *static_cast<std::shared_ptr<Function>*>(user);
  auto* const caller = static_cast<Caller*>(carrel_context(call));
  if (caller == nullptr) {
    carrel_refuse(call, "nobody waits for it");
  } else if (caller->port) {
    Item item;
    item.waiter = caller->waiter;
    item.function = function;
    item.call = call;
    item.input.assign(input, size);
    caller->port->post(std::move(item));
  } else {
    pthread_cleanup_push(park, nullptr);
    run_here(*caller, *function, call, input, size);
    pthread_cleanup_pop(0);
    if (caller->raised) carrel_refuse(call, "it was interrupted");
  }
}

void release_function(void* user) { delete static_cast<std::shared_ptr<Function>*>(user); }

}  // namespace

// provide(handle, name, schema or None, callable, timeout_ms, rate)
PyObject* provide(PyObject*, PyObject* arguments) {
  unsigned long long handle = 0;
  const char *name = nullptr, *schema = nullptr;
  PyObject* callable = nullptr;
  unsigned timeout = 0, rate = 0;
  if (!PyArg_ParseTuple(arguments, "KszOII", &handle, &name, &schema, &callable, &timeout, &rate))
    return nullptr;
  carrel_function_options options = CARREL_FUNCTION_OPTIONS;
  options.timeout_ms = timeout;
  options.rate = rate;
  options.release = release_function;
  auto function = std::make_unique<std::shared_ptr<Function>>(std::make_shared<Function>(callable));
  carrel_error* const error =
      carrel_provide(handle, name, schema, call_function, function.get(), &options);
  if (error != nullptr) return raise(error);
  (void)function.release();
  Py_RETURN_NONE;
}

// answer(call, text): whether somebody waited.
PyObject* answer(PyObject*, PyObject* arguments) {
  unsigned long long call = 0;
  const char* text = nullptr;
  Py_ssize_t size = 0;
  if (!PyArg_ParseTuple(arguments, "Ky#", &call, &text, &size)) return nullptr;
  return PyBool_FromLong(carrel_answer(call, text, static_cast<size_t>(size)));
}

// refuse(call, reason): whether somebody waited.
PyObject* refuse(PyObject*, PyObject* arguments) {
  unsigned long long call = 0;
  const char* reason = nullptr;
  if (!PyArg_ParseTuple(arguments, "Ks", &call, &reason)) return nullptr;
  return PyBool_FromLong(carrel_refuse(call, reason));
}

}  // namespace carrel::python
