#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "token/fast/workspace.h"
#include "token/models/model.h"

namespace holdfast::token {

// The last byte of a character and the first of the next one that some token may hold together.
class Joins {
 public:
  void put(uint8_t left, uint8_t right) { bits_[left << 2U | right >> 6U] |= uint64_t{1} << (right & 63U); }
  bool has(uint8_t left, uint8_t right) const {
    return (bits_[left << 2U | right >> 6U] >> (right & 63U) & 1U) != 0;
  }

 private:
  std::array<uint64_t, 1024> bits_{};
};

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
  // Where two bytes are not in it, a piece may be cut between them, and what comes of the parts is what
  // comes of the whole. Null where that is not known.
  virtual const Joins* joins() const { return nullptr; }
  // True if no token goes on after this text at its begin: it may be cut before each.
  virtual bool only_begins_with(std::string_view text) const = 0;
};

// How a piece shows the sign for a space: as itself, or still as a space.
enum class SpaceSign : uint8_t { sign, space };

// Null for models that have no fast twin, or cannot have spaces for the sign.
std::unique_ptr<PieceModel> make_piece_model(const Model& model, SpaceSign spaces);

}  // namespace holdfast::token
