// The first byte says how large the pieces are, the rest is a body: pieces and the whole must agree.
#include <cstdint>

#include "base/check.h"
#include "codec/multipart.h"

namespace {

using namespace holdfast;

class Counter final : public codec::MultipartListener {
 public:
  Status part(const codec::PartHead& head) override {
    text_ += "[" + head.name;
    return Done{};
  }
  Status content(ByteView bytes) override {
    CHECK(!bytes.empty());
    text_ += as_text(bytes);
    return Done{};
  }
  Status part_end() override {
    text_ += "]";
    return Done{};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Outcome {
  bool done;
  std::string text;
};

Outcome outcome_of(ByteView body, size_t piece_bytes) {
  Counter counter;
  const auto parser =
      std::move(codec::make_multipart_parser("multipart/form-data; boundary=b", counter)).value();
  bool going = true;
  while (going && !body.empty()) {
    const size_t count = std::min(piece_bytes, body.size());
    going = parser->update(body.first(count)).ok();
    body = body.subspan(count);
  }
  return {parser->finish().ok(), counter.text()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const ByteView body = std::as_bytes(std::span(data, size)).subspan(1);
  const Outcome whole = outcome_of(body, SIZE_MAX), pieces = outcome_of(body, 1 + data[0] % 32);
  CHECK(whole.done == pieces.done);
  if (whole.done) CHECK(whole.text == pieces.text);
  return 0;
}
