#include <algorithm>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/post_processors/post_processor.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr char32_t space_letter = 0x120;  // Of byte-level vocabularies.

class ByteLevelProcessing final : public PostProcessor {
 public:
  enum class Trim : uint8_t { no, yes };
  ByteLevelProcessing(Trim trim, PrefixSpace prefix) : trim_(trim), prefix_(prefix) {}

  size_t added_tokens(size_t) const override { return 0; }

  Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens) const override {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (trim_ == Trim::yes) {
        trim_offsets(texts[i], prefix_);
        for (Encoding& part : texts[i].overflow) trim_offsets(part, prefix_);
      }
      texts[i].ranges[static_cast<int>(i)] = {0, texts[i].size()};
    }
    return texts;
  }

 private:
  Trim trim_;
  PrefixSpace prefix_;
};

bool is_trimmed(char32_t code) { return code == space_letter || is_white_space(code); }

}  // namespace

void trim_offsets(Encoding& encoding, PrefixSpace prefix) {
  for (size_t i = 0; i < encoding.size(); ++i) {
    const std::string_view token = encoding.tokens[i];
    Span& offset = encoding.offsets[i];
    uint32_t leading = 0, trailing = 0, count = 0;
    for_each_code_point(token, [&](char32_t code, size_t, size_t) {
      trailing = is_trimmed(code) ? trailing + 1 : 0;
      if (trailing == ++count) leading = count;
    });
    if (leading > 0) {
      if ((i == 0 || offset.begin == 0) && prefix == PrefixSpace::yes && leading == 1) leading = 0;
      offset.begin = std::min(offset.begin + leading, offset.end);
    }
    if (trailing > 0 && offset.end >= trailing) offset.end = std::max(offset.end - trailing, offset.begin);
  }
}

Result<std::unique_ptr<PostProcessor>> load_byte_level_processing(const boost::json::object& json) {
  TRY(const bool trim, codec::json_flag(json, "trim_offsets"));
  TRY(const bool prefix, codec::json_flag(json, "add_prefix_space"));
  using Trim = ByteLevelProcessing::Trim;
  return std::unique_ptr<PostProcessor>(std::make_unique<ByteLevelProcessing>(
      trim ? Trim::yes : Trim::no, prefix ? PrefixSpace::yes : PrefixSpace::no));
}

}  // namespace holdfast::token
