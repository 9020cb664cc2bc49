// The native half of the Python module: what the classes in holdfast_tokenizers/ call. Parts of tokenizers
// come as the JSON texts that a tokenizer.json holds. Failures are ValueError; the global lock is free while
// text is encoded.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>

#include "codec/json.h"
#include "normalized_string.h"
#include "own_parts.h"
#include "token/save.h"
#include "token/tokenizer.h"
#include "token/training/train.h"
#include "token/unicode/utf8.h"

namespace py = pybind11;
using namespace holdfast;

namespace {

constexpr codec::JsonLimits limits{.depth_max = 32, .bytes_max = size_t{1} << 30};

template <class T>
T value_or_raise(Result<T> result) {
  if (!result.ok()) throw py::value_error(result.error().message);
  return std::move(result).value();
}

boost::json::object parsed(std::string_view json) {
  return value_or_raise(codec::parse_json_object(json, limits));
}

struct Options {
  bool add_special = true, specials_are_text = false;
  std::optional<token::Truncation> truncation;
  std::optional<token::Padding> padding;

  token::EncodeOptions get() const {
    token::EncodeOptions out;
    if (!add_special) out.special = token::SpecialTokens::leave_out;
    if (specials_are_text) out.specials_in_text = token::SpecialsInText::are_text;
    out.truncation = truncation;
    out.padding = padding;
    return out;
  }
};

using Words = std::vector<std::string>;
using Text = std::variant<std::string, Words>;
using Pair = std::pair<Text, std::optional<Text>>;

token::Input input_of(const Pair& texts) {
  token::Input out;
  if (const auto* words = std::get_if<Words>(&texts.first))
    out.words = *words;
  else
    out.text = std::get<std::string>(texts.first);
  if (!texts.second) return out;
  if (const auto* words = std::get_if<Words>(&*texts.second))
    out.pair_words = *words;
  else
    out.pair = std::get<std::string>(*texts.second);
  return out;
}

Result<std::vector<token::Encoding>> encoded(const token::Tokenizer& tokenizer,
                                             const std::vector<Pair>& batch, const Options& options,
                                             size_t threads) {
  token::EncodeOptions wanted = options.get();
  wanted.threads = threads;
  std::vector<token::Input> inputs;
  inputs.reserve(batch.size());
  for (const Pair& texts : batch) inputs.push_back(input_of(texts));
  return tokenizer.encode_batch(inputs, wanted);
}

std::vector<std::pair<std::string, std::pair<uint32_t, uint32_t>>> pre_tokenized(const std::string& json,
                                                                                 const std::string& text) {
  const auto part = value_or_raise(token::load_pre_tokenizer(parsed(json)));
  if (!token::is_valid_utf8(text)) throw py::value_error("the text is not UTF-8");
  token::Pieces pieces;
  if (!text.empty()) pieces.push_back({token::NormalizedText(text), std::nullopt});
  if (const Status done = part->split(pieces); !done.ok()) throw py::value_error(done.error().message);
  std::vector<std::pair<std::string, std::pair<uint32_t, uint32_t>>> out;
  for (const token::Piece& piece : pieces) {
    const std::string own(piece.text.text());
    const token::Span bytes = piece.text.origin(0, own.size());
    const auto characters = [&](size_t at) {
      return static_cast<uint32_t>(token::count_code_points(std::string_view(text).substr(0, at)));
    };
    out.push_back({own, {characters(bytes.begin), characters(bytes.end)}});
  }
  return out;
}

std::string normalized(const std::string& json, const std::string& text) {
  const auto part = value_or_raise(token::load_normalizer(parsed(json)));
  if (!token::is_valid_utf8(text)) throw py::value_error("the text is not UTF-8");
  token::NormalizedText out(text);
  if (const Status done = part->normalize(out); !done.ok()) throw py::value_error(done.error().message);
  return std::string(out.text());
}

std::string decoded(const std::string& json, const Words& tokens) {
  const auto part = value_or_raise(token::load_decoder(parsed(json)));
  std::string out;
  for (const std::string& text : value_or_raise(part->decode(tokens))) out += text;
  return out;
}

std::vector<std::tuple<uint32_t, std::string, std::pair<uint32_t, uint32_t>>> tokenized(
    const std::string& json, const std::string& text) {
  const auto model = value_or_raise(token::load_model(parsed(json)));
  std::vector<std::tuple<uint32_t, std::string, std::pair<uint32_t, uint32_t>>> out;
  for (const token::Token& one : value_or_raise(model->tokenize(text)))
    out.emplace_back(one.id, one.text, std::pair(one.range.begin, one.range.end));
  return out;
}

std::string trained(const std::string& document, const std::vector<std::pair<std::string, uint64_t>>& counts,
                    const token::TrainOptions& options) {
  std::vector<token::WordCount> words;
  for (const auto& [word, count] : counts) words.push_back({word, count});
  return codec::to_text(value_or_raise(token::train_document(parsed(document), words, options)));
}

// Counts words as training does.
class Counter {
 public:
  explicit Counter(const std::string& document)
      : counter_(value_or_raise(token::WordCounter::open(parsed(document)))) {}
  void add(const std::string& text) {
    if (const Status done = counter_.add(text); !done.ok()) throw py::value_error(done.error().message);
  }
  std::vector<std::pair<std::string, uint64_t>> take() {
    std::vector<std::pair<std::string, uint64_t>> out;
    for (token::WordCount& word : std::move(counter_).take())
      out.emplace_back(std::move(word.word), word.count);
    return out;
  }

 private:
  token::WordCounter counter_;
};

token::Side side_of(const std::string& text) {
  return text == "left" ? token::Side::left : token::Side::right;
}

py::list or_none(const std::vector<int32_t>& numbers) {
  py::list out;
  for (const int32_t number : numbers)
    out.append(number < 0 ? py::object(py::none()) : py::object(py::int_(number)));
  return out;
}

py::list offsets_of(const token::Encoding& encoding) {
  py::list out;
  for (const token::Span& span : encoding.offsets) out.append(py::make_tuple(span.begin, span.end));
  return out;
}

py::tuple state_of(const token::Encoding& encoding) {
  py::list offsets, overflow, ranges;
  for (const token::Span& span : encoding.offsets) offsets.append(py::make_tuple(span.begin, span.end));
  for (const token::Encoding& part : encoding.overflow) overflow.append(state_of(part));
  for (const auto& [sequence, range] : encoding.ranges)
    ranges.append(py::make_tuple(sequence, range.first, range.second));
  return py::make_tuple(encoding.ids, encoding.type_ids, encoding.tokens, offsets, encoding.words,
                        encoding.mask, encoding.special, overflow, ranges);
}

token::Encoding encoding_of(const py::tuple& state) {
  token::Encoding out;
  out.ids = state[0].cast<std::vector<uint32_t>>();
  out.type_ids = state[1].cast<std::vector<uint32_t>>();
  out.tokens = state[2].cast<Words>();
  for (const auto& [begin, end] : state[3].cast<std::vector<std::pair<uint32_t, uint32_t>>>())
    out.offsets.push_back({begin, end});
  out.words = state[4].cast<std::vector<int32_t>>();
  out.mask = state[5].cast<std::vector<uint8_t>>();
  out.special = state[6].cast<std::vector<uint8_t>>();
  for (const py::handle part : state[7]) out.overflow.push_back(encoding_of(py::cast<py::tuple>(part)));
  for (const auto& [sequence, begin, end] : state[8].cast<std::vector<std::tuple<int, size_t, size_t>>>())
    out.ranges[sequence] = {begin, end};
  return out;
}

void bind_encoding(py::module_& module) {
  using token::Encoding;
  py::class_<Encoding>(module, "Encoding")
      .def(py::init<>())
      .def_readonly("ids", &Encoding::ids)
      .def_readonly("type_ids", &Encoding::type_ids)
      .def_readonly("tokens", &Encoding::tokens)
      .def_property_readonly("offsets", &offsets_of)
      .def_property_readonly("words", [](const Encoding& self) { return or_none(self.words); })
      .def_property_readonly("sequences",
                             [](const Encoding& self) {
                               const std::vector<int> all = self.sequences();
                               return or_none(std::vector<int32_t>(all.begin(), all.end()));
                             })
      .def_property_readonly(
          "mask", [](const Encoding& self) { return std::vector<int>(self.mask.begin(), self.mask.end()); })
      .def_property_readonly(
          "special",
          [](const Encoding& self) { return std::vector<int>(self.special.begin(), self.special.end()); })
      .def_readonly("overflow", &Encoding::overflow)
      .def_property_readonly("ranges", [](const Encoding& self) { return self.ranges; })
      .def("__len__", &Encoding::size)
      .def("append", [](Encoding& self, const Encoding& more) { self.append(more); })
      .def("truncate",
           [](Encoding& self, size_t rows, size_t stride, const std::string& side) {
             if (const Status done = self.truncate(rows, stride, side_of(side)); !done.ok())
               throw py::value_error(done.error().message);
           })
      .def("pad", [](Encoding& self, size_t rows, const token::Padding& padding) { self.pad(rows, padding); })
      .def(py::pickle(&state_of, &encoding_of));
}

void bind_options(py::module_& module) {
  py::class_<token::Truncation>(module, "Truncation")
      .def(py::init([](size_t length, size_t stride, const std::string& strategy, const std::string& side) {
        token::Truncation out{.length_max = length, .stride = stride};
        if (strategy == "only_first") out.strategy = token::TruncationStrategy::only_first;
        if (strategy == "only_second") out.strategy = token::TruncationStrategy::only_second;
        out.cut_from = side_of(side);
        return out;
      }));
  py::class_<token::Padding>(module, "Padding")
      .def(py::init([](std::optional<size_t> length, const std::string& side, std::optional<size_t> multiple,
                       uint32_t id, uint32_t type_id, std::string text) {
        token::Padding out;
        out.length = length;
        out.side = side_of(side);
        if (multiple && *multiple > 0) out.multiple_of = multiple;
        out.id = id;
        out.type_id = type_id;
        out.token = std::move(text);
        return out;
      }));
  py::class_<Options>(module, "Options")
      .def(py::init<>())
      .def_readwrite("add_special", &Options::add_special)
      .def_readwrite("specials_are_text", &Options::specials_are_text)
      .def_readwrite("truncation", &Options::truncation)
      .def_readwrite("padding", &Options::padding);
  using token::TrainOptions;
  py::class_<TrainOptions>(module, "TrainOptions")
      .def(py::init<>())
      .def_property(
          "kind", [](const TrainOptions& self) { return static_cast<int>(self.kind); },
          [](TrainOptions& self, int kind) { self.kind = static_cast<token::TrainedKind>(kind & 3); })
      .def_readwrite("vocabulary_size", &TrainOptions::vocabulary_size)
      .def_readwrite("min_frequency", &TrainOptions::min_frequency)
      .def_property(
          "special_tokens", [](const TrainOptions& self) { return self.special_tokens.size(); },
          [](TrainOptions& self, const std::vector<std::tuple<std::string, bool, bool, bool, bool>>& tokens) {
            self.special_tokens.clear();
            for (const auto& [content, single, left, right, normal] : tokens)
              self.special_tokens.push_back({0, content, single, left, right, normal, true});
          })
      .def_readwrite("limit_alphabet", &TrainOptions::limit_alphabet)
      .def_property(
          "initial_alphabet", [](const TrainOptions& self) { return self.initial_alphabet.size(); },
          [](TrainOptions& self, const std::vector<uint32_t>& codes) {
            self.initial_alphabet.clear();
            for (const uint32_t code : codes) self.initial_alphabet.insert(static_cast<char32_t>(code));
          })
      .def_readwrite("continuing_subword_prefix", &TrainOptions::continuing_subword_prefix)
      .def_readwrite("end_of_word_suffix", &TrainOptions::end_of_word_suffix)
      .def_readwrite("max_token_length", &TrainOptions::max_token_length)
      .def_readwrite("unknown_token", &TrainOptions::unknown_token)
      .def_readwrite("shrinking_factor", &TrainOptions::shrinking_factor)
      .def_readwrite("sub_iterations", &TrainOptions::sub_iterations);
}

void bind_tokenizer(py::module_& module) {
  using token::Tokenizer;
  using Free = py::call_guard<py::gil_scoped_release>;
  py::class_<Tokenizer, std::shared_ptr<Tokenizer>>(module, "Tokenizer")
      .def(py::init([](const std::string& json, const py::object& normalizer, const py::object& pre_tokenizer,
                       const py::object& decoder) {
             return std::make_shared<Tokenizer>(
                 value_or_raise(Tokenizer::load_with(json, own_parts(normalizer, pre_tokenizer, decoder))));
           }),
           py::arg("json"), py::arg("normalizer") = py::none(), py::arg("pre_tokenizer") = py::none(),
           py::arg("decoder") = py::none())
      .def(
          "encode_batch",
          [](const Tokenizer& self, const std::vector<Pair>& batch, const Options& options, size_t threads) {
            return value_or_raise(encoded(self, batch, options, threads));
          },
          Free())
      .def(
          "encode",
          [](const Tokenizer& self, const Pair& texts, const Options& options) {
            return value_or_raise(self.encode(input_of(texts), options.get()));
          },
          Free())
      .def("finish", [](const Tokenizer& self, const std::vector<token::Encoding>& texts,
                        const Options& options) { return value_or_raise(self.finish(texts, options.get())); })
      .def(
          "decode",
          [](const Tokenizer& self, const std::vector<uint32_t>& ids, bool skip_special) {
            using enum Tokenizer::SpecialsInOutput;
            return value_or_raise(self.decode(ids, skip_special ? skip : keep));
          },
          Free())
      .def("id_of", &Tokenizer::id_of)
      .def("token_of",
           [](const Tokenizer& self, uint32_t id) -> std::optional<std::string> {
             const auto found = self.token_of(id);
             return found ? std::optional<std::string>(*found) : std::nullopt;
           })
      .def("model_token_of",
           [](const Tokenizer& self, uint32_t id) -> std::optional<std::string> {
             const auto found = self.model().token_of(id);
             return found ? std::optional<std::string>(*found) : std::nullopt;
           })
      .def("model_id_of",
           [](const Tokenizer& self, const std::string& text) { return self.model().id_of(text); })
      .def("added_tokens", &Tokenizer::added_tokens);
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The native half of holdfast_tokenizers.";
  bind_encoding(module);
  bind_options(module);
  bind_tokenizer(module);
  py::class_<Counter>(module, "Counter")
      .def(py::init<std::string>())
      .def("add", &Counter::add)
      .def("take", &Counter::take);
  bind_normalized_string(module);
  module.def("canonical", [](const std::string& json) {
    return codec::to_text(value_or_raise(token::canonical_document(parsed(json))));
  });
  module.def("digest",
             [](const std::string& json) { return value_or_raise(token::tokenizer_digest(parsed(json))); });
  module.def("normalize", &normalized);
  module.def("pre_tokenize", &pre_tokenized);
  module.def("decode", &decoded);
  module.def("tokenize", &tokenized);
  module.def("train", &trained, py::call_guard<py::gil_scoped_release>());
}
