#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/step_clock.h"
#include "model/any_model.h"

namespace holdfast::cli {

// One kind of call of a model, step by step.
struct CallProfile {
  std::string title;      // "bert, bf16 on avx512_bf16, 32 x 128 tokens, one thread"
  std::string_view unit;  // What a call makes `items` of: "sequences".
  double items = 0;
  double peak = 0;              // Operations a second that registers reach.
  double reading = 0;           // Bytes a second that memory is read at, where that is what bounds; else 0.
  size_t cache_bytes = 0;       // Of keys and values, a token.
  std::vector<StepTime> steps;  // In order.

  double seconds() const;
  size_t weight_bytes() const;
};

struct ProfileWish {
  std::optional<size_t> batch, length;  // Unless given: what suits the model.
  size_t calls = 20;
  tensor::Compute compute;
};

// On random ids: an encoder reads them; a model that writes reads a prompt, then writes a token behind it.
// bad_request for a model of images or sounds, and where a text would be longer than the model takes.
Result<std::vector<CallProfile>> profile_model(const model::AnyModel& model, const ProfileWish& wish);
// On tensors as `holdfast forward` takes them, of any model; `name`: for the title, where no family says one.
Result<CallProfile> profile_inputs(const model::AnyModel& model, const tensor::Weights& inputs,
                                   const ProfileWish& wish, std::string_view name);

}  // namespace holdfast::cli
