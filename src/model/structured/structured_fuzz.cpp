// Schemas, regular expressions and grammars from strangers, and a short walk through what they allow.
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "codec/json.h"
#include "model/structured/gbnf.h"
#include "model/structured/json_schema.h"
#include "model/structured/matcher.h"
#include "model/structured/regex_grammar.h"

using namespace holdfast::model::structured;

namespace {

holdfast::Result<Grammar> read(char kind, std::string_view text) {
  if (kind == 'r') return grammar_of_regex(text);
  if (kind == 'g') return grammar_of_gbnf(text);
  TRY(const boost::json::value schema, holdfast::codec::parse_json(text));
  return grammar_of_schema(schema);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 2'000) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto grammar = read(text[0], text.substr(1));
  if (!grammar.ok()) return 0;
  Matcher matcher(std::make_shared<const Grammar>(std::move(grammar).value()));
  auto position = matcher.start();
  for (size_t step = 0; step < 32 && !position.empty(); ++step) {
    const ByteSet allowed = matcher.allowed(position);
    unsigned byte = data[step % size];
    for (unsigned tries = 0; tries < 256 && !allowed.test(byte); ++tries) byte = (byte + 1) % 256;
    position = matcher.after(position, static_cast<uint8_t>(byte));
    if (allowed.test(byte) && position.empty() && !matcher.exhausted()) __builtin_trap();
  }
  return 0;
}
