#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "net/message.h"

namespace holdfast::content {
class Reader;
}

namespace holdfast::api {

// What is known of a file before its bytes are read.
struct FileAnswer {
  std::string name;  // Path in the repository; its last part is what a browser saves.
  std::string etag;  // Without quotes.
  uint64_t size = 0;
};

// Answers GET and HEAD of repository bytes: 200, 206 with Content-Range, 304 by If-None-Match, 416; If-Range
// makes a range count only while the ETag is the same. Every such answer is hostile content (design decision
// 14): nosniff, a sandboxing Content-Security-Policy, and as attachment what a browser would run.
Result<net::Response> answer_from_text(const net::Request& request, const FileAnswer& file,
                                       std::string bytes);
Result<net::Response> answer_from_reader(const net::Request& request, const FileAnswer& file,
                                         std::unique_ptr<content::Reader> reader);

// Bytes that somebody else brings: `read` is asked for a range, when there is one to send.
using ReadRange = std::function<Result<std::variant<std::string, std::shared_ptr<net::PushedBody>>>(
    uint64_t offset, uint64_t length)>;
Result<net::Response> answer_from_ranges(const net::Request& request, const FileAnswer& file,
                                         const ReadRange& read);

// By the name alone: text as text/plain, pictures and sound as themselves, all else as octets.
std::string_view media_type(std::string_view name);
// HTML, SVG, XML and scripts.
bool runs_in_browsers(std::string_view name);

}  // namespace holdfast::api
