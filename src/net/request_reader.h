#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "net/message.h"

namespace holdfast::net {

// A request's head as read from the wire, with what it says about the rest of the connection.
struct RequestHead {
  Request request;
  int version = 11;  // 10 or 11.
  bool keep_alive = false, chunked = false, expects_continue = false;
};

// Reads one whole head, blank line included. bad_request for anything two servers could read differently:
// both Content-Length and Transfer-Encoding, either one twice, folded lines, a missing or second Host.
// header_too_large beyond `fields_max`.
Result<RequestHead> parse_request_head(std::string_view head, size_t fields_max);

// Undoes the chunked coding of one body. One thread.
class ChunkedReader {
 public:
  virtual ~ChunkedReader() = default;
  struct Step {
    size_t used = 0;     // Of the bytes given.
    size_t written = 0;  // Into `into`.
    bool ended = false;  // The last chunk and the trailer, which is dropped, are read.
  };
  // Nothing used and nothing written: more bytes are needed than were given.
  virtual Result<Step> read(std::string_view bytes, std::span<std::byte> into) = 0;
};
std::unique_ptr<ChunkedReader> make_chunked_reader();

}  // namespace holdfast::net
