#pragma once

#include <memory>
#include <string_view>

#include "token/fast/fast_encoder.h"
#include "token/models/bpe.h"

namespace holdfast::token {

enum class Composition : uint8_t { none, nfc };

struct ByteLevelShape {
  std::string_view pattern;  // Of the words; empty for GPT-2's.
  Composition composition = Composition::none;
};

// Null where the pattern has no scanner or the model is not plain byte-level BPE.
std::unique_ptr<FastEncoder> make_byte_level_encoder(const ByteLevelShape& shape, const Bpe& model);

}  // namespace holdfast::token
