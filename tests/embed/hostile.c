/* hostile CASE FOLDER: what an application must not do to libcarrel, and what it may expect if it
 * does. Prints what it saw; exits 0 if it was as the header says. */
#include <carrel/carrel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* folder;
static carrel_handle app;

#define EXPECT(what)                                            \
  do {                                                          \
    if (!(what)) {                                              \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
      exit(1);                                                  \
    }                                                           \
  } while (0)

/* The error's code, which is "" for none; the error is freed. */
static const char* code_of(carrel_error* error) {
  static _Thread_local char code[64];
  snprintf(code, sizeof code, "%s", error != NULL ? carrel_error_code(error) : "");
  carrel_error_free(error);
  return code;
}
#define IS(error, code) EXPECT(strcmp(code_of(error), code) == 0)

static carrel_error* call(carrel_handle handle, const char* point, const char* input, char* output,
                          size_t room) {
  carrel_reply* reply;
  carrel_error* error = carrel_call(handle, point, input, strlen(input), NULL, &reply);
  if (output != NULL)
    snprintf(output, room, "%s", error == NULL ? carrel_reply_output(reply, NULL) : "");
  EXPECT((error == NULL) == (reply != NULL));
  carrel_reply_free(reply);
  return error;
}

static void open_app(void) { IS(carrel_open(folder, NULL, &app), ""); }

static void handles(void) {
  carrel_handle other = 77;
  IS(carrel_open("/nowhere/at/all", NULL, &other), "not_found");
  EXPECT(other == 0);
  IS(call(0, "echo", "{}", NULL, 0), "closed");
  IS(call(12345, "echo", "{}", NULL, 0), "closed");
  IS(call(~0ULL, "echo", "{}", NULL, 0), "closed");
  IS(carrel_close(0), "closed");
  open_app();
  IS(call(app, "echo", "{}", NULL, 0), "");
  IS(carrel_close(app), "");
  IS(carrel_close(app), "closed");
  IS(carrel_close(app), "closed");
  IS(call(app, "echo", "{}", NULL, 0), "closed");
  IS(carrel_drain(app, 10), "closed");
  carrel_handle again;
  IS(carrel_open(folder, NULL, &again), "");
  EXPECT(again != app);
  IS(call(app, "echo", "{}", NULL, 0), "closed");
  IS(call(again, "echo", "{}", NULL, 0), "");
  carrel_error_free(NULL);
  carrel_reply_free(NULL);
}

static void arguments(void) {
  carrel_reply* reply = (carrel_reply*)1;
  IS(carrel_open(NULL, NULL, &app), "invalid_argument");
  IS(carrel_open(folder, NULL, NULL), "invalid_argument");
  IS(carrel_open("unix:/nowhere", NULL, &app), "unavailable");
  IS(carrel_open("unix:", NULL, &app), "unavailable");
  open_app();
  IS(carrel_call(app, NULL, "{}", 2, NULL, &reply), "invalid_argument");
  EXPECT(reply == NULL);
  IS(carrel_call(app, "echo", NULL, 2, NULL, &reply), "invalid_argument");
  IS(carrel_call(app, "echo", "{}", 2, NULL, NULL), "invalid_argument");
  IS(carrel_call(app, "echo", NULL, 0, NULL, &reply), "hook_input");
  IS(call(app, "no.such", "{}", NULL, 0), "not_found");
  IS(call(app, "echo", "{\"a\":1,\"a\":2}", NULL, 0), "hook_input");
  IS(call(app, "echo", "\xff", NULL, 0), "hook_input");
  IS(call(app, "echo", "[1", NULL, 0), "hook_input");
  carrel_call_options options = CARREL_CALL_OPTIONS;
  options.tenant = "someone-else";
  IS(carrel_call(app, "echo", "{}", 2, &options, &reply), "invalid_argument");
  options.tenant = "../..";
  IS(carrel_call(app, "echo", "{}", 2, &options, &reply), "invalid_argument");
  options.tenant = "shop/merchant-17";
  IS(carrel_call(app, "echo", "{}", 2, &options, &reply), "");
  carrel_reply_free(reply);
  options.tenant = NULL;
  options.within = 99;
  IS(carrel_call(app, "echo", "{}", 2, &options, &reply), "invalid_argument");
  /* a caller of another time: it knows less, or more, of a structure */
  const size_t small = sizeof(size_t);
  IS(carrel_call(app, "echo", "{}", 2, (const carrel_call_options*)&small, &reply), "");
  carrel_reply_free(reply);
  struct {
    carrel_call_options known;
    char more[64];
  } large = {CARREL_CALL_OPTIONS, {1, 2, 3}};
  large.known.size = sizeof large;
  IS(carrel_call(app, "echo", "{}", 2, &large.known, &reply), "");
  carrel_reply_free(reply);
  carrel_open_options opening = CARREL_OPEN_OPTIONS;
  opening.cache = "/another/place";
  carrel_handle other;
  IS(carrel_open(folder, &opening, &other), "invalid_argument");
  EXPECT(carrel_answer(0, "1", 1) == 0 && carrel_answer(12345, "1", 1) == 0 &&
         carrel_refuse(7, NULL) == 0);
}

static void* close_it(void* unused) {
  (void)unused;
  IS(carrel_close(app), "");
  return NULL;
}

static void* hammer(void* unused) {
  (void)unused;
  for (int i = 0; i < 2000; ++i) {
    const char* code = code_of(call(app, "echo", "{\"total\":1}", NULL, 0));
    EXPECT(strcmp(code, "") == 0 || strcmp(code, "closed") == 0);
  }
  return NULL;
}

/* Closed by one thread while eight call. */
static void threads(void) {
  for (int round = 0; round < 5; ++round) {
    open_app();
    pthread_t calling[8], closing;
    for (int i = 0; i < 8; ++i) pthread_create(&calling[i], NULL, hammer, NULL);
    usleep(2000);
    pthread_create(&closing, NULL, close_it, NULL);
    pthread_join(closing, NULL);
    for (int i = 0; i < 8; ++i) pthread_join(calling[i], NULL);
    IS(carrel_close(app), "closed");
  }
}

static void* call_for_long(void* unused) {
  (void)unused;
  const char* code = code_of(call(app, "sleep", "{}", NULL, 0));
  EXPECT(strcmp(code, "hook_late") == 0 || strcmp(code, "guest_timeout") == 0);
  return NULL;
}

static void drain(void) {
  open_app();
  pthread_t thread;
  pthread_create(&thread, NULL, call_for_long, NULL);
  usleep(100000);
  IS(carrel_drain(app, 20), "late");
  IS(call(app, "echo", "{}", NULL, 0), "closed");
  IS(carrel_drain(app, 5000), "");
  pthread_join(thread, NULL);
  IS(carrel_close(app), "");
}

/* The child starts anew; the parent goes on. A thread that calls at the moment of the fork does no
 * harm. */
static void forks(void) {
  open_app();
  pthread_t busy;
  pthread_create(&busy, NULL, hammer, NULL);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(30);
      IS(call(app, "echo", "{}", NULL, 0), "reopen");
      IS(carrel_close(app), "reopen");
      carrel_handle own;
      IS(carrel_open(folder, NULL, &own), "");
      IS(call(own, "echo", "{}", NULL, 0), "");
      IS(carrel_close(own), "");
      exit(0);
    }
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child);
    if (status != 0) printf("the child ended with status %x\n", status);
    EXPECT(status == 0);
    IS(call(app, "echo", "{}", NULL, 0), "");
  }
  pthread_join(busy, NULL);
  IS(carrel_close(app), "");
}

static void* for_ever(void* unused) {
  (void)unused;
  for (;;) code_of(call(app, "echo", "{\"total\":1}", NULL, 0));
  return NULL;
}

static void ignore(void* user, carrel_error* error, carrel_reply* reply) {
  (void)user;
  carrel_error_free(error);
  carrel_reply_free(reply);
}

/* main returns while calls are in flight, of its threads and of the library's. */
static void leave(void) {
  open_app();
  pthread_t thread;
  for (int i = 0; i < 4; ++i) pthread_create(&thread, NULL, for_ever, NULL);
  pthread_create(&thread, NULL, call_for_long, NULL);
  for (int i = 0; i < 200; ++i) IS(carrel_call_async(app, "echo", "{}", 2, NULL, ignore, NULL), "");
  usleep(20000);
}

/* ---- functions of the application ---- */

static carrel_function_call kept;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* context; /* of the last call of price */
static void price(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user;
  context = carrel_context(call);
  EXPECT(strlen(input) == size);
  EXPECT(carrel_answer(call, "{\"price\": 12}", 13) == 1);
  EXPECT(carrel_answer(call, "{}", 2) == 0);
}
static void garbage(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  carrel_answer(call, "{oh no", 6);
}
static void huge(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  const size_t much = 2 << 20;
  char* text = malloc(much);
  memset(text, ' ', much);
  text[0] = '1';
  carrel_answer(call, text, much);
  free(text);
}
static void refusing(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  carrel_refuse(call, "not today");
}
static void hangs(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  pthread_mutex_lock(&mutex);
  kept = call;
  pthread_mutex_unlock(&mutex);
}
static void* answer_later(void* call) {
  usleep(20000);
  EXPECT(carrel_answer(*(carrel_function_call*)call, "{\"later\": true}", 15) == 1);
  free(call);
  return NULL;
}
static void later(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  carrel_function_call* copy = malloc(sizeof *copy);
  *copy = call;
  pthread_t thread;
  pthread_create(&thread, NULL, answer_later, copy);
  pthread_detach(thread);
}
static int deepest;
static void again(void* user, carrel_function_call function, const char* input, size_t size) {
  (void)user, (void)input, (void)size;
  ++deepest;
  IS(carrel_drain(app, 10), "would_deadlock");
  char output[256];
  carrel_error* error = call(app, "ask-again", "{}", output, sizeof output);
  if (error != NULL) {
    EXPECT(strcmp(carrel_error_code(error), "too_deep") == 0);
    carrel_error_free(error);
    snprintf(output, sizeof output, "{\"deep\": true}");
  }
  carrel_answer(function, output, strlen(output));
}

static int released;
static void release(void* user) { released += *(int*)user; }
static char log_text[1 << 14];
static void keep_log(void* user, const char* line, size_t size) {
  (void)user;
  EXPECT(strlen(line) == size);
  if (strlen(log_text) + size + 2 < sizeof log_text) strcat(strcat(log_text, line), "\n");
}

static void provide(const char* name, carrel_function function, unsigned timeout_ms) {
  carrel_function_options options = CARREL_FUNCTION_OPTIONS;
  options.timeout_ms = timeout_ms;
  IS(carrel_provide(app, name, NULL, function, NULL, &options), "");
}

static void functions(void) {
  carrel_open_options opening = CARREL_OPEN_OPTIONS;
  opening.log = keep_log;
  IS(carrel_open(folder, &opening, &app), "");
  char output[256];
  /* ENOENT (44) until it is provided, and for what the point does not let its modules call */
  IS(call(app, "ask-price", "{}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"errno\": 44}") == 0);
  static int one = 1;
  carrel_function_options options = CARREL_FUNCTION_OPTIONS;
  options.release = release;
  options.rate = 5;
  IS(carrel_provide(app, "price", "{\"type\": \"object\", \"required\": [\"sku\"]}", price, &one,
                    &options),
     "");
  IS(carrel_provide(app, "price", NULL, price, &one, &options), "already_exists");
  IS(carrel_provide(app, "No/Name", NULL, price, &one, &options), "invalid_argument");
  IS(carrel_provide(app, "other", "{\"type\": 7}", price, &one, &options), "invalid_config");
  IS(carrel_provide(app, "other", NULL, NULL, &one, &options), "invalid_argument");
  EXPECT(released == 0);
  IS(call(app, "ask-price", "{\"sku\": \"x\"}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"price\": 12}") == 0);
  IS(call(app, "ask-price", "{}", output, sizeof output),
     ""); /* EIO (29): not what the schema says */
  EXPECT(strcmp(output, "{\"errno\": 29}") == 0 && strstr(log_text, "sku") != NULL);
  for (int i = 0; i < 8; ++i)
    IS(call(app, "ask-price", "{\"sku\": \"x\"}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"errno\": 19}") == 0); /* EDQUOT: over its rate */
  provide("hidden", price, 0);
  IS(call(app, "ask-hidden", "{}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"errno\": 44}") == 0);

  carrel_call_options options_of_call = CARREL_CALL_OPTIONS;
  options_of_call.context = &one;
  carrel_reply* reply;
  EXPECT(context == NULL && carrel_context(0) == NULL);
  usleep(300000); /* the rate */
  IS(carrel_call(app, "ask-price", "{\"sku\": \"x\"}", 12, &options_of_call, &reply), "");
  carrel_reply_free(reply);
  EXPECT(context == &one);

  provide("garbage", garbage, 0);
  provide("huge", huge, 0);
  provide("refusing", refusing, 0);
  provide("hangs", hangs, 50);
  provide("later", later, 0);
  provide("again", again, 0);
  const char* const failing[] = {"ask-garbage", "ask-huge", "ask-refusing", "ask-hangs"};
  for (int i = 0; i < 4; ++i) {
    IS(call(app, failing[i], "{}", output, sizeof output), "");
    EXPECT(strcmp(output, "{\"errno\": 29}") == 0);
  }
  EXPECT(strstr(log_text, "refused: not today") != NULL && strstr(log_text, "in time") != NULL);
  EXPECT(carrel_answer(kept, "1", 1) == 0); /* late */
  IS(call(app, "ask-later", "{}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"later\": true}") == 0);
  IS(call(app, "ask-again", "{}", output, sizeof output), "");
  EXPECT(strcmp(output, "{\"deep\": true}") == 0 && deepest == 8);
  /* one that hangs without a bound of its own: the point's deadline ends it, and it answers to
   * nobody */
  provide("stuck", hangs, 0);
  const char* code = code_of(call(app, "ask-stuck", "{}", NULL, 0));
  EXPECT(strcmp(code, "hook_late") == 0 || strcmp(code, "guest_timeout") == 0);
  EXPECT(carrel_answer(kept, "1", 1) == 0);
  IS(carrel_close(app), "");
  EXPECT(released == 1);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int answered, failed_calls;
static void count(void* user, carrel_error* error, carrel_reply* reply) {
  (void)user;
  EXPECT((error == NULL) != (reply == NULL));
  pthread_mutex_lock(&mutex);
  ++answered;
  failed_calls += error != NULL;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  carrel_error_free(error);
  carrel_reply_free(reply);
}

static void async(void) {
  open_app();
  char point[] = "echo", input[] = "{\"total\": 1}";
  for (int i = 0; i < 500; ++i)
    IS(carrel_call_async(app, point, input, strlen(input), NULL, count, NULL), "");
  memset(point, 'x', 4); /* they were copied */
  memset(input, 'x', 4);
  IS(carrel_call_async(app, "trap", "{}", 2, NULL, count, NULL), "");
  IS(carrel_call_async(app, "no.such", "{}", 2, NULL, count, NULL), "");
  IS(carrel_call_async(app, "echo", "{}", 2, NULL, NULL, NULL), "invalid_argument");
  IS(carrel_drain(app, 20000), "");
  pthread_mutex_lock(&mutex);
  EXPECT(answered == 502 && failed_calls == 2);
  pthread_mutex_unlock(&mutex);
  IS(carrel_call_async(app, "echo", "{}", 2, NULL, count, NULL), "closed");
  IS(carrel_close(app), "");
  EXPECT(answered == 502);
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } cases[] = {{"handles", handles},     {"arguments", arguments}, {"threads", threads},
               {"drain", drain},         {"forks", forks},         {"leave", leave},
               {"functions", functions}, {"async", async}};
  if (argc != 3) return 2;
  folder = argv[2];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (strcmp(cases[i].name, argv[1]) == 0) {
      cases[i].run();
      return 0;
    }
  }
  return 2;
}
