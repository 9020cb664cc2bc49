#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string_view>

#include "token/models/model.h"
#include "token/normalizers/normalizer.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/rows.h"

namespace holdfast::token {

struct Workspace;

// The steps from a text without added tokens to its ids, for the shapes of tokenizer that are common: the
// same answers as the parts of a Tokenizer one after the other, many times faster. Immutable; safe from any
// thread, each with its workspace.
class FastEncoder {
 public:
  virtual ~FastEncoder() = default;

  // False where this text is for the plain path; then `out` is as it was.
  virtual bool append_ids(std::string_view text, Workspace& workspace, std::vector<uint32_t>& out) const = 0;
  // The same with offsets counted from `first_code` and words from `first_word`, which both become what comes
  // after the text. Ids are those of append_ids.
  virtual bool append_rows(std::string_view text, Workspace& workspace, uint32_t& first_code,
                           int32_t& first_word, Rows& out) const = 0;
  // False where it turns out that the model has no fast twin: every text is for the plain path.
  virtual bool is_there() const { return true; }
};

// The plain parts; null where there is none. They outlive the encoder.
struct FastParts {
  const Model& model;
  const Normalizer* normalizer = nullptr;
  const PreTokenizer* pre_tokenizer = nullptr;
};

// Null where the document is of no known shape. What takes time is done when the first text comes.
std::unique_ptr<FastEncoder> make_fast_encoder(const boost::json::object& document, const FastParts& parts);

}  // namespace holdfast::token
