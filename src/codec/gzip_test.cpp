#include "codec/gzip.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/hex.h"

namespace holdfast::codec {
namespace {

constexpr std::string_view hello_by_python =
    "1f8b08000000000002ffcb48cdc9c95728cf2fca49010085114a0d0b000000";  // gzip.compress(b"hello world",
                                                                       // mtime=0)

TEST(Gzip, reads_what_python_wrote) {
  const Bytes packed = from_hex(hello_by_python).value();
  EXPECT_EQ(as_text(inflate(packed, Deflate::gzip, 100).value()), "hello world");
  EXPECT_TRUE(looks_gzipped(packed));
  EXPECT_FALSE(looks_gzipped(as_bytes("{}")));
}

TEST(Gzip, several_members_are_one_stream) {
  Bytes packed = from_hex(hello_by_python).value();
  const Bytes once = packed;
  packed.insert(packed.end(), once.begin(), once.end());
  EXPECT_EQ(as_text(inflate(packed, Deflate::gzip, 100).value()), "hello worldhello world");
}

TEST(Gzip, all_formats_come_back_in_pieces_of_any_size) {
  SeededRandom random(5);
  for (Deflate format : {Deflate::gzip, Deflate::zlib, Deflate::raw}) {
    for (size_t size : {0UL, 1UL, 1000UL, 300'000UL}) {
      Bytes bytes(size);
      random.fill(std::span(bytes).first(size / 2));
      const Bytes packed = deflate(bytes, format);
      EXPECT_EQ(inflate(packed, format, size).value(), bytes);
      auto inflater = make_inflater(format, size);
      Bytes out;
      for (size_t at = 0; at < packed.size();) {
        const size_t count = std::min<size_t>(1 + random.below(9000), packed.size() - at);
        ASSERT_TRUE(inflater->update(ByteView(packed).subspan(at, count), out).ok());
        at += count;
      }
      ASSERT_TRUE(inflater->finish().ok());
      EXPECT_EQ(out, bytes);
    }
  }
}

TEST(Gzip, a_bomb_is_refused_at_its_limit) {
  const Bytes packed = deflate(Bytes(10'000'000), Deflate::gzip);
  ASSERT_LT(packed.size(), 20'000U);
  const auto got = inflate(packed, Deflate::gzip, 9'999'999);
  EXPECT_EQ(got.error().reason, Reason::body_too_large);
  auto inflater = make_inflater(Deflate::gzip, 1000);
  Bytes out;
  EXPECT_FALSE(inflater->update(packed, out).ok());
  EXPECT_LE(out.size(), 1001U);
  EXPECT_FALSE(inflater->update(packed, out).ok());
  EXPECT_FALSE(inflater->finish().ok());
}

TEST(Gzip, cut_changed_and_followed_streams_are_refused) {
  const Bytes packed = from_hex(hello_by_python).value();
  for (size_t size = 0; size < packed.size(); ++size)
    EXPECT_FALSE(inflate(ByteView(packed).first(size), Deflate::gzip, 100).ok()) << size;
  Bytes changed = packed;
  changed[packed.size() - 6] ^= std::byte{1};
  EXPECT_EQ(inflate(changed, Deflate::gzip, 100).error().reason, Reason::bad_request);
  Bytes followed = deflate(as_bytes("x"), Deflate::zlib);
  followed.push_back(std::byte{0});
  EXPECT_FALSE(inflate(followed, Deflate::zlib, 100).ok());
}

}  // namespace
}  // namespace holdfast::codec
