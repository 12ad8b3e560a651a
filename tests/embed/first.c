/* first FOLDER POINT INPUT: opens an application, calls a point, prints what it answers. */
#include <carrel/carrel.h>
#include <stdio.h>
#include <string.h>

static int say(carrel_error* error) {
  printf("%s: %s\n", carrel_error_code(error), carrel_error_message(error));
  printf("%s\n", carrel_error_details(error, NULL));
  carrel_error_free(error);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  carrel_handle shop;
  carrel_error* error = carrel_open(argv[1], NULL, &shop);
  if (error != NULL) return say(error);
  carrel_reply* reply;
  error = carrel_call(shop, argv[2], argv[3], strlen(argv[3]), NULL, &reply);
  if (error != NULL) return say(error);
  printf("%s\n%s\n", carrel_reply_output(reply, NULL), carrel_reply_details(reply, NULL));
  carrel_reply_free(reply);
  error = carrel_close(shop);
  return error != NULL ? say(error) : 0;
}
