#pragma once

#include <memory>

#include "base/result.h"
#include "net/message.h"

namespace holdfast::content {
class Reader;
}

namespace holdfast::api {

// Answers GET or HEAD with the bytes of a file of the content store, or with the range that was asked: 200 or
// 206 with Content-Range, always Accept-Ranges, Content-Length, nosniff, and application/octet-stream where
// `headers` names no type. range_unsatisfiable past the end (the caller adds nothing: the answer's
// Content-Range says the size).
Result<net::Response> content_answer(const net::Request& request, std::unique_ptr<content::Reader> reader,
                                     net::Headers headers = {});

}  // namespace holdfast::api
