#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "token/normalizers/normalizer.h"

namespace holdfast::token {
namespace {

// The plain twin: the text of one code point, normalized as any other.
std::optional<std::vector<char32_t>> as_text(const Normalizer& normalizer, char32_t code) {
  return normalizer.Normalizer::normalize_one(code);
}

TEST(BertNormalizer, OneCodePointBecomesWhatATextOfItBecomes) {
  size_t changed = 0, dropped = 0, several = 0;
  for (const char* settings :
       {R"({"type": "BertNormalizer"})", R"({"type": "BertNormalizer", "lowercase": false})",
        R"({"type": "BertNormalizer", "strip_accents": false, "clean_text": false})",
        R"({"type": "BertNormalizer", "handle_chinese_chars": false})"}) {
    const auto normalizer = load_normalizer(boost::json::parse(settings).as_object());
    ASSERT_TRUE(normalizer.ok());
    for (char32_t code = 0; code < 0x110000; ++code) {
      if (code == 0xD800) code = 0xE000;
      // Letters, compatibility ideographs and signs of mathematics all, others every few.
      const bool looked_at =
          code < 0x3400 || (code >= 0xF900 && code < 0xFB50) || (code >= 0x1D000 && code < 0x1D800);
      if (!looked_at && code % 37 != 0) continue;
      const auto one = normalizer.value()->normalize_one(code);
      ASSERT_EQ(one, as_text(*normalizer.value(), code)) << settings << " " << static_cast<uint32_t>(code);
      dropped += one->empty() ? 1U : 0U;
      several += one->size() > 1 ? 1U : 0U;
      changed += *one != std::vector<char32_t>{code} ? 1U : 0U;
    }
  }
  EXPECT_GT(dropped, 500U);
  EXPECT_GT(several, 1000U);
  EXPECT_GT(changed, 5000U);
}

}  // namespace
}  // namespace holdfast::token
