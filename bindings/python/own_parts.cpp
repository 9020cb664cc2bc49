#include "own_parts.h"

#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "normalized_string.h"

namespace py = pybind11;
using namespace holdfast;

namespace {

// A function of the caller's. Dropped with the lock held, wherever the tokenizer goes.
class Function {
 public:
  explicit Function(py::object function) : function_(std::move(function)) {}
  ~Function() {
    const py::gil_scoped_acquire lock;
    function_ = py::object();
  }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // `use` gets the function, with the lock held; what it raises is the failure.
  template <class Use>
  Status call(Use use) const {
    const py::gil_scoped_acquire lock;
    try {
      use(function_);
      return Done{};
    } catch (const py::error_already_set& error) {
      return fail(Reason::tokenization_failed, std::string(py::str(error.value())));
    } catch (const py::cast_error&) {
      return fail(Reason::tokenization_failed,
                  "a part written in Python gave something that is not asked for");
    }
  }

 private:
  py::object function_;
};

class OwnNormalizer final : public token::Normalizer {
 public:
  explicit OwnNormalizer(py::object function) : function_(std::move(function)) {}

  Status normalize(token::NormalizedText& text) const override {
    return function_.call([&](const py::object& function) {
      const auto input = std::make_shared<const std::string>(text.text());
      const py::object shown = shown_text(text, input, text.input_begin());
      function(shown);
      text = text_shown(shown);
    });
  }

 private:
  Function function_;
};

using TokenRow = std::tuple<uint32_t, std::string, std::pair<uint32_t, uint32_t>>;

py::object shown_tokens(const token::Piece& piece) {
  if (!piece.tokens) return py::none();
  py::list out;
  for (const token::Token& one : *piece.tokens)
    out.append(py::make_tuple(one.id, one.text, py::make_tuple(one.range.begin, one.range.end)));
  return out;
}

class OwnPreTokenizer final : public token::PreTokenizer {
 public:
  explicit OwnPreTokenizer(py::object function) : function_(std::move(function)) {}

  Status split(token::Pieces& pieces) const override {
    (void)pieces;
    return fail(Reason::model_unsupported,
                "a pre-tokenizer written in Python cuts texts of a tokenizer alone");
  }

  Status split_text(token::Pieces& pieces, std::string_view input) const override {
    return function_.call([&](const py::object& function) {
      const auto kept = std::make_shared<const std::string>(input);
      py::list parts;
      for (const token::Piece& piece : pieces)
        parts.append(py::make_tuple(shown_text(piece.text, kept, 0), shown_tokens(piece)));
      token::Pieces out;
      for (const py::handle part : py::iterable(function(py::str(*kept), parts))) {
        const auto row = py::cast<py::tuple>(part);
        token::Piece piece{text_shown(row[0]), std::nullopt};
        if (!row[1].is_none()) {
          piece.tokens.emplace();
          for (auto& [id, text, range] : row[1].cast<std::vector<TokenRow>>())
            piece.tokens->push_back({id, std::move(text), {range.first, range.second}});
        }
        out.push_back(std::move(piece));
      }
      pieces = std::move(out);
    });
  }

 private:
  Function function_;
};

class OwnDecoder final : public token::Decoder {
 public:
  explicit OwnDecoder(py::object function) : function_(std::move(function)) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    std::vector<std::string> out;
    TRY_DONE(function_.call(
        [&](const py::object& function) { out.push_back(function(tokens).template cast<std::string>()); }));
    return out;
  }

 private:
  Function function_;
};

}  // namespace

token::OwnParts own_parts(const py::object& normalizer, const py::object& pre_tokenizer,
                          const py::object& decoder) {
  token::OwnParts out;
  if (!normalizer.is_none()) out.normalizer = std::make_unique<OwnNormalizer>(normalizer);
  if (!pre_tokenizer.is_none()) out.pre_tokenizer = std::make_unique<OwnPreTokenizer>(pre_tokenizer);
  if (!decoder.is_none()) out.decoder = std::make_unique<OwnDecoder>(decoder);
  return out;
}
