// Decoders that change each token by itself.
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/decoders/decoder.h"
#include "token/metaspace.h"
#include "token/regex/load_pattern.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string_view with = i + 1 == tokens.size() ? "" : " ";
      if (suffix_.empty())
        spread(tokens[i], with);
      else
        replace_all(tokens[i], suffix_, with);
    }
    return tokens;
  }

 private:
  // An empty suffix is found around each character.
  static void spread(std::string& token, std::string_view with) {
    std::string out(with);
    for_each_code_point(token, [&](char32_t code, size_t, size_t) {
      append_utf8(out, code);
      out += with;
    });
    token = std::move(out);
  }

  std::string suffix_;
};

struct CtcSettings {
  std::string pad_token, delimiter;
  bool clean = true;
};

// Repeated tokens are one, blanks are dropped.
class CtcDecoder final : public Decoder {
 public:
  explicit CtcDecoder(CtcSettings settings) : settings_(std::move(settings)) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    std::vector<std::string> out;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i] == tokens[i - 1]) continue;
      std::string token = tokens[i];
      replace_all(token, settings_.pad_token, "");
      if (settings_.clean) {
        clean_up(token);
        replace_all(token, settings_.delimiter, " ");
      }
      if (!token.empty()) out.push_back(std::move(token));
    }
    return out;
  }

 private:
  CtcSettings settings_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(Metaspace settings) : settings_(settings) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool dropped = i == 0 && settings_.prepend != Metaspace::Prepend::never;
      std::string out;
      for_each_code_point(tokens[i], [&](char32_t code, size_t, size_t) {
        if (code != settings_.replacement)
          append_utf8(out, code);
        else if (!dropped)
          out += ' ';
      });
      tokens[i] = std::move(out);
    }
    return tokens;
  }

 private:
  Metaspace settings_;
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(std::shared_ptr<const Regex> pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (std::string& token : tokens) {
      if (token.empty()) continue;
      TRY(const std::vector<Match> matches, pattern_->find(token));
      std::string out;
      for (const Match& match : matches)
        out += match.delimiter ? std::string_view(content_)
                               : std::string_view(token).substr(match.begin, match.end - match.begin);
      token = std::move(out);
    }
    return tokens;
  }

 private:
  std::shared_ptr<const Regex> pattern_;
  std::string content_;
};

struct StripSettings {
  char32_t content = U' ';
  size_t start = 0, stop = 0;
};

class StripDecoder final : public Decoder {
 public:
  explicit StripDecoder(StripSettings settings) : settings_(settings) {}

  Result<std::vector<std::string>> decode(std::vector<std::string> tokens) const override {
    for (std::string& token : tokens) {
      std::vector<char32_t> codes;
      for_each_code_point(token, [&](char32_t code, size_t, size_t) { codes.push_back(code); });
      size_t begin = 0, end = codes.size();
      while (begin < std::min(settings_.start, codes.size()) && codes[begin] == settings_.content) ++begin;
      for (size_t i = 0; i < settings_.stop; ++i) {
        if (i >= codes.size()) return too_short();
        if (codes[codes.size() - 1 - i] != settings_.content) break;
        end = codes.size() - 1 - i;
      }
      if (begin > end) return too_short();
      token.clear();
      for (size_t i = begin; i < end; ++i) append_utf8(token, codes[i]);
    }
    return tokens;
  }

 private:
  static Error too_short() {
    return fail(Reason::tokenization_failed, "a token is shorter than what the decoder Strip cuts off");
  }

  StripSettings settings_;
};

template <class Kind, class... Arguments>
std::unique_ptr<Decoder> make(Arguments&&... arguments) {
  return std::make_unique<Kind>(std::forward<Arguments>(arguments)...);
}

}  // namespace

Result<std::unique_ptr<Decoder>> load_bpe_decoder(const boost::json::object& json) {
  TRY(const std::string_view suffix, codec::json_text(json, "suffix"));
  return make<BpeDecoder>(std::string(suffix));
}

Result<std::unique_ptr<Decoder>> load_ctc_decoder(const boost::json::object& json) {
  CtcSettings settings;
  TRY(settings.pad_token, codec::json_text(json, "pad_token"));
  TRY(settings.delimiter, codec::json_text(json, "word_delimiter_token"));
  TRY(settings.clean, codec::json_flag(json, "cleanup"));
  return make<CtcDecoder>(std::move(settings));
}

Result<std::unique_ptr<Decoder>> load_metaspace_decoder(const boost::json::object& json) {
  TRY(const Metaspace settings, Metaspace::load(json));
  return make<MetaspaceDecoder>(settings);
}

Result<std::unique_ptr<Decoder>> load_replace_decoder(const boost::json::object& json) {
  TRY(auto pattern, load_pattern(json));
  TRY(const std::string_view content, codec::json_text(json, "content"));
  return make<ReplaceDecoder>(std::move(pattern), std::string(content));
}

Result<std::unique_ptr<Decoder>> load_strip_decoder(const boost::json::object& json) {
  StripSettings settings;
  TRY(const std::string_view content, codec::json_text(json, "content"));
  TRY(const int64_t start, codec::json_integer(json, "start"));
  TRY(const int64_t stop, codec::json_integer(json, "stop"));
  if (count_code_points(content) != 1 || start < 0 || stop < 0)
    return fail(Reason::bad_request, "the tokenizer's decoder Strip has settings that cannot be");
  settings = {code_point_at(content, 0).value, static_cast<size_t>(start), static_cast<size_t>(stop)};
  return make<StripDecoder>(settings);
}

}  // namespace holdfast::token
