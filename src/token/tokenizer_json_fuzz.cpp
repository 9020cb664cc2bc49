#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "token/tokenizer.h"

namespace {

using namespace holdfast::token;

// Words, spaces, digits, an emoji of several code points, a composed and a decomposed letter, kana, a
// control.
constexpr std::string_view text =
    " Hello,  world's 1234 n\xC3\xA4ive e\xCC\x81 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7"
    " \xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88\xE6\x97\xA5 \xE2\x96\x81[CLS]<s>\t\n\x01  ";

void encode_and_decode(const Tokenizer& tokenizer, SpecialTokens special) {
  EncodeOptions options;
  options.special = special;
  const auto fast = tokenizer.encode({.text = text, .words = {}, .pair = text.substr(0, 9)}, options);
  options.way = EncodeWay::plain;
  const auto plain = tokenizer.encode({.text = text, .words = {}, .pair = text.substr(0, 9)}, options);
  if (fast.ok() != plain.ok()) std::abort();
  if (!fast.ok()) return;
  if (fast.value().ids != plain.value().ids || fast.value().offsets != plain.value().offsets ||
      fast.value().tokens != plain.value().tokens || fast.value().words != plain.value().words)
    std::abort();
  (void)tokenizer.decode(fast.value().ids, Tokenizer::SpecialsInOutput::keep).ok();
  (void)tokenizer.decode(fast.value().ids, Tokenizer::SpecialsInOutput::skip).ok();
}

}  // namespace

// Any tokenizer.json is refused with a reason or encodes, by its fast way as by its parts, and decodes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t bytes_max = 64 << 10;
  if (size > bytes_max) return 0;
  const auto tokenizer = Tokenizer::load({reinterpret_cast<const char*>(data), size});
  if (!tokenizer.ok()) return 0;
  encode_and_decode(tokenizer.value(), SpecialTokens::add);
  encode_and_decode(tokenizer.value(), SpecialTokens::leave_out);
  return 0;
}
