#include "jinja/bound_arguments.h"

#include <algorithm>

#include "jinja/runtime.h"

namespace holdfast::jinja {

Result<BoundArguments> BoundArguments::bind(std::string_view function, Arguments arguments,
                                            std::initializer_list<std::string_view> parameters,
                                            size_t required) {
  BoundArguments out;
  out.function_ = std::string(function) + "()";
  out.values_.resize(parameters.size());
  if (arguments.positional.size() > parameters.size())
    return type_error(out.function_ + " takes at most " + std::to_string(parameters.size()) + " arguments (" +
                      std::to_string(arguments.positional.size()) + " given)");
  for (size_t i = 0; i < arguments.positional.size(); ++i)
    out.values_[i] = std::move(arguments.positional[i]);
  for (auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end())
      return type_error(out.function_ + " got an unexpected keyword argument '" + name + "'");
    std::optional<Value>& slot = out.values_[static_cast<size_t>(found - parameters.begin())];
    if (slot) return type_error(out.function_ + " got multiple values for argument '" + name + "'");
    slot = std::move(value);
  }
  for (size_t i = 0; i < required; ++i)
    if (!out.values_[i])
      return type_error(out.function_ + " missing required argument: '" + std::string(parameters.begin()[i]) +
                        "'");
  return out;
}

Result<BoundArguments> BoundArguments::bind_places(std::string_view function, Arguments arguments,
                                                   size_t most, size_t required) {
  BoundArguments out;
  out.function_ = std::string(function) + "()";
  const size_t given = arguments.positional.size();
  if (!arguments.named.empty()) return type_error(out.function_ + " takes no keyword arguments");
  if (given < required || given > most)
    return type_error(out.function_ + " takes " + std::to_string(required) + " to " + std::to_string(most) +
                      " arguments (" + std::to_string(given) + " given)");
  out.values_.resize(most);
  for (size_t i = 0; i < given; ++i) out.values_[i] = std::move(arguments.positional[i]);
  return out;
}

Result<std::optional<std::string>> BoundArguments::text(size_t index) const {
  if (!has(index) || at(index).is(Kind::none)) return std::optional<std::string>();
  if (at(index).is(Kind::undefined)) return undefined_error(at(index));
  if (!at(index).is(Kind::text))
    return type_error(function_ + " argument " + std::to_string(index + 1) + " must be str, not " +
                      type_name(at(index)));
  return std::optional<std::string>(at(index).string());
}

Result<Integer> BoundArguments::whole(size_t index, Integer otherwise) const {
  if (!has(index)) return otherwise;
  if (at(index).is(Kind::undefined)) return undefined_error(at(index));
  if (!at(index).is_whole())
    return type_error("'" + type_name(at(index)) + "' object cannot be interpreted as an integer");
  return at(index).whole();
}

}  // namespace holdfast::jinja
