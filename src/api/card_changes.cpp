#include "api/card_changes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t part_bytes_max = 64 << 10;

std::string_view cut(std::string_view text) {
  if (text.size() <= part_bytes_max) return text;
  size_t end = part_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

Status check_may_compare(const Call& call) {
  if (call.caller.environment.empty()) return Done{};
  return fail(Reason::policy_refused, "a token that is bound to an environment compares nothing");
}

json::array card_changes_view(std::span<const scan::CardDifference> changes) {
  json::array out;
  for (const scan::CardDifference& each : changes)
    out.emplace_back(
        json::object{{"part", each.part == scan::CardDifference::Part::metadata ? "metadata" : "section"},
                     {"name", each.name},
                     {"change", each.was && each.is ? "changed"
                                : each.is           ? "added"
                                                    : "removed"},
                     {"before", cut(each.before)},
                     {"after", cut(each.after)}});
  return out;
}

}  // namespace holdfast::api
