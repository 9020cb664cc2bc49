#pragma once

#include <span>
#include <string_view>

namespace holdfast::model {

// A language that Whisper was trained on (Radford et al. 2022), by its code and its name in English; some
// have further names.
struct SpokenLanguage {
  std::string_view code, name;
};
std::span<const SpokenLanguage> spoken_languages();

// The code of a language by code or name, in any case; empty for one that is not known.
std::string_view language_code(std::string_view said);
// Its name; empty for a code that is not known.
std::string_view language_name(std::string_view code);

}  // namespace holdfast::model
