#include "base/bytes.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(ByteReader, reads_what_the_writer_wrote_and_stops_at_the_end) {
  ByteWriter out;
  out.u8(1);
  out.u16(0x0302);
  out.u24(0x060504);
  out.u32(0x0a090807);
  out.u64(0x1122334455667788);
  out.text("end");
  const Bytes bytes = std::move(out).take();
  ByteReader in(bytes);
  EXPECT_EQ(in.u8().value(), 1);
  EXPECT_EQ(in.u16().value(), 0x0302);
  EXPECT_EQ(in.u24().value(), 0x060504U);
  EXPECT_EQ(in.u32().value(), 0x0a090807U);
  EXPECT_EQ(in.u64().value(), 0x1122334455667788U);
  EXPECT_FALSE(in.u32().ok());
  EXPECT_EQ(as_text(in.take(3).value()), "end");
  EXPECT_FALSE(in.u8().ok());
  EXPECT_FALSE(in.take(SIZE_MAX).ok());
}

}  // namespace
}  // namespace holdfast
