#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "token/added_tokens.h"
#include "token/decoders/decoder.h"
#include "token/encoding.h"
#include "token/models/model.h"
#include "token/normalizers/normalizer.h"
#include "token/post_processors/post_processor.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/rows.h"

namespace holdfast::token {

class FastEncoder;
class WorkspacePool;

enum class TruncationStrategy : uint8_t { longest_first, only_first, only_second };

struct Truncation {
  size_t length_max = 512;  // Special tokens included.
  size_t stride = 0;
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  Side cut_from = Side::right;
};

enum class Overflow : uint8_t { keep, drop };

enum class EncodeWay : uint8_t { any, plain };  // Plain: by the parts one after the other, to compare with.

struct EncodeOptions {
  SpecialTokens special = SpecialTokens::add;
  SpecialsInText specials_in_text = SpecialsInText::are_tokens;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
  Overflow overflow = Overflow::keep;
  EncodeWay way = EncodeWay::any;
  size_t threads = 1;  // Of encode_batch.
};

// What is encoded: one text or a list of words, and perhaps a second one. Borrows.
struct Input {
  std::string_view text;
  std::optional<std::span<const std::string>> words;  // Instead of text.
  std::optional<std::string_view> pair;
  std::optional<std::span<const std::string>> pair_words = {};  // Instead of pair.
};

// Parts that no document can hold, as they are written in another language: they stand where they are set for
// what the document says.
struct OwnParts {
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Decoder> decoder;
};

// A tokenizer.json: added tokens, normalizer, pre-tokenizer, model, post-processor, decoder. Immutable once
// loaded; safe from any thread. The order of steps and their oddities are those of the reference library.
class Tokenizer {
 public:
  static constexpr size_t text_bytes_max = 64 << 20;
  static constexpr size_t batch_threads_max = 64;
  static constexpr size_t fast_text_bytes_max = 1 << 30;
  static constexpr size_t overflow_rows_max = 16 << 20;  // Of all parts of one input together.

  // Malformed files are bad_request, kinds of parts we do not have model_unsupported.
  static Result<Tokenizer> load(std::string_view json);
  static Result<Tokenizer> load_with(std::string_view json, OwnParts own);
  // The same of a document that is parsed already: what other formats are turned into. `apart`: what was left
  // out of it, which is taken from there; null: nothing.
  static Result<Tokenizer> from_document(const boost::json::object& document, ModelTables* apart = nullptr);
  Tokenizer(Tokenizer&& other) noexcept;
  Tokenizer& operator=(Tokenizer&& other) noexcept;
  ~Tokenizer();

  // tokenization_failed: not UTF-8, a truncation that cannot be, no token for the unknown. input_too_long.
  Result<Encoding> encode(const Input& input, const EncodeOptions& options) const;
  // The same for ids of this vocabulary instead of text: special tokens among them are dropped and put back
  // where they belong. No offsets.
  Result<Encoding> encode_ids(std::span<const uint32_t> ids, const EncodeOptions& options) const;
  // What encode does after the model: truncation, post-processing and padding of one or two encodings.
  Result<Encoding> finish(std::vector<Encoding> texts, const EncodeOptions& options) const;
  // Padding to the longest is of the whole batch.
  Result<std::vector<Encoding>> encode_batch(std::span<const Input> inputs,
                                             const EncodeOptions& options) const;
  Result<std::vector<Encoding>> encode_batch(std::span<const std::string> texts,
                                             const EncodeOptions& options) const;

  // The ids encode() gives for one text, appended to `out`, without the rest that it makes: the fast way.
  // Texts of the common kinds of tokenizer may have 1 GiB.
  Status append_ids(std::string_view text, const EncodeOptions& options, std::vector<uint32_t>& out) const;
  // The same with offsets and words.
  Status append_rows(std::string_view text, const EncodeOptions& options, Rows& out) const;

  enum class SpecialsInOutput : uint8_t { keep, skip };
  // tokenization_failed where the reference raises: tokens that are too short for what a decoder cuts off.
  Result<std::string> decode(std::span<const uint32_t> ids, SpecialsInOutput specials) const;

  std::optional<uint32_t> id_of(std::string_view token) const;
  // As decoding shows it; added tokens first.
  std::optional<std::string_view> token_of(uint32_t id) const;
  size_t vocabulary_size() const;  // Added tokens included.
  size_t model_vocabulary_size() const { return model_->vocabulary_size(); }
  const std::optional<Truncation>& truncation() const { return truncation_; }  // As the file says.
  const std::optional<Padding>& padding() const { return padding_; }
  // Of special tokens around one text or a pair.
  size_t added_tokens(size_t texts) const {
    return post_processor_ ? post_processor_->added_tokens(texts) : 0;
  }

  bool has_fast_way() const;
  // The parts, to show and to ask each alone; null where the file has none.
  const Normalizer* normalizer() const { return normalizer_.get(); }
  const PreTokenizer* pre_tokenizer() const { return pre_tokenizer_.get(); }
  const Model& model() const { return *model_; }
  const PostProcessor* post_processor() const { return post_processor_.get(); }
  const Decoder* decoder() const { return decoder_.get(); }
  const AddedTokens& added() const { return added_; }

 private:
  // The special tokens around one text.
  struct Around {
    std::vector<uint32_t> before, after;
    bool changes_offsets = false;
  };

  Tokenizer();
  // `tables`: what is left out of the document, or null.
  static Result<Tokenizer> from_parts(const boost::json::object& document, ModelTables* tables, OwnParts own);
  void prepare_fast(const boost::json::object& document);
  bool encode_fast(std::string_view text, uint32_t type_id, std::optional<int32_t> word,
                   const EncodeOptions& options, Encoding& out) const;
  bool append_fast(std::string_view text, const EncodeOptions& options, Rows& out, bool with_rows) const;
  Result<Encoding> encode_text(std::string_view text, uint32_t type_id, std::optional<int32_t> word,
                               const EncodeOptions& options) const;
  Result<Encoding> encode_part(const Input& input, uint32_t type_id, const EncodeOptions& options) const;
  Status truncate(std::vector<Encoding>& texts, const Truncation& truncation, SpecialTokens special) const;

  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<PostProcessor> post_processor_;
  std::unique_ptr<Decoder> decoder_;
  AddedTokens added_;
  std::optional<Truncation> truncation_;
  std::optional<Padding> padding_;
  std::unique_ptr<FastEncoder> fast_;  // Null where the tokenizer is of no common kind.
  std::unique_ptr<WorkspacePool> workspaces_;
  std::optional<Around> around_;  // Null where post-processing does more than put ids around a text.
};

}  // namespace holdfast::token
