#include "cli/profile_chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/steps.h"

namespace holdfast::cli {
namespace {

namespace step = model::step;

constexpr int width = 960, left = 110, bar = 18, gap = 6, heading = 48;

// By the order of model::step::all; what is in none is black.
constexpr std::string_view colors[] = {"#7f7f7f", "#4e79a7", "#e15759", "#76b7b2", "#d37295",
                                       "#86bcb6", "#f28e2b", "#59a14f", "#ff9d9a", "#b07aa1",
                                       "#edc948", "#9c755f", "#499894"};
static_assert(std::size(colors) == std::size(step::all));

std::string_view color_of(std::string_view name) {
  const auto* at = std::find(std::begin(step::all), std::end(step::all), name);
  return at == std::end(step::all) ? "#000000" : colors[at - std::begin(step::all)];
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

// One line of the chart.
struct Bar {
  std::string_view part;
  size_t layer = 0;
  double seconds = 0;
  int x = left;

  std::string name() const {
    const std::string own = layer == tensor::WorkWatch::no_layer ? "outside" : fmt::format("layer {}", layer);
    return part.empty() ? own : fmt::format("{}, {}", part, own);
  }
};

std::vector<Bar> bars_of(const CallProfile& call) {
  std::vector<Bar> out;
  for (const StepTime& one : call.steps) {
    auto at = std::find_if(out.begin(), out.end(),
                           [&](const Bar& b) { return b.part == one.part && b.layer == one.layer; });
    if (at == out.end()) {
      Bar fresh;
      fresh.part = one.part;
      fresh.layer = one.layer;
      at = out.insert(out.end(), fresh);
    }
    at->seconds += one.seconds;
  }
  return out;
}

// The bars of one call from `top` on; answers where they end.
int draw(const CallProfile& call, int top, std::string& out) {
  std::vector<Bar> bars = bars_of(call);
  double longest = 1e-12;
  for (const Bar& one : bars) longest = std::max(longest, one.seconds);
  out += fmt::format("<text x=\"8\" y=\"{}\" font-size=\"15\">{}</text>\n", top + 22, escaped(call.title));
  top += heading;
  for (size_t i = 0; i < bars.size(); ++i)
    out += fmt::format("<text x=\"8\" y=\"{}\">{}</text>\n", top + static_cast<int>(i) * (bar + gap) + 13,
                       escaped(bars[i].name()));
  std::vector<double> at(bars.size(), left);
  for (const StepTime& one : call.steps) {
    const auto place = static_cast<size_t>(
        std::find_if(bars.begin(), bars.end(),
                     [&](const Bar& b) { return b.part == one.part && b.layer == one.layer; }) -
        bars.begin());
    const double wide = one.seconds / longest * (width - left - 12);
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"><title>{}, {}: {:.3f} "
        "ms{}</title></rect>\n",
        at[place], top + static_cast<int>(place) * (bar + gap), wide, bar, color_of(one.step),
        escaped(bars[place].name()), escaped(one.step), one.seconds * 1e3,
        one.operations > 0 && one.seconds > 0
            ? fmt::format(", {:.0f} % of peak", 100 * one.operations / one.seconds / call.peak)
            : "");
    at[place] += wide;
  }
  return top + static_cast<int>(bars.size()) * (bar + gap);
}

int draw_legend(const std::vector<CallProfile>& calls, int y, std::string& out) {
  std::vector<std::string_view> names;
  for (const CallProfile& call : calls)
    for (const StepTime& one : call.steps)
      if (std::find(names.begin(), names.end(), one.step) == names.end()) names.push_back(one.step);
  int x = 8;
  for (const std::string_view name : names) {
    const int wide = 30 + 7 * static_cast<int>(name.size());
    if (x + wide > width) {
      x = 8;
      y += 20;
    }
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
        x, y, color_of(name), x + 16, y + 11, escaped(name));
    x += wide;
  }
  return y + 30;
}

}  // namespace

std::string profile_svg(const std::vector<CallProfile>& calls) {
  std::string drawn;
  int y = 0;
  for (const CallProfile& call : calls) y = draw(call, y, drawn);
  y = draw_legend(calls, y + 16, drawn);
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
             "font-size=\"12\">\n",
             width, y) +
         drawn + "</svg>\n";
}

}  // namespace holdfast::cli
