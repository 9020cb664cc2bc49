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

Result<Pooling> parse_pooling(const boost::json::object& json) {
  struct Row {
    std::string_view flag, name;
    std::optional<Pooling> pooling;
  };
  constexpr Row rows[] = {
      {"pooling_mode_cls_token", "cls", Pooling::first_token},
      {"pooling_mode_mean_tokens", "mean", Pooling::mean},
      {"pooling_mode_max_tokens", "max", Pooling::max},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::mean_over_root},
      {"pooling_mode_weightedmean_tokens", "weightedmean", std::nullopt},
      {"pooling_mode_lasttoken", "lasttoken", std::nullopt},
  };
  TRY(const auto mode, codec::json_text_if(json, "pooling_mode"));  // As newer versions write it.
  std::vector<std::optional<Pooling>> chosen;
  for (const Row& row : rows) {
    TRY(const auto flag, codec::json_flag_if(json, row.flag));
    if (flag.value_or(false) || mode == row.name) chosen.push_back(row.pooling);
  }
  if (chosen.size() != 1 || !chosen[0])
    return fail(Reason::model_unsupported, "this kind of pooling, or several at once, is not supported");
  return *chosen[0];
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

Status read_module(io::Disk& disk, const io::Path& folder, const boost::json::object& module,
                   SentenceConfig& config) {
  TRY(const std::string_view type, codec::json_text(module, "type"));
  TRY(const auto path, codec::json_text_if(module, "path"));
  const std::string_view kind = last_word(type);
  const io::Path place = folder / std::string(path.value_or(""));
  if (kind == "Transformer") {
    if (!path.value_or("").empty())
      return fail(Reason::model_unsupported, "modules.json keeps the transformer in a folder of its own");
    return read_transformer(disk, folder, config);
  }
  if (kind == "Pooling") {
    TRY(const auto json, read_json(disk, place / "config.json"));
    if (!json || !json->is_object())
      return fail(Reason::bad_request, "the pooling module has no config.json");
    TRY(config.pooling, parse_pooling(json->get_object()));
    return Done{};
  }
  if (kind == "Normalize") {
    config.normalize = true;
    return Done{};
  }
  return fail(Reason::model_unsupported,
              fmt::format("sentence module '{}' is not supported", kind.substr(0, 60)));
}

void add_all(const tensor::Kernels& kernels, const float* rows, size_t count, std::vector<float>& sum) {
  for (size_t i = 0; i < count; ++i) kernels.add(sum.data(), rows + i * sum.size(), sum.size());
}

}  // namespace

Result<SentenceConfig> read_sentence_config(io::Disk& disk, const io::Path& folder) {
  SentenceConfig config;
  TRY(const auto modules, read_json(disk, folder / "modules.json"));
  if (!modules) return config;
  if (!modules->is_array()) return fail(Reason::bad_request, "modules.json is not a list");
  config.is_sentence_model = true;
  for (const boost::json::value& module : modules->get_array()) {
    if (!module.is_object())
      return fail(Reason::bad_request, "modules.json holds something that is not a module");
    TRY_DONE(read_module(disk, folder, module.get_object(), config));
  }
  return config;
}

std::vector<std::vector<float>> pool_sentences(const tensor::Kernels& kernels, Pooling pooling,
                                               const TokenBatch& batch, const tensor::Floats& hidden,
                                               size_t width) {
  std::vector<std::vector<float>> out;
  out.reserve(batch.sequences());
  for (size_t i = 0; i < batch.sequences(); ++i) {
    const float* rows = hidden.data() + batch.starts[i] * width;
    const size_t count = batch.length(i);
    CHECK(count > 0);
    std::vector<float> vector(rows, rows + width);
    switch (pooling) {
      case Pooling::first_token:
        break;
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
