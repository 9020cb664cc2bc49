#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/stream_texts.h"
#include "scan/secret_watch.h"
#include "serve/guardrails.h"
#include "serve/word_watch.h"

namespace holdfast::api {

// The events of a streamed answer that wait to be looked at, and the texts that they make together. One
// thread.
class HeldAnswer {
 public:
  static constexpr size_t text_bytes_max = 4 << 20, texts_max = 4096;

  // The forms that each text is looked at by, one number a stage; before the first event.
  void look_for(size_t stage, const serve::GuardStage& by);
  // Texts are let through only as far as `saw` says of this stage.
  void wait_for(size_t stage) { waits_.push_back({stage, {}}); }

  struct Found {
    bool anything = false;
    size_t stage = 0;
  };
  Found take(
      std::string event);  // The next event. What its texts have of the forms; no event is let through then.
  Found end();             // Nothing follows.
  bool is_too_much() const { return bytes_ > text_bytes_max || texts_.size() > texts_max; }

  // Of a stage that was waited for: it has looked at all that is there, or at what there is until the end.
  void saw(size_t stage);
  void never_mind(size_t stage);  // It does not hold anything back any more.

  // The events that may go out now, in order.
  std::vector<std::string> let_through();

  std::vector<std::string_view> texts() const;  // All of them so far.
  size_t bytes() const { return bytes_; }       // Together.
  size_t said() const { return said_; }         // Events that said something.

 private:
  struct Form {
    size_t stage;
    std::variant<serve::WordWatch, scan::SecretWatch> watch;
  };
  struct Text {
    std::string place, all;
    std::vector<Form> forms;
    size_t cleared() const;
  };
  struct Wait {
    size_t stage;
    std::vector<size_t> seen;  // Of each text.
    bool over = false;
  };
  struct Event {
    std::string bytes;
    struct Need {
      size_t text, end;
    };
    std::vector<Need> needs;
    bool runs_ahead = false;
  };

  size_t text_at(const std::string& place);
  Found grow(size_t text, std::string_view more);
  bool may_go(const Event& event) const;

  std::vector<Form> forms_;  // Of a text that begins.
  std::vector<Wait> waits_;
  std::vector<Text> texts_;
  std::deque<Event> events_;
  size_t bytes_ = 0, said_ = 0;
  bool ended_ = false;
};

}  // namespace holdfast::api
