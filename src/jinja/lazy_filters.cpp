// Filters that give a generator: their items are made when asked for.
#include <cmath>
#include <unordered_map>

#include "jinja/bound_arguments.h"
#include "jinja/filters.h"
#include "jinja/item_path.h"
#include "jinja/iterate.h"
#include "jinja/operators.h"
#include "jinja/predicates.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;
using Transform = std::function<Result<Value>(const Value&)>;
constexpr Integer batch_max = 1'000'000;
using Selects = std::function<Result<bool>(const Value&)>;

// The items of `value`, opened when the first one is asked for.
NextItem lazily(Runtime& runtime, const Value& value) {
  return [&runtime, value, opened = std::optional<NextItem>()]() mutable -> Result<std::optional<Value>> {
    if (!opened) {
      if (!truthy(value)) return std::optional<Value>();
      TRY(opened, open_iterator(runtime, value));
    }
    return (*opened)();
  };
}

// A generator of what `make` gives, which is not asked before the first item is.
Result<Value> made_lazily(const Value& source, std::function<Result<Items>()> make) {
  return make_iterator(
      [make = std::move(make), made = std::optional<Items>(),
       at = size_t{0}]() mutable -> Result<std::optional<Value>> {
        if (!made) {
          TRY(made, make());
        }
        if (at >= made->size()) return std::optional<Value>();
        return std::optional<Value>((*made)[at++]);
      },
      source);
}

Result<Transform> mapping(Runtime& runtime, Arguments arguments) {
  if (arguments.positional.empty() && !arguments.named.empty()) {
    TRY(const Bound given, Bound::bind("map", std::move(arguments), {"attribute", "default"}, 1));
    TRY(const ItemPath path, ItemPath::of(runtime, given.at(0)));
    std::optional<Value> otherwise;
    if (given.has(1) && !given.at(1).is(Kind::none)) otherwise = given.at(1);
    return Transform(
        [&runtime, path, otherwise](const Value& item) { return path.get(runtime, item, otherwise); });
  }
  if (arguments.positional.empty()) return type_error("map requires a filter argument");
  const Value name = arguments.positional.front();
  const Filter filter = name.is(Kind::text) ? find_filter(name.string()) : nullptr;
  TRY(const std::string shown, repr_of(runtime, name));
  if (filter == nullptr) return type_error("No filter named " + shown + ".");
  arguments.positional.erase(arguments.positional.begin());
  return Transform(
      [&runtime, filter, arguments](const Value& item) { return filter(runtime, item, arguments); });
}

Result<Value> map(Runtime& runtime, const Value& value, Arguments arguments) {
  auto transform = mapping(runtime, std::move(arguments));
  NextItem next = lazily(runtime, value);
  // An error in the arguments shows, as in Python, when the first item is asked for.
  return make_iterator(
      [next = std::move(next), transform = std::move(transform)]() mutable -> Result<std::optional<Value>> {
        TRY(const std::optional<Value> item, next());
        if (!item) return std::optional<Value>();
        if (!transform.ok()) return transform.error();
        TRY(Value out, transform.value()(*item));
        return std::optional<Value>(std::move(out));
      },
      value);
}

Result<Selects> selection(Runtime& runtime, Arguments arguments, bool by_attribute) {
  ItemPath path;
  Items& given = arguments.positional;
  if (by_attribute) {
    if (given.empty()) return type_error("Missing parameter for attribute name");
    TRY(path, ItemPath::of(runtime, given.front()));
    given.erase(given.begin());
  }
  if (given.empty())
    return Selects([&runtime, path](const Value& item) -> Result<bool> {
      TRY(const Value part, path.get(runtime, item));
      return truthy(part);
    });
  const Predicate predicate = given.front().is(Kind::text) ? find_predicate(given.front().string()) : nullptr;
  TRY(const std::string shown, repr_of(runtime, given.front()));
  if (predicate == nullptr) return type_error("No test named " + shown + ".");
  given.erase(given.begin());
  return Selects([&runtime, path, predicate, arguments](const Value& item) -> Result<bool> {
    TRY(const Value part, path.get(runtime, item));
    return predicate(runtime, part, arguments);
  });
}

template <bool wanted, bool by_attribute>
Result<Value> select(Runtime& runtime, const Value& value, Arguments arguments) {
  auto selects = selection(runtime, std::move(arguments), by_attribute);
  NextItem next = lazily(runtime, value);
  return make_iterator(
      [next = std::move(next), selects = std::move(selects)]() mutable -> Result<std::optional<Value>> {
        while (true) {
          TRY(std::optional<Value> item, next());
          if (!item) return std::optional<Value>();
          if (!selects.ok()) return selects.error();
          TRY(const bool selected, selects.value()(*item));
          if (selected == wanted) return item;
        }
      },
      value);
}

Result<Value> items(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("items", std::move(arguments), {}, 0));
  return made_lazily(value, [value]() -> Result<Items> {
    if (!value.is(Kind::dict) && !value.is(Kind::undefined))
      return type_error("Can only get item pairs from a mapping.");
    Items pairs;
    if (value.is(Kind::undefined)) return pairs;
    for (const auto& [key, item] : value.as_dict().pairs) {
      TRY(Value pair, Value::tuple({key, item}));
      pairs.push_back(std::move(pair));
    }
    return pairs;
  });
}

Result<Value> unique(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("unique", std::move(arguments), {"case_sensitive", "attribute"}, 0));
  TRY(const ItemPath path, ItemPath::of(runtime, given.value_or(1, Value())));
  const bool case_counts = given.flag(0);
  return make_iterator(
      [&runtime, value, path, case_counts, next = NextItem(),
       seen = std::unordered_multimap<size_t, Value>()]() mutable -> Result<std::optional<Value>> {
        if (!next) {
          TRY(next, open_iterator(runtime, value));
        }
        while (true) {
          TRY(std::optional<Value> item, next());
          if (!item) return std::optional<Value>();
          TRY(Value key, path.get(runtime, *item));
          if (!case_counts) key = without_case(key);
          if (!hashable(key)) return type_error("unhashable type: '" + type_name(key) + "'");
          bool known = false;
          const auto [first, last] = seen.equal_range(hash_of(key));
          for (auto it = first; it != last && !known; ++it) {
            TRY(known, same(runtime, it->second, key));
          }
          if (known) continue;
          seen.emplace(hash_of(key), key);
          return item;
        }
      },
      value);
}

Result<Items> batches(Runtime& runtime, const Items& all, Integer size, const Value& fill) {
  if (size > batch_max) return type_error("the batch is too large");
  Items rows;
  // jinja2 compares the size before it appends: an empty row equals a size of zero once, nothing one below.
  if (size == 0 && !all.empty()) {
    TRY(Value none, Value::list({}));
    rows.push_back(std::move(none));
  }
  for (size_t at = 0; at < all.size();) {
    const size_t end = size <= 0 ? all.size() : std::min(all.size(), at + static_cast<size_t>(size));
    Items row(all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(end));
    if (!fill.is(Kind::none) && size > 0) row.resize(static_cast<size_t>(size), fill);
    TRY_DONE(runtime.budget.steps(row.size()));
    TRY(Value list, Value::list(std::move(row)));
    rows.push_back(std::move(list));
    at = end;
  }
  return rows;
}

// jinja2 only compares with the size until it fills: what is no whole number is never reached.
Result<Integer> batch_size(const Bound& given) {
  const Value& size = given.at(0);
  if (size.is_whole()) return size.whole();
  const bool fills = given.has(1) && !given.at(1).is(Kind::none);
  if (fills && !(size.is(Kind::real) && size.number() <= 0)) return given.whole(0, 1);
  const bool is_whole = size.is(Kind::real) && size.number() == std::floor(size.number());
  if (is_whole && std::fabs(size.number()) <= batch_max) return static_cast<Integer>(size.number());
  return Integer{-1};
}

Result<Value> batch(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("batch", std::move(arguments), {"linecount", "fill_with"}, 1));
  return made_lazily(value, [&runtime, value, given]() -> Result<Items> {
    TRY(const Items all, collect(runtime, value));
    if (all.empty()) return Items{};
    TRY(const Integer size, batch_size(given));
    return batches(runtime, all, size, given.value_or(1, Value()));
  });
}

Result<Items> slices_of(Runtime& runtime, const Value& value, Integer slices, const Value& fill) {
  if (slices > 1'000'000) return type_error("too many slices");
  TRY(const Items all, collect(runtime, value));
  if (slices == 0) return type_error("integer division or modulo by zero");
  Items rows;
  size_t at = 0;
  for (Integer i = 0; i < slices; ++i) {
    const auto count = static_cast<size_t>(slices);
    const bool extra = static_cast<size_t>(i) < all.size() % count;
    const size_t end = at + all.size() / count + (extra ? 1 : 0);
    Items row(all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(end));
    if (!fill.is(Kind::none) && !extra) row.push_back(fill);
    TRY_DONE(runtime.budget.steps(1));
    TRY(Value list, Value::list(std::move(row)));
    rows.push_back(std::move(list));
    at = end;
  }
  return rows;
}

Result<Value> slice(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("slice", std::move(arguments), {"slices", "fill_with"}, 1));
  return made_lazily(value, [&runtime, value, given]() -> Result<Items> {
    TRY(const Integer slices, given.whole(0, 1));
    return slices_of(runtime, value, slices, given.value_or(1, Value()));
  });
}

struct Row {
  std::string_view name;
  Filter filter;
};
constexpr Row rows[] = {{"batch", batch},
                        {"items", items},
                        {"map", map},
                        {"reject", select<false, false>},
                        {"rejectattr", select<false, true>},
                        {"select", select<true, false>},
                        {"selectattr", select<true, true>},
                        {"slice", slice},
                        {"unique", unique}};

}  // namespace

Filter find_lazy_filter(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.filter;
  return nullptr;
}

}  // namespace holdfast::jinja
