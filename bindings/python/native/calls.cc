#include "calls.h"

#include <cstdint>

namespace carrel::python {
namespace {

// Texts live as long as the arguments.
struct Asked {
  carrel_handle handle = 0;
  const char *point = nullptr, *input = nullptr;
  Py_ssize_t size = 0;
  carrel_call_options options = CARREL_CALL_OPTIONS;
};

const char* text_of(PyObject* object, Py_ssize_t* size) {
  if (PyBytes_Check(object)) {
    char* bytes = nullptr;
    return PyBytes_AsStringAndSize(object, &bytes, size) == 0 ? bytes : nullptr;
  }
  return PyUnicode_AsUTF8AndSize(object, size);
}

// A text that must end at its end.
const char* name_of(PyObject* object) {
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr || text[size] != 0) return nullptr;
  for (Py_ssize_t i = 0; i < size; ++i) {
    if (text[i] != 0) continue;
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return nullptr;
  }
  return text;
}

bool read(PyObject* const* arguments, Py_ssize_t count, Py_ssize_t wanted, Asked& asked) {
  if (count != wanted) {
    PyErr_SetString(PyExc_TypeError, "wrong number of arguments");
    return false;
  }
  asked.handle = PyLong_AsUnsignedLongLong(arguments[0]);
  if (asked.handle == ~carrel_handle{0} && PyErr_Occurred()) return false;
  asked.point = name_of(arguments[1]);
  if (asked.point == nullptr) return false;
  asked.input = text_of(arguments[2], &asked.size);
  if (asked.input == nullptr) return false;
  if (arguments[3] != Py_None) {
    asked.options.tenant = name_of(arguments[3]);
    if (asked.options.tenant == nullptr) return false;
  }
  asked.options.timeout_ms = static_cast<std::uint32_t>(PyLong_AsUnsignedLong(arguments[4]));
  asked.options.within = PyLong_AsUnsignedLongLong(arguments[5]);
  return PyErr_Occurred() == nullptr;
}

PyObject* bytes_of(const char* text, size_t size) {
  return PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(size));
}

PyObject* output_of(carrel_reply* reply, long how) {
  size_t size = 0;
  const char* const text = carrel_reply_output(reply, &size);
  Object output(bytes_of(text, size));
  if (how == 0 || !output) return output.release();
  const char* const details = carrel_reply_details(reply, &size);
  const Object more(bytes_of(details, size));
  return more ? PyTuple_Pack(2, output.get(), more.get()) : nullptr;
}

void done(void* user, carrel_error* error, carrel_reply* reply) {
  Item item;
  item.done.reset(static_cast<Caller*>(user));
  item.error = error;
  item.reply = reply;
  const auto port = item.done->port;
  port->post(std::move(item));
}

}  // namespace

PyObject* call(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  Asked asked;
  if (!read(arguments, count, 7, asked)) return nullptr;
  const long how = PyLong_AsLong(arguments[6]);
  Caller caller;
  asked.options.context = &caller;
  carrel_reply* reply = nullptr;
  caller.state = PyEval_SaveThread();
  carrel_error* const error = carrel_call(asked.handle, asked.point, asked.input,
                                          static_cast<size_t>(asked.size), &asked.options, &reply);
  PyEval_RestoreThread(caller.state);
  let_go();
  tell_lines();
  if (caller.raised) {
    carrel_error_free(error);
    carrel_reply_free(reply);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(caller.raised.get())), caller.raised.get());
    return nullptr;
  }
  if (error != nullptr) return raise(error);
  PyObject* const output = output_of(reply, how);
  carrel_reply_free(reply);
  return output;
}

PyObject* call_async(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  Asked asked;
  if (!read(arguments, count, 8, asked)) return nullptr;
  let_go();
  auto caller = std::make_unique<Caller>();
  caller->port = port_of(arguments[6]);
  caller->waiter = Py_NewRef(arguments[7]);
  asked.options.context = caller.get();
  carrel_error* const error =
      carrel_call_async(asked.handle, asked.point, asked.input, static_cast<size_t>(asked.size),
                        &asked.options, done, caller.get());
  if (error != nullptr) return raise(error);
  (void)caller.release();
  Py_RETURN_NONE;
}

}  // namespace carrel::python
