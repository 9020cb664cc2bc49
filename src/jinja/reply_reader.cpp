#include "jinja/reply_reader.h"

#include <algorithm>
#include <array>

namespace holdfast::jinja {
namespace {

using Marks = std::span<const std::string_view>;

constexpr std::string_view thought_begins = "<think>", thought_ends = "</think>";
constexpr std::string_view deepseek_call = "<｜tool▁call▁begin｜>", deepseek_split = "<｜tool▁sep｜>",
                           deepseek_call_ends = "<｜tool▁call▁end｜>",
                           deepseek_all_end = "<｜tool▁calls▁end｜>";
constexpr std::string_view fence = "```";
constexpr std::string_view message = "<|message|>", channel = "<|channel|>";
constexpr std::array<std::string_view, 4> body_ends = {"<|end|>", "<|call|>", "<|return|>", "<|start|>"};
constexpr size_t name_bytes_most = 512;

bool blank(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

size_t blanks_at_begin(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && blank(text[count])) ++count;
  return count;
}

// Where the text ends without the blanks at its end.
size_t without_blanks(std::string_view text, size_t end) {
  while (end > 0 && blank(text[end - 1])) --end;
  return end;
}

bool may_become(std::string_view text, std::string_view mark) {
  return text.size() < mark.size() && mark.starts_with(text);
}

}  // namespace

ReplyReader::ReplyReader(ReplyForm form, NextId next_id)
    : form_(std::move(form)), next_id_(std::move(next_id)) {
  if (form_.within_thought) place_ = Place::thought;
  if (form_.calls == ReplyForm::Calls::arguments_only) place_ = Place::all_arguments;
  if (form_.calls == ReplyForm::Calls::one_object) {
    place_ = Place::object;
    bare_ = true;
  }
}

ReplyPiece ReplyReader::add(std::string_view text) {
  held_ += text;
  ReplyPiece out;
  while (step(out)) {
  }
  return out;
}

ReplyPiece ReplyReader::finish() {
  over_ = true;
  ReplyPiece out;
  while (step(out)) {
  }
  // What was begun and cannot be a call any more.
  if (place_ == Place::object && !named_) {
    if (!bare_ && !listed_ && !object_.raw().empty()) say(opener(), out);
    say(object_.raw(), out);
  }
  if (place_ == Place::arguments || place_ == Place::all_arguments || (place_ == Place::object && named_))
    ++ended_;
  if (place_ == Place::name || place_ == Place::head) say(held_, out);
  held_.clear();
  return out;
}

bool ReplyReader::step(ReplyPiece& out) {
  switch (place_) {
    case Place::start:
      return read_start();
    case Place::thought:
      return read_thought(out);
    case Place::text:
      return read_text(out);
    case Place::object:
      return read_object(out);
    case Place::behind:
      return read_behind();
    case Place::name:
      return read_name(out);
    case Place::arguments:
      return read_arguments(out);
    case Place::all_arguments:
      if (begun_ == 0) begin_call(form_.function, out);
      add_arguments(held_, out);
      held_.clear();
      return false;
    case Place::head:
      return read_head();
    case Place::body:
      return read_body(out);
  }
  return false;
}

size_t ReplyReader::sure(Marks marks) const {
  if (over_) return held_.size();
  size_t open = 0;
  for (const std::string_view mark : marks)
    for (size_t length = std::min(mark.size() - 1, held_.size()); length > open; --length)
      if (held_.ends_with(mark.substr(0, length))) open = length;
  return held_.size() - open;
}

std::string_view ReplyReader::opener() const {
  if (form_.calls != ReplyForm::Calls::as_family) return {};
  switch (form_.family) {
    case ReplyFamily::plain:
    case ReplyFamily::harmony:
      return {};
    case ReplyFamily::hermes:
      return "<tool_call>";
    case ReplyFamily::llama:
      return "<|python_tag|>";
    case ReplyFamily::mistral:
      return "[TOOL_CALLS]";
    case ReplyFamily::deepseek:
      return "<｜tool▁calls▁begin｜>";
  }
  return {};
}

void ReplyReader::say(std::string_view text, ReplyPiece& out) {
  if (trimming_) text.remove_prefix(blanks_at_begin(text));
  if (text.empty()) return;
  trimming_ = false;
  said_ = true;
  out.text += text;
}

void ReplyReader::begin_call(std::string_view name, ReplyPiece& out) {
  out.calls.push_back({static_cast<uint32_t>(begun_), next_id_(), std::string(name), ""});
  ++begun_;
  named_ = true;
}

void ReplyReader::add_arguments(std::string_view text, ReplyPiece& out) {
  if (text.empty()) return;
  if (!out.calls.empty() && out.calls.back().index + 1 == begun_) {
    out.calls.back().arguments += text;
    return;
  }
  out.calls.push_back({static_cast<uint32_t>(begun_ - 1), "", "", std::string(text)});
}

bool ReplyReader::read_start() {
  if (form_.family == ReplyFamily::harmony) {
    if (held_.starts_with(channel)) {
      held_.erase(0, channel.size());
      place_ = Place::head;
      return true;
    }
    if (may_become(held_, channel) && !over_) return false;
    place_ = Place::text;
    trimming_ = false;
    return true;
  }
  if (form_.thinks) {
    const std::string_view begun = std::string_view(held_).substr(blanks_at_begin(held_));
    if (begun.starts_with(thought_begins)) {
      held_.erase(0, held_.size() - begun.size() + thought_begins.size());
      place_ = Place::thought;
      return true;
    }
    if (may_become(begun, thought_begins) && !over_) return false;
  }
  place_ = Place::text;
  trimming_ = false;
  return true;
}

bool ReplyReader::read_thought(ReplyPiece& out) {
  if (trimming_) held_.erase(0, blanks_at_begin(held_));
  const size_t end = held_.find(thought_ends);
  const bool ends = end != std::string::npos;
  const std::array marks = {thought_ends};
  const size_t until = ends ? end : sure(marks);
  const size_t shown = without_blanks(held_, until);
  if (shown > 0) trimming_ = false;
  out.reasoning += held_.substr(0, shown);
  if (!ends) {
    held_.erase(0, over_ ? held_.size() : shown);
    return false;
  }
  held_.erase(0, end + thought_ends.size());
  place_ = Place::text;
  trimming_ = true;
  return true;
}

bool ReplyReader::read_text(ReplyPiece& out) {
  if (held_.empty()) return false;
  const std::string_view mark = opener();
  if (mark.empty()) {
    say(held_, out);
    held_.clear();
    return false;
  }
  if (form_.family == ReplyFamily::llama && !said_ && begun_ == 0) {
    const size_t blanks = blanks_at_begin(held_);
    if (blanks == held_.size() && !over_) return false;
    if (blanks < held_.size() && held_[blanks] == '{') {
      object_ = {};
      named_ = false;
      bare_ = true;
      place_ = Place::object;
      return true;
    }
  }
  const size_t at = held_.find(mark);
  const bool found = at != std::string::npos;
  const std::array marks = {mark};
  const size_t until = found ? at : sure(marks);
  // Blanks before a call are no part of what is said.
  const size_t shown = over_ && !found ? until : without_blanks(held_, until);
  say(std::string_view(held_).substr(0, shown), out);
  if (!found) {
    held_.erase(0, shown);
    return false;
  }
  held_.erase(0, at + mark.size());
  object_ = {};
  named_ = bare_ = listed_ = false;
  place_ = form_.family == ReplyFamily::mistral || form_.family == ReplyFamily::deepseek ? Place::name
                                                                                         : Place::object;
  return true;
}

bool ReplyReader::read_object(ReplyPiece& out) {
  for (size_t i = 0; i < held_.size(); ++i) {
    const auto state = object_.take(held_[i]);
    if (!named_ && object_.name()) {
      const auto& known = form_.functions;
      const bool ours = !bare_ || form_.calls == ReplyForm::Calls::one_object ||
                        std::find(known.begin(), known.end(), *object_.name()) != known.end();
      if (ours) begin_call(*object_.name(), out);
    }
    if (named_) add_arguments(object_.drain(), out);
    if (state == CallScanner::State::more) continue;
    held_.erase(0, i + 1);
    if (named_) {
      ++ended_;
      place_ = Place::behind;
      return true;
    }
    // No call after all: all of it was said.
    place_ = Place::text;
    if (!bare_) say(opener(), out);
    say(object_.raw(), out);
    said_ = true;
    return true;
  }
  held_.clear();
  return false;
}

bool ReplyReader::read_behind() {
  const size_t blanks = blanks_at_begin(held_);
  held_.erase(0, blanks);
  const auto next_object = [&](size_t drop) {
    held_.erase(0, drop);
    object_ = {};
    named_ = false;
    place_ = Place::object;
    return true;
  };
  trimming_ = true;
  if (held_.empty()) return false;
  if (form_.family == ReplyFamily::hermes) {
    constexpr std::string_view close = "</tool_call>";
    if (may_become(held_, close) && !over_) return false;
    if (held_.starts_with(close)) held_.erase(0, close.size());
  } else if (listed_) {
    if (held_.front() == ',') return next_object(1);
    if (held_.front() == ']') held_.erase(0, 1);
    listed_ = false;
  } else if (form_.family == ReplyFamily::llama && (held_.front() == ';' || held_.front() == '{')) {
    return next_object(held_.front() == ';' ? 1 : 0);
  }
  place_ = Place::text;
  return true;
}

// mistral: a list of objects, or a name up to the arguments. deepseek: what leads up to the arguments, with
// or without the call's kind and a code fence.
bool ReplyReader::read_name(ReplyPiece& out) {
  held_.erase(0, blanks_at_begin(held_));
  if (held_.empty()) return false;
  if (form_.family == ReplyFamily::mistral && held_.front() == '[' && !may_become(held_, "[ARGS]") &&
      !held_.starts_with("[ARGS]")) {
    held_.erase(0, 1);
    listed_ = true;
    place_ = Place::object;
    return true;
  }
  if (form_.family == ReplyFamily::deepseek) {
    if (may_become(held_, fence) && !over_) return false;
    if (held_.starts_with(fence)) {  // Of the arguments before.
      held_.erase(0, fence.size());
      return true;
    }
    for (const std::string_view end : {deepseek_all_end, deepseek_call_ends}) {
      if (may_become(held_, end) && !over_) return false;
      if (!held_.starts_with(end)) continue;
      held_.erase(0, end.size());
      if (end == deepseek_call_ends) return true;
      place_ = Place::text;
      trimming_ = true;
      return true;
    }
  }
  const size_t brace = held_.find('{');
  if (brace == std::string::npos) {
    if (held_.size() <= name_bytes_most) return false;
    place_ = Place::text;  // Nothing has so long a name.
    say(opener(), out);
    return true;
  }
  std::string_view lead(held_);
  lead = lead.substr(0, brace);
  std::string name;
  if (form_.family == ReplyFamily::mistral) {
    for (const std::string_view mark : {"[CALL_ID]", "[ARGS]"}) lead = lead.substr(0, lead.find(mark));
    name = trimmed(lead);
  } else {
    if (const size_t at = lead.find(deepseek_call); at != std::string_view::npos)
      lead.remove_prefix(at + deepseek_call.size());
    const size_t split = lead.find(deepseek_split);
    const std::string_view head = lead.substr(0, split);
    const std::string_view rest =
        split == std::string_view::npos ? std::string_view() : lead.substr(split + deepseek_split.size());
    const std::string_view line = trimmed(rest.substr(0, rest.find('\n')));
    name = line.empty() || line.starts_with(fence) ? trimmed(head) : line;
  }
  held_.erase(0, brace);
  begin_call(name, out);
  value_ = {};
  place_ = Place::arguments;
  return true;
}

bool ReplyReader::read_arguments(ReplyPiece& out) {
  for (size_t i = 0; i < held_.size(); ++i) {
    const auto state = value_.take(held_[i]);
    if (state == ValueScanner::State::more) continue;
    add_arguments(std::string_view(held_).substr(0, i + 1), out);
    held_.erase(0, i + 1);
    ++ended_;
    trimming_ = true;
    if (form_.family != ReplyFamily::deepseek) {
      place_ = Place::text;
      return true;
    }
    place_ = Place::name;
    return true;
  }
  add_arguments(held_, out);
  held_.clear();
  return false;
}

bool ReplyReader::read_head() {
  const size_t at = held_.find(message);
  if (at == std::string::npos) return false;
  const std::string_view head = std::string_view(held_).substr(0, at);
  channel_ = Channel::text;
  if (head.find("analysis") != std::string_view::npos) channel_ = Channel::thought;
  constexpr std::string_view to = "to=functions.";
  named_ = false;
  if (const size_t name = head.find(to);
      name != std::string_view::npos && form_.calls == ReplyForm::Calls::as_family) {
    channel_ = Channel::call;
    const std::string_view rest = head.substr(name + to.size());
    object_ = {};
    // Kept until the body's first part is sent.
    value_ = {};
    held_ =
        std::string(rest.substr(0, rest.find_first_of(" <\n"))) + '\n' + held_.substr(at + message.size());
    place_ = Place::body;
    return true;
  }
  held_.erase(0, at + message.size());
  place_ = Place::body;
  trimming_ = false;
  return true;
}

bool ReplyReader::read_body(ReplyPiece& out) {
  if (channel_ == Channel::call && !named_) {
    const size_t line = held_.find('\n');
    begin_call(std::string_view(held_).substr(0, line), out);
    held_.erase(0, line + 1);
  }
  size_t end = std::string::npos;
  std::string_view mark;
  for (const std::string_view one : body_ends)
    if (const size_t at = held_.find(one); at < end) {
      end = at;
      mark = one;
    }
  const size_t until = end == std::string::npos ? sure(body_ends) : end;
  const std::string_view part = std::string_view(held_).substr(0, until);
  if (channel_ == Channel::call)
    add_arguments(part, out);
  else if (channel_ == Channel::thought)
    out.reasoning += part;
  else
    say(part, out);
  if (end == std::string::npos) {
    held_.erase(0, until);
    return false;
  }
  if (channel_ == Channel::call) ++ended_;
  held_.erase(0, end + mark.size());
  place_ = Place::head;
  return true;
}

}  // namespace holdfast::jinja
