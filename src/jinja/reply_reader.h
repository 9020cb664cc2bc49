#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/call_scanner.h"
#include "jinja/reply_family.h"

namespace holdfast::jinja {

// Id and name come with a call's first part; arguments are JSON text to be put together.
struct ReplyCallPart {
  uint32_t index = 0;
  std::string id, name, arguments;
};

// What a piece of a reply is: what is said, what is thought before, calls of tools.
struct ReplyPiece {
  std::string text, reasoning;
  std::vector<ReplyCallPart> calls;
};

struct ReplyForm {
  enum class Calls : uint8_t {
    none,            // All is text.
    as_family,       // Where the model writes one in its family's way.
    one_object,      // The reply is {"name", "arguments"}: a grammar sees to it.
    arguments_only,  // The reply is the arguments of `function`.
  };
  ReplyFamily family = ReplyFamily::plain;
  Calls calls = Calls::none;
  std::string function = {};
  std::vector<std::string> functions =
      {};                       // That there are: a bare object that names no one of them is text.
  bool thinks = false;          // May begin with a thought.
  bool within_thought = false;  // The prompt began one already.
};

// Reads a model's reply as it is written and takes it apart. What cannot be read as a call is text, none of
// it is lost. One reply; one thread.
class ReplyReader {
 public:
  using NextId = std::function<std::string()>;
  ReplyReader(ReplyForm form, NextId next_id);

  ReplyPiece add(std::string_view text);
  ReplyPiece finish();

  size_t calls_begun() const { return begun_; }
  size_t calls_ended() const { return ended_; }

 private:
  enum class Place : uint8_t {
    start,  // Nothing said yet: a thought may begin.
    thought,
    text,
    object,     // {"name", "arguments"}
    behind,     // An object: a closing tag, a comma, another one.
    name,       // mistral's newer way, deepseek: up to the arguments.
    arguments,  // Alone, up to the end of their JSON value.
    all_arguments,
    head,  // harmony: up to <|message|>.
    body,
  };
  // One step; false: more text is needed.
  bool step(ReplyPiece& out);
  bool read_start();
  bool read_thought(ReplyPiece& out);
  bool read_text(ReplyPiece& out);
  bool read_object(ReplyPiece& out);
  bool read_behind();
  bool read_name(ReplyPiece& out);
  bool read_arguments(ReplyPiece& out);
  bool read_head();
  bool read_body(ReplyPiece& out);

  void say(std::string_view text, ReplyPiece& out);
  void begin_call(std::string_view name, ReplyPiece& out);
  void add_arguments(std::string_view text, ReplyPiece& out);
  // Text up to a mark that may begin at its end.
  size_t sure(std::span<const std::string_view> marks) const;
  std::string_view opener() const;

  const ReplyForm form_;
  const NextId next_id_;
  std::string held_;
  Place place_ = Place::start;
  bool over_ = false;     // No more comes.
  bool said_ = false;     // Some text that is not blank.
  bool trimming_ = true;  // Blanks at the beginning of a part are left out.
  bool named_ = false;    // The current object's name was sent.
  bool bare_ = false;     // It stands without its family's opener.
  bool listed_ = false;   // Within mistral's list.
  enum class Channel : uint8_t { text, thought, call } channel_ = Channel::text;
  CallScanner object_;
  ValueScanner value_;
  size_t begun_ = 0, ended_ = 0;
};

}  // namespace holdfast::jinja
