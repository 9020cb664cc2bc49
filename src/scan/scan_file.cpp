#include "scan/scan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "codec/gzip.h"
#include "scan/model_formats.h"
#include "scan/packed.h"
#include "scan/parquet_check.h"
#include "scan/personal.h"
#include "scan/text_check.h"
#include "scan/zip.h"

namespace holdfast::scan {
namespace {

constexpr size_t head_bytes = 4096;
constexpr size_t bomb_ratio = 200;  // Deflate reaches 1032; weights and text stay far below.
constexpr uint64_t bomb_bytes_min = 64 << 20;
constexpr int members_max = 200'000;

// Names under which people and programs load pickles.
constexpr auto pickle_names = std::to_array<std::string_view>(
    {".ckpt", ".dill", ".joblib", ".p", ".pickle", ".pkl", ".pt", ".pth", ".pt2"});
// They may be one; many other things are called so as well.
constexpr auto maybe_names = std::to_array<std::string_view>({".bin", ".dat", ".data", ".model"});

constexpr auto onnx_names = std::to_array<std::string_view>({".onnx"});
constexpr auto graph_names = std::to_array<std::string_view>({".pb", ".pbtxt"});

template <class List>
bool ends_in(std::string_view name, const List& list) {
  std::string low(name.substr(name.size() > 16 ? name.size() - 16 : 0));
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return std::any_of(list.begin(), list.end(), [&](std::string_view end) { return low.ends_with(end); });
}

// What a file's name says about its being a pickle.
enum class Named : uint8_t { otherwise, perhaps, pickle };

Named named_how(std::string_view name) {
  if (ends_in(name, pickle_names)) return Named::pickle;
  return ends_in(name, maybe_names) ? Named::perhaps : Named::otherwise;
}

// Protocols 0 and 1 have no mark of their own: a pickle that looks up a name begins in one of few ways.
bool may_be_old_pickle(ByteView head) {
  if (head.size() < 4) return false;
  const char first = static_cast<char>(head[0]);
  return std::string_view("c(]})lS-VUX}IKN").find(first) != std::string_view::npos;
}

class FileScan {
 public:
  FileScan(const ScanLimits& limits, FileReport& report)
      : limits_(limits), report_(report), unpacked_left_(limits.unpacked_bytes_max) {}

  // `depth`: of archives around it. `place` names it.
  Status scan(Source& source, std::string_view name, const Place& place, int depth) {
    TRY(const Bytes head, read_some(source, 0, head_bytes));
    const std::string_view text = as_text(head);
    if (has_zip_magic(head) || (text.starts_with("PK\x05\x06") && depth == 0)) {
      TRY_DONE(scan_zip(source, place, depth));
    } else if (text.starts_with("\x93NUMPY")) {
      TRY_DONE(scan_npy(source, head, place));
    } else if (has_pickle_magic(head)) {
      scan_pickles(source, 0, named_how(name), place);
    } else if (codec::looks_gzipped(head)) {
      TRY_DONE(scan_deflated(source, codec::Deflate::gzip, name, place, depth));
    } else if (ends_in(name, pickle_names) && head.size() > 2 && text[0] == 'x') {
      TRY_DONE(scan_deflated(source, codec::Deflate::zlib, name, place, depth));
    } else if (name.ends_with(".safetensors")) {
      TRY_DONE(check_safetensors(source, place, report_));
    } else if (looks_packed(head)) {
      TRY_DONE(scan_packed(source, name, place, depth));
    } else if (has_parquet_magic(head)) {
      TRY_DONE(check_parquet(source, place, limits_.text_bytes_max, report_));
    } else if (text.starts_with("GGUF")) {
      TRY_DONE(check_gguf(source, place, report_));
    } else if (text.starts_with("\x89HDF\r\n\x1a\n")) {
      TRY_DONE(check_keras(source, place, report_));
    } else if (ends_in(name, onnx_names)) {
      TRY_DONE(check_onnx(source, place, report_));
    } else if (ends_in(name, graph_names)) {
      TRY_DONE(check_tensorflow_graph(source, place, report_));
    } else {
      scan_old_pickle(source, head, name, place);
    }
    // An archive may follow other bytes: zip is read from its end.
    if (!has_zip_magic(head) && ends_in(name, pickle_names) && depth == 0) {
      TRY(const Bytes tail, read_some(source, source.size() > 22 ? source.size() - 22 : 0, 22));
      if (as_text(tail).starts_with("PK\x05\x06")) TRY_DONE(scan_zip(source, place, depth));
    }
    TRY_DONE(check_text(source, head, name, place, limits_.text_bytes_max, report_));
    const bool text_file = std::find(head.begin(), head.end(), std::byte{0}) == head.end();
    const bool personal = limits_.personal == PersonalIn::all_text || personal_by_default(name);
    return personal && text_file ? check_personal(source, name, place, limits_.text_bytes_max, report_)
                                 : Status(Done{});
  }

 private:
  void add(Topic topic, std::string rule, Severity severity, const Place& place, std::string reason) {
    report_.add({topic, std::move(rule), severity, place, std::move(reason)});
  }

  // Pickles one after the other, as legacy torch writes them.
  void scan_pickles(Source& source, uint64_t at, Named named, const Place& place) {
    for (int count = 0; count < 100; ++count) {
      FileReport found;
      const PickleOutcome outcome = follow_pickle(source, at, place, limits_.pickle, found);
      // After the first one bytes may follow that are none: the tensors of legacy torch.
      const bool counts =
          outcome.how == PickleEnd::stop || outcome.globals > 0 || (named != Named::otherwise && count == 0);
      if (counts) {
        report_.has_pickle = true;
        for (Finding& finding : found.findings) report_.add(std::move(finding));
        for (Import& import : found.imports)
          if (report_.imports.size() < imports_max &&
              std::find(report_.imports.begin(), report_.imports.end(), import) == report_.imports.end())
            report_.imports.push_back(std::move(import));
      }
      if (counts && outcome.how != PickleEnd::stop) not_followed(outcome, found, named, place);
      if (outcome.how != PickleEnd::stop || outcome.end >= source.size()) return;
      at = outcome.end;
      const auto next = read_some(source, at, 3);
      if (!next.ok() || !has_pickle_magic(next.value())) return;
    }
    add(Topic::pickle, "pickle.limit", Severity::dangerous, place, "holds more pickles than are looked at");
  }

  void not_followed(const PickleOutcome& outcome, const FileReport& found, Named named, const Place& place) {
    if (outcome.how == PickleEnd::limit) {
      add(Topic::pickle, "pickle.limit", Severity::dangerous, place,
          "the pickle is too large to be judged: " + outcome.detail);
      return;
    }
    // joblib puts arrays between opcodes, and what comes after them cannot be told from their bytes.
    const bool joblib = std::any_of(found.imports.begin(), found.imports.end(), [](const Import& import) {
      return import.module == "joblib.numpy_pickle" && import.name == "NumpyArrayWrapper";
    });
    // One file in ten thousand of plain numbers called .bin begins like a pickle by chance.
    const bool by_chance = named == Named::perhaps && outcome.globals == 0;
    Place there = place;
    there.offset = outcome.end;
    add(Topic::pickle, "pickle.unreadable", joblib || by_chance ? Severity::warning : Severity::dangerous,
        there, "the pickle cannot be followed to its end: " + outcome.detail);
  }

  void scan_old_pickle(Source& source, ByteView head, std::string_view name, const Place& place) {
    const Named named = named_how(name);
    if (!may_be_old_pickle(head)) {
      if (named == Named::pickle && source.size() > 0)
        add(Topic::pickle, "pickle.unknown", Severity::warning, place,
            "is named like a pickle and is in no form that we know");
      return;
    }
    FileReport found;
    const PickleOutcome outcome = follow_pickle(source, 0, place, limits_.pickle, found);
    // Text rarely reaches a STOP with a name looked up on the way; a file that is called a pickle counts
    // anyhow. Two bytes of any file may ask for a name of the loader's own registry or for one made by it.
    const bool dangerous = std::any_of(found.imports.begin(), found.imports.end(), [](const Import& import) {
      return import.safety == Safety::dangerous && import.module != "unknown";
    });
    const bool computed = found.imports.size() > 1 && found.worst() == Severity::dangerous;
    if (outcome.globals > 0 &&
        (outcome.how == PickleEnd::stop || named == Named::pickle || dangerous || computed))
      scan_pickles(source, 0, named == Named::pickle ? named : Named::otherwise, place);
  }

  Status scan_npy(Source& source, ByteView head, const Place& place) {
    ByteReader reader(head);
    TRY_DONE(reader.skip(6));
    auto version = reader.u8();
    uint64_t begin = 0;
    std::string_view header;
    if (version.ok() && reader.skip(1).ok()) {
      Result<uint64_t> length = fail(Code::corrupt, "");
      if (version.value() == 1) {
        auto narrow = reader.u16();
        if (narrow.ok()) length = uint64_t{narrow.value()};
      } else {
        auto wide = reader.u32();
        if (wide.ok()) length = uint64_t{wide.value()};
      }
      if (length.ok()) {
        begin = reader.position() + length.value();
        header = as_text(head.subspan(reader.position(), std::min<uint64_t>(length.value(), reader.left())));
      }
    }
    if (begin == 0 || begin > source.size()) {
      add(Topic::format, "npy.header", Severity::warning, place, "the header of the array is damaged");
      return Done{};
    }
    // 'O' or '|O' somewhere among the types: numpy unpickles what follows. A header that goes on counts as
    // if.
    const bool objects = header.find("O'") != std::string_view::npos ||
                         header.find("O\"") != std::string_view::npos ||
                         header.find("O8'") != std::string_view::npos || begin > head.size();
    if (!objects) return Done{};
    const auto pickled = part_source(source, begin, source.size() - begin);
    Place within = place;
    within.member += within.member.empty() ? "objects" : "!objects";
    scan_pickles(*pickled, 0, Named::pickle, within);
    return Done{};
  }

  Status scan_deflated(Source& source, codec::Deflate format, std::string_view name, const Place& place,
                       int depth) {
    if (depth >= limits_.archive_depth_max) {
      add(Topic::archive, "archive.depth", Severity::dangerous, place, "is packed too many times over");
      return Done{};
    }
    TRY(const std::optional<Bytes> all, unpack(source, 0, source.size(), format, place));
    if (!all) return Done{};
    Place within = place;
    within.member += within.member.empty() ? "unpacked" : "!unpacked";
    const auto inner = memory_source(*all);
    // model.pkl.gz, model.pkl.z: what it is called without the last part.
    const size_t dot = name.rfind('.');
    return scan(*inner, ends_in(name, pickle_names) ? name : name.substr(0, dot), within, depth + 1);
  }

  // Nothing when it does not unpack, which is noted.
  Result<std::optional<Bytes>> unpack(Source& source, uint64_t at, uint64_t length, codec::Deflate format,
                                      const Place& place) {
    const uint64_t most = std::min(limits_.member_bytes_max, unpacked_left_);
    const auto inflater = codec::make_inflater(format, most);
    Bytes out;
    for (uint64_t done = 0; done < length;) {
      TRY(const Bytes piece, read_some(source, at + done, std::min<uint64_t>(length - done, 256 << 10)));
      if (piece.empty()) break;
      done += piece.size();
      const Status inflated = inflater->update(piece, out);
      if (inflated.ok() && (out.size() < bomb_bytes_min || out.size() / done < bomb_ratio)) continue;
      if (inflated.ok() || inflated.error().reason == Reason::body_too_large) {
        add(Topic::archive, "archive.bomb", Severity::dangerous, place,
            fmt::format("{} bytes unpack to more than {}", done, out.size()));
      } else {
        add(Topic::archive, "archive.unread", Severity::warning, place, "a packed member is damaged");
      }
      return std::optional<Bytes>();
    }
    unpacked_left_ -= std::min<uint64_t>(unpacked_left_, out.size());
    return std::optional(std::move(out));
  }

  Status scan_zip(Source& source, const Place& place, int depth) {
    if (depth >= limits_.archive_depth_max) {
      add(Topic::archive, "archive.depth", Severity::dangerous, place,
          "has archives in archives too deep to be looked into");
      return Done{};
    }
    auto directory = read_zip(source);
    if (!directory.ok()) {
      add(Topic::archive, "archive.unread", Severity::warning, place,
          "the zip archive cannot be read: " + directory.error().message);
      return Done{};
    }
    if (directory.value().from_local_headers)
      add(Topic::archive, "archive.directory", Severity::warning, place,
          "the archive's directory is missing or damaged; its members were looked for");
    if (directory.value().cut)
      add(Topic::archive, "archive.limit", Severity::dangerous, place, "has more members than are looked at");
    bool packed_otherwise = false;
    for (const ZipMember& member : directory.value().members) {
      packed_otherwise = packed_otherwise || (member.method != 0 && member.method != 8);
      TRY_DONE(scan_member(source, member, place, depth));
    }
    // By bzip2, lzma, zstd: torch does not read those, people's tools do.
    if (packed_otherwise) return scan_packed(source, "", place, depth);
    return Done{};
  }

  Status scan_member(Source& source, const ZipMember& member, const Place& place, int depth) {
    Place within = place;
    within.member += (within.member.empty() ? "" : "!") + member.name.substr(0, 300);
    check_names(member.name, within);
    auto begin = member_begin(source, member);
    if (!begin.ok() || begin.value() > source.size()) {
      add(Topic::archive, "archive.unread", Severity::warning, within,
          "a member is not where the directory says");
      return Done{};
    }
    const uint64_t stored = std::min(member.stored, source.size() - begin.value());
    if (member.is_link && member.method == 0) {
      TRY(const Bytes target, read_some(source, begin.value(), std::min<uint64_t>(stored, 4096)));
      check_link(member.name, as_text(target), within);
      return Done{};
    }
    if (member.method == 0) {
      const auto part = part_source(source, begin.value(), stored);
      return scan(*part, member.name, within, depth + 1);
    }
    if (member.method != 8) return Done{};
    TRY(const std::optional<Bytes> all, unpack(source, begin.value(), stored, codec::Deflate::raw, within));
    if (!all) return Done{};
    const auto inner = memory_source(*all);
    return scan(*inner, member.name, within, depth + 1);
  }

  // Archives that libarchive reads, and streams that hold one file.
  Status scan_packed(Source& source, std::string_view name, const Place& place, int depth) {
    if (depth >= limits_.archive_depth_max) {
      add(Topic::archive, "archive.depth", Severity::dangerous, place,
          "has archives in archives too deep to be looked into");
      return Done{};
    }
    auto reader = open_packed(source);
    if (!reader.ok()) return unread(reader.error(), name, place);
    for (int count = 0; count < members_max; ++count) {
      auto member = reader.value()->next();
      if (!member.ok()) return unread(member.error(), name, place);
      if (!member.value()) return Done{};
      TRY_DONE(scan_packed_member(*reader.value(), *member.value(), name, place, depth));
      if (bomb_) return Done{};
    }
    add(Topic::archive, "archive.limit", Severity::dangerous, place, "has more members than are looked at");
    return Done{};
  }

  Status scan_packed_member(PackedReader& reader, const PackedMember& member, std::string_view name,
                            const Place& place, int depth) {
    Place within = place;
    const bool bare = member.name.empty();
    within.member += (within.member.empty() ? "" : "!") + (bare ? "unpacked" : member.name.substr(0, 300));
    check_names(member.name, within);
    if (member.kind == PackedMember::Kind::link) check_link(member.name, member.target, within);
    if (member.kind == PackedMember::Kind::other)
      add(Topic::archive, "archive.device", Severity::dangerous, within, "is a device or a pipe");
    if (member.kind != PackedMember::Kind::file) return Done{};
    auto bytes = reader.read(std::min(limits_.member_bytes_max, unpacked_left_));
    if (!bytes.ok()) {
      if (bytes.error().reason != Reason::body_too_large) return unread(bytes.error(), member.name, within);
      bomb_ = true;
      add(Topic::archive, "archive.bomb", Severity::dangerous, within, "unpacks to more than is looked at");
      return Done{};
    }
    unpacked_left_ -= std::min<uint64_t>(unpacked_left_, bytes.value().size());
    const auto inner = memory_source(bytes.value());
    const size_t dot = name.rfind('.');
    return scan(*inner, bare ? (ends_in(name, pickle_names) ? name : name.substr(0, dot)) : member.name,
                within, depth + 1);
  }

  // What cannot be looked into is no pass: whoever loads a pickle of it may be able to.
  Status unread(const Error& error, std::string_view name, const Place& place) {
    if (error.code == Code::unavailable) return error;
    add(Topic::archive, "archive.unread",
        ends_in(name, pickle_names) ? Severity::dangerous : Severity::warning, place,
        "the archive cannot be looked into: " + error.message);
    return Done{};
  }

  void check_names(std::string_view name, const Place& place) {
    std::string path = "/" + std::string(name) + "/";
    std::replace(path.begin(), path.end(), '\\', '/');
    const bool outside = path.starts_with("//") || path.find("/../") != std::string::npos ||
                         path.find('\0') != std::string::npos ||
                         (path.size() > 3 && path[2] == ':' && path[3] == '/');
    if (outside && !name.empty())
      add(Topic::archive, "archive.traversal", Severity::dangerous, place,
          "would be unpacked outside its folder");
  }

  // Links within the archive are common; one that leaves it turns the next member's name into any path.
  void check_link(std::string_view name, std::string_view target, const Place& place) {
    std::ptrdiff_t depth = std::count(name.begin(), name.end(), '/');
    bool outside = target.starts_with('/') || target.starts_with('\\') || target.find(':') == 1;
    for (size_t begin = 0; begin <= target.size() && !outside;) {
      const size_t end = std::min(target.find('/', begin), target.size());
      const std::string_view part = target.substr(begin, end - begin);
      if (part == "..")
        outside = --depth < 0;
      else if (!part.empty() && part != ".")
        ++depth;
      begin = end + 1;
    }
    if (outside)
      add(Topic::archive, "archive.link", Severity::dangerous, place, "is a link that leaves its folder");
  }

  const ScanLimits& limits_;
  FileReport& report_;
  uint64_t unpacked_left_;
  bool bomb_ = false;
};

}  // namespace

Result<FileReport> scan_file(Source& source, std::string_view name, const ScanLimits& limits) {
  FileReport report;
  Place place;
  place.file = name;
  TRY_DONE(FileScan(limits, report).scan(source, name, place, 0));
  return report;
}

}  // namespace holdfast::scan
