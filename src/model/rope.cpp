#include "model/rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <numbers>
#include <optional>

namespace holdfast::model {
namespace {

std::optional<RopeSpec::Kind> kind_of(std::string_view name) {
  using enum RopeSpec::Kind;
  if (name == "default" || name == "mrope") return plain;
  if (name == "linear") return linear;
  if (name == "dynamic") return dynamic;
  if (name == "yarn") return yarn;
  if (name == "longrope" || name == "su") return longrope;
  if (name == "llama3") return llama3;
  return std::nullopt;
}

double magnitude(double scale, double weight) { return scale <= 1 ? 1 : 0.1 * weight * std::log(scale) + 1; }

double attention_factor_of(ConfigReader& part, const RopeSpec& spec) {
  if (part.has("attention_factor")) return part.number({"attention_factor"}, 1);
  if (spec.kind == RopeSpec::Kind::yarn) {
    const double one = part.number({"mscale"}, 0), all = part.number({"mscale_all_dim"}, 0);
    if (one != 0 && all != 0) return magnitude(spec.factor, one) / magnitude(spec.factor, all);
    return magnitude(spec.factor, 1);
  }
  if (spec.kind == RopeSpec::Kind::longrope && spec.factor > 1)
    return std::sqrt(1 + std::log(spec.factor) / std::log(static_cast<double>(spec.original_positions)));
  return 1;
}

std::vector<float> factors(ConfigReader& part, std::string_view name, size_t count) {
  const boost::json::array* array = part.array(name);
  std::vector<float> out;
  if (array != nullptr)
    for (const boost::json::value& value : *array)
      if (value.is_number()) out.push_back(value.to_number<float>());
  if (out.size() != count)
    part.refuse(fail(Reason::bad_request, fmt::format("config.json: {} must be {} numbers", name, count)));
  out.resize(count, 1.0F);
  return out;
}

const boost::json::object* part_of(ConfigReader& config, std::string_view layer_type) {
  const boost::json::object* part = config.object("rope_scaling");
  if (part == nullptr) part = config.object("rope_parameters");
  if (part == nullptr || layer_type.empty()) return part;
  if (const boost::json::value* nested = part->if_contains(layer_type);
      nested != nullptr && nested->is_object())
    return &nested->get_object();
  return part;
}

std::vector<float> plain_frequencies(double theta, size_t dims) {
  std::vector<float> out(dims / 2);
  for (size_t i = 0; i < out.size(); ++i) {
    const float power = static_cast<float>(2 * i) / static_cast<float>(dims);
    out[i] = 1.0F / std::pow(static_cast<float>(theta), power);
  }
  return out;
}

void stretch_yarn(const RopeSpec& spec, std::vector<float>& frequencies) {
  const auto bound = [&](double turns) {
    return static_cast<double>(spec.dims) *
           std::log(static_cast<double>(spec.original_positions) / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(spec.theta));
  };
  double low = bound(spec.fast_turns), high = bound(spec.slow_turns);
  if (spec.whole_bounds) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(spec.dims) - 1);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const auto ramp = static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
    const float stretched = frequencies[i] / static_cast<float>(spec.factor), keep = 1 - ramp;
    frequencies[i] = stretched * (1 - keep) + frequencies[i] * keep;
  }
}

void stretch_llama3(const RopeSpec& spec, std::vector<float>& frequencies) {
  const double original = static_cast<double>(spec.original_positions);
  const double longest = original / spec.low_frequency, shortest = original / spec.high_frequency;
  for (float& frequency : frequencies) {
    const double length = 2 * std::numbers::pi / frequency;
    if (length < shortest) continue;
    const double stretched = frequency / spec.factor;
    const double smooth =
        (original / length - spec.low_frequency) / (spec.high_frequency - spec.low_frequency);
    frequency =
        static_cast<float>(length > longest ? stretched : (1 - smooth) * stretched + smooth * frequency);
  }
}

}  // namespace

RopeSpec read_rope(ConfigReader& config, size_t head_width, const RopeDefaults& defaults,
                   std::string_view layer_type) {
  RopeSpec spec;
  static const boost::json::object nothing;
  const boost::json::object* found = part_of(config, layer_type);
  ConfigReader part(found != nullptr ? *found : nothing);
  const std::string name = part.text({"rope_type", "type"}, "default");
  const auto kind = kind_of(name);
  if (!kind)
    config.refuse(
        fail(Reason::model_unsupported, fmt::format("config.json: rope type '{}' is not known", name)));
  spec.kind = kind.value_or(RopeSpec::Kind::plain);
  const double theta = config.number({"rope_theta", "rotary_emb_base"}, defaults.theta);
  spec.theta = part.number({"rope_theta"}, theta);
  const double share = part.number({"partial_rotary_factor"},
                                   config.number({"partial_rotary_factor", "rotary_pct"}, defaults.part));
  spec.dims = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(head_width) + 1e-6);
  spec.positions = config.size({"max_position_embeddings"}, 2048, 1 << 30);
  spec.original_positions = part.size({"original_max_position_embeddings"}, spec.positions, 1 << 30);
  if (config.has("original_max_position_embeddings"))
    spec.original_positions = config.size({"original_max_position_embeddings"}, 1, 1 << 30);
  const bool extends = spec.kind == RopeSpec::Kind::yarn || spec.kind == RopeSpec::Kind::longrope;
  spec.factor = part.number(
      {"factor"},
      extends ? static_cast<double>(spec.positions) / static_cast<double>(spec.original_positions) : 1.0);
  spec.low_frequency = part.number({"low_freq_factor"}, 1);
  spec.high_frequency = part.number({"high_freq_factor"}, 4);
  spec.fast_turns = part.number({"beta_fast"}, 32);
  spec.slow_turns = part.number({"beta_slow"}, 1);
  // Of parts by layer type transformers reads this one beside the parts, not in them.
  const boost::json::object* outer = part_of(config, {});
  spec.whole_bounds = outer == nullptr || ConfigReader(*outer).flag({"truncate"}, true);
  spec.attention_factor = attention_factor_of(part, spec);
  if (spec.kind == RopeSpec::Kind::longrope) {
    spec.short_factors = factors(part, "short_factor", spec.dims / 2);
    spec.long_factors = factors(part, "long_factor", spec.dims / 2);
  }
  if (!part.status().ok()) config.refuse(part.status().error());
  if (spec.dims % 2 != 0 || spec.theta <= 0 || spec.factor <= 0)
    config.refuse(fail(Reason::bad_request, "config.json: the rotary positions cannot be"));
  return spec;
}

bool has_rope_of(ConfigReader& config, std::string_view layer_type) {
  const boost::json::object* part = config.object("rope_parameters");
  const boost::json::value* nested = part != nullptr ? part->if_contains(layer_type) : nullptr;
  return nested != nullptr && nested->is_object();
}

std::vector<float> rope_frequencies(const RopeSpec& spec, size_t length) {
  double theta = spec.theta;
  if (spec.kind == RopeSpec::Kind::dynamic && length > spec.positions && spec.dims > 2) {
    const double grown = spec.factor * static_cast<double>(length) / static_cast<double>(spec.positions);
    const auto dims = static_cast<double>(spec.dims);
    theta *= std::pow(grown - (spec.factor - 1), dims / (dims - 2));
  }
  std::vector<float> out = plain_frequencies(theta, spec.dims);
  switch (spec.kind) {
    case RopeSpec::Kind::plain:
    case RopeSpec::Kind::dynamic:
      break;
    case RopeSpec::Kind::linear:
      for (float& x : out) x /= static_cast<float>(spec.factor);
      break;
    case RopeSpec::Kind::yarn:
      stretch_yarn(spec, out);
      break;
    case RopeSpec::Kind::llama3:
      stretch_llama3(spec, out);
      break;
    case RopeSpec::Kind::longrope: {
      const auto& factors = length > spec.original_positions ? spec.long_factors : spec.short_factors;
      for (size_t i = 0; i < out.size(); ++i) out[i] /= factors[i];
      break;
    }
  }
  return out;
}

tensor::RopeTable rope_rows(const RopeSpec& spec, std::span<const int64_t> positions,
                            std::span<const size_t> lengths) {
  const size_t half = spec.dims / 2;
  tensor::RopeTable table;
  table.pairs = half;
  table.cosines.resize(positions.size() * half);
  table.sines.resize(positions.size() * half);
  std::vector<float> frequencies;
  size_t length = 0;
  for (size_t row = 0; row < positions.size(); ++row) {
    const bool by_length = spec.kind == RopeSpec::Kind::dynamic || spec.kind == RopeSpec::Kind::longrope;
    if (frequencies.empty() || (by_length && lengths[row] != length)) {
      length = lengths[row];
      frequencies = rope_frequencies(spec, length);
    }
    const auto position = static_cast<float>(positions[row]);
    for (size_t i = 0; i < half; ++i) {
      const double angle = position * frequencies[i];  // Rounded to float first, as transformers does.
      table.cosines[row * half + i] = static_cast<float>(std::cos(angle) * spec.attention_factor);
      table.sines[row * half + i] = static_cast<float>(std::sin(angle) * spec.attention_factor);
    }
  }
  return table;
}

}  // namespace holdfast::model
