#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "io/disk.h"
#include "model/block_source.h"
#include "model/converted_base.h"
#include "model/decoder_plan.h"

namespace holdfast::model {

// A GGUF file of a decoder: its tensors under the names of our family files. The file stays mapped for its
// life. Immutable; safe from any thread.
class GgufWeights final : public BlockSource {
 public:
  // model_unsupported for an architecture that we do not read.
  static Result<std::unique_ptr<GgufWeights>> open(io::Disk& disk, const io::Path& file);

  const codec::GgufFile& file() const { return *file_; }
  const BlockView* find(std::string_view name) const override;
  // The plan that the metadata asks for.
  const DecoderPlan& plan() const { return plan_; }
  const ConvertedBase& converted() const { return converted_; }

 private:
  GgufWeights() = default;
  Status read_plan();
  Status add(const codec::GgufTensor& tensor);
  Status pass_over(std::string_view name) const;
  Status read_stored_factors(DecoderPlan& plan) const;

  std::unique_ptr<io::MappedFile> bytes_;
  std::unique_ptr<codec::GgufFile> file_;
  DecoderPlan plan_;
  ConvertedBase converted_;
  std::unordered_map<std::string, BlockView> tensors_;
};

// The config.json that the metadata means.
Result<boost::json::object> config_of_gguf(const codec::GgufFile& file);

}  // namespace holdfast::model
