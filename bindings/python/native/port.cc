#include "port.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace carrel::python {

std::shared_ptr<Port> Port::make() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd >= 0) return std::make_shared<Port>(fd);
  PyErr_SetFromErrno(PyExc_OSError);
  return nullptr;
}

Port::~Port() { ::close(fd_); }

void Port::post(Item item) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  items_.push_back(std::move(item));
  if (items_.size() > 1) return;  // the loop knows already
  const std::uint64_t one = 1;
  (void)!::write(fd_, &one, sizeof one);
}

std::deque<Item> Port::take() {
  std::deque<Item> items;
  const std::lock_guard lock(mutex_);
  std::uint64_t count;
  (void)!::read(fd_, &count, sizeof count);
  items.swap(items_);
  return items;
}

void Port::close() {
  std::deque<Item> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(items_);
}

namespace {

struct PortObject {
  PyObject ob_base;
  std::shared_ptr<Port>* port;
};

PortObject* self_of(PyObject* object) { return reinterpret_cast<PortObject*>(object); }

PyObject* make_object(PyTypeObject* type, PyObject*, PyObject*) {
  auto port = Port::make();
  if (!port) return nullptr;
  const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
  PyObject* const object = allocate(type, 0);
  if (object != nullptr) self_of(object)->port = new std::shared_ptr<Port>(std::move(port));
  return object;
}

void drop_object(PyObject* object) {
  PyTypeObject* const type = Py_TYPE(object);
  if (auto* const port = self_of(object)->port) {
    (*port)->close();
    delete port;
  }
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

PyObject* fileno_of(PyObject* self, PyObject*) {
  return PyLong_FromLong((*self_of(self)->port)->fd());
}

PyObject* none_or(PyObject* object) { return object != nullptr ? object : Py_None; }

// One of take's tuples.
PyObject* tuple_of(Item& item) {
  if (item.function) {
    return Py_BuildValue("(OOKs#)", item.waiter, item.function->callable,
                         static_cast<unsigned long long>(item.call), item.input.data(),
                         static_cast<Py_ssize_t>(item.input.size()));
  }
  Object error, output;
  if (item.error != nullptr) {
    error = failure_of(std::exchange(item.error, nullptr));
    if (!error) return nullptr;
  } else {
    size_t size = 0;
    const char* const text = carrel_reply_output(item.reply, &size);
    output.reset(PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(size)));
    if (!output) return nullptr;
  }
  return Py_BuildValue("(OOOO)", item.done->waiter, Py_None, none_or(error.get()),
                       none_or(output.get()));
}

PyObject* take_items(PyObject* self, PyObject*) {
  let_go();
  auto items = (*self_of(self)->port)->take();
  tell_lines();
  Object list(PyList_New(0));
  for (Item& item : items) {
    if (!list) break;
    const Object tuple(tuple_of(item));
    if (!tuple || PyList_Append(list.get(), tuple.get()) != 0) list.reset();
  }
  return list.release();
}

PyMethodDef methods[] = {
    {"fileno", fileno_of, METH_NOARGS, nullptr}, {"take", take_items, METH_NOARGS, nullptr}, {}};
PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(make_object)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(drop_object)},
                       {Py_tp_methods, methods},
                       {}};
PyType_Spec spec = {"carrel._native.Port", sizeof(PortObject), 0, Py_TPFLAGS_DEFAULT, slots};

}  // namespace

PyObject* make_port_type() { return PyType_FromSpec(&spec); }

std::shared_ptr<Port> port_of(PyObject* object) { return *self_of(object)->port; }

}  // namespace carrel::python
