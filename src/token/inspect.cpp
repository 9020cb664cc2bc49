#include "token/inspect.h"

namespace holdfast::token {
namespace {

std::vector<StageRow> rows_of(const Pieces& pieces) {
  std::vector<StageRow> out;
  for (const Piece& piece : pieces) {
    const std::string text(piece.text.text());
    const Span bytes = text.empty() ? Span{} : piece.text.origin(0, text.size());
    out.push_back({text, bytes, piece.tokens.value_or(std::vector<Token>())});
  }
  return out;
}

Result<std::vector<StageRow>> tokens_of(const Tokenizer& tokenizer, const Pieces& pieces) {
  std::vector<StageRow> out;
  for (const Piece& piece : pieces) {
    const std::string_view text = piece.text.text();
    std::vector<Token> tokens;
    if (piece.tokens) {
      tokens = *piece.tokens;
    } else {
      TRY(tokens, tokenizer.model().tokenize(text));
    }
    for (Token& token : tokens) {
      const bool has_text = token.range.begin < token.range.end && token.range.end <= text.size();
      const Span bytes = has_text ? piece.text.origin(token.range.begin, token.range.end) : Span{};
      std::string name = token.text;
      out.push_back({std::move(name), bytes, {std::move(token)}});
    }
  }
  return out;
}

}  // namespace

Result<StageReport> inspect(const Tokenizer& tokenizer, std::string_view text) {
  StageReport out;
  // First, because it checks the text.
  Input input;
  input.text = text;
  TRY(out.encoded, tokenizer.encode(input, EncodeOptions()));
  TRY(Pieces pieces, tokenizer.added().split(text, tokenizer.normalizer(), SpecialsInText::are_tokens));
  out.normalized = rows_of(pieces);
  if (tokenizer.pre_tokenizer() != nullptr) TRY_DONE(tokenizer.pre_tokenizer()->split(pieces));
  out.pre_tokenized = rows_of(pieces);
  TRY(out.modelled, tokens_of(tokenizer, pieces));
  TRY(out.decoded, tokenizer.decode(out.encoded.ids, Tokenizer::SpecialsInOutput::skip));
  return out;
}

}  // namespace holdfast::token
