// How a server ends.
#include <future>

#include "net/test_server.h"

namespace carrel::net::testing_server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

TEST_F(HttpServer, DrainingEndsIdleConnectionsAndLetsRequestsFinish) {
  serve();
  Client idle(server_->port()), busy(server_->port());
  idle.send(get("/x"));
  EXPECT_THAT(idle.until("hello /x"), EndsWith("hello /x"));
  busy.send(get("/later"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  std::promise<void> drained;
  shard_.submit([&] {
    async::detach([](Server* server, std::promise<void>* done) -> async::Task<void> {
      co_await server->drain(kLong);
      done->set_value();
    }(server_.get(), &drained));
  });
  EXPECT_EQ(idle.rest(), "");
  handler_.released = true;
  EXPECT_THAT(busy.rest(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("later")));
  EXPECT_EQ(drained.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(HttpServer, DrainingEndsWithItsBound) {
  serve();
  Client client(server_->port());
  client.send(get("/forever"));
  ASSERT_TRUE(eventually([&] { return handler_.waiting == 1; }));
  std::promise<void> drained;
  shard_.submit([&] {
    async::detach([](Server* server, std::promise<void>* done) -> async::Task<void> {
      co_await server->drain(10ms);
      done->set_value();
    }(server_.get(), &drained));
  });
  EXPECT_EQ(drained.get_future().wait_for(kLong), std::future_status::ready);
  EXPECT_EQ(handler_.waiting, 0);
}

}  // namespace
}  // namespace carrel::net::testing_server
