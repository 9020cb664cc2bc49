#include "cli/profile_chart.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cli {
namespace {

constexpr int width = 960, left = 90, top = 48, bar = 18, gap = 6;

std::string_view color_of(model::EncoderStep step) {
  switch (step) {
    case model::EncoderStep::embedding:
      return "#7f7f7f";
    case model::EncoderStep::query_key_value:
      return "#4e79a7";
    case model::EncoderStep::attention:
      return "#e15759";
    case model::EncoderStep::attention_out:
      return "#76b7b2";
    case model::EncoderStep::inner:
      return "#f28e2b";
    case model::EncoderStep::out:
      return "#59a14f";
    case model::EncoderStep::convolution:
      return "#b07aa1";
    case model::EncoderStep::whole_layer:
      return "#edc948";
    case model::EncoderStep::final_norm:
      return "#9c755f";
  }
  return "#000000";
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

}  // namespace

double ModelProfile::seconds() const {
  double out = 0;
  for (const StepTime& step : steps) out += step.seconds;
  return out;
}

std::string profile_svg(const ModelProfile& profile) {
  std::vector<double> layers;
  for (const StepTime& step : profile.steps) {
    if (layers.size() <= step.layer) layers.resize(step.layer + 1);
    layers[step.layer] += step.seconds;
  }
  const double longest =
      layers.empty() ? 1 : std::max(1e-12, *std::max_element(layers.begin(), layers.end()));
  const int below = top + static_cast<int>(layers.size()) * (bar + gap), height = below + 60;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n"
      "<text x=\"8\" y=\"22\" font-size=\"15\">{}</text>\n",
      width, height, escaped(profile.title));
  std::vector<double> at(layers.size(), left);
  for (size_t layer = 0; layer < layers.size(); ++layer)
    out += fmt::format("<text x=\"8\" y=\"{}\">layer {}</text>\n",
                       top + static_cast<int>(layer) * (bar + gap) + 13, layer);
  for (const StepTime& step : profile.steps) {
    const double wide = step.seconds / longest * (width - left - 12);
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"><title>layer {}, {}: {:.3f} "
        "ms{}</title></rect>\n",
        at[step.layer], top + static_cast<int>(step.layer) * (bar + gap), wide, bar, color_of(step.step),
        step.layer, model::step_name(step.step), step.seconds * 1e3,
        step.operations > 0 && step.seconds > 0
            ? fmt::format(", {:.0f} % of peak", 100 * step.operations / step.seconds / profile.peak)
            : "");
    at[step.layer] += wide;
  }
  int x = 8, y = below + 16;
  for (model::EncoderStep step : model::encoder_steps) {
    const auto name = model::step_name(step);
    const int wide = 30 + 7 * static_cast<int>(name.size());
    if (std::none_of(profile.steps.begin(), profile.steps.end(),
                     [&](const StepTime& t) { return t.step == step; }))
      continue;
    if (x + wide > width) {
      x = 8;
      y += 20;
    }
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
        x, y, color_of(step), x + 16, y + 11, name);
    x += wide;
  }
  return out + "</svg>\n";
}

}  // namespace holdfast::cli
