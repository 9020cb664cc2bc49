#pragma once

#include <memory>

#include "io/disk.h"
#include "model/block_source.h"
#include "model/converted_base.h"
#include "model/decoder.h"
#include "model/generation/settings.h"
#include "model/layer_parts.h"
#include "model/layer_store.h"
#include "tensor/packed_layers.h"

namespace holdfast::model {

// A decoder checkpoint of any family with the head that its config names. Owns its weights. Safe from any
// thread.
class DecoderModel {
 public:
  enum class Adapters : uint8_t { none, may_come };  // Whether open_adapter will be called.
  // `store`: where packed layers are kept; null: they have memory of their own.
  static Result<DecoderModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                                   Adapters adapters = Adapters::none, const LayerStore* store = nullptr);
  // A GGUF file.
  static Result<DecoderModel> open_gguf(io::Disk& disk, const io::Path& file, tensor::Compute compute = {},
                                        Adapters adapters = Adapters::none,
                                        const LayerStore* store = nullptr);

  // Keeps packed layers in the store that it was opened with, where they are not there yet. Beside anything
  // but itself.
  Status keep_layers() const;

  // What a process that writes many tokens does once, beside anything: its packed layers lie in huge pages
  // from then on, if need be in its own, where there is memory for twice as many. As long as copying them.
  void settle() const;

  // An adapter (Adapter::open) for this base, which must have been opened for that.
  Result<Adapter> open_adapter(io::Disk& disk, const io::Path& place) const;

  const DecoderPlan& plan() const { return decoder_->plan(); }
  const Decoder& decoder() const { return *decoder_; }
  // Of the folder's generation_config.json and config.json, for whoever says nothing.
  const GenerationSettings& generation() const { return generation_; }
  bool has_head() const { return head_ != nullptr; }
  size_t head_width() const { return head_->width(); }
  // Logits [rows, head_width()] of rows that the head reads.
  void run_head(const float* rows, size_t count, float* logits, tensor::Threads& threads) const;

 private:
  DecoderModel() = default;
  // Through the store, where there is one; `key` as PackedLayers has it.
  Status load(const DecoderPlan& plan, tensor::Compute compute, const LayerStore* store, std::string key);
  Status load(const DecoderPlan& plan, tensor::Compute compute);
  Status load_head(const WeightReader& reader);

  std::unique_ptr<tensor::Weights>
      weights_;                          // Its address must not change: the decoder reads tables in place.
  std::unique_ptr<BlockSource> blocks_;  // Of a GGUF file; read in place too.
  std::unique_ptr<const ConvertedBase> converted_;  // Likewise; else null.
  std::unique_ptr<tensor::PackedLayers> packed_;    // Null: layers have memory of their own.
  std::unique_ptr<Decoder> decoder_;
  LinearLayer head_, before_head_;
  std::optional<RowScale> before_head_norm_;
  GenerationSettings generation_;
};

}  // namespace holdfast::model
