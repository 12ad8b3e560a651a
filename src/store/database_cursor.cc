#include <rocksdb/iterator.h>

#include "store/database_impl.h"

namespace carrel::store {

struct Cursor::Impl {
  std::shared_ptr<const DatabaseView> view;  // outlives the iterator
  std::string end;
  rocksdb::Slice bound;  // of `end`
  std::unique_ptr<rocksdb::Iterator> iterator;
};

Cursor::Cursor(std::shared_ptr<const DatabaseView> view, std::string end, Reach reach)
    : impl_(std::make_unique<Impl>()) {
  impl_->view = std::move(view);
  impl_->end = std::move(end);
  auto options = read_options(reach, impl_->view->impl_->snapshot);
  if (!impl_->end.empty()) {
    impl_->bound = impl_->end;
    options.iterate_upper_bound = &impl_->bound;
  }
  impl_->iterator.reset(impl_->view->impl_->db->NewIterator(options));
}

Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;

Cursor::State Cursor::seek(std::string_view key) {
  impl_->iterator->Seek(key);
  return state();
}

Cursor::State Cursor::next() {
  impl_->iterator->Next();
  return state();
}

Cursor::State Cursor::state() const {
  if (impl_->iterator->Valid()) return State::valid;
  const auto status = impl_->iterator->status();
  if (status.ok()) return State::end;
  return status.IsIncomplete() ? State::not_in_memory : State::failed;
}

std::string_view Cursor::key() const { return impl_->iterator->key().ToStringView(); }
std::string_view Cursor::value() const { return impl_->iterator->value().ToStringView(); }
Error Cursor::error() const { return read_error(impl_->iterator->status()); }

}  // namespace carrel::store
