#include "model/gguf_export.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <cmath>
#include <functional>
#include <set>

#include "codec/gguf_write.h"
#include "codec/json.h"
#include "model/encoder_model.h"
#include "model/families/decoders.h"
#include "model/gguf_names.h"
#include "model/gguf_vocabulary.h"
#include "tensor/blocks.h"
#include "tensor/quantize_blocks.h"
#include "tensor/weights.h"

namespace holdfast::model {
namespace {

using codec::GgmlType;

Error cannot(std::string_view what) {
  return fail(Reason::model_unsupported, fmt::format("a GGUF file cannot say {}", what));
}

// ggml's numbers of what most of a file is, for people who list files.
uint64_t file_type_of(GgmlType type) {
  if (type == GgmlType::f16) return 1;
  if (type == GgmlType::q4_0) return 2;
  return type == GgmlType::q8_0 ? 7 : 14;
}

// A matrix becomes what was asked for where its rows are whole blocks of it. Tables of words and heads of
// four-bit files have eight, as they are met by every token.
GgmlType type_for(std::string_view name, uint64_t inputs, GgmlType wish) {
  const bool table = name == "token_embd.weight" || name == "output.weight";
  const bool four = wish == GgmlType::q4_0 || wish == GgmlType::q4_k;
  if (table && four) wish = GgmlType::q8_0;
  for (const GgmlType type : {wish, GgmlType::q8_0})
    if (inputs % codec::ggml_type_row(type).block_elements == 0) return type;
  return GgmlType::f16;
}

using Numbers = std::function<Result<std::vector<float>>()>;

// What a file will hold; the numbers of a tensor are asked for when their turn comes.
struct Contents {
  std::vector<codec::GgufEntry> entries;
  std::vector<codec::GgufTensorOut> tensors;
  std::vector<Numbers> numbers;

  void add(std::string name, std::vector<uint64_t> dimensions, GgmlType type, Numbers made) {
    tensors.push_back({std::move(name), type, std::move(dimensions)});
    numbers.push_back(std::move(made));
  }
};

Status write(const Contents& contents, io::WriteFile& out) {
  TRY(const codec::GgufHead head, codec::write_gguf_head(contents.entries, contents.tensors));
  TRY_DONE(out.append(head.bytes));
  for (size_t i = 0; i < contents.tensors.size(); ++i) {
    TRY(const std::vector<float> numbers, contents.numbers[i]());
    TRY(Bytes bytes, tensor::quantize_blocks(contents.tensors[i].type, numbers));
    if (bytes.size() != head.data_bytes[i])
      return fail(Code::internal, fmt::format("'{}' has another size", contents.tensors[i].name));
    bytes.resize(head.padded_bytes[i]);
    TRY_DONE(out.append(bytes));
  }
  return out.sync();
}

// Rows of each head so that neighbours turn together, which were half a head apart.
std::vector<float> with_neighbours(const std::vector<float>& numbers, size_t rows, size_t head_width) {
  const size_t inputs = numbers.size() / rows, half = head_width / 2;
  std::vector<float> out(numbers.size());
  for (size_t row = 0; row < rows; ++row) {
    const size_t head = row / head_width, at = row % head_width;
    const size_t from = head * head_width + at % 2 * half + at / 2;
    std::copy_n(numbers.begin() + static_cast<ptrdiff_t>(from * inputs), inputs,
                out.begin() + static_cast<ptrdiff_t>(row * inputs));
  }
  return out;
}

class Exporter {
 public:
  Exporter(const boost::json::object& config, const DecoderPlan& plan, const tensor::Weights& weights,
           const GgufWish& wish)
      : config_(config), plan_(plan), weights_(weights), wish_(wish) {}

  Result<GgufMade> run(const GgufVocabulary& vocabulary, io::WriteFile& out) {
    architecture_ = gguf_architecture_of(plan_.family);
    if (architecture_ == nullptr) return cannot(fmt::format("models of the family '{}'", plan_.family));
    TRY_DONE(add_entries());
    for (const codec::GgufEntry& entry : vocabulary.entries()) contents_.entries.push_back(entry);
    TRY_DONE(add_tensors());
    TRY_DONE(write(contents_, out));
    made_.bytes_after = out.size();
    return made_;
  }

 private:
  void add(std::string_view key, codec::GgufValue value) {
    contents_.entries.push_back({fmt::format("{}.{}", architecture_->name, key), std::move(value)});
  }

  Status add_entries() {
    std::vector<codec::GgufEntry>& entries = contents_.entries;
    entries.push_back({"general.architecture", architecture_->name});
    if (!wish_.name.empty()) entries.push_back({"general.name", std::string_view(wish_.name)});
    entries.push_back({"general.file_type", file_type_of(wish_.type)});
    entries.push_back({"general.quantization_version", uint64_t{2}});
    add("vocab_size", uint64_t{plan_.vocabulary});
    add("context_length", uint64_t{plan_.positions});
    add("embedding_length", uint64_t{plan_.width});
    add("block_count", uint64_t{plan_.layers.size()});
    add("feed_forward_length", uint64_t{plan_.inner});
    add("attention.head_count", uint64_t{plan_.heads});
    add("attention.head_count_kv", uint64_t{plan_.key_heads});
    add("attention.key_length", uint64_t{plan_.head_width});
    add("attention.value_length", uint64_t{plan_.value_width});
    add("attention.layer_norm_rms_epsilon", double{plan_.epsilon});
    if (plan_.soft_cap > 0) add("attn_logit_softcapping", double{plan_.soft_cap});
    if (plan_.logit_cap > 0) add("final_logit_softcapping", double{plan_.logit_cap});
    for (const auto& [theirs, ours] : gguf_number_keys())
      if (theirs == "embedding_scale" || theirs == "residual_scale" || theirs == "attention.scale" ||
          theirs == "logit_scale") {
        TRY(const auto number, codec::json_number_if(config_, ours));
        if (number && architecture_->name == "granite") add(theirs, *number);
      }
    TRY_DONE(check_layers());
    TRY_DONE(add_window());
    return add_rope();
  }

  // What llama.cpp knows by the architecture's name alone.
  Status check_layers() const {
    const std::string_view name = architecture_->name;
    const double even = 1 / std::sqrt(static_cast<double>(plan_.head_width));
    if (name != "granite" && plan_.scale > 0 && std::abs(plan_.scale - even) > 1e-6 * even)
      return cannot("how this model scales its attention");
    const auto usual = name.starts_with("gemma") ? tensor::Activation::gelu_tanh : tensor::Activation::silu;
    if (plan_.activation != usual) return cannot("this model's activation");
    for (size_t i = 0; i < plan_.layers.size(); ++i) {
      const DecoderPlan::Layer& layer = plan_.layers[i];
      const bool turned = name != "smollm3" || (i + 1) % 4 != 0;
      const bool whole = name == "gemma2" ? i % 2 != 0 : name == "gemma3" ? (i + 1) % 6 == 0 : false;
      const bool some = name == "gemma2" || name == "gemma3", windowed = layer.window > 0;
      if ((layer.rope >= 0) != turned || (some && windowed == whole) || layer.experts)
        return cannot("what this model's layers differ in");
      if (name != "gemma3" || !windowed) continue;
      const RopeSpec& near = plan_.ropes[static_cast<size_t>(layer.rope)];
      if (near.kind != RopeSpec::Kind::plain || near.theta != 10'000)
        return cannot("the rotary positions of this model's windows");
    }
    return Done{};
  }

  Status add_window() {
    size_t window = 0;
    for (const DecoderPlan::Layer& layer : plan_.layers) window = std::max(window, layer.window);
    if (window == 0 || window >= plan_.positions) return Done{};
    const std::string_view name = architecture_->name;
    if (name != "gemma2" && name != "gemma3" && name != "phi3")
      return cannot(fmt::format("that a '{}' has a sliding window", plan_.family));
    add("attention.sliding_window", uint64_t{window});
    return Done{};
  }

  Status add_rope() {
    if (plan_.ropes.empty()) return cannot("a model without rotary positions");
    // Gemma 3's second rope is known by its architecture: the one of layers that see everything is said.
    const RopeSpec* rope = &plan_.ropes.front();
    for (const DecoderPlan::Layer& layer : plan_.layers)
      if (layer.window == 0 && layer.rope >= 0) rope = &plan_.ropes[static_cast<size_t>(layer.rope)];
    add("rope.dimension_count", uint64_t{rope->dims});
    add("rope.freq_base", rope->theta);
    switch (rope->kind) {
      case RopeSpec::Kind::plain:
        return Done{};
      case RopeSpec::Kind::linear:
        add("rope.scaling.type", std::string_view("linear"));
        add("rope.scaling.factor", rope->factor);
        return Done{};
      case RopeSpec::Kind::yarn:
        add("rope.scaling.type", std::string_view("yarn"));
        add("rope.scaling.factor", rope->factor);
        add("rope.scaling.original_context_length", uint64_t{rope->original_positions});
        return Done{};
      case RopeSpec::Kind::llama3: {
        RopeSpec plain = *rope;
        plain.kind = RopeSpec::Kind::plain;
        std::vector<float> divisors = rope_frequencies(plain, 0);
        const std::vector<float> stretched = rope_frequencies(*rope, 0);
        for (size_t i = 0; i < divisors.size(); ++i) divisors[i] /= stretched[i];
        contents_.add("rope_freqs.weight", {divisors.size()}, GgmlType::f32, [divisors] { return divisors; });
        return Done{};
      }
      case RopeSpec::Kind::dynamic:
      case RopeSpec::Kind::longrope:
        return cannot("how this model's rotary positions are stretched");
    }
    return Done{};
  }

  Status add_tensors() {
    std::set<std::string> seen;
    for (const std::string& name : weights_.names()) {
      const tensor::TensorView& view = *weights_.find(name);
      std::string_view bare = name;
      for (const std::string& prefix : plan_.prefixes)
        if (bare.starts_with(prefix)) {
          bare.remove_prefix(prefix.size());
          break;
        }
      if (bare.ends_with(".rotary_emb.inv_freq") || (plan_.tied && bare == "lm_head.weight")) continue;
      const std::string theirs = name_to_gguf(architecture_->name, bare);
      if (theirs.empty() || view.shape.empty() || view.shape.size() > 2 || !seen.insert(theirs).second)
        return cannot(fmt::format("'{}'", name.substr(0, 120)));
      add_tensor(theirs, bare, view);
    }
    for (const char* needed : {"token_embd.weight", "output_norm.weight"})
      if (!seen.contains(needed))
        return fail(Reason::bad_request, fmt::format("the weights lack '{}'", needed));
    return Done{};
  }

  void add_tensor(const std::string& theirs, std::string_view bare, const tensor::TensorView& view) {
    const bool queries = bare.find(".q_proj.") != std::string_view::npos,
               keys = bare.find(".k_proj.") != std::string_view::npos;
    const size_t turned_width =
        architecture_->pairs == tensor::RopePairs::neighbours && (queries || keys) ? plan_.head_width : 0;
    const bool adds_one = architecture_->adds_one && bare.ends_with("norm.weight");
    const GgmlType type =
        view.shape.size() == 1 ? GgmlType::f32 : type_for(theirs, view.shape.back(), wish_.type);
    if (type == wish_.type && view.shape.size() == 2) ++made_.matrices;
    made_.bytes_before += view.bytes.size();
    contents_.add(theirs, {view.shape.rbegin(), view.shape.rend()}, type,
                  [&view, turned_width, adds_one]() -> Result<std::vector<float>> {
                    TRY(std::vector<float> numbers, tensor::to_floats(view));
                    if (adds_one)
                      for (float& x : numbers) x += 1.0F;
                    if (turned_width == 0 || view.shape[0] % turned_width != 0) return numbers;
                    return with_neighbours(numbers, view.shape[0], turned_width);
                  });
  }

  const boost::json::object& config_;
  const DecoderPlan& plan_;
  const tensor::Weights& weights_;
  const GgufWish& wish_;
  const GgufArchitecture* architecture_ = nullptr;
  Contents contents_;
  GgufMade made_;
};

}  // namespace

Result<GgufMade> export_gguf(io::Disk& disk, const io::Path& folder, const GgufWish& wish,
                             io::WriteFile& out) {
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(const DecoderPlan plan, plan_decoder(config));
  TRY(const tensor::Weights weights, tensor::Weights::open(disk, folder));
  TRY(const token::FolderDocument tokenizer, token::document_of_folder(disk, folder));
  TRY(const GgufVocabulary vocabulary, GgufVocabulary::make(tokenizer, plan.vocabulary));
  return Exporter(config, plan, weights, wish).run(vocabulary, out);
}

Result<GgufMade> requantize_gguf(io::Disk& disk, const io::Path& file, const GgufWish& wish,
                                 io::WriteFile& out) {
  TRY(const std::unique_ptr<io::MappedFile> mapped, disk.map(file));
  TRY(const codec::GgufFile from, codec::GgufFile::parse(mapped->bytes()));
  Contents contents;
  for (const std::string_view key : from.keys())
    if (key != "general.file_type" && key != "general.alignment" && key != "general.quantization_version")
      contents.entries.push_back({std::string(key), *from.find(key)});
  contents.entries.push_back({"general.file_type", file_type_of(wish.type)});
  contents.entries.push_back({"general.quantization_version", uint64_t{2}});
  GgufMade made;
  for (const codec::GgufTensor& tensor : from.tensors()) {
    const bool matrix = tensor.dimensions.size() == 2 && tensor.name.ends_with(".weight");
    const GgmlType type =
        matrix ? type_for(tensor.name, tensor.dimensions.front(), wish.type) : GgmlType::f32;
    if (matrix && type == wish.type) ++made.matrices;
    made.bytes_before += tensor.bytes.size();
    contents.add(std::string(tensor.name), tensor.dimensions, type,
                 [&tensor] { return tensor::widen_blocks(tensor.type, tensor.bytes, tensor.elements); });
  }
  TRY_DONE(write(contents, out));
  made.bytes_after = out.size();
  return made;
}

}  // namespace holdfast::model
