#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace holdfast {

// Ids of different things are different types, so that they cannot be exchanged. Zero means: not assigned
// yet.
template <class Tag, class Rep = int64_t>
struct Id {
  Rep raw{};
  friend auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace holdfast

template <class Tag, class Rep>
struct std::hash<holdfast::Id<Tag, Rep>> {
  size_t operator()(const holdfast::Id<Tag, Rep>& id) const noexcept { return std::hash<Rep>{}(id.raw); }
};
