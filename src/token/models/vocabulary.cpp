#include "token/models/vocabulary.h"

#include <boost/json/object.hpp>

namespace holdfast::token {

Result<Vocabulary> Vocabulary::load(const boost::json::object& json) {
  Vocabulary out;
  out.ids_.reserve(json.size());
  for (const auto& [token, id] : json) {
    const bool whole = id.is_int64() || id.is_uint64();
    if (!whole || (id.is_int64() && (id.get_int64() < 0 || id.get_int64() > UINT32_MAX)) ||
        (id.is_uint64() && id.get_uint64() > UINT32_MAX))
      return fail(Reason::bad_request,
                  "the tokenizer's vocabulary has an id that is not a whole number below 2^32");
    const auto number =
        static_cast<uint32_t>(id.is_int64() ? static_cast<uint64_t>(id.get_int64()) : id.get_uint64());
    out.ids_.emplace(std::string(token), number);
  }
  out.tokens_.reserve(out.ids_.size());
  for (const auto& [token, id] : out.ids_) out.tokens_.emplace(id, token);
  return out;
}

std::optional<uint32_t> Vocabulary::id_of(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string_view> Vocabulary::token_of(uint32_t id) const {
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) return std::nullopt;
  return found->second;
}

}  // namespace holdfast::token
