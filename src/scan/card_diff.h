#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::scan {

// One part of a card that is not the same in another version of it: a top key of its metadata with all that
// stands below, or the text under a heading.
struct CardDifference {
  enum class Part : uint8_t { metadata, section } part = Part::section;
  std::string name{};  // "license", or the headings on the way: "Uses / Out of scope"; "": before the first.
  std::string before{}, after{};  // The whole part without its heading; empty where it is not there.
  bool was = false, is = false;   // Whether it is there, before and after.
};

// In the order of the newer card, what is gone after the rest. Blank lines around a part do not count, the
// order of parts neither. A card has up to 2,000 parts; what comes after them belongs to the last.
std::vector<CardDifference> diff_cards(std::string_view before, std::string_view after);

}  // namespace holdfast::scan
