#include "api/fill_words.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "api/served_task.h"

namespace holdfast::api {
namespace {

constexpr FillWords families[] = {{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                  {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                  {"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},
                                  {"<PRE>", "<SUF>", "<MID>"}};

}  // namespace

std::string FillWords::prompt(std::string_view text_before, std::string_view text_behind) const {
  return fmt::format("{}{}{}{}{}", before, text_before, behind, text_behind, between);
}

Result<std::optional<FillWords>> fill_words_of(serve::Models& models, const Call& call,
                                               const serve::ServedModel& model) {
  for (const FillWords& words : families) {
    bool all = true;
    for (const char* word : {words.before, words.behind, words.between}) {
      TRY(const boost::json::value rows, ask_task(models, call, model, "tokenize", boost::json::value(word),
                                                  {{"add_special_tokens", false}}));
      all = all && rows.get_array().front().get_array().size() == 1;
    }
    if (all) return std::optional(words);
  }
  return std::optional<FillWords>();
}

}  // namespace holdfast::api
