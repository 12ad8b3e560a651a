// What may be done: a verb for each kind of power, and sets of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace carrel::tenant {

// Numbers are bits of sets; names are what people write and records hold.
enum class Verb : std::uint16_t {
  read = 1 << 0,        // see tenants, apps, versions and usage
  data_read = 1 << 1,   // read values and counters
  data_write = 1 << 2,  // change them
  secrets = 1 << 3,     // set, list and remove secrets
  deploy = 1 << 4,      // deploy, activate, roll back and remove apps
  invoke = 1 << 5,      // run functions by the API
  logs = 1 << 6,        // read what functions say
  audit = 1 << 7,       // read who changed what
  tokens = 1 << 8,      // create, list and revoke tokens
  tenants = 1 << 9,     // create, update and remove tenants below
  operate = 1 << 10,    // the node: its status, backups
};

std::string_view verb_name(Verb verb);  // "data-read"

// Value type.
class VerbSet {
 public:
  constexpr VerbSet() = default;
  constexpr VerbSet(std::initializer_list<Verb> verbs) {
    for (const Verb verb : verbs) bits_ |= static_cast<std::uint16_t>(verb);
  }
  static VerbSet all();

  constexpr bool has(Verb verb) const { return (bits_ & static_cast<std::uint16_t>(verb)) != 0; }
  constexpr bool includes(VerbSet others) const { return (bits_ & others.bits_) == others.bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(VerbSet others) { bits_ |= others.bits_; }
  std::vector<std::string_view> names() const;  // in order of bits
  bool operator==(const VerbSet&) const = default;

 private:
  std::uint16_t bits_ = 0;
};

// Errors: invalid_argument that lists the verbs there are.
Result<Verb> parse_verb(std::string_view name);

}  // namespace carrel::tenant
