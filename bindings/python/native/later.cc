#include <pthread.h>

#include <atomic>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "python.h"

namespace carrel::python {
namespace {

constexpr std::size_t kMostLines = 4096;

// What waits for the GIL. Never destroyed: the library's threads outlive static objects.
struct Waiting {
  std::mutex mutex;
  std::atomic<bool> objects_there = false, lines_there = false;
  std::vector<PyObject*> objects;
  std::vector<std::pair<PyObject*, std::string>> lines;
};
Waiting* waiting = nullptr;

Waiting& here() {
  static const bool made = [] {
    waiting = new Waiting;
    // Another thread may have held the mutex, so the child begins anew; what waited is the
    // parent's.
    pthread_atfork(nullptr, nullptr, [] { waiting = new Waiting; });
    return true;
  }();
  (void)made;
  return *waiting;
}

}  // namespace

void let_go_later(PyObject* object) {
  Waiting& all = here();
  const std::lock_guard lock(all.mutex);
  all.objects.push_back(object);
  all.objects_there = true;
}

void let_go() {
  Waiting& all = here();
  if (!all.objects_there.load(std::memory_order_relaxed)) return;
  std::vector<PyObject*> objects;
  {
    const std::lock_guard lock(all.mutex);
    objects.swap(all.objects);
    all.objects_there = false;
  }
  for (PyObject* const object : objects) Py_DECREF(object);
}

void log_line(void* callable, const char* line, size_t size) {
  Waiting& all = here();
  const std::lock_guard lock(all.mutex);
  if (all.lines.size() >= kMostLines) return;
  all.lines.emplace_back(static_cast<PyObject*>(callable), std::string(line, size));
  all.lines_there = true;
}

void tell_lines() {
  Waiting& all = here();
  if (!all.lines_there.load(std::memory_order_relaxed)) return;
  std::vector<std::pair<PyObject*, std::string>> lines;
  {
    const std::lock_guard lock(all.mutex);
    lines.swap(all.lines);
    all.lines_there = false;
  }
  for (const auto& [callable, line] : lines) {
    const Object told(
        PyObject_CallFunction(callable, "s#", line.data(), static_cast<Py_ssize_t>(line.size())));
    if (!told) PyErr_WriteUnraisable(callable);
  }
}

}  // namespace carrel::python
