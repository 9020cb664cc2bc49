#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstring>

#include "codec/json.h"
#include "scan/model_formats.h"

namespace holdfast::scan {
namespace {

namespace json = boost::json;

constexpr int message_depth_max = 24;
constexpr uint64_t fields_max = 50'000'000;
constexpr uint64_t location_bytes_max = 4096;

Error bad(const char* what) { return fail(Code::corrupt, what); }

// Messages of onnx.proto that lead to a tensor, and which of their fields do.
enum class Message : uint8_t { model, graph, node, attribute, tensor, sparse, function, entry, other };
Message within(Message message, uint64_t field) {
  switch (message) {
    case Message::model:
      return field == 7 ? Message::graph : field == 25 ? Message::function : Message::other;
    case Message::graph:
      return field == 1    ? Message::node
             : field == 5  ? Message::tensor
             : field == 15 ? Message::sparse
                           : Message::other;
    case Message::node:
      return field == 5 ? Message::attribute : Message::other;
    case Message::attribute:
      if (field == 5 || field == 10) return Message::tensor;
      if (field == 6 || field == 11) return Message::graph;
      return field == 22 || field == 23 ? Message::sparse : Message::other;
    case Message::sparse:
      return field == 1 || field == 2 ? Message::tensor : Message::other;
    case Message::function:
      return field == 7 ? Message::node : field == 11 ? Message::attribute : Message::other;
    case Message::tensor:
      return field == 13 ? Message::entry : Message::other;
    case Message::entry:
    case Message::other:
      return Message::other;
  }
  return Message::other;
}

bool leaves_its_folder(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path.starts_with("/") || (path.size() > 1 && path[1] == ':') ||
         path.find('\0') != std::string::npos || path.find("://") != std::string::npos ||
         ("/" + path + "/").find("/../") != std::string::npos;
}

class OnnxWalk {
 public:
  OnnxWalk(Source& source, const Place& place, FileReport& report)
      : source_(source), cursor_(source, 0), place_(place), report_(report) {}

  Status walk(Message message, uint64_t end, int depth) {
    if (depth > message_depth_max) return bad("its messages are nested too deep");
    std::string key;
    while (cursor_.position() < end) {
      if (++fields_ > fields_max) return bad("it has too many fields");
      TRY(const uint64_t tag, varint());
      const uint64_t field = tag >> 3;
      switch (tag & 7) {
        case 0: {
          TRY([[maybe_unused]] const uint64_t value, varint());
          break;
        }
        case 1:
          TRY_DONE(cursor_.skip(8));
          break;
        case 5:
          TRY_DONE(cursor_.skip(4));
          break;
        case 2: {
          TRY(const uint64_t length, varint());
          if (length > end - std::min(end, cursor_.position())) return bad("a field goes past the end");
          const uint64_t next = cursor_.position() + length;
          if (message == Message::entry) {
            TRY_DONE(entry(field, length, key));
          } else if (const Message inner = within(message, field); inner != Message::other) {
            TRY_DONE(walk(inner, next, depth + 1));
          }
          TRY_DONE(cursor_.skip(next - cursor_.position()));
          break;
        }
        default:
          return bad("a field's type does not exist");
      }
    }
    return cursor_.position() == end ? Status(Done{}) : Status(bad("a field goes past the end"));
  }

 private:
  Result<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      TRY(const uint8_t byte, cursor_.byte());
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return bad("a number is too long");
  }
  Status entry(uint64_t field, uint64_t length, std::string& key) {
    if (length > location_bytes_max) return bad("a text is too long");
    TRY(const Bytes bytes, read_some(source_, cursor_.position(), length));
    if (field == 1) key = as_text(bytes);
    if (field == 2 && key == "location" && leaves_its_folder(std::string(as_text(bytes))) && !told_) {
      told_ = true;
      Place there = place_;
      there.offset = cursor_.position();
      report_.add({Topic::format, "onnx.external-data", Severity::dangerous, std::move(there),
                   "a tensor is read from a file outside the model's folder"});
    }
    return Done{};
  }

  Source& source_;
  Cursor cursor_;
  const Place& place_;
  FileReport& report_;
  uint64_t fields_ = 0;
  bool told_ = false;
};

// Calls each(piece) on overlapping pieces of the whole, until it says that it has seen enough.
template <class Each>
Status each_piece(Source& source, Each each) {
  constexpr uint64_t step = 4 << 20, overlap = 256, most = uint64_t{4} << 30;
  for (uint64_t at = 0; at < std::min(source.size(), most); at += step) {
    TRY(const Bytes piece, read_some(source, at, step + overlap));
    if (each(as_text(piece), at)) break;
  }
  return Done{};
}

}  // namespace

Status check_onnx(Source& source, const Place& place, FileReport& report) {
  const Status walked = OnnxWalk(source, place, report).walk(Message::model, source.size(), 0);
  if (walked.ok() || walked.error().code != Code::corrupt) return walked;
  report.add({Topic::format, "onnx.damaged", Severity::warning, place,
              "the model cannot be read: " + walked.error().message});
  return Done{};
}

Status check_tensorflow_graph(Source& source, const Place& place, FileReport& report) {
  // NodeDef.op is field 2 of its message, a text: tag, length, name.
  struct Operation {
    std::string_view name;
    Severity severity;
  };
  static constexpr auto operations = std::to_array<Operation>({{"ReadFile", Severity::dangerous},
                                                               {"WriteFile", Severity::dangerous},
                                                               {"MatchingFiles", Severity::dangerous},
                                                               {"PyFunc", Severity::dangerous},
                                                               {"PyFuncStateless", Severity::dangerous},
                                                               {"EagerPyFunc", Severity::dangerous},
                                                               {"DebugIdentity", Severity::warning},
                                                               {"LoadLibrary", Severity::dangerous},
                                                               {"PrintV2", Severity::warning}});
  std::array<bool, operations.size()> seen{};
  return each_piece(source, [&](std::string_view piece, uint64_t at) {
    for (size_t i = 0; i < operations.size(); ++i) {
      if (seen[i]) continue;
      const std::string wanted = std::string("\x12") + static_cast<char>(operations[i].name.size()) +
                                 std::string(operations[i].name);
      const size_t found = piece.find(wanted);
      if (found == std::string_view::npos) continue;
      seen[i] = true;
      Place there = place;
      there.offset = at + found;
      report.add({Topic::format, "tensorflow.operation", operations[i].severity, std::move(there),
                  fmt::format("the graph holds {}, which reaches out of the model", operations[i].name)});
    }
    return false;
  });
}

Status check_keras(Source& source, const Place& place, FileReport& report) {
  return each_piece(source, [&](std::string_view piece, uint64_t at) {
    for (const std::string_view wanted :
         {R"("class_name": "Lambda")", R"("class_name":"Lambda")", R"("class_name": "__lambda__")"}) {
      const size_t found = piece.find(wanted);
      if (found == std::string_view::npos) continue;
      Place there = place;
      there.offset = at + found;
      report.add({Topic::format, "keras.lambda", Severity::dangerous, std::move(there),
                  "a layer holds Python code that runs when the model is loaded"});
      return true;
    }
    return false;
  });
}

void check_model_config(std::string_view text, const Place& place, FileReport& report) {
  const auto parsed = codec::parse_json(text, {.depth_max = 64, .bytes_max = 64 << 20});
  if (!parsed.ok() || !parsed.value().is_object()) return;
  const json::object& config = parsed.value().get_object();
  if (const json::value* map = config.if_contains("auto_map"); map != nullptr && !map->is_null()) {
    const bool elsewhere = codec::to_text(*map).find("--") != std::string::npos;
    report.add({Topic::format, "config.remote-code", Severity::warning, place,
                elsewhere ? "asks for Python code of another repository to be run when it is loaded"
                          : "asks for Python code of the repository to be run when it is loaded"});
  }
  if (config.contains("custom_pipelines"))
    report.add({Topic::format, "config.remote-code", Severity::warning, place,
                "names a pipeline whose Python code is run when it is loaded"});
}

}  // namespace holdfast::scan
