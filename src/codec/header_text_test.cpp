#include "codec/header_text.h"

#include <gtest/gtest.h>

namespace holdfast::codec {
namespace {

TEST(HeaderText, a_file_name_cannot_leave_its_quotes) {
  EXPECT_EQ(content_disposition(Disposition::inline_, "config.json"),
            "inline; filename*=UTF-8''config.json; filename=\"config.json\";");
  EXPECT_EQ(content_disposition(Disposition::attachment, "a\"; x=\"\r\nSet-Cookie: \xC3\xA9"),
            "attachment; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20%C3%A9; "
            "filename=\"a__ x=___Set-Cookie: _\";");
}

TEST(HeaderText, a_link_cannot_leave_its_brackets) {
  EXPECT_EQ(link_next("/api/models?limit=2&cursor=a>b\r\n"),
            "</api/models?limit=2&cursor=a%3Eb%0D%0A>; rel=\"next\"");
}

TEST(HeaderText, parameters_are_read_quoted_or_bare) {
  const auto header =
      parse_header_value("Multipart/Form-Data; Boundary=\"a b;c\"; x = y ;q=\"\\\"\\n\"").value();
  EXPECT_EQ(header.value, "multipart/form-data");
  EXPECT_EQ(header.parameter("boundary"), "a b;c");
  EXPECT_EQ(header.parameter("x"), "y");
  EXPECT_EQ(header.parameter("q"), "\"\\n");
  EXPECT_EQ(header.parameter("nothing"), std::nullopt);
  EXPECT_EQ(parse_header_value("text/plain;").value().value, "text/plain");
}

TEST(HeaderText, malformed_parameters_are_refused) {
  for (std::string_view text : {"a; b", "a; b=\"c", "a; b=\"c\"d", "a; ;b"})
    EXPECT_FALSE(parse_header_value(text).ok()) << text;
  std::string many = "a";
  for (int i = 0; i < 40; ++i) many += ";k=v";
  EXPECT_EQ(parse_header_value(many).error().reason, Reason::header_too_large);
}

}  // namespace
}  // namespace holdfast::codec
