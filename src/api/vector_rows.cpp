#include "api/vector_rows.h"

#include "codec/float_text.h"

namespace holdfast::api {

void append_rows(std::string& out, std::span<const float> all, size_t width) {
  out += '[';
  for (size_t at = 0; width > 0 && at + width <= all.size(); at += width) {
    if (at > 0) out += ',';
    codec::append_floats(out, all.subspan(at, width));
  }
  out += ']';
}

}  // namespace holdfast::api
