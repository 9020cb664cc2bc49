#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::jinja {

// Text as Python sees it: a row of code points. All views are UTF-8 (a byte that is none counts as one).

size_t character_bytes(std::string_view text);  // Of the first character; text is not empty.
size_t character_count(std::string_view text);
// Where character `index` starts; text.size() past the end.
size_t character_offset(std::string_view text, size_t index);
std::vector<std::string_view> characters(std::string_view text);
char32_t code_point(std::string_view character);
void append_utf8(std::string& out, char32_t code);

bool is_space(char32_t code);       // str.isspace
bool is_printable(char32_t code);   // str.isprintable
bool is_word(char32_t code);        // \w
bool is_alphabetic(char32_t code);  // str.isalpha
bool is_decimal(char32_t code);     // str.isdecimal, 0..9 of any script
bool is_digit(char32_t code);       // str.isdigit
bool is_numeric(char32_t code);     // str.isnumeric
bool is_upper(char32_t code);
bool is_lower(char32_t code);
bool is_identifier_start(char32_t code);
bool is_identifier_part(char32_t code);

// Python's case methods with their full mappings (sharp s, final sigma).
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string case_folded(std::string_view text);
std::string to_title(std::string_view text);  // str.title
std::string capitalized(std::string_view text);
std::string case_swapped(std::string_view text);
bool all_upper(std::string_view text);  // str.isupper: something cased, nothing lower.
bool all_lower(std::string_view text);
bool is_title(std::string_view text);

enum class Ends : uint8_t { both, left, right };
// White space, or the characters of `set` when given.
std::string_view stripped(std::string_view text, Ends ends);
std::string_view stripped(std::string_view text, std::string_view set, Ends ends);
// str.splitlines; with KeepEnds::yes lines keep their line break.
enum class KeepEnds : uint8_t { no, yes };
std::vector<std::string_view> lines_of(std::string_view text, KeepEnds keep = KeepEnds::no);

}  // namespace holdfast::jinja
