// Files: reading what the host mounts, and a long check of how a writable folder behaves.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

static char folder[256];

// The path of `name` in the folder under test; up to four at a time.
static const char *in_folder(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ & 3];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static int complain(const char *path) {
  printf("%s: %s\n", path, strerror(errno));
  return 1;
}

static int cat(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/event/body");
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return complain(path);
  static char buffer[16384];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, (size_t)n, stdout);
  if (n < 0) return complain(path);
  close(fd);
  return 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/");
  DIR *directory = opendir(path);
  if (!directory) return complain(path);
  static char *names[100000];
  size_t n = 0;
  struct dirent *entry;
  while (n < 100000 && (entry = readdir(directory))) {
    char line[300];
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    snprintf(line, sizeof line, "%s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
    names[n++] = strdup(line);
  }
  closedir(directory);
  qsort(names, n, sizeof *names, compare_names);
  for (size_t i = 0; i < n; i++) printf("%s\n", names[i]);
  return 0;
}

static int status_of(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/");
  struct stat status;
  if (stat(path, &status)) return complain(path);
  printf("%s %lld\n", S_ISDIR(status.st_mode) ? "folder" : S_ISREG(status.st_mode) ? "file" : "other",
         (long long)status.st_size);
  return 0;
}

static int write_text(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/tmp/probe");
  const char *text = text_argument(arguments, 1, "text");
  const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
  if (fd < 0) return complain(path);
  if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) return complain(path);
  if (close(fd)) return complain(path);
  printf("wrote %zu bytes\n", strlen(text));
  return 0;
}

static int makes_folder(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/tmp/folder");
  return mkdir(path, 0777) ? complain(path) : (printf("made\n"), 0);
}

static int removes(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/tmp/probe");
  return unlink(path) ? complain(path) : (printf("removed\n"), 0);
}

static int renames(Arguments arguments) {
  const char *path = text_argument(arguments, 0, "/tmp/a");
  return rename(path, text_argument(arguments, 1, "/tmp/b")) ? complain(path) : (printf("renamed\n"), 0);
}

// --- fs: the long check -----------------------------------------------------------------------

static off_t size_of(const char *path) {
  struct stat status;
  return stat(path, &status) ? -1 : status.st_size;
}

static void check_content(const char *path, const char *wanted) {
  char content[128] = "";
  char what[256];
  const int fd = open(path, O_RDONLY);
  const ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof content - 1);
  if (fd >= 0) close(fd);
  snprintf(what, sizeof what, "%s holds \"%s\", found \"%s\"", path, wanted, content);
  check(n == (ssize_t)strlen(wanted) && !memcmp(content, wanted, (size_t)n), what);
}

static void check_open(void) {
  check_errno(open(in_folder("missing"), O_RDONLY), ENOENT, "open what is not there");
  check_errno(open(in_folder("missing/deeper"), O_CREAT | O_WRONLY, 0666), ENOENT,
              "create in a folder that is not there");
  int fd = open(in_folder("a"), O_CREAT | O_EXCL | O_RDWR, 0666);
  check(fd >= 0, "create");
  check(write(fd, "hello world", 11) == 11, "write");
  check(close(fd) == 0, "close");
  check_errno(close(fd), EBADF, "close twice");
  check_errno(write(fd, "x", 1), EBADF, "write to what is closed");
  check_errno(open(in_folder("a"), O_CREAT | O_EXCL | O_WRONLY, 0666), EEXIST, "create anew");
  check_errno(open(in_folder("a/b"), O_RDONLY), ENOTDIR, "a file as a folder");
  check_errno(open(in_folder("a"), O_RDONLY | O_DIRECTORY), ENOTDIR, "a file with O_DIRECTORY");
  check_content(in_folder("a"), "hello world");
  fd = open(in_folder("a"), O_RDONLY);
  check(write(fd, "x", 1) == -1 && (errno == EBADF || errno == ENOTCAPABLE),
        "write to what was opened for reading");
  close(fd);
  fd = open(in_folder("a"), O_WRONLY);
  char byte;
  check(read(fd, &byte, 1) == -1 && (errno == EBADF || errno == ENOTCAPABLE),
        "read from what was opened for writing");
  close(fd);
  fd = open(in_folder("a"), O_WRONLY | O_TRUNC);
  check(fd >= 0 && size_of(in_folder("a")) == 0, "O_TRUNC empties");
  close(fd);
}

static void check_positions(void) {
  char buffer[32] = "";
  const int fd = open(in_folder("a"), O_RDWR);
  check(write(fd, "0123456789", 10) == 10, "write ten");
  check(lseek(fd, 0, SEEK_CUR) == 10, "the position is behind what was written");
  check(lseek(fd, -4, SEEK_END) == 6, "seek from the end");
  check(read(fd, buffer, 32) == 4 && !memcmp(buffer, "6789", 4), "read what is left");
  check(read(fd, buffer, 32) == 0, "read at the end");
  check_errno(lseek(fd, -1, SEEK_SET), EINVAL, "seek before the start");
  check(lseek(fd, 0, SEEK_CUR) == 10, "a refused seek moves nothing");
  check(pread(fd, buffer, 3, 2) == 3 && !memcmp(buffer, "234", 3), "pread");
  check(pwrite(fd, "XY", 2, 4) == 2, "pwrite");
  check(lseek(fd, 0, SEEK_CUR) == 10, "pread and pwrite leave the position");
  check_content(in_folder("a"), "0123XY6789");
  check(lseek(fd, 12, SEEK_SET) == 12, "seek behind the end");
  check(size_of(in_folder("a")) == 10, "a seek makes no file longer");
  check(write(fd, "Z", 1) == 1, "write behind the end");
  check(pread(fd, buffer, 32, 0) == 13 && buffer[10] == 0 && buffer[11] == 0 && buffer[12] == 'Z',
        "the gap reads as zeros");
  check(ftruncate(fd, 3) == 0 && size_of(in_folder("a")) == 3, "make shorter");
  check(ftruncate(fd, 5) == 0 && size_of(in_folder("a")) == 5, "make longer");
  check(pread(fd, buffer, 32, 0) == 5 && !memcmp(buffer, "012\0\0", 5), "longer by zeros");
  check_errno(ftruncate(fd, -1), EINVAL, "a size below zero");
  struct stat status;
  check(fstat(fd, &status) == 0 && status.st_size == 5 && S_ISREG(status.st_mode), "fstat");
  close(fd);
}

static void check_append(void) {
  const int fd = open(in_folder("log"), O_CREAT | O_WRONLY | O_APPEND, 0666);
  check(write(fd, "one ", 4) == 4 && lseek(fd, 0, SEEK_SET) == 0 && write(fd, "two", 3) == 3,
        "append");
  close(fd);
  check_content(in_folder("log"), "one two");
  check(unlink(in_folder("log")) == 0, "remove");
  check_errno(unlink(in_folder("log")), ENOENT, "remove what is not there");
}

static void check_two_descriptors(void) {
  char buffer[8] = "";
  const int a = open(in_folder("a"), O_RDWR | O_TRUNC), b = open(in_folder("a"), O_RDONLY);
  check(a != b, "two descriptors of one file differ");
  check(write(a, "shared", 6) == 6, "write to the one");
  check(read(b, buffer, 8) == 6 && !memcmp(buffer, "shared", 6), "read from the other");
  check(unlink(in_folder("a")) == 0, "remove while it is open");
  check(pread(b, buffer, 8, 0) == 6, "an open file outlives its name");
  check_errno(open(in_folder("a"), O_RDONLY), ENOENT, "its name is gone");
  close(a);
  close(b);
}

static void check_folders(void) {
  check(mkdir(in_folder("d"), 0777) == 0, "make a folder");
  check_errno(mkdir(in_folder("d"), 0777), EEXIST, "make it twice");
  check_errno(mkdir(in_folder("x/y"), 0777), ENOENT, "make one in nothing");
  check_errno(open(in_folder("d"), O_WRONLY), EISDIR, "open a folder for writing");
  const int fd = open(in_folder("d/f"), O_CREAT | O_WRONLY, 0666);
  check(fd >= 0 && close(fd) == 0, "create in it");
  check_errno(rmdir(in_folder("d")), ENOTEMPTY, "remove it with a file in it");
  check(unlink(in_folder("d")) == -1 && (errno == EISDIR || errno == EPERM), "unlink a folder");
  check_errno(rmdir(in_folder("d/f")), ENOTDIR, "rmdir a file");
  DIR *directory = opendir(in_folder("d"));
  int found = 0, others = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, "f")) found++;
    else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) others++;
  }
  if (directory) closedir(directory);
  check(found == 1 && others == 0, "the folder lists its file");
  check(unlink(in_folder("d/f")) == 0 && rmdir(in_folder("d")) == 0, "remove both");
  check_errno(rmdir(in_folder("d")), ENOENT, "remove it twice");
}

static void check_many_entries(void) {
  char name[64];
  check(mkdir(in_folder("many"), 0777) == 0, "make a folder for many");
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "many/a-rather-long-file-name-%d", i);
    const int fd = open(in_folder(name), O_CREAT | O_WRONLY, 0666);
    if (fd >= 0) close(fd);
  }
  DIR *directory = opendir(in_folder("many"));
  int count = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));) count += entry->d_name[0] != '.';
  if (directory) closedir(directory);
  check(count == 500, "a long folder is listed once each");
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "many/a-rather-long-file-name-%d", i);
    unlink(in_folder(name));
  }
  check(rmdir(in_folder("many")) == 0, "and is empty after their removal");
}

static void make(const char *name, const char *text) {
  const int fd = open(in_folder(name), O_CREAT | O_TRUNC | O_WRONLY, 0666);
  check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0, name);
}

static void check_renames(void) {
  make("from", "text");
  make("to", "other");
  check(rename(in_folder("from"), in_folder("to")) == 0, "rename over a file");
  check_content(in_folder("to"), "text");
  check_errno(open(in_folder("from"), O_RDONLY), ENOENT, "the old name is gone");
  check_errno(rename(in_folder("from"), in_folder("to")), ENOENT, "rename what is not there");
  check(rename(in_folder("to"), in_folder("to")) == 0, "rename to itself");
  check(unlink(in_folder("to")) == 0, "remove it");
}

static void check_paths(void) {
  make("p", "text");
  check_content(in_folder("./p"), "text");
  check_content(in_folder(".//p"), "text");
  check(mkdir(in_folder("q"), 0777) == 0, "a folder to go up from");
  check_content(in_folder("q/../p"), "text");
  check_errno(open(in_folder("p/"), O_RDONLY), ENOTDIR, "a file with a slash behind it");
  char path[5000];
  memset(path, 'n', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  memcpy(path, folder, strlen(folder));
  path[strlen(folder)] = '/';
  check(open(path, O_CREAT | O_WRONLY, 0666) == -1 && (errno == ENAMETOOLONG || errno == EINVAL),
        "a name of 5,000 characters");
  check(rmdir(in_folder("q")) == 0 && unlink(in_folder("p")) == 0, "remove both");
  check(open("/../../../etc/passwd", O_RDONLY) == -1, "a way out");
  check(open(in_folder("../../../../etc/passwd"), O_RDONLY) == -1, "another way out");
}

static int filesystem(Arguments arguments) {
  snprintf(folder, sizeof folder, "%s", text_argument(arguments, 0, "/tmp"));
  check_open();
  check_positions();
  check_append();
  check_two_descriptors();
  check_folders();
  check_many_entries();
  check_renames();
  check_paths();
  return checked();
}

// A folder that must not be written to.
static int read_only(Arguments arguments) {
  snprintf(folder, sizeof folder, "%s", text_argument(arguments, 0, "/assets"));
  const char *file = text_argument(arguments, 1, "file");
#define check_refused(result, what)                                                              \
  check((result) == -1 && (errno == EROFS || errno == ENOTCAPABLE || errno == EACCES || errno == EPERM), \
        what)
  check_refused(open(in_folder("new"), O_CREAT | O_WRONLY, 0666), "create");
  check_refused(open(in_folder(file), O_WRONLY), "open for writing");
  check_refused(open(in_folder(file), O_RDONLY | O_TRUNC), "empty");
  check_refused(mkdir(in_folder("folder"), 0777), "make a folder");
  check_refused(unlink(in_folder(file)), "remove");
  check_refused(rename(in_folder(file), in_folder("other")), "rename");
  const int fd = open(in_folder(file), O_RDONLY);
  check(fd >= 0, "open for reading");
  char byte;
  check(read(fd, &byte, 1) >= 0, "read");
  close(fd);
  return checked();
}

const Command kFileCommands[] = {
    {"cat", "[FILE]: its content", cat},
    {"ls", "[DIR]: its names, sorted", list},
    {"stat", "[PATH]: kind and size", status_of},
    {"write", "[FILE [TEXT]]: writes it", write_text},
    {"mkdir", "[DIR]", makes_folder},
    {"unlink", "[FILE]", removes},
    {"rename", "[FROM [TO]]", renames},
    {"fs", "[DIR]: a long check of a writable folder", filesystem},
    {"readonly", "[DIR [FILE]]: a folder that must not be written to", read_only},
    {NULL, NULL, NULL},
};
