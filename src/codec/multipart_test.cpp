#include "codec/multipart.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "codec/hex.h"

namespace holdfast::codec {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XbX";
struct Case {
  const char* why;
  std::string body, parts;
};
// Answers of Python's email.parser: name|file name|type|content in hexadecimal, a line a part.
const Case cases[] = {
    {"one field",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XbX--\r\n", 63),
     "a|-||31\n"},
    {"a file",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x "
                 "y.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\nworld\r\n--XbX--\r\n",
                 123),
     "file|x y.txt|text/plain|68656c6c6f0d0a776f726c64\n"},
    {"two parts and no line end at the end",
     std::string(
         "--XbX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XbX\r\nContent-Disposition: "
         "form-data; name=\"b\"\r\n\r\n2\r\n--XbX--",
         115),
     "a|-||31\nb|-||32\n"},
    {"empty content",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--XbX--\r\n", 62),
     "a|-||\n"},
    {"content of line ends",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n\r\n\r\n--XbX--\r\n", 66),
     "a|-||0d0a0d0a\n"},
    {"content that looks like a boundary",
     std::string(
         "--XbX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na--XbX\r\n-XbX\r\n--XbY\r\n--XbX--\r\n",
         81),
     "a|-||612d2d5862580d0a2d5862580d0a2d2d586259\n"},
    {"a preamble and an epilogue",
     std::string("This is a form.\r\n--XbX\r\nContent-Disposition: form-data; "
                 "name=\"a\"\r\n\r\n1\r\n--XbX--\r\nthe end",
                 87),
     "a|-||31\n"},
    {"bytes of all kinds",
     std::string(
         "--XbX\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\nContent-Type: "
         "application/"
         "octet-"
         "stream\r\n\r\n\000\001\002\003\004\005\006\007\010\011\n\013\014\r\016\017\020\021\022\023\024\025"
         "\026\027\030\031\032\033\034\035\036\037 "
         "!\"#$%&'()*+,-./"
         "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
         "\177\200\201\202\203\204\205\206\207\210\211\212\213\214\215\216\217\220\221\222\223\224\225\226"
         "\227\230\231\232\233\234\235\236\237\240\241\242\243\244\245\246\247\250\251\252\253\254\255\256"
         "\257\260\261\262\263\264\265\266\267\270\271\272\273\274\275\276\277\300\301\302\303\304\305\306"
         "\307\310\311\312\313\314\315\316\317\320\321\322\323\324\325\326\327\330\331\332\333\334\335\336"
         "\337\340\341\342\343\344\345\346\347\350\351\352\353\354\355\356\357\360\361\362\363\364\365\366"
         "\367\370\371\372\373\374\375\376\377\r\n--XbX--\r\n",
         372),
     "a|b|application/"
     "octet-stream|"
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323"
     "33435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60616263646566"
     "6768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999"
     "a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccd"
     "cecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
     "\n"},
    {"bare parameters",
     std::string("--XbX\r\nContent-Disposition: form-data; name=a; filename=b.bin\r\n\r\n1\r\n--XbX--\r\n",
                 77),
     "a|b.bin||31\n"},
    {"headers of another case",
     std::string("--XbX\r\ncontent-DISPOSITION:form-data;NAME=\"a\"\r\n\r\n1\r\n--XbX--\r\n", 61),
     "a|-||31\n"},
    {"other headers",
     std::string("--XbX\r\nX-Other: 1\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Length: "
                 "1\r\n\r\n1\r\n--XbX--\r\n",
                 94),
     "a|-||31\n"},
    {"spaces after the boundary",
     std::string("--XbX  \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XbX--\r\n", 65),
     "a|-||31\n"},
    {"an escaped quote",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\n1\r\n--XbX--\r\n", 66),
     "a\"b|-||31\n"},
    {"an encoded file name",
     std::string("--XbX\r\nContent-Disposition: form-data; name=\"a\"; "
                 "filename*=UTF-8''na%C3%AFve.txt\r\n\r\n1\r\n--XbX--\r\n",
                 96),
     "a|na\303\257ve.txt||31\n"},
};

std::string told(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts)
    text += part.head.name + "|" + part.head.filename.value_or("-") + "|" + part.head.content_type + "|" +
            to_hex(part.content) + "\n";
  return text;
}

TEST(Multipart, agrees_with_python) {
  for (const auto& [why, body, parts] : cases) {
    const auto got = parse_multipart(type, as_bytes(body));
    ASSERT_TRUE(got.ok()) << why << ": " << got.error().message;
    EXPECT_EQ(told(got.value()), parts) << why;
  }
}

// Tells what it hears in the same words.
class Teller final : public MultipartListener {
 public:
  Status part(const PartHead& head) override {
    parts_.push_back({head, {}});
    return Done{};
  }
  Status content(ByteView bytes) override {
    EXPECT_FALSE(bytes.empty());
    parts_.back().content.insert(parts_.back().content.end(), bytes.begin(), bytes.end());
    return Done{};
  }
  Status part_end() override { return Done{}; }
  std::string told_so_far() const { return told(parts_); }

 private:
  std::vector<Part> parts_;
};

TEST(Multipart, pieces_of_any_size_give_the_same_parts) {
  SeededRandom random(17);
  for (const auto& [why, body, parts] : cases) {
    for (size_t most : {1UL, 2UL, 3UL, 7UL, 30UL}) {
      Teller teller;
      const auto parser = std::move(make_multipart_parser(type, teller)).value();
      for (size_t at = 0; at < body.size();) {
        const size_t count = std::min<size_t>(1 + random.below(most), body.size() - at);
        ASSERT_TRUE(parser->update(as_bytes(body).subspan(at, count)).ok()) << why << " " << most;
        at += count;
      }
      EXPECT_TRUE(parser->finish().ok()) << why;
      EXPECT_EQ(teller.told_so_far(), parts) << why << " " << most;
    }
  }
}

TEST(Multipart, a_form_cut_anywhere_is_refused) {
  const std::string& body = cases[1].body;
  for (size_t size = 0; size < body.size() - 2; ++size)
    EXPECT_FALSE(parse_multipart(type, as_bytes(body).first(size)).ok()) << size;
}

struct Refusal {
  const char* why;
  std::string_view type, body;
  Reason reason;
};
constexpr std::string_view tail = "\r\n\r\n1\r\n--XbX--\r\n";
const Refusal refusals[] = {
    {"another type", "text/plain", "", Reason::unsupported_media},
    {"no boundary", "multipart/form-data", "", Reason::bad_request},
    {"no name", type, "--XbX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XbX--", Reason::bad_request},
    {"no disposition", type, "--XbX\r\nContent-Type: text/plain\r\n\r\n1\r\n--XbX--", Reason::bad_request},
    {"no header at all", type, "--XbX\r\n\r\n1\r\n--XbX--", Reason::bad_request},
    {"not a form's disposition", type, "--XbX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XbX--",
     Reason::bad_request},
    {"base64", type,
     "--XbX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
     "base64\r\n\r\n1\r\n--XbX--",
     Reason::bad_request},
    {"a header without a name", type, "--XbX\r\n: x\r\n\r\n1\r\n--XbX--", Reason::bad_request},
    {"words after the boundary", type, "--XbXyz\r\n", Reason::bad_request},
    {"nothing", type, "", Reason::bad_request},
};

TEST(Multipart, malformed_forms_are_refused) {
  for (const auto& [why, content_type, body, reason] : refusals) {
    const auto got = parse_multipart(content_type, as_bytes(body));
    ASSERT_FALSE(got.ok()) << why;
    EXPECT_EQ(got.error().reason, reason) << why;
  }
}

TEST(Multipart, parts_heads_and_contents_are_bounded) {
  std::string many;
  for (int i = 0; i < 5; ++i) many += "--XbX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
  many += "--XbX--\r\n";
  EXPECT_TRUE(parse_multipart(type, as_bytes(many), {.parts_max = 5}).ok());
  EXPECT_EQ(parse_multipart(type, as_bytes(many), {.parts_max = 4}).error().reason, Reason::body_too_large);
  const std::string long_head = "--XbX\r\nX-Long: " + std::string(10'000, 'x') + std::string(tail);
  EXPECT_EQ(parse_multipart(type, as_bytes(long_head)).error().reason, Reason::header_too_large);
  const std::string endless_head = "--XbX\r\nX-Long: " + std::string(100'000, 'x');
  EXPECT_EQ(parse_multipart(type, as_bytes(endless_head)).error().reason, Reason::header_too_large);
  EXPECT_EQ(parse_multipart(type, as_bytes(cases[7].body), {.part_bytes_max = 255}).error().reason,
            Reason::body_too_large);
  EXPECT_TRUE(parse_multipart(type, as_bytes(cases[7].body), {.part_bytes_max = 256}).ok());
}

}  // namespace
}  // namespace holdfast::codec
