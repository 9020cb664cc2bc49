#include "codec/multipart.h"

#include <fmt/core.h>

#include <algorithm>

#include "codec/header_text.h"
#include "codec/percent.h"

namespace holdfast::codec {
namespace {

constexpr size_t boundary_bytes_max = 200;  // RFC 2046 says 70; some clients are generous.
constexpr std::string_view line_end = "\r\n", head_end = "\r\n\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// filename*=UTF-8''na%C3%AFve.txt of RFC 5987; another charset is not read.
std::optional<std::string> extended_filename(std::string_view value) {
  constexpr std::string_view charset = "utf-8'";
  if (!equal_without_case(value.substr(0, charset.size()), charset)) return std::nullopt;
  const size_t language_end = value.find('\'', charset.size());
  if (language_end == std::string_view::npos) return std::nullopt;
  auto decoded = percent_decode(value.substr(language_end + 1));
  if (!decoded.ok()) return std::nullopt;
  return std::move(decoded).value();
}

Status read_disposition(std::string_view value, PartHead& head) {
  TRY(const HeaderValue disposition, parse_header_value(value));
  const auto name = disposition.parameter("name");
  if (disposition.value != "form-data" || !name)
    return fail(Reason::bad_request, "a part of the form has no name");
  head.name = *name;
  if (const auto filename = disposition.parameter("filename")) head.filename = std::string(*filename);
  if (const auto extended = disposition.parameter("filename*"))
    if (auto decoded = extended_filename(*extended)) head.filename = std::move(decoded);
  return Done{};
}

Result<PartHead> read_head(std::string_view text) {
  PartHead head;
  bool named = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find(line_end), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + line_end.size(), text.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return fail(Reason::bad_request, "a header of a part has no name");
    const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (equal_without_case(name, "content-disposition")) {
      TRY_DONE(read_disposition(value, head));
      named = true;
    } else if (equal_without_case(name, "content-type")) {
      head.content_type = value;
    } else if (equal_without_case(name, "content-transfer-encoding")) {
      const bool plain = equal_without_case(value, "binary") || equal_without_case(value, "8bit") ||
                         equal_without_case(value, "7bit");
      if (!plain) return fail(Reason::bad_request, "a part is in a transfer encoding that forms do not have");
    }
  }
  if (!named) return fail(Reason::bad_request, "a part of the form has no name");
  return head;
}

class BufferedParser final : public MultipartParser {
 public:
  BufferedParser(std::string_view boundary, MultipartListener& listener, MultipartLimits limits)
      : delimiter_("\r\n--" + std::string(boundary)), listener_(listener), limits_(limits) {}

  Status update(ByteView piece) override {
    if (state_ == State::failed) return fail(Reason::bad_request, "the form was refused before");
    if (state_ == State::ended) return Done{};  // The epilogue.
    held_.append(as_text(piece));
    bool more = true;
    while (more) {
      auto stepped = step();
      if (!stepped.ok()) {
        state_ = State::failed;
        return std::move(stepped).error();
      }
      more = stepped.value() == Progress::some;
    }
    return Done{};
  }

  Status finish() override {
    if (state_ == State::ended) return Done{};
    state_ = State::failed;
    return fail(Reason::bad_request, "the form ends before its last boundary");
  }

 private:
  enum class State : uint8_t { preamble, after_boundary, head, content, ended, failed };
  enum class Progress : uint8_t { none, some };  // none: more bytes are needed.

  Result<Progress> step() {
    switch (state_) {
      case State::preamble:
        return skip_preamble();
      case State::after_boundary:
        return read_after_boundary();
      case State::head:
        return read_whole_head();
      case State::content:
        return read_content();
      case State::ended:
      case State::failed:
        return Progress::none;
    }
    std::abort();
  }

  Result<Progress> skip_preamble() {
    const size_t at = held_.find(delimiter_);
    if (at == std::string::npos) {
      keep_last(delimiter_.size() - 1);
      return Progress::none;
    }
    held_.erase(0, at + delimiter_.size());
    state_ = State::after_boundary;
    return Progress::some;
  }

  // "--" ends the form; spaces and a line end begin a part.
  Result<Progress> read_after_boundary() {
    if (held_.starts_with("--")) {
      held_.clear();
      state_ = State::ended;
      return Progress::some;
    }
    const size_t end = held_.find_first_not_of(" \t");
    if (end == std::string::npos || held_.size() < end + 2) {
      const bool hopeless = held_.size() > limits_.head_bytes_max;
      if (hopeless) return fail(Reason::body_too_large, "a boundary of the form does not end");
      return Progress::none;
    }
    if (std::string_view(held_).substr(end, 2) != line_end)
      return fail(Reason::bad_request, "something follows a boundary of the form");
    if (parts_ == limits_.parts_max) return fail(Reason::body_too_large, "the form has too many parts");
    ++parts_;
    held_.erase(0, end);  // The line end stays: a head without any header is then "\r\n\r\n" too.
    state_ = State::head;
    return Progress::some;
  }

  Result<Progress> read_whole_head() {
    const size_t end = held_.find(head_end);
    const size_t known = end == std::string::npos ? held_.size() : end;
    if (known > limits_.head_bytes_max + head_end.size())
      return fail(Reason::header_too_large, "the head of a part of the form is too long");
    if (end == std::string::npos) return Progress::none;
    const std::string_view text = std::string_view(held_).substr(0, end);
    TRY(const PartHead head, read_head(text.substr(std::min(line_end.size(), text.size()))));
    TRY_DONE(listener_.part(head));
    // The second line end stays, because the boundary may follow at once: an empty content.
    held_.erase(0, end + line_end.size());
    content_bytes_ = 0;
    skip_line_end_ = true;
    state_ = State::content;
    return Progress::some;
  }

  Result<Progress> read_content() {
    const size_t at = held_.find(delimiter_);
    size_t sure = at;
    if (at == std::string::npos) sure = held_.size() - std::min(held_.size(), delimiter_.size() - 1);
    if (skip_line_end_ && sure < line_end.size() && at == std::string::npos) return Progress::none;
    TRY_DONE(deliver(std::string_view(held_).substr(0, sure)));
    if (at == std::string::npos) {
      held_.erase(0, sure);
      return Progress::none;
    }
    TRY_DONE(listener_.part_end());
    held_.erase(0, at + delimiter_.size());
    state_ = State::after_boundary;
    return Progress::some;
  }

  Status deliver(std::string_view content) {
    if (skip_line_end_ && !content.empty()) {
      content.remove_prefix(line_end.size());
      skip_line_end_ = false;
    }
    if (content.empty()) return Done{};
    content_bytes_ += content.size();
    if (content_bytes_ > limits_.part_bytes_max)
      return fail(Reason::body_too_large,
                  fmt::format("a part of the form is longer than {} bytes", limits_.part_bytes_max));
    return listener_.content(as_bytes(content));
  }

  void keep_last(size_t count) {
    if (held_.size() > count) held_.erase(0, held_.size() - count);
  }

  const std::string delimiter_;
  MultipartListener& listener_;
  const MultipartLimits limits_;
  State state_ = State::preamble;
  std::string held_ = "\r\n";  // As if a line ended before the body: its first boundary has none.
  size_t parts_ = 0;
  uint64_t content_bytes_ = 0;
  bool skip_line_end_ = false;
};

// Keeps every part in memory.
class Collector final : public MultipartListener {
 public:
  Status part(const PartHead& head) override {
    parts_.push_back({head, {}});
    return Done{};
  }
  Status content(ByteView bytes) override {
    parts_.back().content.insert(parts_.back().content.end(), bytes.begin(), bytes.end());
    return Done{};
  }
  Status part_end() override { return Done{}; }

  std::vector<Part> take() && { return std::move(parts_); }

 private:
  std::vector<Part> parts_;
};

}  // namespace

Result<std::unique_ptr<MultipartParser>> make_multipart_parser(std::string_view content_type,
                                                               MultipartListener& listener,
                                                               MultipartLimits limits) {
  TRY(const HeaderValue type, parse_header_value(content_type));
  if (type.value != "multipart/form-data")
    return fail(Reason::unsupported_media, "the body is not multipart/form-data");
  const auto boundary = type.parameter("boundary");
  if (!boundary || boundary->empty() || boundary->size() > boundary_bytes_max)
    return fail(Reason::bad_request, "the form has no usable boundary");
  return std::unique_ptr<MultipartParser>(std::make_unique<BufferedParser>(*boundary, listener, limits));
}

Result<std::vector<Part>> parse_multipart(std::string_view content_type, ByteView body,
                                          MultipartLimits limits) {
  Collector collector;
  TRY(const auto parser, make_multipart_parser(content_type, collector, limits));
  TRY_DONE(parser->update(body));
  TRY_DONE(parser->finish());
  return std::move(collector).take();
}

}  // namespace holdfast::codec
