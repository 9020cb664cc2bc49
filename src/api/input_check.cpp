#include "api/input_check.h"

#include <fmt/format.h>

#include "api/input_rules_call.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "base/utf8.h"
#include "observe/desk.h"
#include "serve/callers.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

constexpr unsigned delete_character = 0x7f, first_printable = 0x20;

bool is_refused(unsigned character) {
  if (character == '\t' || character == '\n' || character == '\f' || character == '\r') return false;
  return character < first_printable || character == delete_character;
}

Status refuse(unsigned character) {
  return fail(Reason::bad_request,
              fmt::format("the input holds the control character U+{:04X}: take it out", character));
}

// Of four hexadecimal digits; else a blank, which nobody refuses.
unsigned escaped(std::string_view digits) {
  unsigned value = 0;
  if (digits.size() < 4) return ' ';
  for (const char digit : digits.substr(0, 4)) {
    value <<= 4;
    if (digit >= '0' && digit <= '9')
      value += static_cast<unsigned>(digit - '0');
    else if (const char letter = static_cast<char>(digit | 0x20); letter >= 'a' && letter <= 'f')
      value += static_cast<unsigned>(letter - 'a' + 10);
    else
      return ' ';
  }
  return value;
}

bool is_json(const net::Request& request) {
  const size_t begin = request.body.find_first_not_of(" \t\r\n");
  return begin != std::string::npos && (request.body[begin] == '{' || request.body[begin] == '[');
}

}  // namespace

bool runs_no_model(std::string_view path) {
  for (const std::string_view end :
       {"/tokenize", "/detokenize", "/decode", "/chat_tokenize", "/apply-template"})
    if (path.ends_with(end)) return true;
  return false;
}

Status check_json_characters(std::string_view json) {
  if (json.find(static_cast<char>(delete_character)) != std::string_view::npos)
    return refuse(delete_character);
  for (size_t at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at + 2)) {
    if (at + 1 >= json.size()) return Done{};
    if (json[at + 1] == 'b') return refuse('\b');
    if (json[at + 1] != 'u') continue;
    if (const unsigned character = escaped(json.substr(at + 2)); is_refused(character))
      return refuse(character);
  }
  return Done{};
}

Status check_text_characters(std::string_view text) {
  if (!is_utf8(text)) return fail(Reason::bad_request, "the input is not UTF-8");
  for (const char byte : text)
    if (const auto character = static_cast<unsigned char>(byte); is_refused(character))
      return refuse(character);
  return Done{};
}

namespace {

Status check_characters(const Services& services, const Call& call) {
  if (services.guards != nullptr && services.guards->controls == serve::Guards::Controls::allowed)
    return Done{};
  // Of the open inference protocol's binary form only the JSON in front is text.
  std::string_view text = call.request.body;
  if (call.request.headers.find("Inference-Header-Content-Length")) text = text.substr(0, text.find('\0'));
  const Status sound = check_json_characters(text);
  if (!sound.ok() && call.served && services.guards != nullptr && services.guards->callers != nullptr) {
    call.served->odd = true;
    services.guards->callers->was_odd(asker_of(call).key, serve::Oddity::characters);
  }
  return sound;
}

}  // namespace

namespace {

Status look_at_input(const Services& services, const Call& call) {
  if (services.guards != nullptr && services.guards->callers != nullptr && call.served) {
    std::chrono::milliseconds wait{};
    const Status let_in = services.guards->callers->came(asker_of(call).key, wait);
    if (!let_in.ok()) call.served->work.retry_after = wait;
    TRY_DONE(let_in);
  }
  if (!is_json(call.request)) return Done{};
  if (call.served && runs_no_model(call.served->route)) return Done{};
  if (runs_no_model(call.request.path())) return Done{};
  TRY_DONE(check_characters(services, call));
  return check_input_rules(services, call);
}

}  // namespace

Status check_input(const Services& services, const Call& call) {
  if (call.request.method != "POST") return Done{};
  const Status looked = look_at_input(services, call);
  // No version was chosen yet: counted under none.
  if (!looked.ok() && call.served && call.served->desk != nullptr)
    call.served->desk->turned_away(looked.error());
  return looked;
}

void note_refused(const Services& services, const Call& call, const Error& error) {
  if (services.guards == nullptr || services.guards->callers == nullptr || !call.served ||
      call.request.method != "POST" || error.reason != Reason::bad_request || call.served->odd)
    return;
  services.guards->callers->was_odd(asker_of(call).key, serve::Oddity::shape);
}

}  // namespace holdfast::api
