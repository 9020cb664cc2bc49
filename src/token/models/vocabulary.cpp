#include "token/models/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/object.hpp>

namespace holdfast::token {

Result<Vocabulary> Vocabulary::load(const boost::json::object& json) {
  Vocabulary out;
  size_t bytes = 0;
  for (const auto& pair : json) bytes += pair.key().size();
  out.reserve(json.size(), bytes);
  for (const auto& [token, id] : json) {
    const bool whole = id.is_int64() || id.is_uint64();
    if (!whole || (id.is_int64() && (id.get_int64() < 0 || id.get_int64() > UINT32_MAX)) ||
        (id.is_uint64() && id.get_uint64() > UINT32_MAX))
      return fail(Reason::bad_request,
                  "the tokenizer's vocabulary has an id that is not a whole number below 2^32");
    const auto number =
        static_cast<uint32_t>(id.is_int64() ? static_cast<uint64_t>(id.get_int64()) : id.get_uint64());
    const std::string_view text(token.data(), token.size());
    out.put(text, number, hash_of(text));  // Keys are there once.
  }
  out.index_by_id();
  return out;
}

std::optional<Vocabulary> Vocabulary::of(std::span<const Entry> entries) {
  constexpr size_t ahead = 16;
  Vocabulary out;
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.first.size();
  out.reserve(entries.size(), bytes);
  std::array<uint64_t, ahead> hashes{};
  for (size_t i = 0; i < entries.size() + ahead; ++i) {
    if (i >= ahead) {
      const Entry& entry = entries[i - ahead];
      if (out.put(entry.first, entry.second, hashes[i % ahead]) == Put::was_there) return std::nullopt;
    }
    if (i >= entries.size()) continue;
    hashes[i % ahead] = hash_of(entries[i].first);
    out.prefetch(hashes[i % ahead]);
  }
  out.index_by_id();
  return out;
}

void Vocabulary::reserve(size_t tokens, size_t bytes) {
  memory_.reserve(bytes);
  ids_.reserve(tokens);
  slots_.resize(std::bit_ceil(tokens * 2 + 2));
}

// The memory is reserved: it does not move.
Vocabulary::Put Vocabulary::put(std::string_view token, uint32_t id, uint64_t hash) {
  if (id_of(token, hash)) return Put::was_there;
  const size_t begin = memory_.size();
  memory_.insert(memory_.end(), token.begin(), token.end());
  ids_.emplace_back(std::string_view(memory_.data() + begin, token.size()), id);
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].entry != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {static_cast<uint32_t>(hash >> 32U), static_cast<uint32_t>(ids_.size())};
  return Put::done;
}

void Vocabulary::index_by_id() {
  uint32_t last = 0;
  for (const auto& [token, id] : ids_) last = std::max(last, id);
  if (last <= ids_.size() * 4 + 1024) by_id_.resize(size_t{last} + 1);
  for (uint32_t entry = 0; entry < ids_.size(); ++entry) {
    const uint32_t id = ids_[entry].second;
    if (by_id_.empty())
      has_unique_ids_ = by_far_id_.emplace(id, entry).second && has_unique_ids_;
    else if (by_id_[id] == 0)
      by_id_[id] = entry + 1;
    else
      has_unique_ids_ = false;
  }
}

std::optional<uint32_t> Vocabulary::id_of(std::string_view token, uint64_t hash) const {
  if (slots_.empty()) return std::nullopt;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].entry != 0; at = (at + 1) & mask) {
    if (slots_[at].tag != static_cast<uint32_t>(hash >> 32U)) continue;
    const auto& [found, id] = ids_[slots_[at].entry - 1];
    if (found == token) return id;
  }
  return std::nullopt;
}

std::optional<std::string_view> Vocabulary::token_of(uint32_t id) const {
  if (id < by_id_.size()) return by_id_[id] != 0 ? std::optional(ids_[by_id_[id] - 1].first) : std::nullopt;
  const auto found = by_far_id_.find(id);
  if (found == by_far_id_.end()) return std::nullopt;
  return ids_[found->second].first;
}

}  // namespace holdfast::token
