#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::codec {

// Cuts a stream into lines, at most one of which it holds: for newline-delimited JSON whose lines may be far
// larger than the pieces they come in. One thread; after an error it is of no further use.
class LineSplitter {
 public:
  // A line longer than `bytes_max` without its newline is too_large.
  explicit LineSplitter(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Gets a line without its "\n" or "\r\n", never an empty one; the view lives for the call.
  using OnLine = std::function<Status(std::string_view line)>;

  Status update(std::string_view piece, const OnLine& on_line);
  // The stream ended: the last line may lack its newline.
  Status finish(const OnLine& on_line);

 private:
  Status deliver(std::string_view line, const OnLine& on_line) const;

  size_t bytes_max_;
  std::string held_;  // The start of a line whose end has not come.
};

}  // namespace holdfast::codec
