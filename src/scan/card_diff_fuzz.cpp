#include <string_view>

#include "scan/card_diff.h"

// Two cards, parted by a zero byte: each is the same as itself, and what changed one way changed the other.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = text.find('\0');
  const std::string_view before = text.substr(0, middle);
  const std::string_view after = middle == std::string_view::npos ? before : text.substr(middle + 1);
  if (!scan::diff_cards(before, before).empty()) __builtin_trap();
  if (scan::diff_cards(before, after).size() != scan::diff_cards(after, before).size()) __builtin_trap();
  return 0;
}
