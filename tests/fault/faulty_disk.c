// A disk that fails on demand, for LD_PRELOAD: what the process does to files below
// FAULTY_DISK_FOLDER goes by the words in the file FAULTY_DISK_CONTROL, which the test changes
// while it runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kFiles = 65536 };

typedef struct {
  _Atomic int32_t sync_error;     // errno of fsync, fdatasync, sync_file_range; 0: none
  _Atomic int32_t write_error;    // errno of writes, and of making files and room
  _Atomic int32_t short_write;    // a write stops half way, once; then it is 0
  _Atomic int32_t after_short;    // write_error from then on
  _Atomic int32_t syncs, faults;  // counted
} Control;

static Control* control;
static char folder[PATH_MAX];
static atomic_bool ours[kFiles];

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("FAULTY_DISK_CONTROL"), *below = getenv("FAULTY_DISK_FOLDER");
  if (!file || !below || strlen(below) >= sizeof folder) return;
  strcpy(folder, below);
  const int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) control = at;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void* real(const char* name) { return dlsym(RTLD_NEXT, name); }

static int is_ours(int fd) { return control && fd >= 0 && fd < kFiles && ours[fd]; }

static int fault(int why) {
  atomic_fetch_add(&control->faults, 1);
  errno = why;
  return -1;
}

static int mark(int fd, int at, const char* path) {
  if (control && fd >= 0 && fd < kFiles) {
    ours[fd] = path[0] == '/' ? !strncmp(path, folder, strlen(folder)) : is_ours(at);
  }
  return fd;
}

static int refuses(int at, const char* path, int flags) {
  if (!control || !(flags & O_CREAT) || !control->write_error) return 0;
  return (path[0] == '/' ? !strncmp(path, folder, strlen(folder)) : is_ours(at)) &&
         access(path, F_OK) != 0;
}

static mode_t mode_of(int flags, va_list list) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPEN(name)                                                          \
  int name(const char* path, int flags, ...) {                              \
    va_list list;                                                           \
    va_start(list, flags);                                                  \
    const mode_t mode = mode_of(flags, list);                               \
    va_end(list);                                                           \
    if (refuses(AT_FDCWD, path, flags)) return fault(control->write_error); \
    return mark(REAL(name)(path, flags, mode), AT_FDCWD, path);             \
  }
#define OPENAT(name)                                                  \
  int name(int at, const char* path, int flags, ...) {                \
    va_list list;                                                     \
    va_start(list, flags);                                            \
    const mode_t mode = mode_of(flags, list);                         \
    va_end(list);                                                     \
    if (refuses(at, path, flags)) return fault(control->write_error); \
    return mark(REAL(name)(at, path, flags, mode), at, path);         \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  if (fd >= 0 && fd < kFiles) ours[fd] = 0;
  return REAL(close)(fd);
}

static int sync_fault(int fd) {
  if (!is_ours(fd)) return 0;
  atomic_fetch_add(&control->syncs, 1);
  return control->sync_error;
}

int fsync(int fd) {
  const int why = sync_fault(fd);
  return why ? fault(why) : REAL(fsync)(fd);
}
int fdatasync(int fd) {
  const int why = sync_fault(fd);
  return why ? fault(why) : REAL(fdatasync)(fd);
}
int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags) {
  const int why = sync_fault(fd);
  return why ? fault(why) : REAL(sync_file_range)(fd, offset, bytes, flags);
}

// How much of a write goes through; -1: none, with errno.
static ssize_t allowed(int fd, size_t size) {
  if (!is_ours(fd)) return (ssize_t)size;
  if (atomic_exchange(&control->short_write, 0)) {
    control->write_error = control->after_short;
    atomic_fetch_add(&control->faults, 1);
    return (ssize_t)(size / 2);
  }
  return control->write_error ? fault(control->write_error) : (ssize_t)size;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const ssize_t n = allowed(fd, size);
  return n < 0 ? n : REAL(write)(fd, bytes, (size_t)n);
}
#define PWRITE(name, offset_type)                                            \
  ssize_t name(int fd, const void* bytes, size_t size, offset_type offset) { \
    const ssize_t n = allowed(fd, size);                                     \
    return n < 0 ? n : REAL(name)(fd, bytes, (size_t)n, offset);             \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, offset_type)                                                 \
  ssize_t name(int fd, const struct iovec* parts, int count, offset_type offset) { \
    if (is_ours(fd) && control->write_error) return fault(control->write_error);   \
    return REAL(name)(fd, parts, count, offset);                                   \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (is_ours(fd) && control->write_error) return fault(control->write_error);
  return REAL(writev)(fd, parts, count);
}

#define FALLOCATE(name, offset_type)                                             \
  int name(int fd, int mode, offset_type offset, offset_type size) {             \
    if (is_ours(fd) && control->write_error) return fault(control->write_error); \
    return REAL(name)(fd, mode, offset, size);                                   \
  }
FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)
