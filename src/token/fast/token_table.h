#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::token {

// Tokens by their bytes: open addressing over one arena. Filled once, then constant; safe from any thread.
class TokenTable {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  explicit TokenTable(size_t tokens, size_t bytes);
  void put(std::string_view token, uint32_t id);  // The last of equal ones counts.

  uint32_t find(std::string_view token) const {
    for (uint64_t slot = hash_of(token) & mask_;; slot = (slot + 1) & mask_) {
      const Slot& found = slots_[slot];
      if (found.id == none) return none;
      if (found.bytes == token.size() && std::string_view(arena_).substr(found.begin, found.bytes) == token)
        return found.id;
    }
  }
  size_t token_bytes_max() const { return token_bytes_max_; }

 private:
  struct Slot {
    uint32_t id = none, begin = 0, bytes = 0;
  };
  static uint64_t hash_of(std::string_view token);

  std::vector<Slot> slots_;
  std::string arena_;
  uint64_t mask_ = 0;
  size_t token_bytes_max_ = 0;
};

}  // namespace holdfast::token
