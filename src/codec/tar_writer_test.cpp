#include "codec/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace holdfast::codec {
namespace {

struct Read {
  std::string path, text, target;
  int64_t size = 0, time = 0, owner = 0;
  unsigned mode = 0;
  bool folder = false;
};

// As libarchive reads it, which wrote it too; the sizes and names in the bytes are looked at besides.
std::vector<Read> read_all(const std::string& bytes) {
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  std::vector<Read> out;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    const char* target = archive_entry_symlink(entry);
    Read one{.path = archive_entry_pathname(entry),
             .text = std::string(static_cast<size_t>(archive_entry_size(entry)), '\0'),
             .target = target == nullptr ? "" : target,
             .size = archive_entry_size(entry),
             .time = archive_entry_mtime(entry),
             .owner = archive_entry_uid(entry),
             .mode = static_cast<unsigned>(archive_entry_perm(entry)),
             .folder = archive_entry_filetype(entry) == AE_IFDIR};
    archive_read_data(reader, one.text.data(), one.text.size());
    out.push_back(std::move(one));
  }
  archive_read_free(reader);
  return out;
}

TarWriter::Sink into(std::string& text) {
  return [&text](ByteView bytes) -> Status {
    text.append(as_text(bytes));
    return Done{};
  };
}

std::string archive_of(const std::vector<std::pair<TarMember, std::string>>& members) {
  std::string out;
  auto writer = TarWriter::open(into(out));
  EXPECT_TRUE(writer.ok());
  for (auto [member, text] : members) {
    member.size = text.size();
    EXPECT_TRUE(writer.value()->begin(member).ok());
    EXPECT_TRUE(writer.value()->write(as_bytes(text)).ok());
  }
  EXPECT_TRUE(writer.value()->finish().ok());
  return out;
}

TEST(TarWriterTest, WhatIsWrittenIsReadAndHasNoTimeOfItsOwn) {
  const std::string long_name = std::string(120, 'a') + "/" + std::string(180, 'b');
  const std::string bytes = archive_of(
      {{{.path = "srv", .kind = TarMember::Kind::folder, .mode = 0755}, ""},
       {{.path = "srv/run", .mode = 0755}, "#!"},
       {{.path = "srv/data", .mode = 0600, .owner = 65532}, "mine"},
       {{.path = "lib.so.1", .kind = TarMember::Kind::link, .mode = 0777, .target = "lib.so.1.2"}, ""},
       {{.path = long_name}, std::string(3000, 'x')},
       {{.path = "srv/na\xc3\xafve"}, "n"}});
  const auto read = read_all(bytes);
  ASSERT_EQ(read.size(), 6);
  EXPECT_TRUE(read[0].folder);
  EXPECT_EQ(read[1].mode, 0755);
  EXPECT_EQ(read[1].text, "#!");
  EXPECT_EQ(read[2].owner, 65532);
  EXPECT_EQ(read[2].mode, 0600);
  EXPECT_EQ(read[3].target, "lib.so.1.2");
  EXPECT_EQ(read[4].path, long_name);
  EXPECT_EQ(read[4].text, std::string(3000, 'x'));
  EXPECT_EQ(read[5].path, "srv/na\xc3\xafve");
  for (const Read& one : read) EXPECT_EQ(one.time, 0) << one.path;
  EXPECT_EQ(bytes.size() % 512, 0);
  EXPECT_EQ(bytes.substr(257, 5), "ustar");
}

TEST(TarWriterTest, TheSameMembersMakeTheSameBytes) {
  const std::vector<std::pair<TarMember, std::string>> members = {{{.path = "a"}, "1"}, {{.path = "b"}, "2"}};
  EXPECT_EQ(archive_of(members), archive_of(members));
}

TEST(TarWriterTest, AMemberThatIsNotAsLongAsItSaidIsAConflict) {
  std::string out;
  auto writer = TarWriter::open(into(out));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer.value()->begin({.path = "a", .size = 3}).ok());
  EXPECT_EQ(writer.value()->write(as_bytes("four")).error().code, Code::conflict);
  ASSERT_TRUE(writer.value()->write(as_bytes("12")).ok());
  EXPECT_EQ(writer.value()->begin({.path = "b"}).error().code, Code::conflict);
  EXPECT_EQ(writer.value()->finish().error().code, Code::conflict);
}

TEST(TarWriterTest, PathsThatLeadOutAreRefused) {
  std::string out;
  auto writer = TarWriter::open(into(out));
  ASSERT_TRUE(writer.ok());
  for (const std::string path : {"", "/etc", "a//b", "../a", "a/..", "a/./b", "a/"})
    EXPECT_EQ(writer.value()->begin({.path = path}).error().reason, Reason::bad_request) << path;
}

TEST(TarWriterTest, TheErrorOfASinkIsHandedOn) {
  auto writer = TarWriter::open([](ByteView) -> Status { return fail(Reason::disk_full, "full"); });
  ASSERT_TRUE(writer.ok());
  const std::string much(1 << 20, 'x');
  ASSERT_TRUE(writer.value()->begin({.path = "a", .size = much.size()}).ok());
  Status done = writer.value()->write(as_bytes(much));
  if (done.ok()) done = writer.value()->finish();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().reason, Reason::disk_full);
}

}  // namespace
}  // namespace holdfast::codec
