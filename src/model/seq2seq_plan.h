#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/decoder_plan.h"
#include "model/encoder_plan.h"
#include "model/signal_encoder.h"

namespace holdfast::model {

// What config.json of an encoder-decoder model asks for: both blocks, the head on the decoder, and how the
// decoder's row begins. A family file fills it in. Names of both blocks are of one checkpoint.
struct Seq2SeqPlan {
  enum class Head : uint8_t { none, language, sequence_classification };
  // What the decoder reads where nobody says it: the encoder's ids, shifted by one.
  enum class Shift : uint8_t { none, behind_start, behind_last };

  std::string family;
  EncoderPlan encoder;  // Of texts.
  // Instead of `encoder`: loads what reads images or sounds. It may borrow what the reader has.
  std::function<Result<std::unique_ptr<SignalEncoder>>(const WeightReader& reader)> signals;
  DecoderPlan decoder;
  Head head = Head::none;
  Shift shift = Shift::none;
  std::vector<std::string> labels;        // Of sequence classification, which reads the last end token's row.
  std::string language_head = "lm_head";  // The decoder's words where the weights lack it.
  std::string logits_bias;                // [1, vocabulary]; empty: none. Zeros where the weights lack it.
  std::optional<int64_t> start_id, pad_id, end_id;
  std::vector<std::string> prefixes;
  WeightReader::Renames renames;
};

}  // namespace holdfast::model
