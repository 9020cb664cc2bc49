#include "cli/compute_flags.h"

#include <algorithm>

namespace holdfast::cli {

Result<tensor::Compute> read_compute(const Arguments& arguments, std::string_view dtype) {
  tensor::Compute out;
  const auto precision = tensor::precision_from_name(arguments.value_or("--dtype", dtype));
  if (!precision) return fail(Reason::bad_request, "--dtype is f32, bf16 or int8");
  out.precision = *precision;
  if (const auto name = arguments.value("--instructions")) {
    const auto isa = tensor::isa_from_name(*name);
    const auto there = tensor::isas_of_this_machine();
    if (!isa || std::find(there.begin(), there.end(), *isa) == there.end())
      return fail(Reason::bad_request,
                  "this machine does not have the instructions that --instructions names");
    out.isa = *isa;
  }
  return out;
}

}  // namespace holdfast::cli
