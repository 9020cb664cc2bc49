#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

#include "io/disk.h"
#include "model/signal_parts.h"
#include "model/stage_times.h"

namespace holdfast::model {

// Whether a folder has a config.json that names a model for images or sounds.
Result<bool> reads_signals(io::Disk& disk, const io::Path& folder);

// A model folder that answers the Inference API's tasks on images and sounds. Immutable; safe from any
// thread, each with its own Threads.
class SignalPipeline {
 public:
  static Result<SignalPipeline> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {});

  // `file`: the image or the sound; where it is empty `inputs` is one as base64, or as a data: address. The
  // answer has the shapes of transformers' pipelines. not_offered for a task that there is none of,
  // model_unsupported for one that the model's head is not for, unsupported_media for a file that is neither
  // an image nor a sound we read.
  Result<boost::json::value> run(std::string_view task, const boost::json::value& inputs,
                                 const boost::json::object& parameters, ByteView file,
                                 tensor::Threads& threads, StageTimes* times = nullptr) const;
  // What the model is for, by its head.
  std::string_view task() const;

 private:
  explicit SignalPipeline(SignalParts parts) : parts_(std::move(parts)) {}

  SignalParts parts_;
};

std::span<const std::string_view> signal_tasks();

}  // namespace holdfast::model
