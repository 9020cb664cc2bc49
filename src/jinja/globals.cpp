#include "jinja/globals.h"

#include "jinja/bound_arguments.h"
#include "jinja/iterate.h"
#include "jinja/python_text.h"
#include "jinja/strftime.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;
constexpr Integer range_max = 100'000;

Result<Value> range(Runtime&, Arguments arguments) {
  TRY(const Bound given, Bound::bind("range", std::move(arguments), {"start", "stop", "step"}, 1));
  auto out = std::make_shared<RangeObject>();
  TRY(const Integer first, given.whole(0, 0));
  TRY(const Integer second, given.whole(1, 0));
  TRY(out->step, given.whole(2, 1));
  out->start = given.has(1) ? first : 0;
  out->stop = given.has(1) ? second : first;
  if (out->step == 0) return type_error("range() arg 3 must not be zero");
  const Integer distance = out->step > 0 ? out->stop - out->start : out->start - out->stop;
  const Integer stride = out->step > 0 ? out->step : -out->step;
  out->count = distance > 0 ? (distance + stride - 1) / stride : 0;
  if (out->count > range_max)
    return type_error("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  return Value::of(Kind::range, std::move(out));
}

// dict(mapping or pairs, **named).
Result<std::vector<std::pair<Value, Value>>> pairs_of(Runtime& runtime, std::string_view function,
                                                      Arguments arguments) {
  std::vector<std::pair<Value, Value>> pairs;
  if (arguments.positional.size() > 1)
    return type_error(std::string(function) + " expected at most 1 argument, got " +
                      std::to_string(arguments.positional.size()));
  if (!arguments.positional.empty()) {
    const Value& first = arguments.positional[0];
    if (first.is(Kind::undefined)) return undefined_error(first);
    if (first.is(Kind::dict)) {
      pairs = first.as_dict().pairs;
      TRY_DONE(runtime.budget.steps(pairs.size()));
    } else {
      TRY(const Items rows, collect(runtime, first));
      for (size_t i = 0; i < rows.size(); ++i) {
        TRY(const Items parts, collect(runtime, rows[i]));
        if (parts.size() != 2)
          return type_error("dictionary update sequence element #" + std::to_string(i) + " has length " +
                            std::to_string(parts.size()) + "; 2 is required");
        pairs.emplace_back(parts[0], parts[1]);
      }
    }
  }
  for (auto& [name, value] : arguments.named) pairs.emplace_back(Value::text(name), std::move(value));
  return pairs;
}

Result<Value> make_dict(Runtime& runtime, Arguments arguments) {
  TRY(auto pairs, pairs_of(runtime, "dict", std::move(arguments)));
  return Value::dict(std::move(pairs));
}

Result<Value> from_keys(Runtime& runtime, Arguments arguments) {
  TRY(const Bound given, Bound::bind("fromkeys", std::move(arguments), {"iterable", "value"}, 1));
  TRY(const Items keys, collect(runtime, given.at(0)));
  std::vector<std::pair<Value, Value>> pairs;
  for (const Value& key : keys) pairs.emplace_back(key, given.value_or(1, Value()));
  return Value::dict(std::move(pairs));
}

Result<Value> make_namespace(Runtime& runtime, Arguments arguments) {
  TRY(const auto pairs, pairs_of(runtime, "namespace", std::move(arguments)));
  auto out = std::make_shared<NamespaceObject>();
  for (const auto& [name, value] : pairs) {
    if (!name.is(Kind::text)) return type_error("the attributes of a namespace have text for names");
    if (name.string().starts_with('_'))
      return type_error(
          "Chat templates cannot store underscore-prefixed attributes on a namespace, but got " +
          quoted(name.string()) + ". Please rename the attribute.");
    out->set(name.string(), value);
  }
  runtime.at_end([out] { out->attributes.clear(); });
  return Value::of(Kind::name_space, std::move(out));
}

struct Cycle {
  Items items;
  size_t at = 0;
};

Result<Value> make_cycler(Runtime&, Arguments arguments) {
  if (arguments.positional.empty()) return type_error("at least one item has to be provided");
  auto cycle = std::make_shared<Cycle>();
  cycle->items = std::move(arguments.positional);
  TRY(const Value size, Value::list(cycle->items));
  auto out = std::make_shared<FunctionObject>();
  out->type_name = "Cycler";
  out->printed = "<jinja2.utils.Cycler object>";
  out->depth = size.depth();
  out->weight = size.weight();
  out->call = [](Runtime&, Arguments) -> Result<Value> {
    return type_error("'Cycler' object is not callable");
  };
  out->attribute = [cycle](std::string_view name) -> std::optional<Value> {
    if (name == "current") return cycle->items[cycle->at];
    if (name == "next")
      return make_function("next", [cycle](Runtime&, Arguments) -> Result<Value> {
        Value now = cycle->items[cycle->at];
        cycle->at = (cycle->at + 1) % cycle->items.size();
        return now;
      });
    if (name == "reset")
      return make_function("reset", [cycle](Runtime&, Arguments) -> Result<Value> {
        cycle->at = 0;
        return Value();
      });
    return std::nullopt;
  };
  return Value::of(Kind::function, std::move(out));
}

Result<Value> make_joiner(Runtime&, Arguments arguments) {
  TRY(const Bound given, Bound::bind("joiner", std::move(arguments), {"sep"}, 0));
  const Value separator = given.value_or(0, Value::text(", "));
  auto used = std::make_shared<bool>(false);
  return make_function("joiner", [separator, used](Runtime&, Arguments) -> Result<Value> {
    if (std::exchange(*used, true)) return separator;
    return Value::text("");
  });
}

Result<Value> raise_exception(Runtime& runtime, Arguments arguments) {
  TRY(const Bound given, Bound::bind("raise_exception", std::move(arguments), {"message"}, 1));
  TRY(const std::string message, str_of(runtime, given.at(0)));
  return type_error(message);
}

Result<Value> strftime_now(Runtime& runtime, Arguments arguments) {
  TRY(const Bound given, Bound::bind("strftime_now", std::move(arguments), {"format"}, 1));
  TRY(const auto format, given.text(0));
  if (!format) return type_error("strftime() argument 1 must be str, not None");
  TRY(std::string text, format_moment(runtime.now, *format));
  return made_text(runtime, std::move(text));
}

}  // namespace

Value make_function(std::string_view name, std::function<Result<Value>(Runtime&, Arguments)> call) {
  auto out = std::make_shared<FunctionObject>();
  out->name = std::string(name);
  out->printed = "<function " + out->name + ">";
  out->call = std::move(call);
  return Value::of(Kind::function, std::move(out));
}

std::vector<std::pair<std::string, Value>> globals() {
  auto dict = std::make_shared<FunctionObject>();
  dict->name = "dict";
  dict->printed = "<transformers.utils.chat_template_utils.TemplateDict object>";
  dict->call = make_dict;
  dict->attribute = [](std::string_view name) -> std::optional<Value> {
    if (name == "fromkeys") return make_function("fromkeys", from_keys);
    return std::nullopt;
  };
  return {{"range", make_function("range", range)},
          {"dict", Value::of(Kind::function, std::move(dict))},
          {"namespace", make_function("namespace", make_namespace)},
          {"cycler", make_function("cycler", make_cycler)},
          {"joiner", make_function("joiner", make_joiner)},
          {"raise_exception", make_function("raise_exception", raise_exception)},
          {"strftime_now", make_function("strftime_now", strftime_now)}};
}

}  // namespace holdfast::jinja
