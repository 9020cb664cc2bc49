#pragma once

#include <cstdint>

#include "base/result.h"
#include "tensor/precision.h"
#include "tensor/weights.h"

namespace holdfast::model {

// Refuses weights whose packed copies would not fit into the memory that this machine, and the control group
// that the process is in, have left, with both sizes, before anything is loaded. Passes where the machine
// does not tell.
Status check_memory(const tensor::Weights& weights, tensor::Compute compute);
Status check_memory(uint64_t bytes_needed);

}  // namespace holdfast::model
