#include "codec/ndjson.h"

#include <fmt/core.h>

#include <utility>

namespace holdfast::codec {

Status LineSplitter::deliver(std::string_view line, const OnLine& on_line) const {
  if (line.size() > bytes_max_)
    return fail(Reason::body_too_large, fmt::format("a line is longer than {} bytes", bytes_max_));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return Done{};
  return on_line(line);
}

Status LineSplitter::update(std::string_view piece, const OnLine& on_line) {
  while (true) {
    const size_t end = piece.find('\n');
    if (end == std::string_view::npos) break;
    if (held_.empty()) {
      TRY_DONE(deliver(piece.substr(0, end), on_line));
    } else {
      if (held_.size() + end > bytes_max_) return deliver(held_.append(piece, 0, end), on_line);
      held_.append(piece, 0, end);
      TRY_DONE(deliver(held_, on_line));
      held_.clear();
    }
    piece.remove_prefix(end + 1);
  }
  if (held_.size() + piece.size() > bytes_max_)
    return fail(Reason::body_too_large, fmt::format("a line is longer than {} bytes", bytes_max_));
  held_.append(piece);
  return Done{};
}

Status LineSplitter::finish(const OnLine& on_line) {
  const std::string last = std::exchange(held_, {});
  return deliver(last, on_line);
}

}  // namespace holdfast::codec
