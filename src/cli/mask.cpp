#include "cli/mask.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>

#include "base/arguments.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "scan/personal.h"

namespace holdfast::cli {
namespace {

constexpr int depth_max = 64;
constexpr uint64_t text_bytes_max = 256 << 20;

constexpr std::array flags = {
    FlagRow{"--out", "PATH", "Where the masked file or folder is written."},
    FlagRow{"--with", "WAY", "What stands for what was found: kind (default), stars, hash or nothing."},
    FlagRow{"--json", "", "One JSON object."}};

// Masks a folder into another; what is no text is taken over as it is.
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
      if (each.name != ".git") TRY_DONE(mask(from / each.name, to / each.name, each.name, depth + 1));
    return Done{};
  }

  uint64_t done = 0, masked = 0, skipped = 0;

 private:
  Status mask_file(const io::Path& from, const io::Path& to, const std::string& shown) {
    TRY(const std::string text, io::read_text(files_.disk(), from, text_bytes_max));
    ++done;
    if (text.find('\0') != std::string::npos) {
      ++skipped;
      return write(to, text);
    }
    const scan::TextShape shape = scan::shape_of_name(shown);
    masked += scan::find_personal(text, shape, text.substr(0, text.find('\n'))).size();
    return write(to, scan::mask_personal(text, shape, with_, key_));
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
  TRY_DONE(masking.mask(files.path(named), files.path(*out), io::Path(named).filename().string(), 0));
  if (output == Output::json)
    world.print(codec::to_text(boost::json::object{
                    {"files", masking.done}, {"masked", masking.masked}, {"notText", masking.skipped}}) +
                "\n");
  else
    world.print(fmt::format("{} files, {} places masked, {} files that are no text taken over as they are\n",
                            masking.done, masking.masked, masking.skipped));
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
