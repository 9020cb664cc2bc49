#include "serve/lock_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "serve/serving_copy.h"

namespace holdfast::serve {
namespace {

constexpr int64_t version = 1;
constexpr size_t depth_max = 8, files_max = 10'000, libraries_max = 1'000, shown_max = 200;
constexpr size_t read_step = 1 << 20;
constexpr uint64_t config_bytes_max = 4 << 20;

struct Field {
  const char* name;
  std::string Lock::* text;
};
constexpr std::array fields = {Field{"model", &Lock::model},         Field{"dataset", &Lock::dataset},
                               Field{"tokenizer", &Lock::tokenizer}, Field{"prompt", &Lock::prompt},
                               Field{"runtime", &Lock::runtime},     Field{"dtype", &Lock::dtype}};

Result<std::string> digest_of(io::Disk& disk, const io::Path& path) {
  TRY(const std::unique_ptr<io::ReadFile> file, disk.open(path));
  codec::Sha256 hash;
  Bytes piece(read_step);
  for (uint64_t at = 0;;) {
    TRY(const size_t count, file->read_at(at, piece));
    if (count == 0) break;
    hash.update(ByteView(piece).first(count));
    at += count;
  }
  return codec::to_hex(hash.finish());
}

Status look_into(io::Disk& disk, const io::Path& folder, const std::string& below, size_t depth, Lock& into) {
  TRY(const std::vector<io::Entry> entries, disk.list(below.empty() ? folder : folder / below));
  for (const io::Entry& entry : entries) {
    const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
    if (entry.is_directory) {
      if (depth < depth_max && !entry.name.starts_with('.'))
        TRY_DONE(look_into(disk, folder, path, depth + 1, into));
      continue;
    }
    if (path == lock_name || !is_served_file(path, entry.size)) continue;
    if (into.files.size() >= files_max) return fail(Reason::bad_request, "the folder has too many files");
    TRY(into.files[path], digest_of(disk, folder / path));
  }
  return Done{};
}

// As in a serving copy.
void drop_unread(std::map<std::string, std::string>& files) {
  std::set<std::string, std::less<>> paths;
  for (const auto& [path, digest] : files) paths.insert(path);
  std::erase_if(files, [&](const auto& file) { return is_stood_for(file.first, paths); });
}

std::string dtype_of(io::Disk& disk, const io::Path& folder) {
  const auto text = io::read_text(disk, folder / "config.json", config_bytes_max);
  if (!text.ok()) return {};
  const auto config = codec::parse_json_object(text.value());
  if (!config.ok()) return {};
  for (const char* key : {"torch_dtype", "dtype"})
    if (const auto said = codec::json_text_if(config.value(), key); said.ok() && said.value())
      return std::string(*said.value());
  return {};
}

std::string said(const std::string& text) { return text.empty() ? "nothing" : text.substr(0, shown_max); }

}  // namespace

std::string lock_text(const Lock& lock) {
  std::string out = fmt::format("{{\n  \"holdfast_lock\": {},\n", version);
  const auto quoted = [](std::string_view text) { return codec::to_text(boost::json::value(text)); };
  for (const Field& field : fields)
    out += fmt::format("  \"{}\": {},\n", field.name, quoted(lock.*field.text));
  const auto table = [&](const std::map<std::string, std::string>& rows) {
    std::string text = "{";
    for (const auto& [key, value] : rows)
      text += fmt::format("{}\n    {}: {}", text.size() == 1 ? "" : ",", quoted(key), quoted(value));
    return text + "\n  }";
  };
  if (!lock.libraries.empty()) out += fmt::format("  \"libraries\": {},\n", table(lock.libraries));
  return out + fmt::format("  \"files\": {}\n}}\n", table(lock.files));
}

Result<Lock> parse_lock(std::string_view text) {
  if (text.size() > lock_bytes_max) return fail(Reason::bad_request, "a lock is not that long");
  TRY(const boost::json::object object, codec::parse_json_object(text));
  TRY(const int64_t number, codec::json_integer(object, "holdfast_lock"));
  if (number != version)
    return fail(Reason::bad_request, "this is no holdfast.lock of a version that is known here");
  Lock out;
  for (const Field& field : fields) {
    TRY(const auto value, codec::json_text_if(object, field.name));
    out.*field.text = value.value_or("");
  }
  TRY(const boost::json::object* files, codec::json_object_if(object, "files"));
  if (files == nullptr || files->size() > files_max)
    return fail(Reason::bad_request, "a lock has 'files', and not too many");
  TRY(const boost::json::object* libraries, codec::json_object_if(object, "libraries"));
  if (libraries != nullptr && libraries->size() > libraries_max)
    return fail(Reason::bad_request, "'libraries' are too many");
  if (libraries != nullptr)
    for (const auto& [name, value] : *libraries) {
      if (!value.is_string()) return fail(Reason::bad_request, "the version of a library is a text");
      out.libraries[name] = std::string(value.get_string());
    }
  for (const auto& [path, digest] : *files) {
    if (!digest.is_string()) return fail(Reason::bad_request, "the digest of a file is a text");
    out.files[path] = std::string(digest.get_string());
  }
  return out;
}

Result<Lock> look_at(io::Disk& disk, const io::Path& folder, const Runtime& runtime) {
  Lock out;
  TRY_DONE(look_into(disk, folder, "", 0, out));
  drop_unread(out.files);
  if (const auto tokenizer = out.files.find("tokenizer.json"); tokenizer != out.files.end())
    out.tokenizer = tokenizer->second;
  out.runtime = runtime.name;
  out.libraries = runtime.libraries;
  out.dtype = dtype_of(disk, folder);
  return out;
}

std::vector<std::string> differences(const Lock& lock, const Lock& found) {
  std::vector<std::string> out;
  const auto compare = [&](std::string_view what, const std::string& wanted, const std::string& is) {
    if (wanted != is) out.push_back(fmt::format("{} is {}, the lock says {}", what, said(is), said(wanted)));
  };
  for (const Field& field : fields) {
    const bool known_here = field.text == &Lock::tokenizer || field.text == &Lock::runtime ||
                            field.text == &Lock::dtype || !(found.*field.text).empty();
    if (known_here && !(lock.*field.text).empty()) compare(field.name, lock.*field.text, found.*field.text);
  }
  for (const auto& [name, wanted] : lock.libraries) {
    const auto is = found.libraries.find(name);
    compare(std::string_view(name).substr(0, shown_max), wanted,
            is == found.libraries.end() ? std::string() : is->second);
  }
  for (const auto& [path, digest] : lock.files) {
    const auto is = found.files.find(path);
    if (is == found.files.end())
      out.push_back(fmt::format("{} is missing, the lock says {}", path.substr(0, shown_max), said(digest)));
    else
      compare(std::string_view(path).substr(0, shown_max), digest, is->second);
  }
  for (const auto& [path, digest] : found.files)
    if (!lock.files.contains(path))
      out.push_back(fmt::format("{} is not in the lock", path.substr(0, shown_max)));
  return out;
}

namespace {

constexpr const char* tokenizer_runbook = "docs/operating.md, 'A tokenizer that is another one'";

// What turns text into tokens: a model reads another text where one of these is another.
bool is_tokenizers(const std::string& path) {
  const std::string name = io::Path(path).filename();
  for (const std::string_view begin : {"tokenizer", "vocab", "merges", "added_tokens", "special_tokens_map"})
    if (name.starts_with(begin)) return true;
  for (const std::string_view end : {".model", ".spm", ".tiktoken"})
    if (name.ends_with(end)) return true;
  return false;
}

bool same_tokenizer(const Lock& lock, const Lock& found) {
  const auto of = [](const Lock& one) {
    std::map<std::string, std::string> out;
    for (const auto& [path, digest] : one.files)
      if (is_tokenizers(path)) out.emplace(path, digest);
    return out;
  };
  return (lock.tokenizer.empty() || lock.tokenizer == found.tokenizer) && of(lock) == of(found);
}

class HeldStarter final : public WorkerStarter {
 public:
  HeldStarter(WorkerStarter& starter, Runtime runtime, Metrics& metrics)
      : starter_(starter),
        runtime_(std::move(runtime)),
        errors_(metrics.counter("holdfast_tokenization_errors_total",
                                "Starts that were refused because the tokenizer is not the one that the lock "
                                "pins.")) {}

  Result<std::unique_ptr<Worker>> start(const WorkerFolder& folder,
                                        std::chrono::milliseconds deadline) override {
    TRY_DONE(check(folder.path));
    return starter_.start(folder, deadline);
  }
  Status may_use(const io::Path& folder) override {
    TRY_DONE(check(folder));
    return starter_.may_use(folder);
  }

 private:
  Status check(const io::Path& folder) const {
    TRY(const std::unique_ptr<io::Disk> disk, io::open_posix_disk(folder));
    const auto text = io::read_text(*disk, lock_name, lock_bytes_max);
    if (!text.ok()) return text.error().code == Code::not_found ? Status(Done{}) : text.error();
    const auto lock = parse_lock(text.value());
    if (!lock.ok())
      return fail(Reason::model_unsupported, "the model's holdfast.lock: " + lock.error().message);
    TRY(const Lock found, look_at(*disk, ".", runtime_));
    const auto all = differences(lock.value(), found);
    if (all.empty()) return Done{};
    std::string said = fmt::format("the model is not what its holdfast.lock pins: {}", fmt::join(all, "; "));
    if (!same_tokenizer(lock.value(), found)) {
      errors_.add();
      said += fmt::format(". What to do: {}", tokenizer_runbook);
    }
    return fail(Reason::model_unsupported, std::move(said));
  }

  WorkerStarter& starter_;
  const Runtime runtime_;
  Counter& errors_;
};

}  // namespace

std::unique_ptr<WorkerStarter> hold_to_locks(WorkerStarter& starter, Runtime runtime, Metrics& metrics) {
  return std::make_unique<HeldStarter>(starter, std::move(runtime), metrics);
}

}  // namespace holdfast::serve
