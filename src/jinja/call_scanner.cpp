#include "jinja/call_scanner.h"

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::jinja {
namespace {

constexpr size_t depth_most = 64, raw_bytes_most = 1 << 20;

bool blank(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

std::optional<std::string> plain_text(const std::string& spelled) {
  const auto value = codec::parse_json(spelled);
  if (!value.ok() || !value.value().is_string()) return std::nullopt;
  return std::string(value.value().get_string());
}

}  // namespace

ValueScanner::State ValueScanner::take(char byte) {
  if (text_) {
    if (escaped_)
      escaped_ = false;
    else if (byte == '\\')
      escaped_ = true;
    else if (byte == '"')
      text_ = false;
    return !text_ && open_.empty() ? State::done : State::more;
  }
  if (scalar_)
    return blank(byte) || byte == ',' || byte == '}' || byte == ']' ? State::done_before : State::more;
  if (byte == '"') {
    text_ = begun_ = true;
    return State::more;
  }
  if (byte == '{' || byte == '[') {
    if (open_.size() >= depth_most) return State::broken;
    open_ += byte;
    begun_ = true;
    return State::more;
  }
  if (byte == '}' || byte == ']') {
    if (open_.empty() || open_.back() != (byte == '}' ? '{' : '[')) return State::broken;
    open_.pop_back();
    return open_.empty() ? State::done : State::more;
  }
  if (blank(byte) || !open_.empty()) return State::more;
  if (byte == ',' || byte == ':') return State::broken;
  scalar_ = begun_ = true;
  return State::more;
}

CallScanner::State CallScanner::end_value() {
  place_ = Place::next;
  if (key_ == "name") {
    name_ = plain_text(text_);
    if (!name_ || name_->empty()) return State::broken;
  }
  if (spelled_) {
    const auto plain = plain_text(arguments_);
    if (!plain) return State::broken;
    arguments_ = *plain;
    spelled_ = false;
  }
  return State::more;
}

CallScanner::State CallScanner::take(char byte) {
  if (raw_.size() >= raw_bytes_most) return State::broken;
  raw_ += byte;
  switch (place_) {
    case Place::object:
      if (blank(byte)) return State::more;
      if (byte != '{') return State::broken;
      place_ = Place::key_or_end;
      return State::more;
    case Place::key_or_end:
      if (blank(byte)) return State::more;
      if (byte != '"') return State::broken;
      key_ = byte;
      value_ = {};
      (void)value_.take(byte);
      place_ = Place::key;
      return State::more;
    case Place::key:
      key_ += byte;
      if (value_.take(byte) != ValueScanner::State::done) return State::more;
      key_ = plain_text(key_).value_or("");
      place_ = Place::colon;
      return State::more;
    case Place::colon:
      if (blank(byte)) return State::more;
      if (byte != ':') return State::broken;
      value_ = {};
      text_.clear();
      place_ = Place::value;
      return State::more;
    case Place::value: {
      const auto state = value_.take(byte);
      if (state == ValueScanner::State::broken) return State::broken;
      const bool arguments = key_ == "arguments" || key_ == "parameters";
      if (state != ValueScanner::State::done_before) {
        if (arguments && (has_arguments_ || !blank(byte))) {
          if (!has_arguments_) spelled_ = byte == '"';
          has_arguments_ = true;
          arguments_ += byte;
        } else if (key_ == "name" && (!text_.empty() || !blank(byte))) {
          text_ += byte;
        }
        if (state == ValueScanner::State::more) return State::more;
        return end_value();
      }
      if (end_value() == State::broken) return State::broken;
      [[fallthrough]];  // The byte stands behind the value.
    }
    case Place::next:
      if (blank(byte)) return State::more;
      if (byte == ',') {
        place_ = Place::key_or_end;
        return State::more;
      }
      if (byte != '}' || !name_) return State::broken;
      if (!has_arguments_) arguments_ = "{}";
      return State::done;
  }
  return State::broken;
}

std::string CallScanner::drain() {
  if (!name_ || spelled_) return {};
  return std::exchange(arguments_, {});
}

}  // namespace holdfast::jinja
