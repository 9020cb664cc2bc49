#pragma once

#include <span>
#include <string_view>

#include "token/unicode/reference_tables.h"

namespace holdfast::token {

// Where the reference's properties, of Unicode 16, differ from those of older versions.
struct LaterProperty {
  std::string_view names;  // In small letters, without '_', with spaces between.
  std::span<const CodeRange> added, removed;
  bool is_whole = false;  // `added` is all of it: older versions do not have it.
};
extern const std::span<const LaterProperty> later_properties;

}  // namespace holdfast::token
