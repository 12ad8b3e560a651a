/* socket WHERE TOKEN: does what the lines of standard input say, and prints a line for each.
 *   call POINT MILLIS JSON | emit POINT JSON | points | provide | threads POINT JSON */
#include <carrel/carrel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static carrel_handle app;

static void say(carrel_error* error, carrel_reply* reply) {
  if (error != NULL) {
    printf("%s: %s %s\n", carrel_error_code(error), carrel_error_message(error),
           carrel_error_details(error, NULL));
    carrel_error_free(error);
  } else {
    const char* text = carrel_reply_output(reply, NULL);
    printf("%.*s %s\n", (int)strcspn(text, "\n"), text, carrel_reply_details(reply, NULL));
    carrel_reply_free(reply);
  }
  fflush(stdout);
}

static void nothing(void* user, carrel_function_call call, const char* input, size_t size) {
  (void)user, (void)call, (void)input, (void)size;
}

struct work {
  const char *point, *input;
  int answered;
};

static void* many_calls(void* given) {
  struct work* work = given;
  for (int i = 0; i < 50; ++i) {
    carrel_reply* reply;
    carrel_error* error =
        carrel_call(app, work->point, work->input, strlen(work->input), NULL, &reply);
    if (error == NULL) ++work->answered;
    carrel_error_free(error);
    carrel_reply_free(reply);
  }
  return NULL;
}

static void threads(const char* point, const char* input) {
  pthread_t started[8];
  struct work work[8];
  int answered = 0;
  for (int i = 0; i < 8; ++i) {
    work[i] = (struct work){point, input, 0};
    pthread_create(&started[i], NULL, many_calls, &work[i]);
  }
  for (int i = 0; i < 8; ++i) {
    pthread_join(started[i], NULL);
    answered += work[i].answered;
  }
  printf("%d\n", answered);
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  carrel_open_options options = CARREL_OPEN_OPTIONS;
  if (*argv[2] != '\0') options.token = argv[2];
  carrel_error* error = carrel_open(argv[1], &options, &app);
  if (error != NULL) return say(error, NULL), 1;
  char line[4096];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const char* what = strtok(line, " ");
    carrel_reply* reply = NULL;
    if (strcmp(what, "call") == 0) {
      const char* point = strtok(NULL, " ");
      carrel_call_options more = CARREL_CALL_OPTIONS;
      more.timeout_ms = (uint32_t)atoi(strtok(NULL, " "));
      const char* input = strtok(NULL, "");
      error = carrel_call(app, point, input, strlen(input), &more, &reply);
    } else if (strcmp(what, "emit") == 0) {
      const char* point = strtok(NULL, " ");
      const char* event = strtok(NULL, "");
      error = carrel_emit(app, point, event, strlen(event), NULL, &reply);
    } else if (strcmp(what, "points") == 0) {
      error = carrel_points(app, &reply);
    } else if (strcmp(what, "threads") == 0) {
      const char* point = strtok(NULL, " ");
      threads(point, strtok(NULL, ""));
      continue;
    } else {
      error = carrel_provide(app, "f", NULL, nothing, NULL, NULL);
    }
    say(error, reply);
  }
  error = carrel_close(app);
  return error != NULL;
}
