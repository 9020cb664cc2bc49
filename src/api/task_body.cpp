#include "api/task_body.h"

#include <algorithm>
#include <array>

#include "codec/json.h"

namespace holdfast::api {
namespace {

constexpr std::array on_files = {"image-classification",
                                 "zero-shot-image-classification",
                                 "object-detection",
                                 "image-feature-extraction",
                                 "image-to-text",
                                 "audio-classification",
                                 "automatic-speech-recognition"};

bool begins_as_json(std::string_view body) {
  const size_t begin = body.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos || body[begin] == '{' || body[begin] == '[' || body[begin] == '"';
}

bool is_file(const net::Request& request) {
  const std::string_view type = request.headers.get("Content-Type");
  if (type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/") ||
      type.starts_with("application/octet-stream"))
    return true;
  const bool unsaid = type.empty() || type.starts_with("application/x-www-form-urlencoded");
  return unsaid && !begins_as_json(request.body);
}

}  // namespace

Result<TaskBody> read_task_body(const net::Request& request) {
  if (is_file(request)) {
    if (request.body.empty()) return fail(Reason::bad_request, "the file is empty");
    return TaskBody{{{"inputs", nullptr}}, request.body};
  }
  TRY(boost::json::object body, codec::parse_json_object(request.body));
  return TaskBody{std::move(body), {}};
}

bool is_on_file(std::string_view task) {
  return std::find(on_files.begin(), on_files.end(), task) != on_files.end();
}

// PNG, JPEG, GIF; RIFF of WebP and WAV; Ogg, FLAC, ID3, and the frames of MPEG audio, whose first eleven bits
// are ones.
bool holds_file(std::string_view text) {
  constexpr size_t shortest = 64;
  if (text.size() < shortest) return false;
  if (text.starts_with("data:")) return text.substr(0, text.find(',')).ends_with(";base64");
  const bool base64 = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
  if (!base64) return false;
  for (const std::string_view begin :
       {"iVBORw0K", "/9j/", "R0lGOD", "UklGR", "T2dnU", "ZkxhQ", "SUQz", "//", "/+"})
    if (text.starts_with(begin)) return true;
  return false;
}

}  // namespace holdfast::api
