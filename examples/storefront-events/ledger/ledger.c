// Points for customers: one for each whole euro of an order, kept in /kv/points/CUSTOMER.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char order[1 << 12];

static const char* after(const char* name) {
  const char* const at = strstr(order, name);
  return at != NULL ? at + strlen(name) : "";
}

// The customer, as far as it is a name that a path can hold.
static int path_of(char* path, size_t room) {
  const char* customer = after("\"customer\":");
  while (*customer == ' ') ++customer;
  if (*customer++ != '"') return 0;
  size_t size = 0;
  while (isalnum((unsigned char)customer[size]) || customer[size] == '-') ++size;
  if (size == 0 || customer[size] != '"') return 0;
  return snprintf(path, room, "/kv/points/%.*s", (int)size, customer) < (int)room;
}

int main(void) {
  char path[128];
  order[fread(order, 1, sizeof order - 1, stdin)] = 0;
  if (!path_of(path, sizeof path)) return 0;  // a guest without a name collects no points
  long points = strtol(after("\"total_cents\":"), NULL, 10) / 100;
  FILE* file = fopen(path, "r");
  if (file != NULL) {
    long before = 0;
    if (fscanf(file, "%ld", &before) == 1) points += before;
    fclose(file);
  }
  file = fopen(path, "w");
  if (file == NULL || fprintf(file, "%ld", points) < 0) return 1;
  return fclose(file) == 0 ? 0 : 1;
}
