#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "token/fast/joins.h"
#include "token/fast/workspace.h"
#include "token/models/model.h"

namespace holdfast::token {

// The fast twin of a Model: tokens of one normalized piece into workspace.ids, and into workspace.ends where
// each ends in bytes of the piece. Immutable; safe from any thread, each with its workspace.
class PieceModel {
 public:
  virtual ~PieceModel() = default;
  // False where the piece is for the plain model: it raises, or its tokens do not follow each other.
  virtual bool tokenize(std::string_view piece, Workspace& workspace) const = 0;
  // What the plain model gives.
  virtual Result<std::vector<Token>> tokens(std::string_view piece, Workspace& workspace) const = 0;
  // As WordModel::tokenize_all(), of pieces.
  virtual void tokenize_all(std::span<const FoundWord* const> pieces, std::span<WordTokens> out,
                            Workspace& workspace) const {
    static_cast<void>(pieces);
    static_cast<void>(out);
    static_cast<void>(workspace);
  }
  // Null where it is not known.
  virtual const Joins* joins() const { return nullptr; }
  // The token whose text may be that of the input instead of its own, if there is one.
  virtual std::optional<uint32_t> unknown_of_own_text() const { return std::nullopt; }
  // True if no token goes on after this text at its begin: it may be cut before each.
  virtual bool only_begins_with(std::string_view text) const = 0;
};

// How a piece shows the sign for a space: as itself, or still as a space.
enum class SpaceSign : uint8_t { sign, space };

// Null for models that have no fast twin, or cannot have spaces for the sign.
std::unique_ptr<PieceModel> make_piece_model(const Model& model, SpaceSign spaces);

}  // namespace holdfast::token
