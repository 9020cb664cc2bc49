// Filters that look at all items at once.
#include <algorithm>

#include "jinja/access.h"
#include "jinja/bound_arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/item_path.h"
#include "jinja/iterate.h"
#include "jinja/markup.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"
#include "jinja/sorting.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;

Result<Value> dict_sort(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given,
      Bound::bind("dictsort", std::move(arguments), {"case_sensitive", "by", "reverse"}, 0));
  TRY(const auto by, given.text(1));
  TRY(const Integer falls, given.whole(2, 0));
  if (given.has(1) && by != "key" && by != "value")
    return type_error("You can only sort by either \"key\" or \"value\"");
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (!value.is(Kind::dict)) return type_error("'" + type_name(value) + "' object has no attribute 'items'");
  std::vector<Keyed> rows;
  for (const auto& [key, item] : value.as_dict().pairs) {
    TRY(Value pair, Value::tuple({key, item}));
    const Value& sorted_by = by && *by == "value" ? item : key;
    rows.push_back({given.flag(0) ? sorted_by : without_case(sorted_by), std::move(pair)});
  }
  TRY(Items items, sorted(runtime, std::move(rows), falls != 0 ? Order::falling : Order::rising));
  return Value::list(std::move(items));
}

Result<Value> sort(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given,
      Bound::bind("sort", std::move(arguments), {"reverse", "case_sensitive", "attribute"}, 0));
  TRY(const Integer falls, given.whole(0, 0));
  TRY(const Items items, collect(runtime, value));
  // Several attributes are divided by commas.
  std::vector<ItemPath> paths;
  const Value attribute = given.value_or(2, Value());
  if (attribute.is(Kind::text)) {
    const std::string& all = attribute.string();
    for (size_t at = 0; at <= all.size();) {
      const size_t end = std::min(all.find(',', at), all.size());
      TRY(ItemPath path, ItemPath::of(runtime, Value::text(all.substr(at, end - at))));
      paths.push_back(std::move(path));
      at = end + 1;
    }
  } else {
    TRY(ItemPath path, ItemPath::of(runtime, attribute));
    paths.push_back(std::move(path));
  }
  std::vector<Keyed> rows;
  for (const Value& item : items) {
    Items keys;
    for (const ItemPath& path : paths) {
      TRY(const Value key, path.get(runtime, item));
      keys.push_back(given.flag(1) ? key : without_case(key));
    }
    TRY(Value key, Value::list(std::move(keys)));
    rows.push_back({std::move(key), item});
  }
  TRY(Items out, sorted(runtime, std::move(rows), falls != 0 ? Order::falling : Order::rising));
  return Value::list(std::move(out));
}

enum class Most : uint8_t { least, greatest };
template <Most most>
Result<Value> extreme(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind(most == Most::least ? "min" : "max", std::move(arguments),
                                     {"case_sensitive", "attribute"}, 0));
  TRY(const ItemPath path, ItemPath::of(runtime, given.value_or(1, Value())));
  TRY(const Items items, collect(runtime, value));
  if (items.empty()) return undefined("No aggregated item, sequence was empty.");
  Value best, best_key;
  for (size_t i = 0; i < items.size(); ++i) {
    TRY(Value key, path.get(runtime, items[i]));
    if (!given.flag(0)) key = without_case(key);
    bool better = i == 0;
    if (!better) {
      TRY(better, most == Most::least ? less(runtime, key, best_key) : compare(runtime, ">", key, best_key));
    }
    if (!better) continue;
    best = items[i];
    best_key = std::move(key);
  }
  return best;
}

Result<Value> first(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("first", std::move(arguments), {}, 0));
  TRY(const NextItem next, open_iterator(runtime, value));
  TRY(std::optional<Value> item, next());
  if (!item) return undefined("No first item, sequence was empty.");
  return std::move(*item);
}

Result<Value> last(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("last", std::move(arguments), {}, 0));
  if (value.is(Kind::iterator) || !iterable(value))
    return type_error("'" + type_name(value) + "' object is not reversible");
  TRY(const Items items, collect(runtime, value));
  if (items.empty()) return undefined("No last item, sequence was empty.");
  return value.is_markup() ? as_markup(items.back()) : items.back();
}

Result<Value> as_list(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("list", std::move(arguments), {}, 0));
  TRY(Items items, collect(runtime, value));
  return Value::list(std::move(items));
}

Result<Value> reversed(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("reverse", std::move(arguments), {}, 0));
  if (value.is(Kind::text)) {
    const auto all = characters(value.string());
    std::string out;
    for (auto it = all.rbegin(); it != all.rend(); ++it) out += *it;
    TRY(Value text, made_text(runtime, std::move(out)));
    return value.is_markup() ? as_markup(std::move(text)) : text;
  }
  if (!iterable(value)) return type_error("argument must be iterable");
  TRY(Items items, collect(runtime, value));
  std::reverse(items.begin(), items.end());
  if (value.is(Kind::iterator)) return Value::list(std::move(items));
  const char* name = value.is(Kind::list)   ? "list_reverseiterator"
                     : value.is(Kind::dict) ? "dict_reversekeyiterator"
                                            : "reversed";
  TRY(const Value list, Value::list(std::move(items)));
  TRY(NextItem next, open_iterator(runtime, list));
  return make_iterator(std::move(next), list, name);
}

Result<Value> sum(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("sum", std::move(arguments), {"attribute", "start"}, 0));
  TRY(const ItemPath path, ItemPath::of(runtime, given.value_or(0, Value())));
  Value total = given.value_or(1, Value::integer(0));
  if (total.is(Kind::text)) return type_error("sum() can't sum strings [use ''.join(seq) instead]");
  TRY(const Items items, collect(runtime, value));
  for (const Value& item : items) {
    TRY(const Value part, path.get(runtime, item));
    TRY(total, binary(runtime, "+", total, part));
  }
  return total;
}

// A pair whose parts also go by the names `grouper` and `list`.
Result<Value> group(Value key, Items values) {
  TRY(Value list, Value::list(std::move(values)));
  return Value::tuple({std::move(key), std::move(list)});
}

Result<Value> group_by(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given,
      Bound::bind("groupby", std::move(arguments), {"attribute", "default", "case_sensitive"}, 1));
  TRY(const ItemPath path, ItemPath::of(runtime, given.at(0)));
  std::optional<Value> otherwise;
  if (given.has(1) && !given.at(1).is(Kind::none)) otherwise = given.at(1);
  TRY(const Items items, collect(runtime, value));
  std::vector<Keyed> rows;
  for (const Value& item : items) {
    TRY(const Value key, path.get(runtime, item, otherwise));
    rows.push_back({given.flag(2) ? key : without_case(key), item});
  }
  TRY_DONE(sort_rows(runtime, rows, Order::rising));
  Items groups;
  for (size_t at = 0; at < rows.size();) {
    Items values;
    size_t end = at;
    while (end < rows.size()) {
      TRY(const bool equals, same(runtime, rows[end].key, rows[at].key));
      if (!equals) break;
      values.push_back(rows[end++].item);
    }
    TRY(Value key, path.get(runtime, values[0], otherwise));
    TRY(Value one, group(std::move(key), std::move(values)));
    groups.push_back(std::move(one));
    at = end;
  }
  return Value::list(std::move(groups));
}

struct Row {
  std::string_view name;
  Filter filter;
};
constexpr Row rows[] = {{"dictsort", dict_sort},
                        {"first", first},
                        {"groupby", group_by},
                        {"last", last},
                        {"list", as_list},
                        {"max", extreme<Most::greatest>},
                        {"min", extreme<Most::least>},
                        {"reverse", reversed},
                        {"sort", sort},
                        {"sum", sum}};

}  // namespace

Filter find_list_filter(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.filter;
  return nullptr;
}

}  // namespace holdfast::jinja
