#include "cli/package.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>

#include "base/arguments.h"
#include "cli/connection.h"
#include "cli/image_program.h"
#include "cli/lock.h"
#include "cli/mirror_source.h"
#include "cli/model_source.h"
#include "cli/oci_image.h"
#include "cli/progress.h"
#include "cli/user_files.h"
#include "cli/version.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "repo/repository.h"
#include "scan/card_check.h"
#include "serve/lock_file.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view model_folder = "srv/model";
constexpr uint64_t card_bytes_max = 1 << 20;
constexpr size_t short_commit = 12;

constexpr FlagRow flags[] = {
    {"--out", "FILE.tar", "The image: a tar of an OCI layout, for podman, Docker, skopeo, containerd."},
    {"--as", "NS/NAME", "What the model is called in it [its name on the hub]; a folder needs one."},
    {"--tag", "NAME:TAG", "What the image is called [NS/NAME:REVISION]."},
    {"--pin-runtime", {}, "Hold the model to this program's version and this machine's instruction set."},
    {"--accept-findings", {}, "Dangerous findings and secrets are told and do not stop it."},
    {"--json", {}, "One JSON line."},
    endpoint_flag,
    token_flag,
};

// The model that goes in: its files, what it is called, and the lock that holds it to them.
struct Packed {
  std::string name, revision;  // "ada/bert"; a commit, or the first 40 digits of the files' digest.
  std::vector<LocalFile> files;
  std::string lock;  // holdfast.lock's text.
  std::string license;
};

Result<std::string> digest_of(io::Disk& disk, const std::vector<LocalFile>& files) {
  std::vector<FileIdentity> identities;
  for (const LocalFile& file : files) {
    TRY(FileIdentity one, identify(disk, file));
    identities.push_back(std::move(one));
  }
  return exchange::digest_of_files(std::move(identities));
}

std::string license_of(io::Disk& disk, const std::vector<LocalFile>& files) {
  for (const LocalFile& file : files) {
    if (file.path != "README.md") continue;
    const auto card = io::read_text(disk, file.source, card_bytes_max);
    return card.ok() ? scan::check_card(card.value(), scan::CardKind::model).license : "";
  }
  return {};
}

// The lock that lies in the folder, where it holds; else one of what is there.
Result<std::string> lock_of(io::Disk& disk, const io::Path& folder, const Packed& packed,
                            const Arguments& arguments) {
  TRY(serve::Lock found, serve::look_at(disk, folder, runtime()));
  if (found.files.empty()) return fail(Reason::bad_request, "the folder holds nothing of a model");
  found.model = fmt::format("{}@{}", packed.name, packed.revision);
  const auto given = io::read_text(disk, folder / serve::lock_name, serve::lock_bytes_max);
  if (given.ok()) {
    TRY(const serve::Lock lock, serve::parse_lock(given.value()));
    const auto all = serve::differences(lock, found);
    if (!all.empty())
      return fail(Reason::model_unsupported,
                  fmt::format("the model is not what its {} pins: {}{}", serve::lock_name, all.front(),
                              all.size() > 1 ? fmt::format(" (and {} more)", all.size() - 1) : ""));
    return given.value();
  }
  if (given.error().code != Code::not_found) return given.error();
  // The image is one program on any machine, so what is pinned is what is in it.
  if (!arguments.has("--pin-runtime")) found.runtime.clear();
  return serve::lock_text(found);
}

Result<Packed> read_model(World& world, UserFiles& files, const Arguments& arguments) {
  TRY(const Source source, open_source(world, arguments, arguments.positionals()[0], RemoteType::model));
  const io::Path folder = files.path(source.folder);
  TRY(const io::Entry entry, files.disk().stat(folder));
  if (!entry.is_directory)
    return fail(Reason::bad_request, "an image holds a model's folder; this is one file");
  Packed out;
  out.name = arguments.value_or("--as", source.name);
  out.revision = source.revision;
  // A revision in the shared cache is links into the repository's blobs.
  TRY(const ImportFolder all,
      source.name.empty()
          ? read_import_folder(files.disk(), folder, "main")
          : read_import_folder(files.disk(), folder.parent_path().parent_path(), source.revision));
  out.files = all.files;
  if (out.revision.empty()) out.revision = all.revision;
  if (out.revision.empty()) {
    TRY(const std::string digest, digest_of(files.disk(), out.files));
    out.revision = digest.substr(0, 40);
  }
  if (out.name.empty())
    return fail(Reason::bad_request, "what is the model called? Give --as NAMESPACE/NAME");
  TRY_DONE(repo::parse_repo_name(repo::RepoType::model, out.name));
  // In an image everybody who has it reads everything: a secret stops it as what runs code does.
  TRY_DONE(check_staged(world, files.disk(), out.files,
                        arguments.has("--accept-findings") ? OnDangerous::tell : OnDangerous::refuse,
                        OnSecret::refuse));
  out.license = license_of(files.disk(), out.files);
  TRY(out.lock, lock_of(files.disk(), folder, out, arguments));
  return out;
}

ImageLayer model_layer(const Packed& packed) {
  ImageLayer out{.what = fmt::format("{}@{}", packed.name, packed.revision), .files = {}};
  for (const LocalFile& file : packed.files)
    if (file.path != serve::lock_name)
      out.files.push_back({.path = fmt::format("{}/{}", model_folder, file.path),
                           .kind = ImageFile::Kind::copied,
                           .source = file.source});
  out.files.push_back({.path = fmt::format("{}/{}", model_folder, serve::lock_name), .text = packed.lock});
  return out;
}

// Names of images are in lower case, and tags shorter than a commit are what people type.
std::string image_name(const Packed& packed) {
  std::string name = packed.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return fmt::format("{}:{}", name, packed.revision.substr(0, short_commit));
}

// What those who load images take: lower case but in the tag.
bool is_image_name(std::string_view name) {
  const size_t mark = name.rfind(':');
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (mark != name.npos && i > mark && c >= 'A' && c <= 'Z');
    const bool plain = letter || (c >= '0' && c <= '9');
    if (!plain && (i == 0 || i + 1 == name.size() || std::string_view("._-/:").find(c) == name.npos))
      return false;
  }
  return !name.empty();
}

Result<std::chrono::seconds> created_at(World& world) {
  const auto text = world.environment("SOURCE_DATE_EPOCH").value_or("0");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 || seconds > 253'402'300'799)
    return fail(Reason::bad_request, "SOURCE_DATE_EPOCH is a number of seconds since 1970");
  return std::chrono::seconds(seconds);
}

Result<ImageConfig> config_of(World& world, const Arguments& arguments, const Packed& packed) {
  ImageConfig out;
  out.name = arguments.value_or("--tag", image_name(packed));
  if (!is_image_name(out.name))
    return fail(Reason::bad_request, fmt::format("--tag: '{}' is no name of an image", out.name));
  const std::string model = fmt::format("{}@{}", packed.name, packed.revision);
  out.entrypoint = {
      std::string(image_program), "serve",   "--listen", "0.0.0.0:8080", "--data",
      std::string(image_data),    "--model", model,      "--model-from", fmt::format("/{}", model_folder)};
  out.environment = {"PATH=/usr/bin", fmt::format("HOME={}", image_data)};
  out.user = fmt::format("{0}:{0}", image_user);
  out.working_folder = out.volume = image_data;
  out.port = "8080/tcp";
  out.labels = {{"org.opencontainers.image.title", packed.name},
                {"org.opencontainers.image.revision", packed.revision},
                {"org.opencontainers.image.version", std::string(program_version())},
                {"io.holdfast.lock", codec::to_hex(codec::sha256(as_bytes(packed.lock)))}};
  if (!packed.license.empty()) out.labels.emplace_back("org.opencontainers.image.licenses", packed.license);
  TRY(out.created, created_at(world));
  return out;
}

Result<int> package(World& world, const Arguments& arguments) {
  if (!arguments.has("--out")) return fail(Reason::bad_request, "package needs --out FILE.tar");
  TRY(UserFiles files, UserFiles::open());
  TRY(const LoadedProgram loaded, loaded_program());
  TRY(const Packed packed, read_model(world, files, arguments));
  TRY(const ImageConfig config, config_of(world, arguments, packed));
  std::vector<ImageLayer> layers;
  layers.push_back({.what = fmt::format("holdfast {}", program_version()), .files = program_files(loaded)});
  layers.push_back(model_layer(packed));
  Progress progress(world, "packed");
  const std::string_view out = arguments.value_or("--out", "");
  const auto written =
      write_oci_image(files.disk(), world.random(), files.path(out), std::move(layers), config,
                      [&](uint64_t done, uint64_t total) { progress.bytes(done, total); });
  progress.end();
  if (!written.ok()) return written.error();
  const WrittenImage& image = written.value();
  if (arguments.has("--json"))
    world.print(codec::to_text(json::object{{"file", out},
                                            {"name", config.name},
                                            {"digest", image.digest},
                                            {"layers", json::array(image.layers.begin(), image.layers.end())},
                                            {"bytes", image.bytes},
                                            {"model", packed.name},
                                            {"revision", packed.revision}}) +
                "\n");
  else
    world.print(
        fmt::format("{} is {}, {}\n  {}\n", out, config.name, format_bytes(image.bytes), image.digest));
  return exit_done;
}

int run_package(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const auto done = package(world, arguments.value());
  return done.ok() ? done.value() : report(world, done.error(), output);
}

}  // namespace

std::vector<Command> package_commands() {
  return {
      {"package",
       "MODEL --out FILE.tar [--as NS/NAME] [--tag NAME:TAG] [--pin-runtime] [--accept-findings] [--json]",
       "Writes a container image that serves one model: this program, the model and a lock, the same bytes "
       "every time.",
       "holdfast package ada/bert@8f0c… --out bert.tar", run_package}};
}

}  // namespace holdfast::cli
