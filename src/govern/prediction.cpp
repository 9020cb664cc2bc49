#include "govern/prediction.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr size_t predictions_max = 1000, label_bytes_max = 400;

std::optional<Prediction> one_label(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const auto label = codec::json_text_if(value.get_object(), "label");
  const auto score = codec::json_number_if(value.get_object(), "score");
  if (!label.ok() || !label.value() || !score.ok() || !score.value()) return std::nullopt;
  return Prediction{std::string(label.value()->substr(0, label_bytes_max)), *score.value()};
}

std::optional<Prediction> best(const json::array& list) {
  std::optional<Prediction> found;
  for (const json::value& value : list) {
    auto label = one_label(value);
    if (!label) return std::nullopt;
    if (!found || label->score > found->score) found = std::move(label);
  }
  return found;
}

std::optional<Prediction> zero_shot(const json::object& object) {
  const auto labels = codec::json_array_if(object, "labels");
  const auto scores = codec::json_array_if(object, "scores");
  if (!labels.ok() || labels.value() == nullptr || !scores.ok() || scores.value() == nullptr)
    return std::nullopt;
  json::array pairs;
  for (size_t i = 0; i < std::min(labels.value()->size(), scores.value()->size()); ++i)
    pairs.push_back(json::object{{"label", labels.value()->at(i)}, {"score", scores.value()->at(i)}});
  return best(pairs);
}

}  // namespace

std::vector<Prediction> predictions_of(std::string_view answer) {
  std::vector<Prediction> out;
  const auto value = codec::parse_json(answer);
  if (!value.ok()) return out;
  if (value.value().is_object()) {
    if (auto found = zero_shot(value.value().get_object())) out.push_back(std::move(*found));
    return out;
  }
  if (!value.value().is_array()) return out;
  const json::array& list = value.value().get_array();
  if (auto found = best(list)) return {std::move(*found)};
  for (const json::value& inner : list) {
    auto found = inner.is_array() ? best(inner.get_array()) : std::nullopt;
    if (!found || out.size() >= predictions_max) return {};
    out.push_back(std::move(*found));
  }
  return out;
}

Result<std::string> input_item(std::string_view body, int64_t item) {
  const Error missing = fail(Reason::entry_not_found, "the request has no such input");
  TRY(const json::object object, codec::parse_json_object(body));
  const json::value* inputs = object.if_contains("inputs");
  if (inputs == nullptr) inputs = object.if_contains("input");
  if (inputs == nullptr) return missing;
  if (inputs->is_string())
    return item == 0 ? Result<std::string>(std::string(inputs->get_string())) : missing;
  if (!inputs->is_array() || item < 0 || static_cast<size_t>(item) >= inputs->get_array().size())
    return missing;
  const json::value& one = inputs->get_array()[static_cast<size_t>(item)];
  return one.is_string() ? std::string(one.get_string()) : codec::to_text(one);
}

}  // namespace holdfast::govern
