// Text under normalization as Python sees it: a string, and for each of its characters where it came from.
// What a method does is what the part of that name does; patterns come as the JSON text of such a part.
#include "normalized_string.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "codec/json.h"
#include "token/normalized_text.h"
#include "token/normalizers/normalizer.h"
#include "token/piece.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/unicode/utf8.h"

namespace py = pybind11;
using namespace holdfast;

namespace {

template <class T>
T value_or_raise(Result<T> result) {
  if (!result.ok()) throw py::value_error(result.error().message);
  return std::move(result).value();
}

void raise_unless(const Status& done) {
  if (!done.ok()) throw py::value_error(done.error().message);
}

boost::json::object parsed(const std::string& json) {
  constexpr codec::JsonLimits limits{.depth_max = 32, .bytes_max = size_t{1} << 30};
  return value_or_raise(codec::parse_json_object(json, limits));
}

size_t bytes_of_characters(std::string_view text, size_t characters) {
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) at += token::code_point_at(text, at).bytes;
  return at;
}

class NormalizedString {
 public:
  explicit NormalizedString(const std::string& text) {
    if (!token::is_valid_utf8(text)) throw py::value_error("the text is not UTF-8");
    input_ = std::make_shared<const std::string>(text);
    text_ = token::NormalizedText(text);
    end_ = static_cast<uint32_t>(text.size());
  }

  NormalizedString(token::NormalizedText text, std::shared_ptr<const std::string> input, uint32_t shift)
      : input_(std::move(input)), shift_(shift) {
    *this = part(std::move(text));
  }

  const token::NormalizedText& text() const { return text_; }
  const std::string& normalized() const { return text_.text(); }
  // Of nothing, the place may be anywhere.
  std::string original() const {
    return begin_ < end_ ? input_->substr(begin_, end_ - begin_) : std::string();
  }
  size_t characters() const { return token::count_code_points(text_.text()); }

  void normalize(const std::string& json) {
    raise_unless(value_or_raise(token::load_normalizer(parsed(json)))->normalize(text_));
    check();
  }
  // Code points and their steps, as token::Change has them.
  void transform(const std::vector<std::pair<uint32_t, int>>& changes, size_t dropped) {
    std::vector<token::Change> all;
    all.reserve(changes.size());
    for (const auto& [code, steps] : changes) all.push_back({static_cast<char32_t>(code), steps});
    text_.transform(all, dropped);
    check();
  }
  void prepend(const std::string& more) {
    if (!token::is_valid_utf8(more)) throw py::value_error("the text is not UTF-8");
    text_.prepend(more);
  }

  // Characters of the normalized string.
  NormalizedString slice(size_t begin, size_t end) const {
    const size_t from = bytes_of_characters(text_.text(), begin), to = bytes_of_characters(text_.text(), end);
    return part(text_.slice(from, to));
  }
  std::vector<NormalizedString> split(const std::string& json) const {
    const auto cutter = value_or_raise(token::load_pre_tokenizer(parsed(json)));
    token::Pieces pieces;
    if (!text_.empty()) pieces.push_back({text_, std::nullopt});
    raise_unless(cutter->split(pieces));
    std::vector<NormalizedString> out;
    for (token::Piece& piece : pieces) out.push_back(part(std::move(piece.text)));
    return out;
  }

  // Bytes of the whole input that this came from.
  std::pair<uint32_t, uint32_t> origin() const {
    const token::Span span = text_.origin(0, text_.text().size());
    return {span.begin, span.end};
  }
  // The same in characters.
  std::pair<size_t, size_t> origin_characters() const {
    const auto [begin, end] = origin();
    const std::string_view input = *input_;
    return {token::count_code_points(input.substr(0, begin)), token::count_code_points(input.substr(0, end))};
  }
  // Where bytes of the normalized string came from, in bytes of the whole input.
  std::pair<uint32_t, uint32_t> origin_of(size_t begin, size_t end) const {
    const token::Span span = text_.origin(begin, end);
    return {span.begin, span.end};
  }

 private:
  NormalizedString() = default;
  NormalizedString part(token::NormalizedText text) const {
    NormalizedString out;
    out.input_ = input_;
    out.shift_ = shift_;
    const token::Span span = text.origin(0, text.text().size());
    out.begin_ = span.begin - std::min(shift_, span.begin);
    out.end_ = std::max(out.begin_, span.end - std::min(shift_, span.end));
    out.text_ = std::move(text);
    return out;
  }
  void check() const {
    if (text_.is_lost()) throw py::value_error("the change does not fit the text");
  }

  std::shared_ptr<const std::string> input_;
  uint32_t shift_ = 0;            // Bytes of the whole input before input_.
  uint32_t begin_ = 0, end_ = 0;  // Of what this is a part of, in the input.
  token::NormalizedText text_;
};

}  // namespace

py::object shown_text(const token::NormalizedText& text, std::shared_ptr<const std::string> input,
                      uint32_t shift) {
  return py::cast(NormalizedString(text, std::move(input), shift));
}

const token::NormalizedText& text_shown(const py::handle& shown) {
  return shown.cast<const NormalizedString&>().text();
}

void bind_normalized_string(py::module_& module) {
  py::class_<NormalizedString>(module, "NormalizedString")
      .def(py::init<const std::string&>())
      .def(py::init<const NormalizedString&>())
      .def_property_readonly("normalized", &NormalizedString::normalized)
      .def_property_readonly("original", &NormalizedString::original)
      .def("__len__", &NormalizedString::characters)
      .def("normalize", &NormalizedString::normalize)
      .def("transform", &NormalizedString::transform)
      .def("prepend", &NormalizedString::prepend)
      .def("slice", &NormalizedString::slice)
      .def("split", &NormalizedString::split)
      .def("origin", &NormalizedString::origin)
      .def("origin_characters", &NormalizedString::origin_characters)
      .def("origin_of", &NormalizedString::origin_of);
}
