#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/work.h"

namespace holdfast::api {

// How a stream ends that a guardrail cuts, as its protocol has it: finish_reason "content_filter" of OpenAI's
// chat and completions, response.incomplete with that reason of its responses; an error event elsewhere, and
// where a guardrail that fails closed could not look. Hears of every event, and of what was let through.
class StreamCut {
 public:
  void came(std::string_view data);  // An event's data, whether or not it goes out.
  void sent(std::string_view data);  // It went out.

  // Instead of what was held back. Nothing of it may be in `error`. Empty: the protocol has only its error
  // event for it.
  std::string ending(const Error& error);
  // Whether `closing` says how the stream ended.
  bool ends_by_closing() const { return refused_ && kind_ != Kind::unknown; }
  // Behind that, when it is known what the answer took. `answers`: how many were asked of each prompt.
  std::string closing(const serve::Work& work, uint64_t answers, bool with_usage);

 private:
  enum class Kind : uint8_t { unknown, completions, responses } kind_ = Kind::unknown;

  void sent_of_responses(const boost::json::object& event);
  std::string completions_ending();
  std::string responses_event(std::string_view type, boost::json::object event);
  std::string responses_item_end();

  boost::json::object head_;  // Of completions: what each event has beside its choices.
  bool chat_ = false;
  std::map<int64_t, bool> choices_;  // And which have ended.
  boost::json::object response_;     // Of responses: the object as it was told first,
  boost::json::array output_;        // the items that are whole,
  boost::json::object item_;         // the one that is not,
  std::string item_text_;            // what of it went out,
  std::string item_part_;            // and as what: "output_text", "reasoning_text", "" for a call.
  int64_t sequence_ = 0;
  bool item_open_ = false, part_open_ = false, refused_ = false;
};

}  // namespace holdfast::api
