#include "scan/card_check.h"

#include <gtest/gtest.h>

namespace holdfast::scan {
namespace {

bool has(const CardReport& report, std::string_view rule, uint32_t line) {
  for (const Finding& finding : report.findings)
    if (finding.rule == rule && finding.place.line == line) return true;
  return false;
}

TEST(CardCheck, NamesWhatIsMissing) {
  const CardReport report = check_card(
      "---\nlanguage: en\nlicense: other\ndatasets:\n- demo/support\nbase_model: demo/mini\n---\n# Mini\n## "
      "Uses\nSorting.\n## Evaluation\n[More Information Needed]\n",
      CardKind::model);
  EXPECT_EQ(report.license, "other");
  EXPECT_EQ(report.datasets, std::vector<std::string>{"demo/support"});
  EXPECT_EQ(report.base_models, std::vector<std::string>{"demo/mini"});
  EXPECT_TRUE(has(report, "card.license-other", 3));
  EXPECT_TRUE(has(report, "card.blank", 12));
  const auto& missing = report.missing_sections;
  EXPECT_NE(std::find(missing.begin(), missing.end(), "Evaluation"), missing.end());
  EXPECT_EQ(std::find(missing.begin(), missing.end(), "Uses"), missing.end());
  for (const char* asked : {"Out-of-Scope Use", "Technical Specifications", "Bias, Risks, and Limitations"})
    EXPECT_NE(std::find(missing.begin(), missing.end(), asked), missing.end()) << asked;
  EXPECT_GT(report.completeness, 0.2);
  EXPECT_LT(report.completeness, 0.6);
}

TEST(CardCheck, ACardWithoutALicenceIsTheWorst) {
  for (const std::string_view card :
       {"# Title\ntext\n", "", "---\nlanguage: en\n---\n", "---\nlicense:\n---\n", "---\n: : [\n---\n"}) {
    const CardReport report = check_card(card, CardKind::model);
    EXPECT_TRUE(has(report, "card.license", 1)) << card;
    EXPECT_TRUE(report.license.empty());
  }
  EXPECT_FALSE(has(check_card("---\nlicense: mit\n---\n", CardKind::model), "card.license", 1));
}

TEST(CardCheck, SeveralLicencesAllHold) {
  EXPECT_EQ(check_card("---\nlicense: [mit, cc-by-4.0]\n---\n", CardKind::dataset).license,
            "mit AND cc-by-4.0");
}

}  // namespace
}  // namespace holdfast::scan
