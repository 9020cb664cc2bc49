// The decoders of the reference data: every forward and generate case; splitting a text into calls changes no
// bit.
#include "model/decoder.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "codec/json.h"
#include "io/reference_data.h"
#include "model/any_model.h"
#include "model/decoder_rows.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

boost::json::object read_json(io::Disk& disk, const io::Path& path) {
  return codec::parse_json_object(io::read_text(disk, path, 1 << 20).value()).value();
}

void expect_outputs(const boost::json::object& one, const tensor::Weights& golden,
                    const std::vector<NamedTensor>& got) {
  for (const auto& [name, where] : one.at("outputs").as_object()) {
    const auto found =
        std::find_if(got.begin(), got.end(), [&](const NamedTensor& t) { return t.name == name; });
    ASSERT_NE(found, got.end()) << name;
    const tensor::TensorView* view = golden.find(where.as_string());
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(found->shape, view->shape) << name;
    const std::vector<float> expected = tensor::to_floats(*view).value();
    ASSERT_EQ(expected.size(), found->data.size());
    double worst = 0, scale = 0;
    for (float x : expected) scale = std::max(scale, std::abs(static_cast<double>(x)));
    for (size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(expected[i]) - found->data[i]));
    EXPECT_LE(worst, 2e-5 * scale) << name;  // A fifth of what is asked.
  }
}

void expect_sequences(const boost::json::object& one, const tensor::Weights& golden,
                      const AnyModel::Sequences& got) {
  const boost::json::object& outputs = one.at("outputs").as_object();
  const tensor::TensorView* view = golden.find(outputs.at("sequences").as_string());
  ASSERT_NE(view, nullptr);
  std::vector<int64_t> ids;
  for (const auto& row : got.ids) ids.insert(ids.end(), row.begin(), row.end());
  EXPECT_EQ(ids, tensor::to_integers(*view).value());
  const boost::json::value* scores = outputs.if_contains("sequences_scores");
  if (scores == nullptr) return;
  const auto wanted = tensor::to_floats(*golden.find(scores->as_string())).value();
  ASSERT_EQ(wanted.size(), got.scores.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(wanted[i], got.scores[i], 1e-4);
}

void expect_folder(io::Disk& disk, const io::Path& folder) {
  SCOPED_TRACE(folder.string());
  const auto threads = tensor::make_threads(2);
  const auto model = AnyModel::open(disk, folder);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto golden = tensor::Weights::open_file(disk, folder / "golden.safetensors").value();
  const boost::json::object json = read_json(disk, folder / "golden.json");
  for (const boost::json::value& value : json.at("cases").as_array()) {
    const boost::json::object& one = value.as_object();
    const std::string name(one.at("name").as_string());
    SCOPED_TRACE(name);
    const auto inputs = tensor::Weights::renamed(golden, name + ".in.");
    if (one.at("kind").as_string() == "forward") {
      const auto got = model.value().forward(inputs, *threads);
      ASSERT_TRUE(got.ok()) << got.error().message;
      expect_outputs(one, golden, got.value());
    } else {
      const auto got = model.value().generate(inputs, one.at("generate").as_object(), *threads);
      ASSERT_TRUE(got.ok()) << got.error().message;
      expect_sequences(one, golden, got.value());
    }
  }
}

// Folders ROOT/FAMILY/VARIANT of families that we have.
std::vector<io::Path> folders_under(const std::filesystem::path& root) {
  std::vector<io::Path> out;
  for (const DecoderFamily& family : decoder_families()) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root / family.model_type, missing))
      if (std::filesystem::exists(entry.path() / "golden.json"))
        out.push_back(io::Path(family.model_type) / entry.path().filename());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Decoder, EveryCommittedGoldenIsReached) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto folders = folders_under("tests/golden/models");
  EXPECT_GE(folders.size(), 4U);
  for (const io::Path& folder : folders) expect_folder(*disk, folder);
}

TEST(Decoder, EveryGoldenOfTheReferenceDataIsReached) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  for (const io::Path& folder : folders_under(*root)) expect_folder(*disk, folder);
}

TEST(Decoder, SplittingATextIntoCallsAndBatchingItChangesNoBit) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  for (const io::Path& folder : folders_under("tests/golden/models")) {
    SCOPED_TRACE(folder.string());
    const auto model = DecoderModel::open(*disk, folder).value();
    const auto alone = tensor::make_threads(1), two = tensor::make_threads(2);
    TokenBatch whole, pair;
    const auto fill = [&](TokenBatch& batch, size_t from, size_t to, int64_t seed) {
      for (size_t i = from; i < to; ++i)
        batch.add((static_cast<int64_t>(i) * 7 + seed) % static_cast<int64_t>(model.plan().vocabulary), 0,
                  static_cast<int64_t>(i));
      batch.end_sequence(23);  // Of the whole: some rotary frequencies hang on a text's length.
    };
    fill(whole, 0, 23, 3);
    const auto expected = model.decoder().forward(whole, {}, *alone).value();
    const size_t width = model.decoder().head_inputs();

    KvCache cache;
    KvCache* caches[] = {&cache};
    for (const auto& [from, to] : {std::pair<size_t, size_t>{0, 9}, {9, 10}, {10, 23}}) {
      TokenBatch part;
      fill(part, from, to, 3);
      const auto got = model.decoder().forward(part, caches, *two).value();
      EXPECT_EQ(std::memcmp(got.last.data(), expected.last.data() + from * width,
                            (to - from) * width * sizeof(float)),
                0)
          << from;
    }
    fill(pair, 0, 5, 11);
    fill(pair, 0, 23, 3);
    const auto both = model.decoder().forward(pair, {}, *two).value();
    EXPECT_EQ(std::memcmp(both.last.data() + 5 * width, expected.last.data(), 23 * width * sizeof(float)), 0);
  }
}

}  // namespace
}  // namespace holdfast::model
