#include "scan/license_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "scan/license.h"

namespace holdfast::scan {
namespace {

constexpr size_t text_bytes_max = 256 << 10;

// What a text must hold, in lower case and with single spaces, and what it must not.
struct Marks {
  std::string_view id;
  std::string_view first, second, absent;
};

// Titles of versions, and the sentences by which short licences grant. In the order in which they are tried:
// a text of a later version quotes the earlier.
constexpr auto marks = std::to_array<Marks>({
    {"agpl-3.0", "gnu affero general public license", "version 3, 19 november 2007", ""},
    {"lgpl-3.0", "gnu lesser general public license", "version 3, 29 june 2007", ""},
    {"lgpl-2.1", "gnu lesser general public license", "version 2.1, february 1999", ""},
    {"gpl-3.0", "gnu general public license", "version 3, 29 june 2007",
     "gnu lesser general public license version"},
    {"gpl-2.0", "gnu general public license", "version 2, june 1991", ""},
    {"apache-2.0", "apache license", "version 2.0, january 2004", ""},
    {"mpl-2.0", "mozilla public license", "version 2.0", ""},
    {"epl-2.0", "eclipse public license", "v 2.0", ""},
    {"epl-1.0", "eclipse public license", "v 1.0", ""},
    {"cc0-1.0", "cc0 1.0 universal", "", ""},
    {"cc-by-nc-nd-4.0", "attribution-noncommercial-noderivatives 4.0", "", ""},
    {"cc-by-nc-sa-4.0", "attribution-noncommercial-sharealike 4.0", "", ""},
    {"cc-by-nc-4.0", "attribution-noncommercial 4.0", "", ""},
    {"cc-by-nd-4.0", "attribution-noderivatives 4.0", "", ""},
    {"cc-by-sa-4.0", "attribution-sharealike 4.0", "", ""},
    {"cc-by-4.0", "attribution 4.0 international", "", ""},
    {"cc-by-sa-3.0", "attribution-sharealike 3.0", "", ""},
    {"cc-by-3.0", "attribution 3.0", "", ""},
    {"llama4", "llama 4 community license agreement", "", ""},
    {"llama3.3", "llama 3.3 community license agreement", "", ""},
    {"llama3.2", "llama 3.2 community license agreement", "", ""},
    {"llama3.1", "llama 3.1 community license agreement", "", ""},
    {"llama3", "llama 3 community license agreement", "", ""},
    {"llama2", "llama 2 community license agreement", "", ""},
    {"gemma", "gemma terms of use", "", ""},
    {"bigcode-openrail-m", "bigcode open", "rail-m", ""},
    {"creativeml-openrail-m", "creativeml open rail-m", "", ""},
    {"bigscience-bloom-rail-1.0", "bigscience rail license v1.0", "", ""},
    {"unlicense", "free and unencumbered software released into the public domain", "", ""},
    {"wtfpl", "do what the fuck you want to public license", "", ""},
    {"bsl-1.0", "boost software license", "version 1.0", ""},
    {"isc",
     "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",
     "provided that the above copyright notice", ""},
    {"bsd-3-clause", "redistribution and use in source and binary forms", "neither the name", ""},
    {"bsd-2-clause", "redistribution and use in source and binary forms", "redistributions in binary form",
     "neither the name"},
    {"mit", "permission is hereby granted, free of charge, to any person obtaining a copy",
     "the above copyright notice and this permission notice", "except as contained in this notice"},
});

std::string flattened(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, text_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) != 0 || c == '#' || c == '*' || c == '_') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += static_cast<char>(std::tolower(byte));
    }
  }
  return out;
}

bool holds(std::string_view text, std::string_view mark) {
  return mark.empty() || text.find(mark) != std::string_view::npos;
}

bool is_same(std::string_view id, std::string_view found) {
  const LicenseTerms* left = find_license(id);
  const LicenseTerms* right = find_license(found);
  if (left == nullptr || right == nullptr) return left == right;
  // A card may name the family: "gpl", "cc".
  return left->id == right->id || right->id.starts_with(std::string(left->id) + "-");
}

}  // namespace

bool is_license_file(std::string_view path) {
  std::string name(path);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr auto names =
      std::to_array<std::string_view>({"license", "license.txt", "license.md", "licence", "licence.txt",
                                       "licence.md", "copying", "copying.txt"});
  return std::ranges::find(names, name) != names.end();
}

std::optional<std::string_view> license_of_text(std::string_view text) {
  const std::string flat = flattened(text);
  for (const Marks& each : marks)
    if (holds(flat, each.first) && holds(flat, each.second) &&
        (each.absent.empty() || !holds(flat, each.absent)))
      return each.id;
  return std::nullopt;
}

std::optional<Finding> compare_license_file(std::string_view tag, std::string_view path,
                                            std::string_view text) {
  const auto found = license_of_text(text);
  if (!found || tag.empty()) return std::nullopt;
  const auto sets = parse_license_expression(tag);
  if (!sets.ok()) return std::nullopt;
  for (const auto& set : sets.value())
    for (const std::string& id : set)
      if (is_same(id, *found)) return std::nullopt;
  return Finding{.topic = Topic::license,
                 .rule = "license.file",
                 .severity = Severity::warning,
                 .place = {.file = std::string(path)},
                 .reason = fmt::format("the card says {}, but this is the text of {}", tag, *found)};
}

}  // namespace holdfast::scan
