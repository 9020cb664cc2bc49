#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::net {

// Whether two names of header fields, or tokens, are one: letters compare without case.
bool same_name(std::string_view left, std::string_view right);

// Header fields in the order they came; names compare without case. Bounded by the server's limits.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);                      // Replaces all of that name.
  std::optional<std::string_view> find(std::string_view name) const;  // The first.
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view{}); }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The query string's pairs, decoded, in order. `k[]` is read as `k`.
class Query {
 public:
  static Query parse(std::string_view raw);
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view{}); }
  std::vector<std::string_view> all(std::string_view name) const;
  bool flag(std::string_view name) const;  // "true", "1" or present and empty.
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

struct Request {
  std::string method;  // Upper case, as sent.
  std::string target;  // Raw: still percent-encoded, path and query.
  Headers headers;
  std::string body;  // Whole, for routes that buffer; empty for routes with a sink. Content-Encoding gzip or
                     // deflate is undone.
  std::optional<uint64_t> content_length;  // As announced; absent when chunked.
  std::string peer;                        // Address of the client, for the log.
  bool secure = false;                     // Came over TLS.

  // Filled by the router.
  std::vector<std::pair<std::string, std::string>> captures;  // Decoded path captures by name.
  std::string_view capture(std::string_view name) const;      // Empty when the pattern has none of that name.

  std::string_view path() const;  // The raw target up to '?'.
  Query query() const;
};

// Bytes of an answer that are made while they are sent. Called on the disk pool, one call at a time; may
// block on disk, not on other requests. Destroyed on the pool as well, also when the client has gone.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual Result<size_t> read(std::span<std::byte> into) = 0;  // 0 at the end. An error cuts the connection.
};

// A part of a file, sent by the kernel where it can.
struct FileSlice {
  std::shared_ptr<io::ReadFile> file;  // Shared by the answers that are sending it.
  uint64_t offset = 0, length = 0;
};

// Bytes pushed by any thread while the answer runs (SSE, logs, tokens). Bounded: push answers busy when
// `bytes_max` wait, and client_gone after the connection ended. `close` ends the answer; an error cuts it.
class PushedBody {
 public:
  virtual ~PushedBody() = default;
  virtual Status push(std::string bytes) = 0;
  virtual void close(Status outcome = Done{}) = 0;
  virtual bool gone() const = 0;
};
std::shared_ptr<PushedBody> make_pushed_body(size_t bytes_max);
// One server-sent event: "event: NAME\ndata: LINE\n…\n\n"; no event line when the name is empty.
std::string sse_event(std::string_view name, std::string_view data);

class LateAnswer;  // late_answer.h

struct Response {
  int status = 200;
  Headers headers;
  // A source without a length is sent chunked.
  std::variant<std::string, FileSlice, std::unique_ptr<BodySource>, std::shared_ptr<PushedBody>,
               std::shared_ptr<LateAnswer>>
      body;
  std::optional<uint64_t> content_length;  // Of a source. For an answer to HEAD: what GET would send.
};

// Where the body of a large request goes while it arrives, as it is on the wire: Content-Encoding is the
// sink's. Calls come one at a time on the disk pool; the net thread reads the next piece meanwhile. Destroyed
// without `finish`: the client went away or broke a limit, and nothing may stay behind.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Status write(ByteView bytes) = 0;
  virtual Result<Response> finish() = 0;
};

// Reads "bytes=a-b", "bytes=a-", "bytes=-n" of a body of `size`. nullopt: no range asked, or several (answer
// whole). range_unsatisfiable when it starts past the end.
struct ByteRange {
  uint64_t first = 0, last = 0;  // Inclusive, within the body.
  uint64_t length() const { return last - first + 1; }
};
Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size);

}  // namespace holdfast::net
