#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/encoder_head.h"
#include "model/token_batch.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A whole tensor of floats with its name.
struct NamedTensor {
  std::string name;
  std::vector<uint64_t> shape;
  std::vector<float> data;
  bool whole = false;  // Counts, which are written as whole numbers.
};

// The padded batch, and which place each of its packed tokens has in [B, T].
struct Packed {
  TokenBatch batch;
  std::vector<size_t> places;
  std::vector<size_t> rows;  // Of the sequences that have tokens.
  uint64_t height = 0, width = 0;
  uint64_t choices = 1;      // Sequences an example.
  bool has_padding = false;  // batch.padding is filled in.
};

// Which rows keep their padding, as tokens that nobody sees: those where an answer is read from it.
enum class KeepPadding : uint8_t { no, where_first, everywhere };

// What a row's positions are by themselves, from its ids and mask.
using CountPositions =
    std::function<std::vector<int64_t>(std::span<const int64_t> ids, std::span<const int64_t> mask)>;

// transformers' padded arguments without their padding: BEFOREinput_ids of `dimensions` and, where given, a
// mask, types and positions of the same shape.
Result<Packed> pack(const tensor::Weights& inputs, size_t dimensions, const CountPositions& count,
                    std::string_view before = "", KeepPadding keep = KeepPadding::no);
// An output in the padded shape, zeros where padding is.
NamedTensor unpack(const Packed& packed, const NamedOutput& output);

}  // namespace holdfast::model
