#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::observe {

// One line of our own text exposition: values of labels hold no quotes. Views into the line.
struct FigureSample {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  std::string_view value;

  std::string_view label(std::string_view of) const;  // Empty: it has none.
};
// None of a comment.
std::optional<FigureSample> read_figure(std::string_view line);

// Of a text exposition (version 0.0.4) the samples alone whose label "endpoint" has this value, each family
// with its help and type.
std::string figures_of_endpoint(std::string_view exposition, std::string_view endpoint);

}  // namespace holdfast::observe
