#include "token/decode_stream.h"

namespace holdfast::token {
namespace {

constexpr std::string_view broken = "\uFFFD";

}  // namespace

Result<std::optional<std::string>> DecodeStream::step(std::span<const uint32_t> ids) {
  if (prefix_.empty() && !ids_.empty()) {
    TRY(std::string shown, tokenizer_.decode(ids_, specials_));
    if (!shown.ends_with(broken)) {
      prefix_ = std::move(shown);
      context_ = ids_.size();
    }
  }
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  TRY(std::string all, tokenizer_.decode(ids_, specials_));
  const bool whole = !all.ends_with(broken) || ids_.size() - context_ > pending_max;
  if (all.size() <= prefix_.size() || !whole) return std::optional<std::string>();
  return give(std::move(all));
}

Result<std::optional<std::string>> DecodeStream::give(std::string all) {
  std::string fresh;
  if (all.starts_with(prefix_)) {
    fresh = all.substr(prefix_.size());
  } else {
    // Bytes that broke the character before them: that one is shown already, so they are decoded alone.
    TRY(fresh, tokenizer_.decode(std::span(ids_).subspan(context_), specials_));
  }
  const size_t given = ids_.size() - context_;
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(context_));
  context_ = given;
  TRY(prefix_, tokenizer_.decode(ids_, specials_));
  return std::optional(std::move(fresh));
}

Result<std::string> DecodeStream::finish() {
  TRY(std::string all, tokenizer_.decode(ids_, specials_));
  if (context_ == ids_.size()) return std::string();
  TRY(auto rest, give(std::move(all)));
  return std::move(rest).value_or("");
}

}  // namespace holdfast::token
