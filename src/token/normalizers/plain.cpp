#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/normalizers/normalizer.h"
#include "token/unicode/properties.h"

namespace holdfast::token {
namespace {

template <class Run>
class Plain final : public Normalizer {
 public:
  explicit Plain(Run run) : run_(std::move(run)) {}
  Status normalize(NormalizedText& text) const override {
    run_(text);
    return Done{};
  }

 private:
  Run run_;
};

template <class Run>
std::unique_ptr<Normalizer> make(Run run) {
  return std::make_unique<Plain<Run>>(std::move(run));
}

bool is_nmt_control(char32_t code) {
  return (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F ||
         code == 0x8F || code == 0x9F;
}

bool is_nmt_space(char32_t code) {
  return code == 9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
         (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
         code == 0xFEFF || code == 0xFFFD;
}

void nmt(NormalizedText& text) {
  text.filter([](char32_t code) { return !is_nmt_control(code); });
  text.map([](char32_t code) { return is_nmt_space(code) ? U' ' : code; });
}

enum class Trim : uint8_t { no, yes };

void strip(NormalizedText& text, Trim left, Trim right) {
  const std::vector<char32_t> codes = text.codes();
  size_t begin = 0, end = codes.size();
  if (left == Trim::yes)
    while (begin < codes.size() && is_white_space(codes[begin])) ++begin;
  if (right == Trim::yes)
    while (end > 0 && is_white_space(codes[end - 1])) --end;
  if (begin == 0 && end == codes.size()) return;
  std::vector<Change> changes;
  for (size_t i = begin; i < end; ++i) changes.push_back({codes[i], 0});
  text.transform(changes, begin);
}

}  // namespace

std::unique_ptr<Normalizer> make_plain_normalizer(std::string_view name) {
  using enum Decomposition;
  if (name == "NFC") return make([](NormalizedText& text) { text.compose(canonical); });
  if (name == "NFD") return make([](NormalizedText& text) { text.decompose(canonical); });
  if (name == "NFKC") return make([](NormalizedText& text) { text.compose(compatibility); });
  if (name == "NFKD") return make([](NormalizedText& text) { text.decompose(compatibility); });
  if (name == "Nmt") return make(nmt);
  if (name == "Lowercase") return make([](NormalizedText& text) { text.lower(); });
  if (name == "StripAccents")
    return make(
        [](NormalizedText& text) { text.filter([](char32_t code) { return !is_combining_mark(code); }); });
  if (name == "ByteLevel") return make([](NormalizedText& text) { text.to_byte_level(); });
  return nullptr;
}

Result<std::unique_ptr<Normalizer>> load_strip(const boost::json::object& json) {
  TRY(const bool left, codec::json_flag(json, "strip_left"));
  TRY(const bool right, codec::json_flag(json, "strip_right"));
  const Trim trim_left = left ? Trim::yes : Trim::no, trim_right = right ? Trim::yes : Trim::no;
  return make([trim_left, trim_right](NormalizedText& text) { strip(text, trim_left, trim_right); });
}

Result<std::unique_ptr<Normalizer>> load_prepend(const boost::json::object& json) {
  TRY(const std::string_view prepend, codec::json_text(json, "prepend"));
  return make([text_before = std::string(prepend)](NormalizedText& text) { text.prepend(text_before); });
}

}  // namespace holdfast::token
