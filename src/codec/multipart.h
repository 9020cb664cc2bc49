#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

struct MultipartLimits {
  size_t parts_max = 64;
  size_t head_bytes_max = 8 << 10;     // Of one part.
  uint64_t part_bytes_max = 32 << 20;  // Of one part's content.
};

struct PartHead {
  std::string name;                     // Of Content-Disposition: form-data; required.
  std::optional<std::string> filename;  // As sent: may hold anything, slashes included.
  std::string content_type;             // As sent, empty when absent.
};

// Hears what a multipart body holds, in order: part, content…, part_end for each. An error stops the parser.
class MultipartListener {
 public:
  virtual ~MultipartListener() = default;
  virtual Status part(const PartHead& head) = 0;
  virtual Status content(ByteView bytes) = 0;
  virtual Status part_end() = 0;
};

// Reads multipart/form-data (RFC 7578) that arrives in pieces, in memory of one head and one boundary. One
// thread; after an error it stays in error. Malformed is bad_request, beyond a limit body_too_large.
class MultipartParser {
 public:
  virtual ~MultipartParser() = default;
  virtual Status update(ByteView piece) = 0;
  virtual Status finish() = 0;  // bad_request when the closing boundary is missing.
};
// `content_type` is the request's header; borrows the listener.
Result<std::unique_ptr<MultipartParser>> make_multipart_parser(std::string_view content_type,
                                                               MultipartListener& listener,
                                                               MultipartLimits limits = {});

struct Part {
  PartHead head;
  Bytes content;
};
// A whole body at once.
Result<std::vector<Part>> parse_multipart(std::string_view content_type, ByteView body,
                                          MultipartLimits limits = {});

}  // namespace holdfast::codec
