// The only file that sees yaml-cpp, and where its exceptions end. Events are read instead of its nodes, so
// that depth, size and aliases are bounded while the value is made.
#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "codec/yaml_scalar.h"

namespace holdfast::codec {
namespace {

namespace json = boost::json;
using YAML::anchor_t;
using YAML::Mark;

constexpr std::string_view tag_prefix = "tag:yaml.org,2002:";

// A value and how many values it holds, itself included. Text counts by its length too, or one long text
// under many aliases would fill the memory.
struct Counted {
  json::value value;
  size_t values = 1;
};

// A list or mapping that has not ended.
struct Frame {
  enum class Kind : uint8_t { sequence, mapping };

  Kind kind;
  anchor_t anchor;
  json::array items;
  json::object pairs;
  std::vector<json::object> merges;  // What "<<" brought, the strongest first.
  std::optional<std::string> key;    // Of the value that comes next.
  bool merge_next = false;           // The key was "<<".
  size_t values = 1;
};

// Builds one document. The first failure stays; later events are ignored.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  Result<json::value> take() && {
    if (failure_) return std::move(*failure_);
    return std::move(result_);
  }
  bool failed() const { return failure_.has_value(); }

  void OnDocumentStart(const Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const Mark& mark, anchor_t anchor) override {
    if (!failed()) deliver(mark, anchor, {nullptr, 1}, Plain::no);
  }

  void OnAlias(const Mark& mark, anchor_t anchor) override {
    if (failed()) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return refuse(mark, "an alias names what is not complete");
    deliver(mark, YAML::NullAnchor, found->second, Plain::no);
  }

  void OnScalar(const Mark& mark, const std::string& tag, anchor_t anchor, const std::string& text) override {
    if (failed()) return;
    auto value = scalar(tag, text);
    if (!value) return refuse(mark, fmt::format("the value is not of its tag '{}'", tag));
    deliver(mark, anchor, {std::move(*value), 1 + text.size() / 64}, tag == "?" ? Plain::yes : Plain::no);
  }

  void OnSequenceStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, "seq", anchor, Frame::Kind::sequence);
  }
  void OnMapStart(const Mark& mark, const std::string& tag, anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, "map", anchor, Frame::Kind::mapping);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  enum class Plain : uint8_t { no, yes };

  void refuse(const Mark& mark, std::string why) {
    failure_ = fail(Reason::bad_request, fmt::format("YAML line {}: {}", mark.line + 1, why));
  }

  static std::optional<json::value> scalar(std::string_view tag, std::string_view text) {
    if (tag == "?" || tag.empty()) return plain_yaml_value(text);
    if (tag == "!") return json::value(text);
    if (!tag.starts_with(tag_prefix)) return std::nullopt;
    tag.remove_prefix(tag_prefix.size());
    if (tag == "str") return json::value(text);
    if (tag == "int") return yaml_integer(text);
    if (tag == "bool") return yaml_flag(text);
    if (tag == "null") return json::value(nullptr);
    if (tag == "float") {
      if (auto number = yaml_number(text)) return number;
      if (auto integer = yaml_integer(text))
        return json::value(integer->is_int64() ? static_cast<double>(integer->get_int64())
                                               : integer->to_number<double>());
    }
    return std::nullopt;
  }

  void start(const Mark& mark, std::string_view tag, std::string_view known, anchor_t anchor,
             Frame::Kind kind) {
    if (failed()) return;
    const bool plain = tag == "?" || tag.empty() || tag == "!";
    if (!plain && tag != std::string(tag_prefix) + std::string(known))
      return refuse(mark, fmt::format("the tag '{}' is not known", tag));
    if (frames_.size() == limits_.depth_max) return refuse(mark, "it is nested too deep");
    frames_.push_back({.kind = kind, .anchor = anchor, .items = {}, .pairs = {}, .merges = {}, .key = {}});
    mark_ = mark;
  }

  void end() {
    if (failed()) return;
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    Counted made{nullptr, frame.values};
    if (frame.kind == Frame::Kind::sequence) {
      made.value = std::move(frame.items);
    } else {
      json::object merged;
      for (auto weaker = frame.merges.rbegin(); weaker != frame.merges.rend(); ++weaker)
        for (auto& pair : *weaker) merged[pair.key()] = pair.value();
      for (auto& pair : frame.pairs) merged[pair.key()] = std::move(pair.value());
      made.value = std::move(merged);
    }
    deliver(mark_, frame.anchor, std::move(made), Plain::no);
  }

  // A whole value: goes into the frame it stands in, or is the document.
  void deliver(const Mark& mark, anchor_t anchor, Counted made, Plain plain) {
    total_ += made.values;
    if (total_ > limits_.values_max) return refuse(mark, "it holds too many values");
    if (anchor != YAML::NullAnchor) {
      // The copy counts as well: it takes the same memory.
      total_ += made.values;
      anchors_[anchor] = made;
    }
    if (frames_.empty()) {
      result_ = std::move(made.value);
      return;
    }
    Frame& frame = frames_.back();
    frame.values += made.values;
    if (frame.kind == Frame::Kind::sequence)
      frame.items.push_back(std::move(made.value));
    else if (frame.key || frame.merge_next)
      take_value(mark, frame, std::move(made.value));
    else
      take_key(mark, frame, made.value, plain);
  }

  void take_key(const Mark& mark, Frame& frame, const json::value& key, Plain plain) {
    if (key.is_object() || key.is_array()) return refuse(mark, "a key is a list or a mapping");
    if (plain == Plain::yes && key.is_string() && key.get_string() == "<<")
      frame.merge_next = true;
    else
      frame.key = key.is_string() ? std::string(key.get_string()) : to_text(key);
  }

  void take_value(const Mark& mark, Frame& frame, json::value value) {
    if (!frame.merge_next) {
      frame.pairs[*frame.key] = std::move(value);
      frame.key.reset();
      return;
    }
    frame.merge_next = false;
    if (value.is_object()) {
      frame.merges.push_back(std::move(value.get_object()));
    } else if (value.is_array()) {
      for (json::value& item : value.get_array()) {
        if (!item.is_object()) return refuse(mark, "'<<' merges mappings only");
        frame.merges.push_back(std::move(item.get_object()));
      }
    } else {
      refuse(mark, "'<<' merges mappings only");
    }
  }

  const YamlLimits& limits_;
  std::vector<Frame> frames_;
  std::map<anchor_t, Counted> anchors_;
  Mark mark_;  // Where the last list or mapping began: its end has no place of its own.
  size_t total_ = 0;
  json::value result_;
  std::optional<Error> failure_;
};

bool has_control_characters(std::string_view text) {
  for (char c : text)
    if ((c >= 0 && c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) return true;
  return false;
}

}  // namespace

Result<json::value> parse_yaml(std::string_view text, YamlLimits limits) {
  if (text.size() > limits.bytes_max)
    return fail(Reason::body_too_large, fmt::format("the YAML is longer than {} bytes", limits.bytes_max));
  if (!is_utf8(text)) return fail(Reason::bad_request, "the YAML is not valid UTF-8");
  if (has_control_characters(text)) return fail(Reason::bad_request, "the YAML holds a control character");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(limits);
    if (!parser.HandleNextDocument(builder)) return json::value(nullptr);
    if (builder.failed()) return std::move(builder).take();
    Builder second(limits);
    if (parser.HandleNextDocument(second))
      return fail(Reason::bad_request, "the YAML holds more than one document");
    return std::move(builder).take();
  } catch (const YAML::Exception& refused) {
    return fail(Reason::bad_request, fmt::format("YAML line {}: {}", refused.mark.line + 1, refused.msg));
  }
}

}  // namespace holdfast::codec
