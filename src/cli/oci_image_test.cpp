#include "cli/oci_image.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "cli/image_program.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "io/faulty_disk.h"

namespace holdfast::cli {
namespace {

constexpr size_t block = 512;

// Members of a tar with short names, as the format says; a long one would be a header of its own here.
std::map<std::string, std::string> members_of(const std::string& tar) {
  std::map<std::string, std::string> out;
  for (size_t at = 0; at + block <= tar.size() && tar[at] != '\0';) {
    const std::string name = tar.substr(at, tar.find('\0', at) - at);
    const size_t size = std::stoull(tar.substr(at + 124, 11), nullptr, 8);
    out[name] = tar.substr(at + block, size);
    at += block + (size + block - 1) / block * block;
  }
  return out;
}

struct Built {
  WrittenImage image;
  std::map<std::string, std::string> members;
};

class OciImageTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(io::publish_text(*disk, "weights", std::string(3000, 'w')).ok());
    ASSERT_TRUE(disk->make_directories("out").ok());
  }

  static std::vector<ImageLayer> layers() {
    return {{"program", {{.path = "usr/bin/run", .text = "#!", .mode = 0755}}},
            {"model",
             {{.path = "srv/model/weights", .kind = ImageFile::Kind::copied, .source = "weights"},
              {.path = "srv/model/config.json", .text = "{}"}}}};
  }
  static ImageConfig config() {
    ImageConfig out;
    out.name = "ada/bert:8f0c";
    out.entrypoint = {"/usr/bin/run"};
    out.user = "65532:65532";
    out.port = "8080/tcp";
    out.volume = out.working_folder = "/data";
    out.labels = {{"title", "ada/bert"}};
    return out;
  }
  Result<WrittenImage> write(io::Disk& on, const io::Path& out) {
    return write_oci_image(on, random, out, layers(), config(), [](uint64_t, uint64_t) {});
  }
  Built build(const io::Path& out) {
    auto image = write(*disk, out);
    EXPECT_TRUE(image.ok());
    return {image.value(), members_of(io::read_text(*disk, out, 1 << 20).value())};
  }

  std::unique_ptr<io::Disk> disk = io::make_memory_disk();
  SeededRandom random{1};
};

std::string sha256(const std::string& text) { return codec::to_hex(codec::sha256(as_bytes(text))); }

TEST_F(OciImageTest, EveryBlobIsNamedByItsDigestAndTheIndexLeadsToThemAll) {
  const Built built = build("out/image.tar");
  for (const auto& [path, text] : built.members)
    if (path.starts_with("blobs/sha256/") && path.size() > 20) EXPECT_EQ(path.substr(13), sha256(text));
  const auto index = codec::parse_json_object(built.members.at("index.json")).value();
  const auto& manifest_row = index.at("manifests").as_array().at(0).as_object();
  EXPECT_EQ(manifest_row.at("digest").as_string(), built.image.digest);
  const std::string& manifest_text = built.members.at("blobs/sha256/" + built.image.digest.substr(7));
  const auto manifest = codec::parse_json_object(manifest_text).value();
  const auto& layers = manifest.at("layers").as_array();
  ASSERT_EQ(layers.size(), 2);
  const std::string of_config(manifest.at("config").at("digest").as_string());
  const auto config =
      codec::parse_json_object(built.members.at("blobs/sha256/" + of_config.substr(7))).value();
  for (size_t i = 0; i < 2; ++i) {
    const std::string digest(layers[i].at("digest").as_string());
    EXPECT_EQ(digest, built.image.layers[i]);
    // Layers are not packed, so both names of one are equal.
    EXPECT_EQ(config.at("rootfs").at("diff_ids").as_array()[i].as_string(), digest);
    EXPECT_EQ(layers[i].at("size").to_number<size_t>(),
              built.members.at("blobs/sha256/" + digest.substr(7)).size());
  }
  const auto model = members_of(built.members.at("blobs/sha256/" + built.image.layers[1].substr(7)));
  EXPECT_EQ(model.at("srv/model/weights"), std::string(3000, 'w'));
  EXPECT_TRUE(model.contains("srv/") && model.contains("srv/model/"));
  EXPECT_TRUE(built.members.contains("oci-layout") && built.members.contains("manifest.json"));
}

TEST_F(OciImageTest, EqualFilesMakeAnEqualImageAndAnotherByteAnother) {
  const Built first = build("out/1.tar"), second = build("out/2.tar");
  EXPECT_EQ(first.image.digest, second.image.digest);
  EXPECT_EQ(first.members, second.members);
  ASSERT_TRUE(io::publish_text(*disk, "weights", std::string(2999, 'w') + "x").ok());
  const Built other = build("out/3.tar");
  EXPECT_NE(other.image.digest, first.image.digest);
  EXPECT_EQ(other.image.layers[0], first.image.layers[0]);
  EXPECT_NE(other.image.layers[1], first.image.layers[1]);
}

TEST_F(OciImageTest, AFullDiskLeavesNothingAndTheOldImage) {
  const Built first = build("out/image.tar");
  SeededRandom dice(2);
  const auto faulty = io::make_faulty_disk(*disk, dice);
  for (const uint64_t room : {0, 1, 4000, 12000}) {
    faulty->set({.full_after_bytes = room});
    const auto image = write(*faulty, "out/image.tar");
    ASSERT_FALSE(image.ok()) << room;
    EXPECT_EQ(image.error().reason, Reason::disk_full);
    EXPECT_EQ(members_of(io::read_text(*disk, "out/image.tar", 1 << 20).value()), first.members);
    EXPECT_EQ(disk->list("out").value().size(), 1);
  }
}

TEST_F(OciImageTest, AFileThatChangesBetweenItsTwoReadingsIsAConflict) {
  bool changed = false;
  const auto image =
      write_oci_image(*disk, random, "out/image.tar", layers(), config(), [&](uint64_t, uint64_t) {
        if (!changed) EXPECT_TRUE(io::publish_text(*disk, "weights", std::string(3000, 'x')).ok());
        changed = true;
      });
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, Code::conflict);
  EXPECT_FALSE(disk->stat("out/image.tar").ok());
}

TEST(ImageProgramTest, ThisProgramIsThereWithItsLoaderAndItsLibrariesUnderTheNamesThatItKnows) {
  const auto loaded = loaded_program();
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  std::map<std::string, ImageFile> files;
  for (ImageFile& file : program_files(loaded.value())) files[file.path] = file;
  EXPECT_EQ(files.at("usr/bin/holdfast").mode, 0755);
  EXPECT_TRUE(files.contains(loaded.value().loader.substr(1)));
  ASSERT_GT(loaded.value().libraries.size(), 5);
  for (const std::string& path : loaded.value().libraries) {
    const auto named = std::find_if(files.begin(), files.end(), [&](const auto& file) {
      return io::Path(file.first).filename() == io::Path(path).filename();
    });
    ASSERT_NE(named, files.end()) << path;
    if (named->second.kind == ImageFile::Kind::link)  // Its file lies beside it.
      EXPECT_TRUE(files.contains((io::Path(named->first).parent_path() / named->second.text).string()))
          << path;
  }
}

TEST(ImageProgramTest, ALibraryOfAnotherFolderGoesWhereTheLoaderLooks) {
  LoadedProgram loaded{.program = "/opt/x/holdfast",
                       .loader = "/lib64/ld.so.2",
                       .libc = "/lib/arch/libc.so.6",
                       .libraries = {}};
  loaded.libraries = {"/lib/arch/libc.so.6", "/usr/lib/arch/libz.so.1", "/opt/own/libodd.so.3"};
  std::vector<std::string> paths;
  for (const ImageFile& file : program_files(loaded)) paths.push_back(file.path);
  for (const char* path :
       {"lib/arch/libc.so.6", "usr/lib/arch/libz.so.1", "lib/arch/libodd.so.3", "usr/bin/holdfast"})
    EXPECT_NE(std::find(paths.begin(), paths.end(), path), paths.end()) << path;
}

}  // namespace
}  // namespace holdfast::cli
