#include "jinja/item_path.h"

#include <algorithm>
#include <charconv>

#include "jinja/access.h"
#include "jinja/characters.h"

namespace holdfast::jinja {

Result<ItemPath> ItemPath::of(Runtime& runtime, const Value& attribute) {
  ItemPath out;
  if (attribute.is(Kind::none)) return out;
  if (!attribute.is(Kind::text)) {
    out.parts_.push_back(attribute);
    return out;
  }
  const std::string& path = attribute.string();
  TRY_DONE(runtime.budget.steps(path.size()));
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('.', at), path.size());
    const std::string part = path.substr(at, end - at);
    int64_t index = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool whole = error == std::errc() && stop == part.data() + part.size() && part[0] != '-';
    out.parts_.push_back(whole ? Value::integer(index) : Value::text(part));
    at = end + 1;
  }
  return out;
}

Result<Value> ItemPath::get(Runtime& runtime, const Value& value,
                            const std::optional<Value>& otherwise) const {
  Value item = value;
  for (const Value& part : parts_) {
    TRY(item, get_item(runtime, item, part));
    if (otherwise && item.is(Kind::undefined)) item = *otherwise;
  }
  return item;
}

Value without_case(const Value& value) {
  return value.is(Kind::text) ? Value::text(to_lower(value.string())) : value;
}

}  // namespace holdfast::jinja
