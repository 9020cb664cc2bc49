#include "cli/mask.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>
#include <vector>

#include "base/arguments.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "repo/masked_content.h"
#include "scan/personal.h"

namespace holdfast::cli {
namespace {

constexpr int depth_max = 64;
constexpr uint64_t file_bytes_max = repo::masked_packed_bytes_max;

constexpr std::array flags = {
    FlagRow{"--out", "PATH", "Where the masked file or folder is written."},
    FlagRow{"--with", "WAY", "What stands for what was found: kind (default), stars, hash or nothing."},
    FlagRow{"--json", "", "One JSON object."}};

// Masks a folder into another; what cannot be looked into is taken over as it is, and named.
class Masking {
 public:
  Masking(UserFiles& files, scan::MaskWith with, std::string key)
      : files_(files), with_(with), key_(std::move(key)) {}

  Status mask(const io::Path& from, const io::Path& to, const std::string& shown, int depth) {
    TRY(const io::Entry entry, files_.disk().stat(from));
    if (!entry.is_directory) return mask_file(from, to, shown);
    if (depth == depth_max) return fail(Reason::bad_request, "the folders are nested too deep");
    TRY_DONE(files_.disk().make_directories(to));
    TRY(const auto entries, files_.disk().list(from));
    for (const io::Entry& each : entries)
      if (each.name != ".git")
        TRY_DONE(mask(from / each.name, to / each.name, shown.empty() ? each.name : shown + "/" + each.name,
                      depth + 1));
    return Done{};
  }

  uint64_t done = 0, masked = 0, left = 0;
  std::vector<std::pair<std::string, std::string>> unread;  // Files, or parts of them, and why.

 private:
  Status mask_file(const io::Path& from, const io::Path& to, const std::string& shown) {
    TRY(const std::string bytes, io::read_text(files_.disk(), from, file_bytes_max));
    ++done;
    const repo::MaskedContent found = repo::mask_content(shown, as_bytes(bytes), with_, key_);
    masked += found.findings;
    left += found.left_findings;
    for (const auto& [part, why] : found.unread)
      unread.emplace_back(part.empty() ? shown : shown + ": " + part, why);
    return write(to, found.instead ? *found.instead : bytes);
  }
  Status write(const io::Path& to, std::string_view text) {
    return io::publish_text(files_.disk(), to, text);
  }

  UserFiles& files_;
  const scan::MaskWith with_;
  const std::string key_;
};

Result<int> mask(World& world, const Arguments& arguments, Output output) {
  const std::string_view named = arguments.positionals()[0];
  const auto out = arguments.value("--out");
  if (!out) return fail(Reason::bad_request, "say with --out where the masked copy goes");
  const auto with = scan::mask_with_name(arguments.value("--with").value_or("kind"));
  if (!with) return fail(Reason::bad_request, "--with is kind, stars, hash or nothing");
  TRY(UserFiles files, UserFiles::open());
  // Made for this run and kept nowhere: equal values have equal hashes within it, and nobody can try them
  // all.
  Bytes key(32);
  world.random().fill(key);
  Masking masking(files, *with, codec::to_hex(key));
  TRY(const io::Entry entry, files.disk().stat(files.path(named)));
  TRY_DONE(masking.mask(files.path(named), files.path(*out),
                        entry.is_directory ? "" : io::Path(named).filename().string(), 0));
  if (output == Output::json) {
    boost::json::array unread;
    for (const auto& [path, why] : masking.unread)
      unread.push_back(boost::json::object{{"path", path}, {"why", why}});
    world.print(codec::to_text(boost::json::object{{"files", masking.done},
                                                   {"masked", masking.masked},
                                                   {"left", masking.left},
                                                   {"unread", std::move(unread)}}) +
                "\n");
    return exit_done;
  }
  for (const auto& [path, why] : masking.unread)
    world.print(fmt::format("{} {}: not looked into, and taken over as it is\n", path, why));
  world.print(fmt::format("{} files, {} places masked; a scan of the result finds {}\n", masking.done,
                          masking.masked, masking.left));
  return exit_done;
}

int run(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const Result<int> done = mask(world, arguments.value(), output);
  return done.ok() ? done.value() : report(world, done.error(), output);
}

}  // namespace

std::vector<Command> mask_commands() {
  return {{.words = "mask",
           .arguments = "PATH --out PATH [--with kind|stars|hash|nothing] [--json]",
           .summary =
               "Writes a copy of a file or folder in which personal data is masked, so that a scan of it "
               "finds none.",
           .example = "holdfast mask patients.csv --out masked.csv",
           .run = run}};
}

}  // namespace holdfast::cli
