#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

#include "model/embedder.h"
#include "model/stage_times.h"

namespace holdfast::model {

// A model folder that answers the text tasks of the Inference API. Immutable; safe from any thread, each with
// its own Threads.
class Pipeline {
 public:
  // `graphs` and `keep`: as EncoderModel has them.
  static Result<Pipeline> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                               const Backend* graphs = nullptr, Random* keep = nullptr);

  // `inputs` and `parameters` of the task API; the answer has the shapes of transformers' pipelines.
  // not_offered for a task that there is none of, model_unsupported for one that the model's head is not for.
  Result<boost::json::value> run(std::string_view task, const boost::json::value& inputs,
                                 const boost::json::object& parameters, tensor::Threads& threads,
                                 StageTimes* times = nullptr) const;
  // What the model is for, by its head.
  std::string_view task() const;
  const Embedder& embedder() const { return embedder_; }

 private:
  explicit Pipeline(Embedder embedder) : embedder_(std::move(embedder)) {}

  Embedder embedder_;
};

std::span<const std::string_view> pipeline_tasks();

}  // namespace holdfast::model
