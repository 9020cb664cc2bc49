#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::codec {

enum class Disposition : uint8_t { inline_, attachment };
// `inline; filename*=UTF-8''na%C3%AFve.txt; filename="na_ve.txt";` with the last semicolon, which
// huggingface_hub's pattern needs (RFC 6266). Characters that could end the quoted form become '_'.
std::string content_disposition(Disposition disposition, std::string_view filename);

// `<url>; rel="next"`; characters that could end the reference are percent-encoded.
std::string link_next(std::string_view url);

// A header value as `type/subtype; name=value; name="quoted"`: the first part in lower case, names in lower
// case, values unquoted. Malformed is bad_request; at most 32 parameters.
struct HeaderValue {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;

  std::optional<std::string_view> parameter(std::string_view name) const;
};
Result<HeaderValue> parse_header_value(std::string_view text);

}  // namespace holdfast::codec
