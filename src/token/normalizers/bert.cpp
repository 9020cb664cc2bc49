#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/normalizers/normalizer.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

struct BertOptions {
  bool clean_text = true, chinese_chars = true, strip_accents = true, lowercase = true;
};

// Cleans, puts spaces around ideographs, strips accents and lowers, each if wanted, in this order.
class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(BertOptions options) : options_(options) {}

  Status normalize(NormalizedText& text) const override {
    if (options_.clean_text) {
      text.filter([](char32_t code) { return !is_cleaned_away(code); });
      text.map([](char32_t code) { return is_white_space(code) ? U' ' : code; });
    }
    if (options_.chinese_chars) space_ideographs(text);
    if (options_.strip_accents) {
      text.decompose(Decomposition::canonical);
      text.filter([](char32_t code) { return !is_nonspacing_mark(code); });
    }
    if (options_.lowercase) text.lower();
    return Done{};
  }

  std::optional<std::vector<char32_t>> normalize_one(char32_t code) const override {
    if (options_.clean_text) {
      if (is_cleaned_away(code)) return std::vector<char32_t>();
      if (is_white_space(code)) code = U' ';
    }
    std::vector<char32_t> out;
    const auto put = [&](char32_t one) {
      if (options_.strip_accents && is_nonspacing_mark(one)) return;
      const Lowered lowered = options_.lowercase ? to_lower(one) : Lowered{{one}, 1};
      out.insert(out.end(), lowered.codes.begin(), lowered.codes.begin() + lowered.count);
    };
    const bool spaced = options_.chinese_chars && is_cjk_ideograph(code);
    if (spaced) put(U' ');
    if (options_.strip_accents) {
      std::vector<char32_t> parts;
      append_decomposed(parts, code, Decomposition::canonical);
      for (const char32_t part : parts) put(part);
    } else {
      put(code);
    }
    if (spaced) put(U' ');
    return out;
  }

 private:
  static void space_ideographs(NormalizedText& text) {
    std::vector<Change> changes;
    for_each_code_point(text.text(), [&](char32_t code, size_t, size_t) {
      if (!is_cjk_ideograph(code)) {
        changes.push_back({code, 0});
        return;
      }
      // The space in front replaces the character and the character is then inserted, as in the reference, so
      // that all three have the same origin.
      changes.insert(changes.end(), {{U' ', 0}, {code, 1}, {U' ', 1}});
    });
    text.transform(changes, 0);
  }

  BertOptions options_;
};

}  // namespace

Result<std::unique_ptr<Normalizer>> load_bert_normalizer(const boost::json::object& json) {
  BertOptions options;
  TRY(const auto clean, codec::json_flag_if(json, "clean_text"));
  TRY(const auto chinese, codec::json_flag_if(json, "handle_chinese_chars"));
  TRY(const auto accents, codec::json_flag_if(json, "strip_accents"));
  TRY(const auto lower, codec::json_flag_if(json, "lowercase"));
  options.clean_text = clean.value_or(true);
  options.chinese_chars = chinese.value_or(true);
  options.lowercase = lower.value_or(true);
  options.strip_accents = accents.value_or(options.lowercase);
  return std::unique_ptr<Normalizer>(std::make_unique<BertNormalizer>(options));
}

}  // namespace holdfast::token
