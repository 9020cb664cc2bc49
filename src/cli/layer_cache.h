#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/user_files.h"
#include "model/layer_store.h"
#include "model/text_generator.h"

namespace holdfast::cli {

// The packed layers of one decoder that a person runs, in the user's cache: holdfast/packed in
// HF_ASSETS_CACHE, else in `assets` of the cache that huggingface_hub uses. Where there is no such folder, or
// it cannot be written, the model is opened as it is without.
class LayerCache {
 public:
  // Of all files; what was used longest ago goes first.
  static constexpr uint64_t all_bytes_max = uint64_t{16} << 30;

  enum class Use : uint8_t { alone, with_adapters };  // Layers of the two are packed in other ways.
  // `place`: the model's folder or GGUF file.
  LayerCache(World& world, UserFiles& files, std::string_view place, tensor::Precision precision,
             Use use = Use::alone, uint64_t bytes_max = all_bytes_max);

  const model::LayerStore* store() const { return store_ ? &*store_ : nullptr; }  // To open the model with.
  // Writes what is not there yet, and removes what is too much. Nobody need wait for it.
  void keep(const model::TextGenerator& generator) const;

 private:
  const uint64_t bytes_max_;
  std::unique_ptr<io::Disk> disk_;
  std::optional<model::LayerStore> store_;
};

}  // namespace holdfast::cli
