#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/disk.h"
#include "model/converted_base.h"
#include "model/decoder_plan.h"

namespace holdfast::model {

// What an adapter says of one linear layer: out = magnitude * (weight + scale * up down) / its rows' lengths,
// and so on. What is empty is not said.
struct ModuleChange {
  size_t rank = 0, inputs = 0, outputs = 0;  // 0: only the bias is changed.
  std::vector<float> down, up;               // [rank, inputs], [outputs, rank]
  float scale = 1;
  std::vector<float> up_bias;    // [outputs], scaled as `up` is.
  std::vector<float> magnitude;  // [outputs], DoRA's.
  std::vector<float> bias;       // [outputs], in the base's place.
};

// What adapters are for: a decoder's plan, and of a GGUF file what it was before. Borrowed.
struct AdapterBase {
  const DecoderPlan& plan;
  const ConvertedBase* converted = nullptr;
};

// An adapter's files: of each module, by the name that the plan has for it ("layers.0.self_attn.q_proj").
struct AdapterChanges {
  std::string base;                             // The name of the model it was made for; may be empty.
  std::map<std::string, ModuleChange> modules;  // Ordered, so that the same one is complained of each time.
  bool converted = false;                       // Rows lie as in the GGUF file of the base.
};

// A folder of PEFT's (adapter_config.json, adapter_model.safetensors or .bin), or llama.cpp's GGUF file,
// which may be the only one of a folder. model_unsupported for what the decoder does not do; bad_request for
// tensors that do not fit each other or the config.
Result<AdapterChanges> read_adapter(io::Disk& disk, const io::Path& place, const AdapterBase& base);

}  // namespace holdfast::model
