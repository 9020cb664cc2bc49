#include "token/formats/sentencepiece_model.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "token/formats/protobuf.h"

namespace holdfast::token {
namespace {

using Kind = ProtobufField::Kind;

Error refuse(std::string_view message) {
  return fail(Reason::bad_request, fmt::format("SentencePiece model: {}", message));
}

// Calls take(field) for each field of the message.
template <class Take>
Status each_field(ByteView message, Take take) {
  ProtobufReader in(message);
  while (true) {
    auto field = in.next();
    if (!field.ok()) return refuse(field.error().message);
    if (!field.value()) return Done{};
    TRY_DONE(take(*field.value()));
  }
}

Status set_text(const ProtobufField& field, std::string& out) {
  if (field.kind != Kind::bytes) return refuse("a text has another type");
  out = field.text();
  return Done{};
}

Result<SentencePieceModel::Piece> parse_piece(ByteView message) {
  SentencePieceModel::Piece piece;
  TRY_DONE(each_field(message, [&](const ProtobufField& field) -> Status {
    if (field.number == 1) return set_text(field, piece.text);
    if (field.number == 2 && field.kind == Kind::fixed32) piece.score = field.as_float();
    if (field.number == 3 && field.kind == Kind::varint) {
      if (field.value < 1 || field.value > 6) return refuse("a piece has an unknown type");
      piece.kind = static_cast<SentencePieceModel::PieceKind>(field.value);
    }
    return Done{};
  }));
  if (!is_utf8(piece.text)) return refuse("a piece is not UTF-8");
  return piece;
}

Status parse_trainer(ByteView message, SentencePieceModel& out) {
  return each_field(message, [&](const ProtobufField& field) -> Status {
    const auto number = static_cast<int32_t>(field.value);
    switch (field.number) {
      case 3:
        if (field.value < 1 || field.value > 4) return refuse("an unknown model type");
        out.kind = static_cast<SentencePieceModel::Kind>(field.value);
        break;
      case 24:
        out.treat_whitespace_as_suffix = field.value != 0;
        break;
      case 35:
        out.byte_fallback = field.value != 0;
        break;
      case 40:
        out.unknown_id = number;
        break;
      case 41:
        out.bos_id = number;
        break;
      case 42:
        out.eos_id = number;
        break;
      case 43:
        out.pad_id = number;
        break;
      case 45:
        return set_text(field, out.unknown_piece);
      case 46:
        return set_text(field, out.bos_piece);
      case 47:
        return set_text(field, out.eos_piece);
      case 48:
        return set_text(field, out.pad_piece);
      default:
        break;
    }
    return Done{};
  });
}

Status parse_normalizer(ByteView message, SentencePieceModel& out) {
  return each_field(message, [&](const ProtobufField& field) -> Status {
    switch (field.number) {
      case 2:
        return set_text(field, out.charsmap);
      case 3:
        out.add_dummy_prefix = field.value != 0;
        break;
      case 4:
        out.remove_extra_whitespaces = field.value != 0;
        break;
      case 5:
        out.escape_whitespaces = field.value != 0;
        break;
      default:
        break;
    }
    return Done{};
  });
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece_model(ByteView file) {
  SentencePieceModel out;
  TRY_DONE(each_field(file, [&](const ProtobufField& field) -> Status {
    if (field.number < 1 || field.number > 3) return Done{};
    if (field.kind != Kind::bytes) return refuse("a message has another type");
    if (field.number == 2) return parse_trainer(field.bytes, out);
    if (field.number == 3) return parse_normalizer(field.bytes, out);
    if (out.pieces.size() == SentencePieceModel::pieces_max) return refuse("too many pieces");
    TRY(SentencePieceModel::Piece piece, parse_piece(field.bytes));
    out.pieces.push_back(std::move(piece));
    return Done{};
  }));
  if (out.pieces.empty()) return refuse("there are no pieces");
  for (const std::string* text : {&out.unknown_piece, &out.bos_piece, &out.eos_piece, &out.pad_piece})
    if (!is_utf8(*text)) return refuse("the name of a special piece is not UTF-8");
  return out;
}

}  // namespace holdfast::token
