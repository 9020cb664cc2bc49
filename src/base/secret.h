#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

// A value that must not be printed: it has no formatter and no stream operator, so a log line with it does
// not compile. `reveal` is what code review looks for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  // Takes the same time wherever the difference is.
  bool matches(std::string_view other) const {
    size_t difference = text_.size() ^ other.size();
    for (size_t i = 0; i < std::min(text_.size(), other.size()); ++i)
      difference |= static_cast<unsigned char>(text_[i] ^ other[i]);
    return difference == 0;
  }

 private:
  std::string text_;
};

}  // namespace holdfast
