#include "token/formats/code_points_document.h"

#include <boost/json/object.hpp>

#include "token/formats/document_builder.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

using boost::json::object;

std::string character(char32_t code) {
  std::string out;
  append_utf8(out, code);
  return out;
}

}  // namespace

bool is_of_code_points(const TokenizerConfig& config) {
  return config.tokenizer_class.empty() ? config.model_type == "canine"
                                        : config.tokenizer_class == "CanineTokenizer";
}

// What begins, parts and stands for tokens are code points that no script has.
Result<object> document_of_code_points(const TokenizerConfig& config) {
  const std::string cls = character(0xE000), sep = character(0xE001), mask = character(0xE003), pad(1, '\0');
  object known;
  for (const char32_t code : {char32_t{0}, char32_t{0xE000}, char32_t{0xE001}, char32_t{0xE003}})
    known[character(code)] = static_cast<int64_t>(code);
  DocumentBuilder out(part("CodePoints", object{{"vocab", std::move(known)}}));
  out.decoder = part("Fuse");
  out.add_configured(config, "bos:" + cls + " eos:" + sep + " sep:" + sep + " cls:" + cls + " pad:" + pad +
                                 " <mask:" + mask);
  TRY_DONE(out.set_template("{cls}:0 $A:0 {sep}:0", "{cls}:0 $A:0 {sep}:0 $B:0 {sep}:0"));
  return std::move(out).build();
}

}  // namespace holdfast::token
