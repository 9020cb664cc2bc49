#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"
#include "serve/models.h"

namespace holdfast::api {

// The words by which a family of models marks what stands before a gap, behind it, and what is written
// between.
struct FillWords {
  const char *before, *behind, *between;

  std::string prompt(std::string_view text_before, std::string_view text_behind) const;
};

// Those that are tokens of this model; none where it has none.
Result<std::optional<FillWords>> fill_words_of(serve::Models& models, const Call& call,
                                               const serve::ServedModel& model);

}  // namespace holdfast::api
