#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/finding.h"
#include "scan/source.h"

namespace holdfast::scan {

// Personal data in text, by patterns, checksums and the words before them: what Presidio's pattern
// recognisers do (governance.md 2.3). A pattern has a prior score; a checksum that holds makes it 1, one that
// does not drops it; a word of its context among the five before (in a table, in the column's name; in JSON,
// in the key) adds 0.35. Names of people are found only after a title or under such a word. What scores
// personal_score_min is told. Knows nothing of meaning: free text holds more than this finds.
inline constexpr double personal_score_min = 0.4;

enum class TextShape : uint8_t { plain, comma_table, tab_table };
TextShape shape_of_name(std::string_view name);

struct PersonalSpan {
  size_t begin = 0, end = 0;
  std::string_view kind;  // "EMAIL_ADDRESS"; Presidio's names.
  double score = 0;
};
// In the order of the text, none overlapping. `header` is a table's first line; empty: none.
std::vector<PersonalSpan> find_personal(std::string_view text, TextShape shape, std::string_view header = {});

// What is told of one, never the text itself.
Finding personal_finding(const PersonalSpan& span, Place place);

// What stands in the place of what was found.
enum class MaskWith : uint8_t {
  kind,   // <EMAIL_ADDRESS>
  stars,  // Letters and digits as *.
  hash,   // <EMAIL_ADDRESS:1f3a…>: a keyed hash, so that equal values stay equal.
  nothing,
};
std::optional<MaskWith> mask_with_name(std::string_view name);  // "kind"
std::string_view mask_with_name(MaskWith with);
// The text without personal data: masked again until nothing is found in the result.
std::string mask_personal(std::string_view text, TextShape shape, MaskWith with, std::string_view key);

// Whether files of this name are looked through without being asked to: tables and lines of JSON.
bool personal_by_default(std::string_view name);

// Adds "personal.<kind>" for what is found, with its line.
Status check_personal(Source& source, std::string_view name, const Place& place, uint64_t bytes_max,
                      FileReport& report);

}  // namespace holdfast::scan
