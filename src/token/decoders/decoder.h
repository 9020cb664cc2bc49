#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::token {

// Turns tokens back into text. Immutable; safe from any thread.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Parts of the text, mostly one a token, possibly empty; the text is all of them together.
  // tokenization_failed where the reference raises.
  virtual Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const = 0;
};

// From the `decoder` object of a tokenizer.json. Unknown kinds are model_unsupported.
Result<std::unique_ptr<Decoder>> load_decoder(const boost::json::object& json);

// One function a kind; `json` is its object.
Result<std::unique_ptr<Decoder>> load_word_piece_decoder(const boost::json::object& json);
Result<std::unique_ptr<Decoder>> load_bpe_decoder(const boost::json::object& json);
Result<std::unique_ptr<Decoder>> load_ctc_decoder(const boost::json::object& json);
Result<std::unique_ptr<Decoder>> load_metaspace_decoder(const boost::json::object& json);
Result<std::unique_ptr<Decoder>> load_replace_decoder(const boost::json::object& json);
Result<std::unique_ptr<Decoder>> load_strip_decoder(const boost::json::object& json);
std::unique_ptr<Decoder> make_byte_level_decoder();
std::unique_ptr<Decoder> make_byte_fallback_decoder();
std::unique_ptr<Decoder> make_fuse_decoder();

// English contractions and punctuation closed up, within one token, in the order of the reference.
void clean_up(std::string& text);
void replace_all(std::string& text, std::string_view from, std::string_view to);

}  // namespace holdfast::token
