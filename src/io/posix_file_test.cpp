#include "io/posix_file.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace holdfast::io {
namespace {

struct Case {
  int number;
  Code code;
  Reason reason;
  std::string_view message;
};
constexpr Case cases[] = {
    {ENOENT, Code::not_found, Reason::none, "cannot open 'a/b': No such file or directory"},
    {ENOTDIR, Code::not_found, Reason::none, "cannot open 'a/b': Not a directory"},
    {EEXIST, Code::conflict, Reason::already_exists, "cannot open 'a/b': File exists"},
    {ENOSPC, Code::unavailable, Reason::disk_full, "the server's disk is full"},
    {EDQUOT, Code::unavailable, Reason::disk_full, "the server's disk is full"},
    {ENAMETOOLONG, Code::invalid, Reason::bad_request, "cannot open 'a/b': File name too long"},
    {EIO, Code::internal, Reason::none, "cannot open 'a/b': Input/output error"},
    {EACCES, Code::internal, Reason::none, "cannot open 'a/b': Permission denied"},
};

TEST(PosixFile, errors_of_the_kernel_have_the_meaning_callers_react_to) {
  for (const auto& [number, code, reason, message] : cases) {
    const Error error = disk_error(number, "open", "a/b");
    EXPECT_EQ(error.code, code) << number;
    EXPECT_EQ(error.reason, reason) << number;
    EXPECT_EQ(error.message, message);
  }
}

// /dev/full answers every write with ENOSPC.
TEST(PosixFile, a_write_that_finds_no_room_says_so) {
  const auto disk = std::move(open_posix_disk("/dev")).value();
  const auto file = disk->open_append("full");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value()->append(as_bytes("x")).error().reason, Reason::disk_full);
}

}  // namespace
}  // namespace holdfast::io
