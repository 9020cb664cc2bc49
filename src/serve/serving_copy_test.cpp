#include "serve/serving_copy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "io/disk.h"

namespace holdfast::serve {
namespace {

class ListedFiles final : public FileSource {
 public:
  explicit ListedFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  Result<std::vector<File>> list(const ServedModel&) override {
    std::vector<File> out;
    for (const std::string& path : paths_) out.push_back({path, 3});
    return out;
  }
  Status copy(const ServedModel&, const std::string& path, io::WriteFile& into) override {
    return into.append(as_bytes(path));
  }

 private:
  std::vector<std::string> paths_;
};

TEST(ServingCopy, HoldsPicklesWhereThereAreNoSafetensors) {
  struct Case {
    std::string name;
    std::vector<std::string> there, copied;
  };
  const Case cases[] = {
      {"one pickle", {"pytorch_model.bin", "training_args.bin"}, {"pytorch_model.bin"}},
      {"shards",
       {"pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"},
       {"pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"}},
      {"both", {"pytorch_model.bin", "model.safetensors"}, {"model.safetensors"}},
      {"an adapter", {"adapter_model.bin", "model.safetensors"}, {"adapter_model.bin", "model.safetensors"}},
      {"an adapter twice", {"adapter_model.bin", "adapter_model.safetensors"}, {"adapter_model.safetensors"}},
      {"in a folder", {"old/pytorch_model.bin"}, {}},
      {"modules of a sentence model",
       {"0_Transformer/model.safetensors", "0_Transformer/pytorch_model.bin", "0_Transformer/vocab.txt",
        "2_Dense/pytorch_model.bin", "onnx/model.safetensors", "1_a/b/model.safetensors"},
       {"0_Transformer/model.safetensors", "0_Transformer/vocab.txt", "2_Dense/pytorch_model.bin"}},
      {"a vocabulary alone",
       {"sentencepiece.bpe.model", "qwen.tiktoken"},
       {"sentencepiece.bpe.model", "qwen.tiktoken"}},
      {"a vocabulary beside its tokenizer", {"spiece.model", "tokenizer.json"}, {"tokenizer.json"}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto disk = io::make_memory_disk();
    SeededRandom random(1);
    ListedFiles files(one.there);
    const auto folder =
        ensure_serving_copy(*disk, "copies", files, {1, "ada/m", std::string(40, 'a')}, random);
    ASSERT_TRUE(folder.ok()) << folder.error().message;
    for (const std::string& path : one.there) {
      const bool wanted = std::find(one.copied.begin(), one.copied.end(), path) != one.copied.end();
      EXPECT_EQ(disk->stat(folder.value() / path).ok(), wanted) << path;
    }
  }
}

}  // namespace
}  // namespace holdfast::serve
