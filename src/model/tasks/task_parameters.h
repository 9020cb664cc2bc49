#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/text_model.h"

namespace holdfast::model {

// softmax of one row, in double, as 32-bit results of the reference lie within a rounding of it.
std::vector<float> softmax(std::span<const float> row);
float sigmoid(float x);

// Where code points of a text begin, and its end: how Python counts offsets.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text);
  size_t count() const { return starts_.size() - 1; }
  std::string_view slice(size_t from, size_t to) const;  // Clamped to the text.

 private:
  std::string_view text_;
  std::vector<size_t> starts_;
};
size_t code_points(std::string_view text);

// Of parameters, under the names of the Inference API. bad_request for another type.
Result<LongText> read_long_text(const boost::json::object& parameters);
Result<std::optional<size_t>> read_count(const boost::json::object& parameters, std::string_view key);
// A text, or a list of texts, or one text of several with commas between.
Result<std::vector<std::string>> read_texts(const boost::json::value& value, std::string_view what);

}  // namespace holdfast::model
