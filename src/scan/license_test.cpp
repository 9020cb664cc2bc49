#include "scan/license.h"

#include <gtest/gtest.h>

#include "scan/license_answers.h"

namespace holdfast::scan {
namespace {

using Role = Component::Role;
using Purpose = IntendedUse::Purpose;

struct Case {
  const char* name;
  std::vector<Component> components;
  IntendedUse use;
  Verdict verdict;
  const char* rule;  // Of the first reason; empty: none.
};

TEST(License, TheVerdictIsTheMeetOfAllParts) {
  const IntendedUse commercial{Purpose::commercial, false}, shared{Purpose::commercial, true},
      research{Purpose::research, false};
  const Case cases[] = {
      {"all open",
       {{Role::model, "m", "apache-2.0"}, {Role::base_model, "b", "mit"}, {Role::dataset, "d", "cc-by-4.0"}},
       commercial,
       Verdict::allowed,
       ""},
      {"a non-commercial data set",
       {{Role::model, "m", "mit"}, {Role::dataset, "d", "cc-by-nc-4.0"}},
       commercial,
       Verdict::refused,
       "non-commercial"},
      {"the same for research",
       {{Role::model, "m", "cc-by-nc-4.0"}, {Role::dataset, "d", "cc-by-nc-4.0"}},
       research,
       Verdict::allowed,
       ""},
      {"research only",
       {{Role::model, "m", "intel-research"}},
       {Purpose::non_commercial, false},
       Verdict::refused,
       "research-only"},
      {"nothing named", {{Role::model, "m", ""}}, research, Verdict::review, "unknown"},
      {"no parts", {}, research, Verdict::review, "unknown"},
      {"other", {{Role::model, "m", "other"}}, commercial, Verdict::review, "unknown"},
      {"a name of fancy", {{Role::model, "m", "acme-1.0"}}, commercial, Verdict::review, "unknown"},
      {"no expression", {{Role::model, "m", "MIT ((("}}, commercial, Verdict::review, "unknown"},
      {"llama for business", {{Role::model, "m", "llama3.1"}}, commercial, Verdict::conditional, "condition"},
      {"relicensed to be free",
       {{Role::model, "m", "apache-2.0"}, {Role::base_model, "b", "cc-by-nc-4.0"}},
       research,
       Verdict::refused,
       "relicensed"},
      {"restrictions dropped",
       {{Role::model, "m", "mit"}, {Role::base_model, "b", "creativeml-openrail-m"}},
       commercial,
       Verdict::refused,
       "relicensed"},
      {"restrictions kept",
       {{Role::model, "m", "openrail"}, {Role::base_model, "b", "creativeml-openrail-m"}},
       commercial,
       Verdict::conditional,
       "use-restrictions"},
      {"share-alike broken when shared",
       {{Role::model, "m", "mit"}, {Role::base_model, "b", "gpl-3.0"}},
       shared,
       Verdict::refused,
       "share-alike"},
      {"the one way from by-sa to gpl",
       {{Role::model, "m", "gpl-3.0"}, {Role::base_model, "b", "cc-by-sa-4.0"}},
       shared,
       Verdict::allowed,
       ""},
      {"no way back",
       {{Role::model, "m", "cc-by-sa-4.0"}, {Role::base_model, "b", "gpl-3.0"}},
       shared,
       Verdict::refused,
       "share-alike"},
      {"no derivatives, handed on",
       {{Role::model, "m", "cc-by-nd-4.0"}, {Role::base_model, "b", "cc-by-nd-4.0"}},
       shared,
       Verdict::refused,
       "no-derivatives"},
      {"no derivatives, kept",
       {{Role::model, "m", "cc-by-nd-4.0"}, {Role::base_model, "b", "cc-by-nd-4.0"}},
       commercial,
       Verdict::allowed,
       ""},
      {"a choice takes the better",
       {{Role::model, "m", "GPL-3.0-only OR MIT"}},
       shared,
       Verdict::allowed,
       ""},
      {"both must hold",
       {{Role::model, "m", "MIT AND CC-BY-NC-4.0"}},
       commercial,
       Verdict::refused,
       "non-commercial"},
      {"over a network",
       {{Role::model, "m", "agpl-3.0"}},
       commercial,
       Verdict::conditional,
       "network-share-alike"},
      {"apache in a gpl-2 work",
       {{Role::model, "m", "gpl-2.0"}, {Role::code, "c", "apache-2.0"}},
       shared,
       Verdict::refused,
       "incompatible"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const LicenseReport report = judge_licenses(each.components, each.use);
    EXPECT_EQ(verdict_name(report.verdict), verdict_name(each.verdict));
    if (*each.rule == '\0') {
      EXPECT_TRUE(report.reasons.empty());
    } else {
      ASSERT_FALSE(report.reasons.empty());
      EXPECT_EQ(report.reasons[0].rule, each.rule);
    }
  }
}

TEST(License, ExpressionsAreRead) {
  const auto sets = parse_license_expression("MIT OR (Apache-2.0 AND GPL-2.0 WITH Classpath-exception-2.0)");
  ASSERT_TRUE(sets.ok());
  EXPECT_EQ(sets.value(), (std::vector<std::vector<std::string>>{{"MIT"}, {"Apache-2.0", "GPL-2.0"}}));
  for (const std::string& bad :
       {std::string("MIT OR"), std::string("(MIT"), std::string("MIT)"), std::string("AND"), std::string(""),
        std::string("a b"), std::string("a;b"), std::string(500, '('), std::string(2000, 'a')})
    EXPECT_FALSE(parse_license_expression(bad).ok()) << bad.substr(0, 40);
}

TEST(License, TheFourQuestionsAreAnsweredAndTheNoticeNamesEachPart) {
  const std::vector<Component> parts{
      {Role::model, "m", "mit"}, {Role::base_model, "b", "apache-2.0"}, {Role::dataset, "d", "cc-by-nc-4.0"}};
  const LicenseAnswers answers = answer_questions(parts, {Purpose::research, false});
  EXPECT_EQ(answers.commercial, Verdict::refused);
  EXPECT_TRUE(answers.attribution);
  EXPECT_EQ(answers.distribution, Verdict::review);
  EXPECT_EQ(answers.datasets, Verdict::allowed);
  EXPECT_EQ(answer_questions(parts, {}).datasets, Verdict::refused);
  const std::string notice = notice_text(parts);
  for (const char* part : {"model m", "base model b", "dataset d", "licensed under cc-by-nc-4.0", "NOTICE"})
    EXPECT_NE(notice.find(part), std::string::npos) << notice;
  EXPECT_FALSE(answer_questions(std::vector<Component>{{Role::model, "m", "cc0-1.0"}}, {}).attribution);
  EXPECT_TRUE(answer_questions(std::vector<Component>{{Role::model, "m", "acme"}}, {}).attribution);
}

TEST(License, EveryRowHasAClause) {
  for (const LicenseTerms& terms : license_table()) {
    EXPECT_FALSE(terms.clause.empty()) << terms.id;
    EXPECT_EQ(find_license(terms.id), &terms) << terms.id << " is there twice";
  }
  EXPECT_EQ(find_license("GPL-3.0-or-later"), find_license("gpl-3.0"));
  EXPECT_EQ(find_license("other"), nullptr);
  EXPECT_EQ(find_license("unknown"), nullptr);
}

TEST(License, SpdxNamesAndExceptionsAreRead) {
  for (const char* id :
       {"MIT-0", "MPL-1.1", "GPL-2.0+", "Apache-2.0+", "CDDL-1.0", "Python-2.0", "BUSL-1.1", "CC-BY-ND-3.0"})
    EXPECT_NE(find_license(id), nullptr) << id;
  EXPECT_EQ(find_license("OFL-1.1")->share_alike, ShareAlike::weak);
  EXPECT_EQ(find_license("CPAL-1.0")->share_alike, ShareAlike::network);
  EXPECT_TRUE(parse_license_expression("Apache-2.0 WITH LLVM-exception").ok());
  for (const char* wrong :
       {"MIT WITH Foo", "MIT WITH", "WITH LLVM-exception", "MIT AND", "(MIT", "MIT Apache-2.0", ""})
    EXPECT_FALSE(parse_license_expression(wrong).ok()) << wrong;
}

}  // namespace
}  // namespace holdfast::scan
