#pragma once

#include <chrono>
#include <cstddef>

#include "serve/scaling.h"

namespace holdfast::serve {

// How much one model takes at once, and how long it tries. Apart from the queue, so that who only sets these
// is not compiled again with it.
struct SlotOptions {
  size_t slices_max = 256;  // Waiting; more are refused.
  size_t batch_inputs_max = 64;
  // Of a batch, about: half of what waits, so that answers are sent and asked for while the other half runs,
  // within these bounds; a request that has more goes alone. What runs cannot be called back, so the upper
  // one is also how long one that leaves may keep a worker.
  double batch_tokens_min = 512, batch_tokens_max = 8192;
  size_t generations_max = 256;  // Being written or waiting; more are refused.
  size_t writing_max = 64;       // At one worker at once; the others wait for their turn here.
  size_t attempts_max = 3;       // Of a request whose worker dies; a fresh one is asked each time.
  std::chrono::milliseconds load_timeout{120'000};
  std::chrono::milliseconds batch_timeout{60'000};
  std::chrono::milliseconds refusal_lasts{
      5'000};  // How long a model that cannot be loaded is not tried again.
  ScalingOptions scaling{};
};

}  // namespace holdfast::serve
