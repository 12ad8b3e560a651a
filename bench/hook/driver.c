/* What the hook benchmark measures from C, through libcarrel's header, and through Extism's
 * library.
 *
 *   hook_bench carrel FOLDER POINT INPUT COUNT     lines "p50 X" and "p99 X", in microseconds
 *   hook_bench extism LIBRARY PLUGIN INPUT COUNT   a new plugin for each call, of a compiled one
 *   hook_bench reused LIBRARY PLUGIN INPUT COUNT   one plugin, called again and again
 * A fifth of COUNT comes first and is not measured. INPUT is a file. */
#include <carrel/carrel.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char input[1 << 20];
static size_t input_size;

static void die(const char* what, const char* more) {
  fprintf(stderr, "%s: %s\n", what, more);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char* contents(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) die(path, "cannot be read");
  char* bytes = malloc(32 << 20);
  *size = fread(bytes, 1, 32 << 20, file);
  fclose(file);
  return bytes;
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void measure(void (*once)(void), int count) {
  for (int i = 0; i < count / 5; ++i) once();
  double* took = malloc((size_t)count * sizeof *took);
  for (int i = 0; i < count; ++i) {
    const double begin = now();
    once();
    took[i] = now() - begin;
  }
  qsort(took, (size_t)count, sizeof *took, by_value);
  printf("p50 %.3f\np99 %.3f\n", took[count / 2], took[(int)(count * 0.99)]);
}

static carrel_handle app;
static const char* point;

static void need(carrel_error* error) {
  if (error != NULL) die(carrel_error_code(error), carrel_error_message(error));
}

static void call_carrel(void) {
  carrel_reply* reply;
  need(carrel_call(app, point, input, input_size, NULL, &reply));
  size_t size;
  carrel_reply_output(reply, &size);
  if (size < 2) die("carrel", "no answer");
  carrel_reply_free(reply);
}

static void add(void* user, carrel_function_call call, const char* text, size_t size) {
  (void)user, (void)text, (void)size;
  carrel_answer(call, "3", 1);
}

static void* (*plugin_new)(const void*, void**);
static int (*plugin_call)(void*, const char*, const uint8_t*, uint64_t);
static uint64_t (*output_length)(void*);
static void (*plugin_free)(void*);
static void *compiled, *plugin;

static void call_plugin(void) {
  if (plugin_call(plugin, "run", (const uint8_t*)input, input_size) != 0)
    die("extism", "the call failed");
  if (output_length(plugin) < 2) die("extism", "no answer");
}

static void call_fresh(void) {
  void* error = NULL;
  plugin = plugin_new(compiled, &error);
  if (plugin == NULL) die("extism", error);
  call_plugin();
  plugin_free(plugin);
}

static void* symbol(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found == NULL) die(name, "is not in the library");
  return found;
}

static void open_extism(const char* path, const char* file) {
  void* library = dlopen(path, RTLD_NOW);
  if (library == NULL) die(path, dlerror());
  void* (*compile)(const uint8_t*, uint64_t, const void*, uint64_t, uint8_t, void**);
  *(void**)&compile = symbol(library, "extism_compiled_plugin_new");
  *(void**)&plugin_new = symbol(library, "extism_plugin_new_from_compiled");
  *(void**)&plugin_call = symbol(library, "extism_plugin_call");
  *(void**)&output_length = symbol(library, "extism_plugin_output_length");
  *(void**)&plugin_free = symbol(library, "extism_plugin_free");
  size_t size;
  char* wasm = contents(file, &size);
  void* error = NULL;
  compiled = compile((const uint8_t*)wasm, size, NULL, 0, 0, &error);
  if (compiled == NULL) die("extism", error);
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int count = atoi(argv[5]);
  char* bytes = contents(argv[4], &input_size);
  if (input_size > sizeof input) return 2;
  memcpy(input, bytes, input_size);
  if (strcmp(argv[1], "carrel") == 0) {
    point = argv[3];
    need(carrel_open(argv[2], NULL, &app));
    carrel_function_options options = CARREL_FUNCTION_OPTIONS;
    options.rate = 100000000;
    need(carrel_provide(app, "add", NULL, add, NULL, &options));
    measure(call_carrel, count);
    need(carrel_close(app));
    return 0;
  }
  open_extism(argv[2], argv[3]);
  if (strcmp(argv[1], "extism") == 0) {
    measure(call_fresh, count);
  } else {
    void* error = NULL;
    plugin = plugin_new(compiled, &error);
    if (plugin == NULL) die("extism", error);
    measure(call_plugin, count);
  }
  return 0;
}
