#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::api {

// Takes whole server-sent events, each with its blank line, from the begin of `bytes`; what is left is the
// begin of one that is not whole yet.
std::vector<std::string> take_events(std::string& bytes);
// The data of an event: its lines, joined.
std::string event_data(std::string_view event);

// What one event of a streamed answer says, in any of the protocols.
struct EventTexts {
  struct Part {
    std::string place;  // Which of the texts that grow: a choice's, its reasoning, a call's arguments.
    std::string text;
  };
  std::vector<Part> grown;   // What is added to those;
  std::vector<Part> wholes;  // and texts that are told whole, again perhaps.
  // It tells of tokens whose text comes with a later event.
  bool runs_ahead = false;
};
EventTexts texts_of_event(std::string_view data);

}  // namespace holdfast::api
