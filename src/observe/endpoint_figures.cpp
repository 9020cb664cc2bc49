#include "observe/endpoint_figures.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::observe {

std::string_view FigureSample::label(std::string_view of) const {
  for (const auto& [key, said] : labels)
    if (key == of) return said;
  return {};
}

std::optional<FigureSample> read_figure(std::string_view line) {
  if (line.empty() || line.starts_with('#')) return std::nullopt;
  const size_t space = line.rfind(' '), open = line.find('{');
  if (space == std::string_view::npos) return std::nullopt;
  FigureSample out{
      .name = line.substr(0, std::min(open, space)), .labels = {}, .value = line.substr(space + 1)};
  if (open == std::string_view::npos) return out;
  std::string_view labels = line.substr(open + 1, line.rfind('}') - open - 1);
  while (!labels.empty()) {
    const size_t equals = labels.find("=\""), quote = labels.find('"', equals + 2);
    if (equals == std::string_view::npos || quote == std::string_view::npos) return std::nullopt;
    out.labels.emplace_back(labels.substr(0, equals), labels.substr(equals + 2, quote - equals - 2));
    labels.remove_prefix(std::min(quote + 2, labels.size()));
  }
  return out;
}

std::string figures_of_endpoint(std::string_view exposition, std::string_view endpoint) {
  // Labels hold no quotes of their own here; the first of a sample stands behind '{', the others behind ','.
  const std::string first = fmt::format("{{endpoint=\"{}\"", endpoint),
                    later = fmt::format(",endpoint=\"{}\"", endpoint);
  std::string out, head;  // Head: help and type of a family none of whose samples was wanted yet.
  while (!exposition.empty()) {
    const size_t end = exposition.find('\n');
    const std::string_view line = exposition.substr(0, end);
    exposition.remove_prefix(end == std::string_view::npos ? exposition.size() : end + 1);
    if (line.starts_with("# HELP ")) head.clear();
    if (line.starts_with('#')) {
      head += fmt::format("{}\n", line);
      continue;
    }
    if (line.find(first) == std::string_view::npos && line.find(later) == std::string_view::npos) continue;
    out += head;
    head.clear();
    out += fmt::format("{}\n", line);
  }
  return out;
}

}  // namespace holdfast::observe
