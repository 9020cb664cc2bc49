// The models of the reference data, every case, on every instruction set this machine has.
#include "model/forward.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <filesystem>

#include "codec/json.h"
#include "io/reference_data.h"

namespace holdfast::model {
namespace {

// The named case's input tensors under the names the model takes.
struct Case {
  std::string name;
  boost::json::object golden;
};

std::vector<Case> cases_of(io::Disk& disk, std::string_view variant) {
  const std::string text = io::read_text(disk, io::Path(variant) / "golden.json", 1 << 20).value();
  const boost::json::object golden = codec::parse_json_object(text).value();
  std::vector<Case> out;
  for (const boost::json::value& one : golden.at("cases").as_array())
    out.push_back({std::string(one.at("name").as_string()), one.as_object()});
  return out;
}

void expect_golden(const Case& wanted, const tensor::Weights& golden, const std::vector<NamedTensor>& got) {
  const boost::json::object& outputs = wanted.golden.at("outputs").as_object();
  EXPECT_EQ(got.size(), outputs.size());
  for (const auto& [name, where] : outputs) {
    const auto found =
        std::find_if(got.begin(), got.end(), [&](const NamedTensor& t) { return t.name == name; });
    ASSERT_NE(found, got.end()) << name;
    const tensor::TensorView* view = golden.find(where.as_string());
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(found->shape, view->shape) << name;
    const std::vector<float> expected = tensor::to_floats(*view).value();
    ASSERT_EQ(expected.size(), found->data.size());
    const double scale = wanted.golden.at("scale").as_object().at(name).to_number<double>();
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(expected[i]) - found->data[i]));
    EXPECT_LE(worst, 1e-5 * scale) << wanted.name << " " << name;  // A tenth of what is asked.
  }
}

// Every case of one model folder.
void expect_folder(io::Disk& disk, const io::Path& folder, tensor::Isa isa) {
  SCOPED_TRACE(folder.string() + " " + std::string(tensor::isa_name(isa)));
  const auto threads = tensor::make_threads(2);
  auto model = EncoderModel::open(disk, folder, {.isa = isa});
  ASSERT_TRUE(model.ok()) << model.error().message;
  auto golden = tensor::Weights::open_file(disk, folder / "golden.safetensors");
  ASSERT_TRUE(golden.ok());
  for (const Case& one : cases_of(disk, folder.string())) {
    const auto inputs = tensor::Weights::renamed(golden.value(), one.name + ".in.");
    const auto got = forward(model.value(), inputs, *threads);
    ASSERT_TRUE(got.ok()) << got.error().message;
    expect_golden(one, golden.value(), got.value());
  }
}

// Folders ROOT/FAMILY/VARIANT of families that we have.
std::vector<io::Path> folders_under(const std::filesystem::path& root) {
  constexpr std::string_view names[] = {"albert",
                                        "bert",
                                        "big_bird",
                                        "data2vec-text",
                                        "deberta",
                                        "deberta-v2",
                                        "distilbert",
                                        "dpr",
                                        "electra",
                                        "ernie",
                                        "esm",
                                        "eurobert",
                                        "gte",
                                        "ibert",
                                        "jina_embeddings_v3",
                                        "megatron-bert",
                                        "modernbert",
                                        "mpnet",
                                        "nomic_bert",
                                        "rembert",
                                        "roberta",
                                        "roberta-prelayernorm",
                                        "roformer",
                                        "squeezebert",
                                        "xlm-roberta-xl"};
  std::vector<io::Path> out;
  for (std::string_view family : names) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root / family, missing))
      if (std::filesystem::exists(entry.path() / "golden.json"))
        out.push_back(io::Path(family) / entry.path().filename());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Forward, EveryCommittedEncoderGoldenIsReachedOnEveryInstructionSet) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto folders = folders_under("tests/golden/models");
  EXPECT_GE(folders.size(), 27U);
  for (const io::Path& folder : folders)
    for (tensor::Isa isa : tensor::isas_of_this_machine()) expect_folder(*disk, folder, isa);
}

TEST(Forward, ATensorThatTheModelDoesNotReadIsRefusedByItsName) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto model = EncoderModel::open(*disk, "bert/base").value();
  const auto threads = tensor::make_threads(1);
  const std::vector<int64_t> ids = {2, 7, 3}, boxes(12, 0);
  const auto inputs =
      tensor::Weights::borrowed({{"input_ids", {tensor::Dtype::i64, {1, 3}, std::as_bytes(std::span(ids))}},
                                 {"bbox", {tensor::Dtype::i64, {1, 3, 4}, std::as_bytes(std::span(boxes))}}});
  const auto answer = forward(model, inputs, *threads);
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().message.find("'bbox'"), std::string::npos) << answer.error().message;
}

TEST(Forward, EveryEncoderGoldenOfTheReferenceDataIsReached) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  for (const io::Path& folder : folders_under(*root)) expect_folder(*disk, folder, tensor::best_isa());
}

}  // namespace
}  // namespace holdfast::model
