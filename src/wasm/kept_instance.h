// A component's instance between two turns: its memory, and nothing of the turns it served.
#pragma once

struct carrel_instance;

namespace carrel::wasm {

// Owner: whoever keeps it, until ComponentInstance takes it over. Thread: its shard. Its slot goes
// with it.
class KeptInstance {
 public:
  // `turns`: that it has served.
  KeptInstance(carrel_instance* raw, unsigned turns) : raw_(raw), turns_(turns) {}
  ~KeptInstance();
  KeptInstance(const KeptInstance&) = delete;
  KeptInstance& operator=(const KeptInstance&) = delete;

  unsigned turns() const { return turns_; }
  carrel_instance* release();

 private:
  carrel_instance* raw_;
  unsigned turns_;
};

}  // namespace carrel::wasm
