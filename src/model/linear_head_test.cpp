#include "model/linear_head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace holdfast::model {
namespace {

// Three clouds on a plane.
LabelledFeatures clouds(size_t rows, uint64_t seed, double noise) {
  std::mt19937_64 engine(seed);
  const auto unit = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  LabelledFeatures out;
  out.width = 2;
  for (size_t i = 0; i < rows; ++i) {
    const int label = static_cast<int>(engine() % 3);
    out.features.push_back(static_cast<float>((label == 1 ? 2 : -1) + (unit() - 0.5) * noise));
    out.features.push_back(static_cast<float>((label == 2 ? 2 : -1) + (unit() - 0.5) * noise));
    out.labels.push_back(label);
  }
  return out;
}

TEST(LinearHead, LearnsWhatALineCanDivide) {
  const auto trained = train_head(clouds(300, 1, 1), clouds(100, 2, 1), 3).value();
  EXPECT_EQ(trained.train_accuracy, 1);
  EXPECT_EQ(trained.validation_accuracy, 1);
  const auto rows = clouds(50, 3, 1);
  const auto probabilities = head_probabilities(trained.head, rows.features);
  for (size_t i = 0; i < rows.rows(); ++i)
    EXPECT_GT(probabilities[i * 3 + static_cast<size_t>(rows.labels[i])], 0.5);
}

TEST(LinearHead, TheSameSeedGivesTheSameBits) {
  const auto train = clouds(200, 4, 5), validation = clouds(80, 5, 5);
  const auto one = train_head(train, validation, 3, {.seed = 9}).value(),
             same = train_head(train, validation, 3, {.seed = 9}).value();
  EXPECT_EQ(one.head.weights, same.head.weights);
  EXPECT_EQ(one.head.bias, same.head.bias);
}

// The minimum of the loss is one: a second training from another start finds it too.
TEST(LinearHead, TheMinimumDoesNotDependOnTheStart) {
  const auto train = clouds(300, 6, 6);
  const auto one = train_head(train, train, 3, {.patience = 500, .seed = 1}).value();
  const auto other = train_head(train, train, 3, {.patience = 500, .start_spread = 1, .seed = 2}).value();
  const auto here = head_probabilities(one.head, train.features);
  const auto there = head_probabilities(other.head, train.features);
  for (size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(here[i], there[i], 0.01);
}

TEST(LinearHead, ItStopsWhenValidationGetsWorse) {
  auto train = clouds(30, 7, 8);
  const auto trained = train_head(train, clouds(200, 8, 8), 3, {.penalty = 0, .patience = 5}).value();
  EXPECT_TRUE(trained.stopped_early);
}

TEST(LinearHead, BadInputIsRefused) {
  const auto good = clouds(10, 9, 1);
  LabelledFeatures none;
  none.width = 2;
  EXPECT_NE(train_head(good, none, 3).error().message.find("validation"), std::string::npos);
  EXPECT_FALSE(train_head(none, good, 3).ok());
  EXPECT_FALSE(train_head(good, good, 1).ok());
  auto bad = good;
  bad.labels[0] = 7;
  EXPECT_FALSE(train_head(bad, good, 3).ok());
  bad = good;
  bad.features[0] = NAN;
  EXPECT_FALSE(train_head(bad, good, 3).ok());
  bad = good;
  bad.features.pop_back();
  EXPECT_FALSE(train_head(bad, good, 3).ok());
}

}  // namespace
}  // namespace holdfast::model
