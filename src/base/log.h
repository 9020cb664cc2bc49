#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace holdfast {

// error: an operator must act. warn: may have to. info: a state change a person would tell. debug: off by
// default.
enum class LogLevel : uint8_t { debug, info, warn, error };

// One named value of an event. Secret is no alternative, so it cannot be logged.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;

  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, const std::string& text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, bool flag) : name(field), value(flag) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  template <std::signed_integral Number>
  LogField(std::string_view field, Number number) : name(field), value(static_cast<int64_t>(number)) {}
  template <std::unsigned_integral Number>
  LogField(std::string_view field, Number number) : name(field), value(static_cast<uint64_t>(number)) {}
};

// Where finished lines go. Safe from any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void line(std::string_view text) = 0;  // One JSON object and its newline.
};

// To a file descriptor it does not own, one write a line; what cannot be written is dropped and counted.
std::unique_ptr<LogSink> make_fd_log_sink(int fd);

// For tests: keeps its lines.
class MemoryLogSink final : public LogSink {
 public:
  void line(std::string_view text) override;
  std::vector<std::string> lines() const;

 private:
  mutable std::mutex mutex_;  // Guards lines_.
  std::vector<std::string> lines_;
};

// Writes events: {"time":…,"level":"info","event":"repo_created",…fields}. Names of events and fields are
// snake_case words; values are fields, never prose. app/ owns the one Log; rooms borrow it. Safe from any
// thread.
class Log {
 public:
  Log(LogSink& sink, const Clock& clock, LogLevel least = LogLevel::info)
      : sink_(sink), clock_(clock), least_(least) {}

  bool wants(LogLevel level) const { return level >= least_; }
  void event(LogLevel level, std::string_view event, std::span<const LogField> fields);
  void event(LogLevel level, std::string_view name, std::initializer_list<LogField> fields = {}) {
    event(level, name, std::span<const LogField>(fields.begin(), fields.size()));
  }
  void debug(std::string_view name, std::initializer_list<LogField> fields = {}) {
    event(LogLevel::debug, name, fields);
  }
  void info(std::string_view name, std::initializer_list<LogField> fields = {}) {
    event(LogLevel::info, name, fields);
  }
  void warn(std::string_view name, std::initializer_list<LogField> fields = {}) {
    event(LogLevel::warn, name, fields);
  }
  void error(std::string_view name, std::initializer_list<LogField> fields = {}) {
    event(LogLevel::error, name, fields);
  }
  // With code, reason, message and where it happened: an error when the status is 5xx, else a warning.
  void failure(std::string_view name, const Error& error, std::initializer_list<LogField> fields = {});

 private:
  LogSink& sink_;
  const Clock& clock_;
  LogLevel least_;
};

// `text` as the inside of a JSON string: quotes, control characters and invalid UTF-8 escaped.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace holdfast
