#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>

#include "base/result.h"

namespace holdfast::token {

// The settings that the pre-tokenizer and the decoder Metaspace share.
struct Metaspace {
  enum class Prepend : uint8_t { always, first, never };
  char32_t replacement = U'\u2581';
  Prepend prepend = Prepend::always;
  bool split = true;

  static Result<Metaspace> load(const boost::json::object& json);
};

}  // namespace holdfast::token
