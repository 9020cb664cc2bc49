// Decoders that are opened from their packed layers give the bits that they give without.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "io/faulty_disk.h"
#include "io/temporary_folder.h"
#include "model/decoder_model.h"

namespace holdfast::model {
namespace {

using tensor::Precision;
using Adapters = DecoderModel::Adapters;
using Writing = LayerStore::Writing;

const std::filesystem::path goldens = "tests/golden/models";
constexpr std::string_view small_file = "tests/golden/models/gguf-architectures/phi2.gguf";
SeededRandom dice(7);

std::vector<float> answer(const DecoderModel& model) {
  TokenBatch batch;
  const size_t tokens = 9;
  for (size_t i = 0; i < tokens; ++i)
    batch.add(static_cast<int64_t>((i * 37 + 1) % std::min<uint64_t>(model.plan().vocabulary, 90)), 0,
              static_cast<int64_t>(i));
  batch.end_sequence();
  const auto threads = tensor::make_threads(1);
  const auto states = model.decoder().forward(batch, {}, *threads);
  EXPECT_TRUE(states.ok());
  if (!model.has_head()) return {states.value().last.data(), states.value().last.data() + 1};
  std::vector<float> out(tokens * model.head_width());
  model.run_head(states.value().last.data(), tokens, out.data(), *threads);
  return out;
}

bool same_bits(const std::vector<float>& left, const std::vector<float>& right) {
  return left.size() == right.size() &&
         std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0;
}

using Open = std::function<Result<DecoderModel>(tensor::Compute, const LayerStore*)>;

// Without a store, with one that is empty, and with one that holds it.
void expect_same_everywhere(const Open& open, Precision precision) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  const tensor::Compute compute{tensor::best_isa(), precision};
  const LayerStore store{*disk, "packed", dice, "", Writing::when_opened};
  const std::vector<float> plain = answer(open(compute, nullptr).value());
  EXPECT_TRUE(same_bits(answer(open(compute, &store).value()), plain));
  ASSERT_TRUE(disk->stat("packed").ok());
  EXPECT_EQ(disk->list("").value().size(), 1U);
  const std::string written = io::read_text(*disk, "packed", 1 << 30).value();
  EXPECT_TRUE(same_bits(answer(open(compute, &store).value()), plain));
  EXPECT_EQ(io::read_text(*disk, "packed", 1 << 30).value(), written) << "it was read, not written again";
}

TEST(PackedDecoderTest, EveryFamilysFolderGivesTheSameBits) {
  size_t families = 0;
  for (const auto& family : std::filesystem::directory_iterator(goldens)) {
    if (!family.is_directory()) continue;
    for (const auto& folder : std::filesystem::directory_iterator(family)) {
      const auto disk = io::open_posix_disk(folder.path());
      if (!folder.is_directory() || !DecoderModel::open(*disk.value(), "").ok()) continue;
      SCOPED_TRACE(folder.path().string());
      const Adapters adapters = families % 2 == 0 ? Adapters::none : Adapters::may_come;
      for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
        expect_same_everywhere(
            [&](tensor::Compute compute, const LayerStore* store) {
              return DecoderModel::open(*disk.value(), "", compute, adapters, store);
            },
            precision);
      ++families;
      break;  // One of a family.
    }
  }
  EXPECT_GE(families, 30U);
}

TEST(PackedDecoderTest, EveryGgufFileGivesTheSameBits) {
  size_t files = 0;
  for (const char* folder : {"gguf", "gguf-architectures", "gguf-blocks"})
    for (const auto& entry : std::filesystem::directory_iterator(goldens / folder)) {
      if (entry.path().extension() != ".gguf") continue;
      SCOPED_TRACE(entry.path().string());
      const auto disk = io::open_posix_disk(goldens / folder).value();
      const Adapters adapters = files % 2 == 0 ? Adapters::none : Adapters::may_come;
      for (const Precision precision : {Precision::f32, Precision::int8})
        expect_same_everywhere(
            [&](tensor::Compute compute, const LayerStore* store) {
              return DecoderModel::open_gguf(*disk, entry.path().filename(), compute, adapters, store);
            },
            precision);
      ++files;
    }
  EXPECT_GE(files, 23U);
}

// One file of weights, and what is kept of it.
class PackedDecoderFileTest : public testing::Test {
 protected:
  LayerStore store(std::string source = "", Writing writing = Writing::when_opened) {
    return {*disk_, "packed", dice, std::move(source), writing};
  }
  Result<DecoderModel> open(const LayerStore* store) {
    return DecoderModel::open_gguf(*disk_, "model.gguf", {tensor::best_isa(), Precision::int8},
                                   Adapters::none, store);
  }
  std::string kept() { return io::read_text(*disk_, "packed", 1 << 20).value(); }
  // Of the same names, types and sizes: the last tensors' numbers stand elsewhere.
  void write_model(bool other) {
    std::string bytes =
        io::read_text(*io::open_posix_disk(".").value(), std::string(small_file), 1 << 20).value();
    if (other) std::reverse(bytes.end() - 256, bytes.end());
    ASSERT_TRUE(io::publish_text(*disk_, "model.gguf", bytes).ok());
  }

  const io::TemporaryFolder folder_;
  const std::unique_ptr<io::Disk> disk_ = io::open_posix_disk(folder_.path()).value();
};

TEST_F(PackedDecoderFileTest, WeightsOfTheSameSourceAreNotReadAndThoseOfAnotherAre) {
  write_model(true);
  const std::vector<float> other = answer(open(nullptr).value());
  write_model(false);
  const std::vector<float> plain = answer(open(nullptr).value());
  ASSERT_FALSE(same_bits(other, plain));
  const LayerStore first = store("first"), second = store("second");
  ASSERT_TRUE(open(&first).ok());
  write_model(true);
  EXPECT_TRUE(same_bits(answer(open(&first).value()), plain)) << "its layers are those that were kept";
  EXPECT_TRUE(same_bits(answer(open(&second).value()), other));
  EXPECT_TRUE(same_bits(answer(open(&first).value()), other)) << "there is one file, of the last source";
}

TEST_F(PackedDecoderFileTest, IsWrittenWhenToldWhereNobodyIsToWait) {
  write_model(false);
  const LayerStore later = store("", Writing::when_told);
  const DecoderModel model = open(&later).value();
  const std::vector<float> plain = answer(model);
  EXPECT_FALSE(disk_->stat("packed").ok());
  EXPECT_TRUE(model.keep_layers().ok());
  const std::string written = kept();
  EXPECT_TRUE(same_bits(answer(model), plain));
  EXPECT_TRUE(model.keep_layers().ok());
  const DecoderModel again = open(&later).value();
  EXPECT_TRUE(same_bits(answer(again), plain));
  EXPECT_TRUE(again.keep_layers().ok()) << "nothing is left to do";
  EXPECT_EQ(kept(), written);
  EXPECT_TRUE(open(nullptr).value().keep_layers().ok()) << "without a store there is nothing to keep";
}

TEST_F(PackedDecoderFileTest, ASpoiledFileIsMadeAgain) {
  write_model(false);
  const LayerStore here = store();
  const std::vector<float> plain = answer(open(&here).value());
  const std::string written = kept();
  std::map<std::string, std::string> spoiled;
  spoiled["cut"] = written.substr(0, written.size() / 2);
  spoiled["empty"] = "";
  spoiled["foreign"] = std::string(written.size(), 'x');
  spoiled["a bit turned"] = written;
  spoiled["a bit turned"][written.size() / 3] ^= 1;
  spoiled["a page lost"] = written;
  std::fill_n(spoiled["a page lost"].begin() + 4096, 4096, '\0');
  for (const auto& [how, bytes] : spoiled) {
    ASSERT_NE(bytes, written);
    ASSERT_TRUE(io::publish_text(*disk_, "packed", bytes).ok());
    EXPECT_TRUE(same_bits(answer(open(&here).value()), plain)) << how;
    EXPECT_EQ(kept(), written) << how;
  }
}

TEST_F(PackedDecoderFileTest, AnswersWithoutItWhereverTheDiskFails) {
  write_model(false);
  const std::vector<float> plain = answer(open(nullptr).value());
  const auto faulty = io::make_faulty_disk(*disk_, dice);
  bool written = false;
  for (uint64_t at = 1; !written; ++at) {
    ASSERT_LT(at, 30U);
    faulty->set({.fail_at = at});
    const LayerStore here{*faulty, "packed", dice, "", Writing::when_opened};
    EXPECT_TRUE(same_bits(answer(open(&here).value()), plain)) << at;
    written = disk_->stat("packed").ok();
    EXPECT_EQ(disk_->list("").value().size(), written ? 2U : 1U) << at << ": nothing half is left";
  }
}

}  // namespace
}  // namespace holdfast::model
