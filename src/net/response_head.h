#pragma once

#include <optional>
#include <string>

#include "net/message.h"

namespace holdfast::net {

// How the end of an answer's body is told.
enum class Framing : uint8_t {
  none,     // No body by its status.
  length,   // Content-Length.
  chunked,  // HTTP/1.1 without a length.
  close,    // HTTP/1.0 without a length: the connection ends.
};

struct HeadFacts {
  Framing framing = Framing::length;
  std::optional<uint64_t> length;  // Content-Length to announce.
  bool keep_alive = true;
  int version = 11;  // Of the request.
  std::string_view trace_id, date;
};

// 1xx, 204 and 304 have none.
bool status_has_body(int status);
// Whether the fields can be written as they are: token names, values without control characters.
bool headers_are_writable(const Headers& headers);
// The status line and all fields, blank line included. Fields that the connection decides itself
// (Content-Length, Transfer-Encoding, Connection, Date, Server, X-Request-Id) are left out of the answer's.
std::string write_response_head(const Response& response, const HeadFacts& facts);

// Whether the answer itself asks for the end of the connection.
bool asks_to_close(const Headers& headers);

// The caller's own request id where it may be one, else empty.
std::string_view offered_request_id(const Headers& headers);

// "Sat, 21 Nov 2026 04:05:06 GMT".
std::string http_date(int64_t unix_seconds);

}  // namespace holdfast::net
