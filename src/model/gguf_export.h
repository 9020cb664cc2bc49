#pragma once

#include <string>

#include "codec/gguf.h"
#include "io/disk.h"

namespace holdfast::model {

struct GgufWish {
  codec::GgmlType type = codec::GgmlType::q8_0;  // Of matrices: f16, q8_0, q4_0 or q4_k.
  std::string name;                              // general.name; empty: none.
};

struct GgufMade {
  uint64_t bytes_before = 0;  // Of tensors.
  uint64_t bytes_after = 0;   // Of the file.
  size_t matrices = 0;        // In the type that was asked for.
};

// Writes the decoder of a folder, with its tokenizer and chat template, as a GGUF file that llama.cpp reads:
// docs/formats/gguf.md. Matrices are written one at a time. model_unsupported for families and tokenizers
// that have no place there.
Result<GgufMade> export_gguf(io::Disk& disk, const io::Path& folder, const GgufWish& wish,
                             io::WriteFile& out);

// The tensors of a GGUF file in another type, everything else as it was.
Result<GgufMade> requantize_gguf(io::Disk& disk, const io::Path& file, const GgufWish& wish,
                                 io::WriteFile& out);

}  // namespace holdfast::model
