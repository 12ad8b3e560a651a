// The binder: what customers have bound, made ready to be called; and why what is not.
//
// A binding follows what it names: whenever one of the two apps changes, each binding that names it
// is looked at anew. What it finds becomes part of the table that all shards get in the same switch
// as the apps themselves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/binding_stage.h"
#include "patterns/hook/binding_record.h"
#include "patterns/hook/point.h"

namespace carrel::server {

// Owner: the switchboard, which locks.
class Binder {
 public:
  using Key = std::pair<TenantName, std::string>;  // the customer's tenant, the binding's name

  // From now on the binding is `record`; nothing: there is none. An older revision than what is
  // known changes nothing. `apps` is what is served, and gets what customers have bound.
  void set(const Key& key, std::uint64_t revision, std::optional<hook::BindingRecord> record,
           hook::Apps& apps);

  // `apps` has another version of the app, or none.
  void follow(const TenantName& tenant, const AppName& app, hook::Apps& apps);
  // Likewise, of any app.
  void follow_all(hook::Apps& apps);

  std::uint64_t newest(const Key& key) const;  // revision; 0: none is known
  api::BindingState state(const Key& key) const;
  // The record's module, of `version` if there is one, ready to be run in the binding's place.
  static Result<api::Understudy> understudy(const Key& key, hook::BindingRecord record,
                                            const hook::App* version, const hook::Apps& apps);
  // Of the record's point, in all versions of the app that are called.
  static hook::Privacy privacy(const hook::BindingRecord& record, const hook::Apps& apps);
  // What it would be, were it bound.
  static api::BindingState state_of(const Key& key, const hook::BindingRecord& record,
                                    const hook::Apps& apps);

 private:
  struct Entry {
    hook::BindingRecord record;
    std::shared_ptr<const hook::App> from;        // whose module it is now
    std::shared_ptr<const hook::Binding> called;  // null: it is not called
    api::BindingState state;
  };
  void look(const Key& key, Entry& entry, hook::Apps& apps);
  void publish(const Key& key, const hook::BindingRecord& record, hook::Apps& apps) const;
  void forget(const Key& key, hook::Apps& apps);

  std::map<Key, Entry> entries_;
  std::map<std::string, std::set<Key>, std::less<>> by_app_;  // that name it, by `hook::app_key`
  std::map<Key, std::uint64_t> removed_;  // revisions of what was removed lately
};

}  // namespace carrel::server
