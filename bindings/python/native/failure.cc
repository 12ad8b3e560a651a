#include "python.h"

namespace carrel::python {
namespace {

PyObject* maker = nullptr;

}  // namespace

PyObject* set_failure(PyObject*, PyObject* given) {
  Py_XDECREF(maker);
  maker = Py_NewRef(given);
  Py_RETURN_NONE;
}

Object failure_of(carrel_error* error) {
  Object made(PyObject_CallFunction(maker, "ssss", carrel_error_code(error),
                                    carrel_error_message(error), carrel_error_help(error),
                                    carrel_error_details(error, nullptr)));
  carrel_error_free(error);
  return made;
}

PyObject* raise(carrel_error* error) {
  const Object made = failure_of(error);
  if (made) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.get())), made.get());
  return nullptr;
}

}  // namespace carrel::python
