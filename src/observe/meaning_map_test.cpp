#include "observe/meaning_map.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <random>
#include <semaphore>

#include "codec/json.h"
#include "observe/endpoint_prober.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

// What is embedded is a direction of its topic, its first word, and a little noise.
class Embedder final : public EndpointAsker {
 public:
  Result<std::optional<serve::ReleaseAnswer>> standing(const std::string&) override {
    return std::optional<serve::ReleaseAnswer>();
  }
  Result<std::string> ask(const Context&, const std::string& endpoint, const std::string& path,
                          const std::string& body) override {
    EXPECT_EQ(endpoint, "ada/embedder");
    EXPECT_EQ(path, "v1/embeddings");
    ++asked;
    if (holds) (void)go_on.try_acquire_for(std::chrono::seconds(20));
    if (fails) return fail(Reason::worker_failed, "no");
    if (!answer.empty()) return answer;
    json::array rows;
    const auto parsed = codec::parse_json_object(body);
    EXPECT_TRUE(parsed.ok());
    for (const json::value& text : parsed.value().at("input").get_array())
      rows.push_back(json::object{{"embedding", vector_of(std::string(text.get_string()))}});
    return codec::to_text(json::object{{"data", std::move(rows)}});
  }
  json::array vector_of(const std::string& text) {
    std::seed_seq seed(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find(' ')));
    std::mt19937 topic(seed);
    std::normal_distribution<double> normal;
    json::array out;
    for (int i = 0; i < 32; ++i) out.push_back(normal(topic) + 0.3 * normal(noise));
    return out;
  }
  std::mt19937 noise{7};
  std::atomic<int> asked = 0;
  bool fails = false, holds = false;
  std::counting_semaphore<10> go_on{0};
  std::string answer;
};

struct MeaningMapTest : ::testing::Test {
  void ask(const std::string& text, const ErrorClass* error = nullptr) {
    map.offer("lab/support", now, codec::to_text(json::object{{"inputs", text}}), error);
  }
  void drain() {
    while (map.tick(embedder)) {
    }
  }
  std::unique_ptr<Metrics> metrics_owner = make_metrics();
  Metrics& metrics = *metrics_owner;
  ManualClock clock;
  SeededRandom random{1};
  MeaningMap map{{.endpoint = "ada/embedder", .share = 1}, {clock, random, metrics}};
  Embedder embedder;
  const WallTime now{std::chrono::hours(500'000) + std::chrono::minutes(10)};
  const ErrorClass model = ErrorClass::model;
};

TEST_F(MeaningMapTest, APlantedClusterIsTheHotCellAndTheOthersAreNot) {
  const char* topics[] = {"parcels", "invoices", "passwords", "weather", "recipes"};
  for (int i = 0; i < 200; ++i) {
    const size_t topic = static_cast<size_t>(i) % 5;
    ask(fmt::format("{} question {}", topics[topic], i), topic == 2 && i % 10 != 7 ? &model : nullptr);
    drain();
  }
  const auto cells = map.view("lab/support", now);
  ASSERT_EQ(cells.size(), 5U);
  int64_t hot = 0;
  for (const MeaningCell& cell : cells) {
    EXPECT_EQ(cell.requests, 40);
    const int64_t errors = cell.errors[static_cast<size_t>(model)];
    if (errors > 0) hot += errors;
    if (errors > 0) EXPECT_EQ(cell.cluster, 3U);
  }
  EXPECT_EQ(hot, 20);
  EXPECT_TRUE(map.view("lab/other", now).empty());
  EXPECT_TRUE(map.view("lab/support", now + std::chrono::hours(24)).empty());
}

TEST_F(MeaningMapTest, AnEndpointThatFailsOrSaysNonsenseMakesTheSampleSmallerAndNoMore) {
  embedder.fails = true;
  ask("parcels one");
  drain();
  embedder.fails = false;
  for (const char* nonsense : {"{}", "[]", "no", R"({"data": []})", R"({"data": [{"embedding": []}]})",
                               R"({"data": [{"embedding": ["x"]}]})", R"({"data": [{"embedding": [0, 0]}]})",
                               R"({"data": [{"embedding": [1e400]}]})"}) {
    embedder.answer = nonsense;
    ask("parcels one");
    drain();
  }
  EXPECT_TRUE(map.view("lab/support", now).empty());
  embedder.answer.clear();
  ask("parcels one");
  drain();
  EXPECT_EQ(map.view("lab/support", now).size(), 1U);
}

TEST_F(MeaningMapTest, ARequestWaitsForNothingThoughTheEndpointHangs) {
  embedder.holds = true;
  const auto work = start_meaning(map, embedder);
  const auto began = std::chrono::steady_clock::now();  // Real time: what a request would wait.
  for (int i = 0; i < 1000; ++i) ask("parcels one");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_LE(embedder.asked.load(), 1);
  embedder.go_on.release(10);
  embedder.holds = false;
}

TEST_F(MeaningMapTest, WhatMayNotBeKeptIsNotLookedAt) {
  map.offer("lab/support", now, "", nullptr);
  map.offer("lab/support", now, "no JSON", nullptr);
  EXPECT_FALSE(map.tick(embedder));
  MeaningMap none({.endpoint = ""}, {clock, random, metrics});
  none.offer("lab/support", now, R"({"inputs": "x y"})", nullptr);
  EXPECT_FALSE(none.tick(embedder));
  EXPECT_EQ(embedder.asked.load(), 0);
}

TEST(MeaningClusters, AreBoundedAndTheFullestTakeWhatIsLeft) {
  MeaningClusters clusters(0.9);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 500; ++i) {
    std::vector<float> vector(16);
    for (float& value : vector) value = normal(random);
    const size_t number = clusters.add(vector);
    EXPECT_GE(number, 1U);
    EXPECT_LE(number, MeaningClusters::clusters_max);
  }
  EXPECT_EQ(clusters.size(), MeaningClusters::clusters_max);
  EXPECT_EQ(clusters.add({1, 2, 3}), 0U) << "of another length";
  EXPECT_EQ(clusters.add(std::vector<float>(16, 0.0F)), 0U);
  EXPECT_EQ(clusters.add(std::vector<float>(16, NAN)), 0U);
}

TEST(MeaningClusters, WellApartTheyAreTheGroupsThatWereMade) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> centers(6, std::vector<float>(24)), vectors;
  for (auto& center : centers)
    for (float& value : center) value = normal(random);
  std::vector<size_t> truth, got;
  MeaningClusters clusters(0.5);
  for (int i = 0; i < 600; ++i) {
    truth.push_back(random() % centers.size());
    std::vector<float> vector = centers[truth.back()];
    for (float& value : vector) value += 0.35F * normal(random);
    got.push_back(clusters.add(vector));
  }
  std::map<size_t, std::map<size_t, int>> of;
  for (size_t i = 0; i < got.size(); ++i) ++of[truth[i]][got[i]];
  int right = 0;
  for (const auto& [center, counts] : of)
    right += std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
               return a.second < b.second;
             })->second;
  EXPECT_GE(right, 590);
}

}  // namespace
}  // namespace holdfast::observe
