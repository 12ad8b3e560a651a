// Work that goes on when the client who asked for it has gone: what has been begun is not left half
// done.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "api/answer.h"
#include "async/event.h"
#include "async/gate.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::api {

// Owner: the API. Thread: its shard; `busy` any. Stops: the server waits while it is busy.
class Work {
 public:
  // One request's work, with all it needs: it outlives the request.
  class Job {
   public:
    virtual ~Job() = default;
    virtual async::Task<Result<Answer>> run() = 0;

   private:
    friend class Work;
    async::Event done_;
    std::optional<Result<Answer>> answer_;
  };

  // Begins the job and waits for its answer. Destroying the waiting coroutine leaves the job to
  // end by itself.
  async::Task<Result<Answer>> see_through(std::shared_ptr<Job> job) {
    begin(job);
    co_await job->done_;
    co_return std::move(*job->answer_);
  }

  // Begins the job, for whose answer nobody waits.
  void begin(std::shared_ptr<Job> job) {
    ++under_way_;
    gate_.spawn(end_to_end(this, std::move(job)));
  }

  bool busy() const { return under_way_.load() != 0; }

 private:
  static async::Task<void> end_to_end(Work* work, std::shared_ptr<Job> job) {
    job->answer_.emplace(co_await job->run());
    --work->under_way_;
    job->done_.signal();
  }

  async::Gate gate_;
  std::atomic<unsigned> under_way_ = 0;
};

}  // namespace carrel::api
