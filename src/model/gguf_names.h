#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "model/decoder_plan.h"
#include "tensor/rope.h"

namespace holdfast::model {

// An architecture of llama.cpp, the family of ours that it is, and how its converter changed the weights.
struct GgufArchitecture {
  std::string_view name, family;
  tensor::RopePairs pairs;  // Neighbours: queries and keys are reordered so that neighbours turn together.
  bool adds_one = false;    // Norms hold their scale whole.
  bool written = false;     // gguf_export.h writes it.
};

const GgufArchitecture* gguf_architecture(std::string_view name);  // Null where we do not read it.
// How models of one of our families are written; null where they are not.
const GgufArchitecture* gguf_architecture_of(std::string_view family);

// "blk.3.attn_q.weight" becomes what the family calls it, "layers.3.self_attn.q_proj.weight"; empty for what
// it does not read.
std::string name_from_gguf(const DecoderPlan& plan, std::string_view name);
// The name of one of the experts that "blk.3.ffn_gate_exps.weight" holds; empty for other tensors.
std::string expert_name_from_gguf(const DecoderPlan& plan, std::string_view name, size_t expert);
// "layers.3.self_attn.q_proj.weight" becomes "blk.3.attn_q.weight"; empty for what has no name there.
std::string name_to_gguf(std::string_view architecture, std::string_view name);

// Keys of metadata, without the architecture and its dot, and of config.json.
std::span<const std::pair<std::string_view, std::string_view>> gguf_number_keys();

}  // namespace holdfast::model
