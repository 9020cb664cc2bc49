#pragma once

#include <string_view>

#include "base/arguments.h"
#include "tensor/precision.h"

namespace holdfast::cli {

// What --dtype (else `dtype`) and --instructions say a model is computed with; bad_request for a precision
// that there is none of, or instructions that this machine lacks.
Result<tensor::Compute> read_compute(const Arguments& arguments, std::string_view dtype);

}  // namespace holdfast::cli
