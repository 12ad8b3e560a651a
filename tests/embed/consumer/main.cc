// consumer FOLDER: carrel.hpp as an application uses it.
#include <carrel/carrel.hpp>
#include <future>
#include <iostream>
#include <stdexcept>

#define EXPECT(what)                                               \
  do {                                                             \
    if (!(what)) {                                                 \
      std::cout << __LINE__ << ": not so: " << #what << std::endl; \
      return 1;                                                    \
    }                                                              \
  } while (0)

static void throws(void*, carrel_function_call, const char*, size_t) {
  throw std::runtime_error("in C++");
}

int main(int, char** arguments) {
  const carrel::Application shop(arguments[1]);
  EXPECT(shop.call("echo", "[1, 2]") == "[1, 2]");
  EXPECT(shop.points().find("\"echo\"") != std::string::npos);

  try {
    shop.call("trap", "{}");
    EXPECT(false);
  } catch (const carrel::Failure& failure) {
    EXPECT(failure.code() == "guest_trapped");
    EXPECT(failure.details().find("\"binding\":\"one\"") != std::string::npos);
  }

  std::promise<std::string> promised;
  shop.call_async("echo", "{}", [&](const carrel::Failure*, const carrel::Reply* reply) {
    promised.set_value(std::string(reply->output()));
  });
  EXPECT(promised.get_future().get() == "{}");

  shop.provide("price", [](std::string_view input) {
    if (input != "{}") throw std::runtime_error("no such thing");
    return std::string("{\"price\": 9}");
  });
  EXPECT(shop.call("ask-price", "{}") == "{\"price\": 9}");
  EXPECT(shop.call("ask-price", "{\"a\": 1}") == "{\"errno\": 29}");
  // Thrown through the C interface itself.
  EXPECT(carrel_provide(shop.handle(), "refusing", nullptr, throws, nullptr, nullptr) == nullptr);
  EXPECT(shop.call("ask-refusing", "{}") == "{\"errno\": 29}");

  carrel::Application moved = carrel::Application(arguments[1]);
  EXPECT(moved.ask("echo", "{}", {"shop/merchant-17", std::chrono::milliseconds(100)}).output() ==
         "{}");
  std::cout << "fine" << std::endl;
  return 0;
}
