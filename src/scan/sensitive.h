#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/source.h"

namespace holdfast::scan {

// Kinds of data that do not belong where everybody, or everybody of a namespace, can read them.
enum class SensitiveKind : uint8_t {
  credentials,  // Keys, tokens and passwords of any service.
  identity,     // Numbers of identity papers and taxes.
  payment,      // Cards and accounts.
  health,       // Numbers and terms of patients' records.
  contacts,     // Addresses and names of many people: contacts_min places at least.
  marked,       // Says of itself that it is confidential.
};
inline constexpr size_t sensitive_kinds = 6;
inline constexpr size_t contacts_min = 10;
std::string_view sensitive_name(SensitiveKind kind);  // "credentials"
std::optional<SensitiveKind> sensitive_of_name(std::string_view name);

struct SensitiveFinding {
  SensitiveKind kind = SensitiveKind::marked;
  uint32_t line = 0;     // Of the first place, from 1.
  uint64_t places = 0;   // How many there are.
  std::string reason{};  // For people; never the data itself.
};

// What of each kind a file holds, at most one finding a kind, in the order of the kinds. Texts, tables with
// their columns; the first `bytes_max` of them, nothing of what is no text.
Result<std::vector<SensitiveFinding>> find_sensitive(Source& source, std::string_view name,
                                                     uint64_t bytes_max = uint64_t{16} << 20);

}  // namespace holdfast::scan
