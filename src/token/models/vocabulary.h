#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::token {

// Hashes text of any kind, so that a map of strings can be asked with a view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

// Tokens and their ids, both ways: one flat table over one piece of memory. Immutable once loaded.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) noexcept = default;
  Vocabulary& operator=(Vocabulary&&) noexcept = default;

  // From {"token": id}: ids are whole numbers below 2^32.
  static Result<Vocabulary> load(const boost::json::object& json);
  using Entry = std::pair<std::string_view, uint32_t>;
  // Nothing where a token is there twice. Copies the tokens.
  static std::optional<Vocabulary> of(std::span<const Entry> entries);

  std::optional<uint32_t> id_of(std::string_view token) const { return id_of(token, hash_of(token)); }
  std::optional<std::string_view> token_of(uint32_t id) const;
  size_t size() const { return ids_.size(); }
  bool has_unique_ids() const { return has_unique_ids_; }
  const std::vector<Entry>& ids() const { return ids_; }

  // A look-up in steps, for many of them: what is asked for later is read meanwhile.
  static uint64_t hash_of(std::string_view token) { return std::hash<std::string_view>{}(token); }
  void prefetch(uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(slots_.data() + (hash & (slots_.size() - 1)));
  }
  void prefetch_entry(uint64_t hash) const {
    if (const uint32_t entry = first_entry(hash); entry != 0) __builtin_prefetch(ids_.data() + entry - 1);
  }
  void prefetch_token(uint64_t hash) const {
    if (const uint32_t entry = first_entry(hash); entry != 0)
      __builtin_prefetch(ids_[entry - 1].first.data());
  }
  std::optional<uint32_t> id_of(std::string_view token, uint64_t hash) const;

 private:
  struct Slot {
    uint32_t tag = 0;    // The upper half of the hash.
    uint32_t entry = 0;  // Of ids_, and one; 0: free.
  };

  enum class Put : uint8_t { done, was_there };
  uint32_t first_entry(uint64_t hash) const {
    return slots_.empty() ? 0 : slots_[hash & (slots_.size() - 1)].entry;
  }
  void reserve(size_t tokens, size_t bytes);
  Put put(std::string_view token, uint32_t id, uint64_t hash);
  void index_by_id();

  std::vector<char> memory_;  // Of all tokens.
  std::vector<Entry> ids_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> by_id_;  // Of ids_, and one. Empty where ids are far apart.
  std::unordered_map<uint32_t, uint32_t> by_far_id_;
  bool has_unique_ids_ = true;
};

}  // namespace holdfast::token
