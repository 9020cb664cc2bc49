// The formulas against what the reference libraries computed (tools/make_measure_goldens.py).
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>

#include "measure/bleu.h"
#include "measure/chrf.h"
#include "measure/classification.h"
#include "measure/drift.h"
#include "measure/margin.h"
#include "measure/ranking.h"
#include "measure/rouge.h"
#include "measure/two_sample.h"

namespace holdfast::measure {
namespace {

constexpr double exact = 1e-9;

// The committed answers, for tests.
const boost::json::value& golden(std::string_view part) {
  static const boost::json::value all = [] {
    std::ifstream in("tests/golden/measure/golden.json");
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }();
  return all.as_object().at(part);
}

double number(const boost::json::value& value) { return value.to_number<double>(); }
std::vector<double> numbers(const boost::json::value& value) {
  std::vector<double> out;
  for (const auto& one : value.as_array()) out.push_back(number(one));
  return out;
}
std::vector<int> whole_numbers(const boost::json::value& value) {
  std::vector<int> out;
  for (const auto& one : value.as_array()) out.push_back(static_cast<int>(one.as_int64()));
  return out;
}
std::vector<std::string> texts(const boost::json::value& value) {
  std::vector<std::string> out;
  for (const auto& one : value.as_array()) out.emplace_back(one.as_string());
  return out;
}
Categories categories(const boost::json::value& value) {
  Categories out;
  for (const auto& [name, count] : value.as_object())
    out[std::string(name)] = static_cast<size_t>(count.as_int64());
  return out;
}

TEST(MeasureGoldens, ClassesScoreAsScikitLearnScoresThem) {
  for (const auto& one : golden("classification").as_array()) {
    const auto& wanted = one.as_object();
    const auto truth = whole_numbers(wanted.at("truth")), predicted = whole_numbers(wanted.at("predicted"));
    const auto classes = static_cast<size_t>(wanted.at("classes").as_int64());
    EXPECT_NEAR(accuracy(truth, predicted), number(wanted.at("accuracy")), exact);
    EXPECT_NEAR(matthews(truth, predicted, classes), number(wanted.at("matthews")), exact);
    for (const auto& [name, average] :
         {std::pair{"micro", Average::micro}, {"macro", Average::macro}, {"weighted", Average::weighted}}) {
      const Scores got = average_scores(truth, predicted, classes, average);
      const auto scores = numbers(wanted.at(name));
      EXPECT_NEAR(got.precision, scores[0], exact) << name;
      EXPECT_NEAR(got.recall, scores[1], exact) << name;
      EXPECT_NEAR(got.f1, scores[2], exact) << name;
    }
  }
}

TEST(MeasureGoldens, ProbabilitiesAreJudgedAsTheyAreThere) {
  const auto& wanted = golden("probabilities").as_object();
  const auto happened = whole_numbers(wanted.at("happened"));
  const auto chance = numbers(wanted.at("chance"));
  EXPECT_NEAR(brier(happened, chance), number(wanted.at("brier")), exact);
  EXPECT_NEAR(calibration(chance, happened).expected, number(wanted.at("ece")), exact);
}

TEST(MeasureGoldens, RankingsGainAsScikitLearnSays) {
  const auto& wanted = golden("ranking").as_object();
  const auto relevance = numbers(wanted.at("relevance")), scores = numbers(wanted.at("scores"));
  EXPECT_NEAR(ndcg(relevance, scores), number(wanted.at("ndcg")), exact);
  EXPECT_NEAR(ndcg(relevance, scores, 5), number(wanted.at("ndcg5")), exact);
}

TEST(MeasureGoldens, SamplesDifferAsScipyAndEvidentlySay) {
  for (const auto& one : golden("samples").as_array()) {
    const auto& wanted = one.as_object();
    const auto left = numbers(wanted.at("left")), right = numbers(wanted.at("right"));
    const TestResult ks = kolmogorov_smirnov(left, right);
    const auto scipy = numbers(wanted.at("ks"));
    EXPECT_NEAR(ks.statistic, scipy[0], exact);
    EXPECT_NEAR(ks.p / scipy[1], 1, 1e-6) << left.size();
    EXPECT_NEAR(wasserstein(left, right), number(wanted.at("wasserstein")), exact);
    const auto& evidently = wanted.at("evidently").as_object();
    EXPECT_NEAR(numeric_drift(left, right, DriftMethod::psi).score, number(evidently.at("psi")), exact);
    EXPECT_NEAR(numeric_drift(left, right, DriftMethod::jensen_shannon).score, number(evidently.at("js")),
                exact);
    EXPECT_NEAR(numeric_drift(left, right, DriftMethod::wasserstein).score,
                number(evidently.at("wasserstein")), exact);
    EXPECT_EQ(numeric_drift(left, right).method,
              left.size() > 1000 ? DriftMethod::wasserstein : DriftMethod::kolmogorov_smirnov);
  }
}

TEST(MeasureGoldens, CategoriesDriftAsEvidentlySays) {
  for (const auto& one : golden("categories").as_array()) {
    const auto& wanted = one.as_object();
    const Categories left = categories(wanted.at("left")), right = categories(wanted.at("right"));
    const auto& evidently = wanted.at("evidently").as_object();
    EXPECT_NEAR(category_drift(left, right, DriftMethod::psi).score, number(evidently.at("psi")), exact);
    EXPECT_NEAR(category_drift(left, right, DriftMethod::jensen_shannon).score, number(evidently.at("js")),
                exact);
    EXPECT_NEAR(category_drift(left, right, DriftMethod::chi_square).score, number(evidently.at("chisquare")),
                exact);
    if (evidently.contains("z")) {
      EXPECT_NEAR(category_drift(left, right).score, number(evidently.at("z")), exact);
    }
  }
}

TEST(MeasureGoldens, TextsScoreAsSacrebleuAndRougeScoreThem) {
  const auto& wanted = golden("texts").as_object();
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
  for (const auto& one : wanted.at("sentences").as_array()) {
    const std::string hypothesis(one.at("hypothesis").as_string());
    const auto all = texts(one.at("references"));
    EXPECT_NEAR(sentence_bleu(hypothesis, all).score, number(one.at("bleu")), exact) << hypothesis;
    EXPECT_NEAR(sentence_chrf(hypothesis, all), number(one.at("chrf")), exact) << hypothesis;
    EXPECT_NEAR(sentence_chrf(hypothesis, all, {.word_order = 2}), number(one.at("chrf2")), exact)
        << hypothesis;
    hypotheses.push_back(hypothesis);
    references.push_back({all[0]});
  }
  EXPECT_NEAR(corpus_bleu(hypotheses, references).score, number(wanted.at("corpus").at("bleu")), exact);
  EXPECT_NEAR(corpus_chrf(hypotheses, references), number(wanted.at("corpus").at("chrf")), exact);
  for (const auto& one : wanted.at("rouge").as_array()) {
    const std::string target(one.at("target").as_string()), prediction(one.at("prediction").as_string());
    const auto check = [&](const char* name, const Rouge& got) {
      const auto scores = numbers(one.at("scores").at(name));
      EXPECT_NEAR(got.precision, scores[0], exact) << name << target;
      EXPECT_NEAR(got.recall, scores[1], exact) << name;
      EXPECT_NEAR(got.f1, scores[2], exact) << name;
    };
    check("rouge1", rouge_n(target, prediction, 1));
    check("rouge2", rouge_n(target, prediction, 2));
    check("rougeL", rouge_l(target, prediction));
    check("rougeLsum", rouge_l_sum(target, prediction));
  }
}

TEST(MeasureGoldens, DistributionsAreScipys) {
  const auto& wanted = golden("tests").as_object();
  for (const auto& one : wanted.at("chi_square").as_array())
    EXPECT_NEAR(chi_square_above(number(one.at("x")), number(one.at("degrees"))) / number(one.at("p")), 1,
                1e-9);
  EXPECT_NEAR(jensen_shannon(numbers(wanted.at("js").at(0)), numbers(wanted.at("js").at(1))),
              number(wanted.at("js_distance")), exact);
  for (const auto& one : wanted.at("binomial").as_array()) {
    const PairedCounts counts{100, static_cast<size_t>(one.at("gained").as_int64()),
                              static_cast<size_t>(one.at("lost").as_int64())};
    EXPECT_NEAR(mcnemar_p(counts), number(one.at("p")), exact);
  }
  for (const auto& one : wanted.at("normal").as_array())
    EXPECT_NEAR(normal_quantile(number(one.at("share"))), number(one.at("z")), 1e-8);
}

TEST(MeasureGoldens, ThePublishedExampleOfBleuHolds) {
  EXPECT_NEAR(sentence_bleu("the cat sat on mat", {"the cat sat on the mat"}).score, 57.893, 1e-3);
  EXPECT_EQ(bleu_signature(1), "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
}

}  // namespace
}  // namespace holdfast::measure
