#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::token {

// The `precompiled_charsmap` of a SentencePiece model: a double array over bytes (Darts-clone) whose values
// are offsets of zero-ended texts. Bytes: u32 size of the array in bytes, the array, the texts. Immutable;
// safe from any thread.
class Charsmap {
 public:
  static Result<Charsmap> parse(std::string_view blob);

  // What the shortest entry that `text` begins with is replaced by.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace holdfast::token
