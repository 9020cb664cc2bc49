#include "cli/oci_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "base/clock.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/tar_writer.h"
#include "io/temporary.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using codec::TarMember;
using codec::TarWriter;
using Each = std::function<void(uint64_t)>;  // Bytes read.

constexpr size_t piece_bytes = 1 << 20;
constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json",
                           config_type = "application/vnd.oci.image.config.v1+json",
                           layer_type = "application/vnd.oci.image.layer.v1.tar",
                           index_type = "application/vnd.oci.image.index.v1+json";

Status copy(io::Disk& disk, const ImageFile& file, uint64_t size, TarWriter& into, const Each& each) {
  TRY(const auto from, disk.open(file.source));
  Bytes piece(piece_bytes);
  for (uint64_t at = 0;;) {
    TRY(const size_t got, from->read_at(at, piece));
    if (got == 0) return at == size ? Status(Done{}) : fail(Code::conflict, file.path + " changed");
    TRY_DONE(into.write(ByteView(piece).first(got)));
    at += got;
    each(got);
  }
}

// The files of a layer in order, with the folders that lead to them.
std::vector<ImageFile> laid_out(std::vector<ImageFile> files) {
  std::set<std::string> known;
  for (const ImageFile& file : files) known.insert(file.path);
  for (size_t i = files.size(); i-- > 0;) {
    const std::string path = files[i].path;
    for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
      if (known.insert(path.substr(0, at)).second)
        files.push_back({.path = path.substr(0, at), .kind = ImageFile::Kind::folder, .mode = 0755});
  }
  std::sort(files.begin(), files.end(),
            [](const ImageFile& left, const ImageFile& right) { return left.path < right.path; });
  return files;
}

Status write_layer(io::Disk& disk, const ImageLayer& layer, TarWriter::Sink sink, const Each& each) {
  TRY(const auto tar, TarWriter::open(std::move(sink)));
  for (const ImageFile& file : layer.files) {
    TarMember member{.path = file.path, .mode = file.mode, .owner = file.owner};
    if (file.kind == ImageFile::Kind::folder) {
      member.kind = TarMember::Kind::folder;
      TRY_DONE(tar->begin(member));
    } else if (file.kind == ImageFile::Kind::link) {
      member.kind = TarMember::Kind::link;
      member.target = file.text;
      TRY_DONE(tar->begin(member));
    } else if (file.kind == ImageFile::Kind::written) {
      member.size = file.text.size();
      TRY_DONE(tar->begin(member));
      TRY_DONE(tar->write(as_bytes(file.text)));
    } else {
      TRY(const io::Entry entry, disk.stat(file.source));
      member.size = entry.size;
      TRY_DONE(tar->begin(member));
      TRY_DONE(copy(disk, file, entry.size, *tar, each));
    }
  }
  return tar->finish();
}

// A piece of content that an image names by its digest.
struct Blob {
  std::string digest;  // 64 digits.
  uint64_t size = 0;
};
Blob blob_of(std::string_view text) { return {codec::to_hex(codec::sha256(as_bytes(text))), text.size()}; }
std::string named(const Blob& blob) { return "sha256:" + blob.digest; }
std::string path_of(const Blob& blob) { return "blobs/sha256/" + blob.digest; }

json::object descriptor(std::string_view type, const Blob& blob) {
  return {{"mediaType", type}, {"digest", named(blob)}, {"size", blob.size}};
}

Result<Blob> measure(io::Disk& disk, const ImageLayer& layer, const Each& each) {
  codec::Sha256 hash;
  Blob out;
  TRY_DONE(write_layer(
      disk, layer,
      [&](ByteView bytes) -> Status {
        hash.update(bytes);
        out.size += bytes.size();
        return Done{};
      },
      each));
  out.digest = codec::to_hex(hash.finish());
  return out;
}

json::array words_of(const std::vector<std::string>& words) {
  return json::array(words.begin(), words.end());
}

std::string config_text(const ImageConfig& config, const std::vector<ImageLayer>& layers,
                        const std::vector<Blob>& blobs) {
  const std::string created = format_time(WallTime(config.created));
  json::object labels;
  for (const auto& [key, value] : config.labels) labels[key] = value;
  json::array digests, history;
  for (size_t i = 0; i < layers.size(); ++i) {
    digests.emplace_back(named(blobs[i]));
    history.push_back(json::object{{"created", created}, {"created_by", layers[i].what}});
  }
  return codec::to_text(
      json::object{{"created", created},
                   {"architecture", "amd64"},
                   {"os", "linux"},
                   {"config", json::object{{"User", config.user},
                                           {"ExposedPorts", json::object{{config.port, json::object()}}},
                                           {"Env", words_of(config.environment)},
                                           {"Entrypoint", words_of(config.entrypoint)},
                                           {"Volumes", json::object{{config.volume, json::object()}}},
                                           {"WorkingDir", config.working_folder},
                                           {"Labels", std::move(labels)},
                                           {"StopSignal", "SIGTERM"}}},
                   {"rootfs", json::object{{"type", "layers"}, {"diff_ids", std::move(digests)}}},
                   {"history", std::move(history)}});
}

// What the layout says of itself, all but the layers.
struct Layout {
  std::string config, manifest, index, docker;
};
Layout describe(const ImageConfig& config, const std::vector<ImageLayer>& layers,
                const std::vector<Blob>& blobs) {
  Layout out;
  out.config = config_text(config, layers, blobs);
  json::array of_layers, paths;
  for (const Blob& blob : blobs) {
    of_layers.push_back(descriptor(layer_type, blob));
    paths.emplace_back(path_of(blob));
  }
  json::object annotations;
  for (const auto& [key, value] : config.labels) annotations[key] = value;
  const Blob of_config = blob_of(out.config);
  out.manifest = codec::to_text(json::object{{"schemaVersion", 2},
                                             {"mediaType", manifest_type},
                                             {"config", descriptor(config_type, of_config)},
                                             {"layers", std::move(of_layers)},
                                             {"annotations", std::move(annotations)}});
  json::object manifest = descriptor(manifest_type, blob_of(out.manifest));
  const size_t mark = config.name.rfind(':');
  manifest["annotations"] =
      json::object{{"io.containerd.image.name", "docker.io/" + config.name},
                   {"org.opencontainers.image.ref.name",
                    mark == std::string::npos ? std::string("latest") : config.name.substr(mark + 1)}};
  manifest["platform"] = json::object{{"architecture", "amd64"}, {"os", "linux"}};
  out.index = codec::to_text(json::object{
      {"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", json::array{std::move(manifest)}}});
  // For Docker before 25, which knows no layout.
  out.docker = codec::to_text(json::array{json::object{
      {"Config", path_of(of_config)}, {"RepoTags", json::array{config.name}}, {"Layers", std::move(paths)}}});
  return out;
}

Status put(TarWriter& tar, const std::string& path, std::string_view text) {
  TRY_DONE(tar.begin({.path = path, .size = text.size()}));
  return tar.write(as_bytes(text));
}

Status write_layout(io::Disk& disk, io::WriteFile& file, const std::vector<ImageLayer>& layers,
                    const std::vector<Blob>& blobs, const Layout& layout, const Each& each) {
  TRY(const auto tar, TarWriter::open([&](ByteView bytes) { return file.append(bytes); }));
  TRY_DONE(tar->begin({.path = "blobs", .kind = TarMember::Kind::folder, .mode = 0755}));
  TRY_DONE(tar->begin({.path = "blobs/sha256", .kind = TarMember::Kind::folder, .mode = 0755}));
  for (const std::string* text : {&layout.config, &layout.manifest})
    TRY_DONE(put(*tar, path_of(blob_of(*text)), *text));
  for (size_t i = 0; i < layers.size(); ++i) {
    TRY_DONE(tar->begin({.path = path_of(blobs[i]), .size = blobs[i].size}));
    codec::Sha256 hash;
    TRY_DONE(write_layer(
        disk, layers[i],
        [&](ByteView bytes) {
          hash.update(bytes);
          return tar->write(bytes);
        },
        each));
    if (codec::to_hex(hash.finish()) != blobs[i].digest)
      return fail(Code::conflict, "a file changed while the image was written");
  }
  TRY_DONE(put(*tar, "index.json", layout.index));
  TRY_DONE(put(*tar, "manifest.json", layout.docker));
  TRY_DONE(put(*tar, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  TRY_DONE(tar->finish());
  return file.sync();
}

Result<uint64_t> bytes_to_read(io::Disk& disk, const std::vector<ImageLayer>& layers) {
  uint64_t bytes = 0;
  for (const ImageLayer& layer : layers)
    for (const ImageFile& file : layer.files) {
      if (file.kind != ImageFile::Kind::copied) continue;
      TRY(const io::Entry entry, disk.stat(file.source));
      bytes += entry.size;
    }
  return bytes;
}

}  // namespace

Result<WrittenImage> write_oci_image(io::Disk& disk, Random& random, const io::Path& out,
                                     std::vector<ImageLayer> layers, const ImageConfig& config,
                                     const std::function<void(uint64_t, uint64_t)>& each) {
  for (ImageLayer& layer : layers) layer.files = laid_out(std::move(layer.files));
  TRY(const uint64_t once, bytes_to_read(disk, layers));
  uint64_t done = 0;
  const Each count = [&](uint64_t bytes) { each(done += bytes, 2 * once); };
  std::vector<Blob> blobs;
  for (const ImageLayer& layer : layers) {
    TRY(Blob blob, measure(disk, layer, count));
    blobs.push_back(std::move(blob));
  }
  const Layout layout = describe(config, layers, blobs);

  const io::Path temporary = out.parent_path() / io::temporary_name(random, out.filename().string());
  WrittenImage written;
  written.digest = named(blob_of(layout.manifest));
  for (const Blob& blob : blobs) written.layers.push_back(named(blob));
  const auto write = [&]() -> Status {
    TRY(const auto file, disk.create(temporary));
    TRY_DONE(write_layout(disk, *file, layers, blobs, layout, count));
    written.bytes = file->size();
    TRY_DONE(disk.rename(temporary, out));
    return disk.sync_directory(out.parent_path());
  };
  const Status whole = write();
  if (!whole.ok()) {  // Nothing that looks like an image stays behind.
    [[maybe_unused]] const Status gone = disk.remove(temporary);
    return whole.error();
  }
  return written;
}

}  // namespace holdfast::cli
