#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/message.h"

namespace holdfast::api {

// The form of POST /v1/audio/transcriptions and …/translations: a file, and settings as text.
struct AudioForm {
  std::string file;
  std::map<std::string, std::vector<std::string>, std::less<>> fields;  // Several values of "name[]".

  // The last value; empty where there is none.
  std::string_view field(std::string_view name) const;
};
// bad_request for what is no such form, body_too_large for parts beyond the bounds.
Result<AudioForm> read_audio_form(const net::Request& request);

// The form's "model" alone; empty where it says none or is no such form.
std::string model_in_form(const net::Request& request);

}  // namespace holdfast::api
