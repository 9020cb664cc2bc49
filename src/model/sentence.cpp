#include "model/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "base/check.h"
#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t file_bytes_max = 1 << 20;

// The file's object; none where the file is missing.
Result<std::optional<boost::json::value>> read_json(io::Disk& disk, const io::Path& path) {
  auto text = io::read_text(disk, path, file_bytes_max);
  if (!text.ok()) {
    if (text.error().code == Code::not_found) return std::optional<boost::json::value>();
    return std::move(text).error();
  }
  TRY(boost::json::value json, codec::parse_json(text.value()));
  return std::optional<boost::json::value>(std::move(json));
}

// In the order in which sentence-transformers puts several together. Older files have a flag each, newer ones
// a name or a list of names.
Result<std::vector<Pooling>> parse_poolings(const boost::json::object& json) {
  struct Row {
    std::string_view flag, name;
    Pooling pooling;
  };
  constexpr Row rows[] = {
      {"pooling_mode_cls_token", "cls", Pooling::first_token},
      {"pooling_mode_max_tokens", "max", Pooling::max},
      {"pooling_mode_mean_tokens", "mean", Pooling::mean},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::mean_over_root},
      {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::weighted_mean},
      {"pooling_mode_lasttoken", "lasttoken", Pooling::last_token},
  };
  const boost::json::value* mode = json.if_contains("pooling_mode");
  std::vector<Pooling> chosen;
  // A list has an order of its own.
  if (mode != nullptr && mode->is_array()) {
    for (const boost::json::value& one : mode->get_array()) {
      const auto* const found = std::ranges::find_if(
          rows, [&](const Row& row) { return one.is_string() && one.get_string() == row.name; });
      if (found == std::end(rows))
        return fail(Reason::model_unsupported, "this kind of pooling is not supported");
      chosen.push_back(found->pooling);
    }
  }
  for (const Row& row : rows) {
    if (!chosen.empty() && mode != nullptr) break;
    TRY(const auto flag, codec::json_flag_if(json, row.flag));
    const bool named = mode != nullptr && mode->is_string() && mode->get_string() == row.name;
    if (flag.value_or(false) || named) chosen.push_back(row.pooling);
  }
  if (chosen.empty()) return fail(Reason::model_unsupported, "this kind of pooling is not supported");
  return chosen;
}

// "sentence_transformers.models.Pooling" and its later, longer spellings: the last word counts.
std::string_view last_word(std::string_view type) { return type.substr(type.rfind('.') + 1); }

Status read_transformer(io::Disk& disk, const io::Path& folder, SentenceConfig& config) {
  TRY(const auto json, read_json(disk, folder / "sentence_bert_config.json"));
  if (!json || !json->is_object()) return Done{};
  TRY(const auto most, codec::json_integer_if(json->get_object(), "max_seq_length"));
  if (most && *most > 0) config.tokens_max = static_cast<size_t>(*most);
  TRY(const auto lower, codec::json_flag_if(json->get_object(), "do_lower_case"));
  config.lowercase = lower.value_or(false);
  return Done{};
}

// "torch.nn.modules.activation.Tanh".
Result<tensor::Activation> dense_activation(std::string_view name) {
  constexpr std::pair<std::string_view, tensor::Activation> rows[] = {
      {"Tanh", tensor::Activation::tanh},       {"Identity", tensor::Activation::none},
      {"GELU", tensor::Activation::gelu},       {"ReLU", tensor::Activation::relu},
      {"Sigmoid", tensor::Activation::sigmoid}, {"SiLU", tensor::Activation::silu}};
  for (const auto& [one, activation] : rows)
    if (one == last_word(name)) return activation;
  return fail(Reason::model_unsupported, "this activation of a dense module is not supported");
}

Status read_dense(io::Disk& disk, const io::Path& place, tensor::Compute compute, SentenceConfig& config) {
  TRY(const auto json, read_json(disk, place / "config.json"));
  if (!json || !json->is_object()) return fail(Reason::bad_request, "the dense module has no config.json");
  const boost::json::object& object = json->get_object();
  TRY(const int64_t in, codec::json_integer(object, "in_features"));
  TRY(const int64_t out, codec::json_integer(object, "out_features"));
  if (in < 1 || out < 1 || in > 131'072 || out > 131'072)
    return fail(Reason::bad_request, "the dense module's sizes cannot be");
  TRY(const auto bias, codec::json_flag_if(object, "bias"));
  TRY(const auto activation, codec::json_text_if(object, "activation_function"));
  TRY(const tensor::Weights weights, tensor::Weights::open(disk, place));
  const WeightReader reader(weights, std::vector<std::string>(), compute);
  auto dense = std::make_shared<DenseModule>();
  TRY(dense->activation, dense_activation(activation.value_or("Tanh")));
  TRY(dense->linear, reader.linear("linear", static_cast<size_t>(out), static_cast<size_t>(in),
                                   bias.value_or(true) ? Bias::with : Bias::without));
  config.steps.push_back({std::move(dense)});
  return Done{};
}

Status read_norm(io::Disk& disk, const io::Path& place, tensor::Compute compute, SentenceConfig& config) {
  TRY(const auto json, read_json(disk, place / "config.json"));
  if (!json || !json->is_object()) return fail(Reason::bad_request, "the norm module has no config.json");
  TRY(const int64_t width, codec::json_integer(json->get_object(), "dimension"));
  if (width < 1 || width > 131'072) return fail(Reason::bad_request, "the norm module's size cannot be");
  TRY(const tensor::Weights weights, tensor::Weights::open(disk, place));
  const WeightReader reader(weights, std::vector<std::string>(), compute);
  auto module = std::make_shared<DenseModule>();
  TRY(module->norm, reader.norm("norm", static_cast<size_t>(width)));
  config.steps.push_back({std::move(module)});
  return Done{};
}

Status read_prompts(io::Disk& disk, const io::Path& folder, SentenceConfig& config) {
  TRY(const auto json, read_json(disk, folder / "config_sentence_transformers.json"));
  if (!json || !json->is_object()) return Done{};
  TRY(const boost::json::object* prompts, codec::json_object_if(json->get_object(), "prompts"));
  if (prompts != nullptr)
    for (const auto& [name, prompt] : *prompts)
      if (prompt.is_string()) config.prompts[std::string(name)] = prompt.get_string();
  TRY(const auto usual, codec::json_text_if(json->get_object(), "default_prompt_name"));
  config.default_prompt = usual.value_or("");
  return Done{};
}

Status read_module(io::Disk& disk, const io::Path& folder, const boost::json::object& module,
                   tensor::Compute compute, SentenceConfig& config) {
  TRY(const std::string_view type, codec::json_text(module, "type"));
  TRY(const auto path, codec::json_text_if(module, "path"));
  const std::string_view kind = last_word(type);
  if (path.value_or("").find("..") != std::string_view::npos || path.value_or("").starts_with('/'))
    return fail(Reason::bad_request, "modules.json leaves the folder");
  const io::Path place = folder / std::string(path.value_or(""));
  if (kind == "Transformer") {
    return read_transformer(disk, place, config);
  }
  if (kind == "StaticEmbedding") return Done{};  // Read as a model; its texts' mean is what it answers.
  if (kind == "Pooling") {
    TRY(const auto json, read_json(disk, place / "config.json"));
    if (!json || !json->is_object())
      return fail(Reason::bad_request, "the pooling module has no config.json");
    TRY(config.poolings, parse_poolings(json->get_object()));
    TRY(const auto prompt, codec::json_flag_if(json->get_object(), "include_prompt"));
    config.pools_prompt = prompt.value_or(true);
    return Done{};
  }
  if (kind == "Dense") return read_dense(disk, place, compute, config);
  if (kind == "LayerNorm") return read_norm(disk, place, compute, config);
  if (kind == "Dropout") return Done{};
  if (kind == "Normalize") {
    config.steps.push_back({});
    return Done{};
  }
  return fail(Reason::model_unsupported,
              fmt::format("sentence module '{}' is not supported", kind.substr(0, 60)));
}

void add_all(const tensor::Kernels& kernels, const float* rows, size_t count, std::vector<float>& sum) {
  for (size_t i = 0; i < count; ++i) kernels.add(sum.data(), rows + i * sum.size(), sum.size());
}

}  // namespace

bool is_sentence_folder(io::Disk& disk, const io::Path& folder) {
  return disk.stat(folder / "modules.json").ok();
}

Result<SentenceConfig> read_sentence_config(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  SentenceConfig config;
  TRY(const auto modules, read_json(disk, folder / "modules.json"));
  if (!modules) return config;
  if (!modules->is_array()) return fail(Reason::bad_request, "modules.json is not a list");
  config.is_sentence_model = true;
  for (const boost::json::value& module : modules->get_array()) {
    if (!module.is_object())
      return fail(Reason::bad_request, "modules.json holds something that is not a module");
    TRY_DONE(read_module(disk, folder, module.get_object(), compute, config));
  }
  config.normalize = !config.steps.empty() && config.steps.back().dense == nullptr;
  TRY_DONE(read_prompts(disk, folder, config));
  return config;
}

std::vector<std::vector<float>> pool_sentences(const tensor::Kernels& kernels, Pooling pooling,
                                               const TokenBatch& batch, const tensor::Floats& hidden,
                                               size_t width, std::span<const size_t> skip) {
  std::vector<std::vector<float>> out;
  out.reserve(batch.sequences());
  for (size_t i = 0; i < batch.sequences(); ++i) {
    CHECK(batch.length(i) > 0);
    const bool all = skip.empty() || pooling == Pooling::first_token;
    const size_t first = all ? 0 : std::min(skip[i], batch.length(i) - 1);
    const float* rows = hidden.data() + (batch.starts[i] + first) * width;
    const size_t count = batch.length(i) - first;
    std::vector<float> vector(rows, rows + width);
    switch (pooling) {
      case Pooling::first_token:
        break;
      case Pooling::last_token:
        std::copy_n(rows + (count - 1) * width, width, vector.data());
        break;
      case Pooling::weighted_mean: {
        float weights = 0;
        std::fill(vector.begin(), vector.end(), 0.0F);
        for (size_t row = 0; row < count; ++row) {
          const auto weight = static_cast<float>(first + row + 1);
          for (size_t k = 0; k < width; ++k) vector[k] += rows[row * width + k] * weight;
          weights += weight;
        }
        for (float& x : vector) x /= weights;
        break;
      }
      case Pooling::max:
        for (size_t row = 1; row < count; ++row)
          for (size_t k = 0; k < width; ++k) vector[k] = std::max(vector[k], rows[row * width + k]);
        break;
      case Pooling::mean:
      case Pooling::mean_over_root: {
        add_all(kernels, rows + width, count - 1, vector);
        const auto length = static_cast<float>(count);
        const float divisor = pooling == Pooling::mean ? length : std::sqrt(length);
        for (float& x : vector) x /= divisor;
        break;
      }
    }
    out.push_back(std::move(vector));
  }
  return out;
}

void normalize_vector(std::vector<float>& vector) {
  double squares = 0;
  for (float x : vector) squares += static_cast<double>(x) * x;
  const auto length = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
  for (float& x : vector) x /= length;
}

}  // namespace holdfast::model
