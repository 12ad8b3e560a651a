#include "async/shelter.h"

#include <gtest/gtest.h>

#include <string>

namespace carrel::async {
namespace {

Task<std::string> work(Event* go, int* done) {
  co_await *go;
  ++*done;
  co_return "done";
}
Task<std::string> at_once() { co_return "at once"; }

Task<void> ask(Shelter* shelter, Task<std::string> task, std::string* said) {
  *said = co_await shelter->run(std::move(task));
}

TEST(Shelter, GivesWhatTheTaskGives) {
  Shelter shelter;
  Event go;
  int done = 0;
  std::string said, other;
  Task<void> asking = ask(&shelter, work(&go, &done), &said);
  asking.start();
  Task<void> second = ask(&shelter, at_once(), &other);
  second.start();
  EXPECT_EQ(other, "at once");
  EXPECT_EQ(said, "");
  go.signal();
  EXPECT_EQ(said, "done");
  EXPECT_TRUE(asking.done());
}

TEST(Shelter, GoesOnWhenWhoAskedIsGone) {
  Shelter shelter;
  Event go;
  int done = 0;
  std::string said;
  {
    Task<void> asking = ask(&shelter, work(&go, &done), &said);
    asking.start();
  }
  EXPECT_EQ(done, 0);
  go.signal();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(said, "");
}

TEST(Shelter, CancelsWhatIsLeftAtItsEnd) {
  Event go;
  int done = 0;
  std::string said;
  {
    Shelter shelter;
    Task<void> asking = ask(&shelter, work(&go, &done), &said);
    asking.start();
  }
  EXPECT_FALSE(go.waiting());
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace carrel::async
