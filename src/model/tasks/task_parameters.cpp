#include "model/tasks/task_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"

namespace holdfast::model {

std::vector<float> softmax(std::span<const float> row) {
  std::vector<float> out(row.begin(), row.end());
  if (out.empty()) return out;
  const float peak = *std::max_element(out.begin(), out.end());
  double sum = 0;
  for (float x : out) sum += std::exp(static_cast<double>(x) - peak);
  for (float& x : out) x = static_cast<float>(std::exp(static_cast<double>(x) - peak) / sum);
  return out;
}

float sigmoid(float x) { return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x)))); }

CodePoints::CodePoints(std::string_view text) : text_(text) {
  for (size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) starts_.push_back(i);
  starts_.push_back(text.size());
}

std::string_view CodePoints::slice(size_t from, size_t to) const {
  from = std::min(from, count());
  to = std::clamp(to, from, count());
  return text_.substr(starts_[from], starts_[to] - starts_[from]);
}

size_t code_points(std::string_view text) { return CodePoints(text).count(); }

Result<LongText> read_long_text(const boost::json::object& parameters) {
  for (std::string_view key : {"truncation", "truncate"}) {
    const boost::json::value* value = parameters.if_contains(key);
    if (value == nullptr || value->is_null()) continue;
    if (value->is_bool()) return value->get_bool() ? LongText::cut : LongText::refuse;
    if (!value->is_string()) return fail(Reason::bad_request, fmt::format("{} must be true or false", key));
    return value->get_string() == "do_not_truncate" ? LongText::refuse : LongText::cut;
  }
  return LongText::refuse;
}

Result<std::optional<size_t>> read_count(const boost::json::object& parameters, std::string_view key) {
  TRY(const auto number, codec::json_integer_if(parameters, key));
  if (!number) return std::optional<size_t>();
  if (*number < 0 || *number > 1 << 24) return fail(Reason::bad_request, fmt::format("{} cannot be", key));
  return std::optional<size_t>(static_cast<size_t>(*number));
}

Result<std::vector<std::string>> read_texts(const boost::json::value& value, std::string_view what) {
  std::vector<std::string> out;
  if (value.is_string()) {
    out.emplace_back(value.get_string());
    return out;
  }
  if (!value.is_array()) return fail(Reason::bad_request, fmt::format("{} must be a text or texts", what));
  for (const boost::json::value& one : value.get_array()) {
    if (!one.is_string()) return fail(Reason::bad_request, fmt::format("{} must be a text or texts", what));
    out.emplace_back(one.get_string());
  }
  return out;
}

}  // namespace holdfast::model
