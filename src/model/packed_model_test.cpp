#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "io/temporary_folder.h"
#include "model/encoder_model.h"

namespace holdfast::model {
namespace {

const std::filesystem::path goldens = "tests/golden/models";

std::vector<NamedOutput> answer(const EncoderModel& model) {
  TokenBatch batch;
  for (int64_t i = 0; i < 7; ++i) batch.add(5 + 3 * i, 0, i, i);
  batch.end_sequence();
  const auto threads = tensor::make_threads(1);
  return model.forward(batch, *threads).value();
}

void expect_same_bits(const std::vector<NamedOutput>& left, const std::vector<NamedOutput>& right) {
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    ASSERT_EQ(left[i].data.size(), right[i].data.size());
    EXPECT_EQ(std::memcmp(left[i].data.data(), right[i].data.data(), left[i].data.size() * sizeof(float)), 0)
        << left[i].name;
  }
}

TEST(PackedModelTest, AModelOpenedFromItsPackedLayersGivesTheSameBits) {
  SeededRandom dice(1);
  for (const char* name :
       {"bert/sequence-classification", "bert/fill-mask", "albert/base", "deberta-v2/base", "modernbert/base",
        "roberta/sequence-classification", "mpnet/base", "distilbert/sequence-classification"}) {
    for (const tensor::Precision precision :
         {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
      SCOPED_TRACE(std::string(name) + " " + std::string(tensor::precision_name(precision)));
      const io::TemporaryFolder folder;
      std::filesystem::copy(goldens / name, folder.path(), std::filesystem::copy_options::recursive);
      const auto disk = io::open_posix_disk(folder.path()).value();
      const tensor::Compute compute{tensor::best_isa(), precision};
      const auto plain = answer(EncoderModel::open(*disk, "", compute).value());
      const io::Path file = "packed." + std::string(tensor::precision_name(precision));
      EXPECT_FALSE(disk->stat(file).ok()) << "nobody asked for it";
      expect_same_bits(answer(EncoderModel::open(*disk, "", compute, nullptr, &dice).value()), plain);
      ASSERT_TRUE(disk->stat(file).ok());
      const auto written = io::read_text(*disk, file, 1 << 30).value();
      expect_same_bits(answer(EncoderModel::open(*disk, "", compute, nullptr, &dice).value()), plain);
      EXPECT_EQ(io::read_text(*disk, file, 1 << 30).value(), written) << "it was read, not written again";
      // Cut short, as a lost file system might leave it: made again.
      ASSERT_TRUE(io::publish_text(*disk, file, written.substr(0, written.size() / 2)).ok());
      expect_same_bits(answer(EncoderModel::open(*disk, "", compute, nullptr, &dice).value()), plain);
      EXPECT_EQ(io::read_text(*disk, file, 1 << 30).value(), written);
    }
  }
}

}  // namespace
}  // namespace holdfast::model
