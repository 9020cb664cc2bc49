#include "token/formats/sentencepiece_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <numeric>
#include <optional>

#include "codec/base64.h"
#include "token/formats/merges_of_vocabulary.h"
#include "token/formats/sentencepiece_classes.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using Class = SentencePieceClass;

constexpr std::string_view mark = "\u2581";
constexpr int64_t extra_ids_max = 100'000;

// What encodes as sentencepiece itself: its own normalization, no pre-tokenizer.
constexpr Class plain{.name = "", .text = Class::Text::sentencepiece};

object replace_text(std::string_view from, std::string_view to) {
  return part("Replace", object{{"pattern", object{{"String", from}}}, {"content", to}});
}
object replace_spaces(std::string_view to) {
  return part("Replace", object{{"pattern", object{{"Regex", " {2,}"}}}, {"content", to}});
}
object strip(bool left, bool right) {
  return part("Strip", object{{"strip_left", left}, {"strip_right", right}});
}
object metaspace(std::string_view scheme, bool split) {
  return part("Metaspace", object{{"replacement", mark}, {"prepend_scheme", scheme}, {"split", split}});
}

std::string_view scheme_of(const TokenizerConfig& config) {
  if (!config.add_prefix_space.value_or(true)) return "never";
  return config.legacy.value_or(true) ? "always" : "first";
}

void add_precompiled(const SentencePieceModel& model, array& out) {
  if (!model.charsmap.empty())
    out.push_back(part("Precompiled",
                       object{{"precompiled_charsmap", codec::base64_encode(as_bytes(model.charsmap))}}));
}

// "2," and the like: a comma behind a digit.
bool is_number_comma(std::string_view piece) {
  return piece.size() >= 2 && piece.back() == ',' && piece[piece.size() - 2] >= '0' &&
         piece[piece.size() - 2] <= '9';
}

// --- pieces ---

class PieceList {
 public:
  PieceList(const SentencePieceModel& model, const Class& kind, const TokenizerConfig& config)
      : model_(model), kind_(kind), config_(config) {}

  std::vector<ScoredPiece> take() {
    switch (kind_.pieces) {
      case Class::Pieces::as_they_are:
        add_file(0);
        break;
      case Class::Pieces::fairseq:
        for (const char* piece : {"<s>", "<pad>", "</s>", "<unk>"}) add(piece, 0);
        add_file(3);
        break;
      case Class::Pieces::camembert:
        for (const char* piece : {"<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>"}) add(piece, 0);
        add("<unk>NOTUSED", -100);
        add_file(1);
        break;
      case Class::Pieces::pegasus:
        add("<pad>", 0);
        add("</s>", 0);
        add("<mask_1>", 0);
        add("<mask_2>", 0);
        for (int64_t i = 2; i < pegasus_offset(config_); ++i) add(fmt::format("<unk_{}>", i), -100);
        add_file(2);
        break;
      case Class::Pieces::t5:
        add_file(0);
        for (int64_t i = t5_extra_ids(config_) - 1; i >= 0; --i) add(fmt::format("<extra_id_{}>", i), 0);
        break;
      case Class::Pieces::llama:
        add_file(0);
        clear_first_three();
        break;
      case Class::Pieces::gemma:
        add_file(0);
        clear_first_three();
        mend_tab();
        break;
    }
    add_tail();
    return std::move(out_);
  }

  static int64_t pegasus_offset(const TokenizerConfig& config) {
    return std::clamp<int64_t>(config.offset.value_or(103), 0, extra_ids_max);
  }
  static int64_t t5_extra_ids(const TokenizerConfig& config) {
    return std::clamp<int64_t>(config.extra_ids.value_or(100), 0, extra_ids_max);
  }

 private:
  void add(std::string text, double score) { out_.push_back({std::move(text), score}); }
  void add_file(size_t from) {
    for (size_t i = from; i < model_.pieces.size(); ++i) {
      const SentencePieceModel::Piece& piece = model_.pieces[i];
      const bool lower = kind_.lower_number_comma && is_number_comma(piece.text);
      add(piece.text, lower ? double{piece.score} - 100 : double{piece.score});
    }
  }
  void clear_first_three() {
    for (size_t i = 0; i < std::min<size_t>(3, out_.size()); ++i) out_[i].score = 0;
  }
  void mend_tab() {
    if (std::ranges::find(out_, "\t", &ScoredPiece::text) != out_.end()) return;
    const auto byte = std::ranges::find(out_, "<0x09>", &ScoredPiece::text);
    if (byte != out_.end()) *byte = {"\t", 0};
  }
  void add_tail() {
    std::string_view tail = kind_.tail;
    while (!tail.empty()) {
      const size_t end = std::min(tail.find(' '), tail.size());
      add(std::string(tail.substr(0, end)), 0);
      tail.remove_prefix(std::min(end + 1, tail.size()));
    }
  }

  const SentencePieceModel& model_;
  const Class& kind_;
  const TokenizerConfig& config_;
  std::vector<ScoredPiece> out_;
};

// --- text ---

value normalizer_of(const SentencePieceModel& model, const Class& kind, const TokenizerConfig& config) {
  array steps;
  const auto accents_and_case = [&] {
    if (!config.keep_accents.value_or(false)) {
      steps.push_back(part("NFKD"));
      steps.push_back(part("StripAccents"));
    }
    if (config.do_lower_case.value_or(kind.name != "XLNet")) steps.push_back(part("Lowercase"));
  };
  const auto quotes = [&] {
    steps.push_back(replace_text("``", "\""));
    steps.push_back(replace_text("''", "\""));
  };
  switch (kind.text) {
    case Class::Text::standard:
      add_precompiled(model, steps);
      steps.push_back(strip(false, true));
      steps.push_back(replace_spaces(mark));
      break;
    case Class::Text::albert:
      quotes();
      accents_and_case();
      add_precompiled(model, steps);
      steps.push_back(replace_spaces(" "));
      break;
    case Class::Text::rembert:
      quotes();
      steps.push_back(replace_spaces(" "));
      accents_and_case();
      add_precompiled(model, steps);
      break;
    case Class::Text::deberta_v2:
      if (config.do_lower_case.value_or(false)) steps.push_back(part("Lowercase"));
      steps.push_back(strip(true, true));
      add_precompiled(model, steps);
      steps.push_back(replace_spaces(" "));
      break;
    case Class::Text::llama:
      if (!config.legacy.value_or(true)) return nullptr;
      if (config.add_prefix_space.value_or(true)) steps.push_back(part("Prepend", object{{"prepend", mark}}));
      steps.push_back(replace_text(" ", mark));
      break;
    case Class::Text::gemma:
      return replace_text(" ", mark);
    case Class::Text::sentencepiece:
      add_precompiled(model, steps);
      if (model.remove_extra_whitespaces) {
        // Of white space only the space: what else there is, the charsmap has made spaces of.
        steps.push_back(
            part("Replace", object{{"pattern", object{{"Regex", "\\A +| +\\z"}}}, {"content", ""}}));
        steps.push_back(replace_spaces(" "));
      }
      if (model.add_dummy_prefix && !model.treat_whitespace_as_suffix)
        steps.push_back(part("Prepend", object{{"prepend", model.escape_whitespaces ? mark : " "}}));
      if (model.escape_whitespaces) steps.push_back(replace_text(" ", mark));
      if (steps.empty()) return nullptr;
      break;
  }
  return sequence("normalizers", std::move(steps));
}

value pre_tokenizer_of(const Class& kind, const TokenizerConfig& config) {
  switch (kind.text) {
    case Class::Text::standard:
      if (kind.pieces == Class::Pieces::pegasus)
        return sequence("pretokenizers", {part("WhitespaceSplit"), metaspace(scheme_of(config), true)});
      return metaspace(scheme_of(config), true);
    case Class::Text::albert:
    case Class::Text::rembert:
      return metaspace(scheme_of(config), true);
    case Class::Text::deberta_v2: {
      array steps;
      if (config.split_by_punct.value_or(false))
        steps.push_back(part("Punctuation", object{{"behavior", "Isolated"}}));
      steps.push_back(metaspace(scheme_of(config), true));
      return sequence("pretokenizers", std::move(steps));
    }
    case Class::Text::llama:
      if (config.legacy.value_or(true)) return nullptr;
      return metaspace(scheme_of(config), false);
    case Class::Text::gemma:
      return part("Split", object{{"pattern", object{{"String", " "}}},
                                  {"behavior", "MergedWithPrevious"},
                                  {"invert", false}});
    case Class::Text::sentencepiece:
      return nullptr;
  }
  return nullptr;
}

value decoder_of(const SentencePieceModel& model, const Class& kind, const TokenizerConfig& config) {
  switch (kind.text) {
    case Class::Text::standard:
    case Class::Text::albert:
    case Class::Text::rembert:
    case Class::Text::deberta_v2:
      return metaspace(scheme_of(config), true);
    case Class::Text::llama:
      return llama_decoder(config.add_prefix_space.value_or(true) ? FirstSpace::strip : FirstSpace::keep);
    case Class::Text::gemma:
      return llama_decoder(FirstSpace::keep);
    case Class::Text::sentencepiece:
      return llama_decoder(model.add_dummy_prefix ? FirstSpace::strip : FirstSpace::keep);
  }
  return nullptr;
}

// --- added tokens ---

void add_file_specials(const SentencePieceModel& model, const Class& kind, DocumentBuilder& out) {
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    const bool control = piece.kind == SentencePieceModel::PieceKind::control;
    if (!control && piece.kind != SentencePieceModel::PieceKind::user_defined) continue;
    AddedToken token;
    token.content = piece.text;
    token.normalized = false;
    token.special = control || (kind.text == Class::Text::gemma &&
                                (piece.text == "<start_of_turn>" || piece.text == "<end_of_turn>"));
    out.add(std::move(token));
  }
}

TokenizerConfig with_family_specials(const Class& kind, TokenizerConfig config) {
  const auto add = [&](std::string text) {
    AddedToken token;
    token.content = std::move(text);
    token.normalized = false;
    token.special = true;
    if (std::ranges::find(config.additional_specials, token.content, &AddedToken::content) ==
        config.additional_specials.end())
      config.additional_specials.push_back(std::move(token));
  };
  if (kind.pieces == Class::Pieces::t5)
    for (int64_t i = 0; i < PieceList::t5_extra_ids(config); ++i) add(fmt::format("<extra_id_{}>", i));
  if (kind.pieces == Class::Pieces::pegasus) {
    add("<mask_1>");
    for (int64_t i = 2; i < PieceList::pegasus_offset(config); ++i) add(fmt::format("<unk_{}>", i));
  }
  if (kind.tail.find("en_XX") != std::string_view::npos) {
    std::string_view tail = kind.tail.substr(0, kind.tail.rfind(' '));
    while (!tail.empty()) {
      const size_t end = std::min(tail.find(' '), tail.size());
      add(std::string(tail.substr(0, end)));
      tail.remove_prefix(std::min(end + 1, tail.size()));
    }
  }
  return config;
}

// What the file itself calls its special pieces, for a family that nothing names.
std::string specials_of_file(const SentencePieceModel& model) {
  std::string out;
  const auto add = [&](std::string_view role, int32_t id) {
    if (id < 0 || static_cast<size_t>(id) >= model.pieces.size()) return;
    const std::string& piece = model.pieces[static_cast<size_t>(id)].text;
    if (piece.empty() || piece.find(' ') != std::string::npos) return;
    out += fmt::format("{}:{} ", role, piece);
  };
  add("bos", model.bos_id);
  add("eos", model.eos_id);
  add("unk", model.unknown_id);
  add("pad", model.pad_id);
  return out;
}

}  // namespace

object unigram_model(const std::vector<ScoredPiece>& pieces, int64_t unknown_id, bool byte_fallback) {
  array vocabulary;
  vocabulary.reserve(pieces.size());
  for (const ScoredPiece& piece : pieces) vocabulary.push_back(array{piece.text, piece.score});
  return part("Unigram", object{{"unk_id", unknown_id < 0 ? value(nullptr) : value(unknown_id)},
                                {"vocab", std::move(vocabulary)},
                                {"byte_fallback", byte_fallback}});
}

object scored_bpe_model(const std::vector<ScoredPiece>& pieces, std::string_view unknown,
                        bool byte_fallback) {
  std::vector<std::string> texts;
  std::vector<double> scores;
  object vocabulary;
  vocabulary.reserve(pieces.size());
  for (const ScoredPiece& piece : pieces) {
    vocabulary[piece.text] = static_cast<int64_t>(texts.size());
    texts.push_back(piece.text);
    scores.push_back(piece.score);
  }
  array merges;
  for (const auto& [left, right] : merges_of_vocabulary(texts, scores)) merges.push_back(array{left, right});
  return part("BPE", object{{"dropout", nullptr},
                            {"unk_token", unknown},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", true},
                            {"byte_fallback", byte_fallback},
                            {"ignore_merges", false},
                            {"vocab", std::move(vocabulary)},
                            {"merges", std::move(merges)}});
}

object llama_decoder(FirstSpace first_space) {
  array steps{replace_text(mark, " "), part("ByteFallback"), part("Fuse")};
  if (first_space == FirstSpace::strip)
    steps.push_back(part("Strip", object{{"content", " "}, {"start", 1}, {"stop", 0}}));
  return sequence("decoders", std::move(steps));
}

Result<object> document_of_sentencepiece(const SentencePieceModel& model, const TokenizerConfig& config) {
  const Class* found = find_sentencepiece_class(config.tokenizer_class, config.model_type);
  const Class& kind = found != nullptr ? *found : plain;
  if (model.kind != SentencePieceModel::Kind::unigram && model.kind != SentencePieceModel::Kind::bpe)
    return fail(Reason::model_unsupported, "SentencePiece models of words and characters are not supported");
  const std::vector<ScoredPiece> pieces = PieceList(model, kind, config).take();
  const bool own_bytes = kind.text == Class::Text::llama || kind.text == Class::Text::gemma;
  const bool byte_fallback = own_bytes || (found == nullptr && model.byte_fallback);
  int64_t unknown_id = kind.unknown_id >= 0 ? kind.unknown_id : model.unknown_id;
  if (kind.pieces == Class::Pieces::pegasus) unknown_id += PieceList::pegasus_offset(config);
  if (unknown_id >= static_cast<int64_t>(pieces.size()))
    return fail(Reason::bad_request, "the SentencePiece model's unknown piece is not among its pieces");

  const bool is_bpe = model.kind == SentencePieceModel::Kind::bpe;
  DocumentBuilder out(is_bpe ? scored_bpe_model(pieces, model.unknown_piece, byte_fallback)
                             : unigram_model(pieces, unknown_id, byte_fallback));
  add_file_specials(model, kind, out);
  out.normalizer = normalizer_of(model, kind, config);
  out.pre_tokenizer = pre_tokenizer_of(kind, config);
  out.decoder = decoder_of(model, kind, config);
  out.add_configured(with_family_specials(kind, config),
                     found != nullptr ? std::string(kind.specials) : specials_of_file(model));
  if (own_bytes) {
    TRY_DONE(out.set_bos_eos(config.add_bos_token.value_or(true), config.add_eos_token.value_or(false)));
  } else if (!kind.single.empty()) {
    TRY_DONE(out.set_template(kind.single, kind.pair));
  } else if (config.add_bos_token.value_or(false) || config.add_eos_token.value_or(false)) {
    TRY_DONE(out.set_bos_eos(config.add_bos_token.value_or(false), config.add_eos_token.value_or(false)));
  }
  return std::move(out).build();
}

}  // namespace holdfast::token
