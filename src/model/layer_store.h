#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "codec/gguf.h"
#include "io/disk.h"
#include "tensor/weights.h"

namespace holdfast::model {

// Where a decoder's packed layers are kept for whoever opens it next (docs/formats/packed-layers.md). Borrows
// disk and random while the model is opened and kept.
struct LayerStore {
  enum class Writing : uint8_t {
    when_opened,  // And then the file is mapped instead of what was packed: others are to share it.
    when_told,    // By DecoderModel::keep_layers, so that nobody waits for it; durably.
  };

  io::Disk& disk;
  io::Path file;  // Of one precision.
  Random& random;
  // What tells the weights' files from others whose tensors have the same names, types and sizes; empty for
  // files that nobody changes.
  std::string source;
  Writing writing = Writing::when_opened;
};

// What packed layers are of: a configuration, and every tensor's name, type and size.
std::string packed_key(std::string_view config, const tensor::Weights& weights);
std::string packed_key(std::string_view config, const codec::GgufFile& file);

}  // namespace holdfast::model
