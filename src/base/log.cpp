#include "base/log.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace holdfast {
namespace {

constexpr size_t value_bytes_max = 4096;  // One field, so that no caller's input fills the disk.

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  std::abort();
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text.substr(0, value_bytes_max));
  if (text.size() > value_bytes_max) out += "…";
  out += '"';
}

struct ValueWriter {
  std::string& out;

  void operator()(std::string_view text) const { append_quoted(out, text); }
  void operator()(int64_t number) const { out += std::to_string(number); }
  void operator()(uint64_t number) const { out += std::to_string(number); }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    out += std::isfinite(number) ? std::string_view(buffer.data(), end - buffer.data()) : "null";
  }
};

void append_field(std::string& out, const LogField& field) {
  out += ',';
  append_quoted(out, field.name);
  out += ':';
  std::visit(ValueWriter{out}, field.value);
}

class FdLogSink final : public LogSink {
 public:
  explicit FdLogSink(int fd) : fd_(fd) {}

  void line(std::string_view text) override {
    std::lock_guard lock(mutex_);
    if (const uint64_t dropped = dropped_;
        dropped > 0 &&
        put(fmt::format("{{\"level\":\"warn\",\"event\":\"log_lines_dropped\",\"count\":{}}}\n", dropped)))
      dropped_ = 0;
    if (!put(text)) ++dropped_;
  }

 private:
  bool put(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t wrote = ::write(fd_, text.data(), text.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return false;
      text.remove_prefix(static_cast<size_t>(wrote));
    }
    return true;
  }

  const int fd_;
  std::mutex mutex_;  // Keeps lines whole, and guards dropped_.
  uint64_t dropped_ = 0;
};

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  const auto stays = [](char c) {  // Most characters of most texts, taken by the run.
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  };
  while (!text.empty()) {
    const auto run = static_cast<size_t>(std::find_if_not(text.begin(), text.end(), stays) - text.begin());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) return;
    const char c = text.front();
    const size_t length = utf8_length(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD, one for each byte that fits nowhere.
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
}

std::unique_ptr<LogSink> make_fd_log_sink(int fd) { return std::make_unique<FdLogSink>(fd); }

void MemoryLogSink::line(std::string_view text) {
  std::lock_guard lock(mutex_);
  lines_.emplace_back(text);
}

std::vector<std::string> MemoryLogSink::lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}

void Log::event(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (!wants(level)) return;
  constexpr size_t usual_bytes = 1536;  // Of the longest line that is written often.
  std::string text;
  text.reserve(fields.size() > 16 ? usual_bytes : usual_bytes / 4);
  text.append(R"({"time":")").append(format_time(clock_.wall()));
  text.append(R"(","level":")").append(level_name(level)).append(R"(","event":)");
  append_quoted(text, event);
  for (const LogField& field : fields) append_field(text, field);
  text += "}\n";
  sink_.line(text);
}

void Log::failure(std::string_view name, const Error& error, std::initializer_list<LogField> fields) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  std::string_view file = error.where.file_name();
  if (const size_t src = file.rfind("src/"); src != std::string_view::npos) file.remove_prefix(src);
  std::vector<LogField> all = {{"code", code_name(error.code)},
                               {"reason", row.name},
                               {"message", error.message},
                               {"file", file},
                               {"line", error.where.line()}};
  all.insert(all.end(), fields.begin(), fields.end());
  event(row.http_status >= 500 ? LogLevel::error : LogLevel::warn, name, std::span<const LogField>(all));
}

}  // namespace holdfast
