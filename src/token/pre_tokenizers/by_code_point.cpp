// Pre-tokenizers that look at one code point at a time.
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/pre_tokenizers/pre_tokenizer.h"
#include "token/unicode/properties.h"

namespace holdfast::token {
namespace {

template <class Test>
class ByCodePoint final : public PreTokenizer {
 public:
  ByCodePoint(Test is_delimiter, SplitBehavior behavior)
      : is_delimiter_(std::move(is_delimiter)), behavior_(behavior) {}

  Status split(Pieces& pieces) const override {
    return split_pieces(pieces, behavior_,
                        [&](std::string_view text) { return match_code_points(text, is_delimiter_); });
  }

 private:
  Test is_delimiter_;
  SplitBehavior behavior_;
};

template <class Test>
std::unique_ptr<PreTokenizer> make(Test is_delimiter, SplitBehavior behavior) {
  return std::make_unique<ByCodePoint<Test>>(std::move(is_delimiter), behavior);
}

// Cuts where `kind` of a code point differs from that before; parts of kind 0 are dropped.
template <class Kind>
class ByRuns final : public PreTokenizer {
 public:
  explicit ByRuns(Kind kind) : kind_(std::move(kind)) {}

  Status split(Pieces& pieces) const override {
    return split_pieces(pieces, SplitBehavior::removed, [&](std::string_view text) {
      std::vector<Match> out;
      int last = -1;
      for_each_code_point(text, [&](char32_t code, size_t at, size_t bytes) {
        const int kind = kind_(code);
        if (kind == last)
          out.back().end = at + bytes;
        else
          out.push_back({at, at + bytes, kind == 0});
        last = kind;
      });
      return out;
    });
  }

 private:
  Kind kind_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(size_t length) : length_(length) {}

  Status split(Pieces& pieces) const override {
    return split_pieces(pieces, SplitBehavior::isolated, [&](std::string_view text) {
      std::vector<Match> out;
      size_t count = 0;
      for_each_code_point(text, [&](char32_t, size_t at, size_t bytes) {
        if (count++ % length_ == 0)
          out.push_back({at, at + bytes, false});
        else
          out.back().end = at + bytes;
      });
      return out;
    });
  }

 private:
  size_t length_;
};

class UnicodeScripts final : public PreTokenizer {
 public:
  Status split(Pieces& pieces) const override {
    return split_pieces(pieces, SplitBehavior::removed, [](std::string_view text) {
      // A cut is where a script follows another; what belongs to any script goes with what is before. What
      // comes before the first script is dropped, as in the reference.
      std::vector<Match> out;
      uint8_t last = 0;
      size_t from = 0;
      bool any = false;
      for_each_code_point(text, [&](char32_t code, size_t at, size_t) {
        const uint8_t script = script_of(code);
        if (script == 0) return;
        if (!any || script != last) {
          if (at > from) out.push_back({from, at, !any});
          from = at;
          any = true;
        }
        last = script;
      });
      if (from < text.size()) out.push_back({from, text.size(), !any});
      return out;
    });
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> make_whitespace_split() { return make(is_white_space, SplitBehavior::removed); }

std::unique_ptr<PreTokenizer> make_whitespace() {
  const auto kind = [](char32_t code) { return is_word(code) ? 1 : is_white_space(code) ? 0 : 2; };
  return std::make_unique<ByRuns<decltype(kind)>>(kind);
}

std::unique_ptr<PreTokenizer> make_unicode_scripts() { return std::make_unique<UnicodeScripts>(); }

Result<std::unique_ptr<PreTokenizer>> load_punctuation(const boost::json::object& json) {
  SplitBehavior behavior = SplitBehavior::isolated;
  if (json.contains("behavior")) {
    TRY(behavior, load_behavior(json));
  }
  return make(is_bert_punctuation, behavior);
}

Result<std::unique_ptr<PreTokenizer>> load_digits(const boost::json::object& json) {
  TRY(const bool each, codec::json_flag(json, "individual_digits"));
  return make(is_numeric, each ? SplitBehavior::isolated : SplitBehavior::contiguous);
}

Result<std::unique_ptr<PreTokenizer>> load_delimiter(const boost::json::object& json) {
  TRY(const std::string_view text, codec::json_text(json, "delimiter"));
  if (count_code_points(text) != 1)
    return fail(Reason::bad_request, "the tokenizer's 'delimiter' is not one character");
  return make([delimiter = code_point_at(text, 0).value](char32_t code) { return code == delimiter; },
              SplitBehavior::removed);
}

Result<std::unique_ptr<PreTokenizer>> load_fixed_length(const boost::json::object& json) {
  TRY(const auto length, codec::json_integer_if(json, "length"));
  if (length && *length <= 0) return fail(Reason::bad_request, "the tokenizer's 'length' is not positive");
  return std::unique_ptr<PreTokenizer>(
      std::make_unique<FixedLength>(static_cast<size_t>(length.value_or(5))));
}

}  // namespace holdfast::token
