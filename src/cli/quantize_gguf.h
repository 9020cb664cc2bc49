#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/quality_change.h"
#include "model/gguf_export.h"

namespace holdfast::cli {

struct GgufJob {
  std::string model, out;  // A folder or a GGUF file, and the file to write; absolute or from the root.
  model::GgufWish wish;
  std::span<const std::string> texts;  // To measure the change on.
  std::optional<double> drop_max;
};

struct GgufVariant {
  model::GgufMade made;
  QualityChange change;
};

// Writes the file and compares it with the original, both with f32 rows. Nothing stays behind where it fails
// or the change is larger than allowed.
Result<GgufVariant> write_gguf_variant(io::Disk& disk, const GgufJob& job);

// F16, Q8_0, Q4_0 or Q4_K, in either case of letters.
std::optional<codec::GgmlType> gguf_type_from_name(std::string_view name);

}  // namespace holdfast::cli
