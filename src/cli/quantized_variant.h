#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "cli/quality_change.h"
#include "io/disk.h"
#include "model/packed_weights.h"
#include "tensor/threads.h"

namespace holdfast::cli {

// What a variant consists of, and how it is compared with the original.
struct QuantizedVariant {
  Bytes file;
  size_t matrices = 0;
  uint64_t bytes_before = 0;
  boost::json::object config;  // quantization_config
  std::string_view tag, title, what, note;
  std::function<Result<QualityChange>(io::Disk& out, tensor::Threads& threads)> compare;
};

// Of an encoder: docs/formats/int8-weights.md. It borrows the texts.
Result<QuantizedVariant> make_encoder_variant(io::Disk& base, model::PackedBits bits,
                                              std::span<const std::string> texts);
// Of a model that writes: docs/formats/packed-weights.md.
Result<QuantizedVariant> make_writer_variant(io::Disk& base, model::PackedBits bits,
                                             std::span<const std::string> texts);

}  // namespace holdfast::cli
