#include "jinja/pretty.h"

#include <algorithm>

#include "jinja/characters.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"
#include "jinja/split.h"

namespace holdfast::jinja {
namespace {

constexpr size_t line_characters = 80;

// Where a value stands: the column it begins in, what has to fit behind it on its last line, and whether
// nothing is around it.
struct Place {
  size_t column = 0, behind = 0;
  bool alone = true;

  size_t room() const { return line_characters > column + behind ? line_characters - column - behind : 0; }
};

// The stretches of `line` that end after white space.
std::vector<std::string> words_with_space(std::string_view line) {
  std::vector<std::string> out;
  bool spaces = true;
  for (const std::string_view character : characters(line)) {
    const bool space = is_space(code_point(character));
    if (spaces && !space) out.emplace_back();
    if (out.empty()) out.emplace_back();
    spaces = space;
    out.back() += character;
  }
  return out;
}

class PrettyPrinter {
 public:
  explicit PrettyPrinter(Runtime& runtime) : runtime_(runtime) {}

  Status put(const Value& value, Place place) {
    TRY(const std::string line, on_one_line(value));
    const bool spreads =
        value.is_sequence() || value.is(Kind::dict) || (value.is(Kind::text) && !value.is_markup());
    if (!spreads || character_count(line) <= place.room()) return write(line);
    if (value.is(Kind::text)) return put_text(value.string(), place);
    if (value.is(Kind::dict)) return put_dict(value.as_dict(), place);
    const bool list = value.is(Kind::list);
    const std::string_view close = list ? "]" : value.items().size() == 1 ? ",)" : ")";
    TRY_DONE(write(list ? "[" : "("));
    TRY_DONE(put_items(value.items(), {place.column + 1, place.behind + close.size(), false}));
    return write(close);
  }

  std::string take() { return std::move(out_); }

 private:
  using Pairs = std::vector<std::pair<Value, Value>>;

  Status write(std::string_view text) {
    TRY_DONE(runtime_.budget.made(text.size()));
    out_ += text;
    return Done{};
  }
  Status new_line(size_t column) { return write("\n" + std::string(column, ' ')); }

  // Keys of different types that cannot be compared go by the names of their types.
  Result<bool> before(const Value& left, const Value& right) {
    const auto compared = less(runtime_, left, right);
    if (compared.ok()) return compared.value();
    return "<class '" + type_name(left) + "'>" < "<class '" + type_name(right) + "'>";
  }

  Result<Pairs> sorted(const DictObject& dict) {
    Pairs out = dict.pairs;
    std::optional<Error> failure;
    std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
      const auto order = failure ? Result<bool>(false) : before(a.first, b.first);
      if (!order.ok() && !failure) failure = order.error();
      return order.ok() && order.value();
    });
    if (failure) return *failure;
    return out;
  }

  // repr with every dict sorted.
  Result<std::string> on_one_line(const Value& value) {
    if (!value.is_sequence() && !value.is(Kind::dict)) return repr_of(runtime_, value);
    TRY_DONE(runtime_.budget.steps(1));
    std::string out(value.is(Kind::dict) ? "{" : value.is(Kind::list) ? "[" : "(");
    if (value.is(Kind::dict)) {
      TRY(const Pairs pairs, sorted(value.as_dict()));
      for (const auto& [key, item] : pairs) {
        TRY(const std::string name, on_one_line(key));
        TRY(const std::string text, on_one_line(item));
        out += (out.size() > 1 ? ", " : "") + name + ": " + text;
      }
      out += '}';
    } else {
      for (const Value& item : value.items()) {
        TRY(const std::string text, on_one_line(item));
        out += (out.size() > 1 ? ", " : "") + text;
      }
      out += value.is(Kind::list) ? "]" : value.items().size() == 1 ? ",)" : ")";
    }
    TRY_DONE(runtime_.budget.made(out.size()));
    return out;
  }

  Status put_items(const Items& items, Place place) {
    for (size_t i = 0; i < items.size(); ++i) {
      const bool last = i + 1 == items.size();
      TRY_DONE(put(items[i], {place.column, last ? place.behind : 1, false}));
      if (last) continue;
      TRY_DONE(write(","));
      TRY_DONE(new_line(place.column));
    }
    return Done{};
  }

  Status put_dict(const DictObject& dict, Place place) {
    TRY(const Pairs pairs, sorted(dict));
    TRY_DONE(write("{"));
    for (size_t i = 0; i < pairs.size(); ++i) {
      const bool last = i + 1 == pairs.size();
      TRY(const std::string name, on_one_line(pairs[i].first));
      TRY_DONE(write(name + ": "));
      const size_t column = place.column + 1 + character_count(name) + 2;
      TRY_DONE(put(pairs[i].second, {column, last ? place.behind + 1 : 1, false}));
      if (last) continue;
      TRY_DONE(write(","));
      TRY_DONE(new_line(place.column + 1));
    }
    return write("}");
  }

  // Lines, and words of lines that are too long, each quoted; in parentheses where nothing is around them.
  Status put_text(const std::string& text, Place place) {
    if (place.alone) {
      ++place.column;
      ++place.behind;
    }
    const size_t room = line_characters > place.column ? line_characters - place.column : 0;
    const size_t last_room = room > place.behind ? room - place.behind : 0;
    const auto lines = lines_of(text, KeepEnds::yes);
    std::vector<std::string> pieces;
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool last_line = i + 1 == lines.size();
      std::string line = quoted(lines[i]);
      if (character_count(line) <= (last_line ? last_room : room)) {
        pieces.push_back(std::move(line));
        continue;
      }
      const auto words = words_with_space(lines[i]);
      std::string piece;
      for (size_t j = 0; j < words.size(); ++j) {
        const bool last = last_line && j + 1 == words.size();
        TRY_DONE(runtime_.budget.made(piece.size() + words[j].size()));
        if (character_count(quoted(piece + words[j])) > (last ? last_room : room)) {
          if (!piece.empty()) pieces.push_back(quoted(piece));
          piece = words[j];
        } else {
          piece += words[j];
        }
      }
      if (!piece.empty()) pieces.push_back(quoted(piece));
    }
    const bool around = place.alone && pieces.size() > 1;
    if (around) TRY_DONE(write("("));
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (i > 0) TRY_DONE(new_line(place.column));
      TRY_DONE(write(pieces[i]));
    }
    return around ? write(")") : Status(Done{});
  }

  Runtime& runtime_;
  std::string out_;
};

}  // namespace

Result<std::string> pretty_text(Runtime& runtime, const Value& value) {
  PrettyPrinter printer(runtime);
  TRY_DONE(printer.put(value, {}));
  return printer.take();
}

}  // namespace holdfast::jinja
