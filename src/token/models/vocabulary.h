#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace holdfast::token {

// Hashes text of any kind, so that a map of strings can be asked with a view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

// Tokens and their ids, both ways. Immutable once loaded.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) noexcept = default;
  Vocabulary& operator=(Vocabulary&&) noexcept = default;

  // From {"token": id}: ids are whole numbers below 2^32.
  static Result<Vocabulary> load(const boost::json::object& json);

  std::optional<uint32_t> id_of(std::string_view token) const;
  std::optional<std::string_view> token_of(uint32_t id) const;
  size_t size() const { return ids_.size(); }
  const TextMap<uint32_t>& ids() const { return ids_; }

 private:
  TextMap<uint32_t> ids_;
  std::unordered_map<uint32_t, std::string_view> tokens_;  // Views of ids_' keys, which do not move.
};

}  // namespace holdfast::token
