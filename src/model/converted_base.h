#pragma once

#include <string>
#include <vector>

#include "model/decoder_plan.h"

namespace holdfast::model {

// What a GGUF file's converter changed of the checkpoint it was made from, which is what adapters are made
// for.
struct ConvertedBase {
  std::string architecture;  // llama.cpp's name.
  std::vector<std::string> prefixes;
  DecoderPlan::JoinedOrder joined_order = DecoderPlan::JoinedOrder::blocks;
  bool turned = false;  // Of queries and keys: rows half a head apart became neighbours.
};

}  // namespace holdfast::model
