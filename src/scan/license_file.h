#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scan/finding.h"

namespace holdfast::scan {

// Whether a path at the root is where a licence's text stands: LICENSE, LICENCE.md, COPYING.
bool is_license_file(std::string_view path);

// Which licence this is the text of, as a card writes it ("apache-2.0"), by titles, versions and grants that
// no other has; nullopt for texts that are none we know, or several.
std::optional<std::string_view> license_of_text(std::string_view text);

// A warning where a card's licence and the text beside it are not the same; nullopt where they are, or where
// one of them says nothing. `tag` is an SPDX expression: one of its ids is enough.
std::optional<Finding> compare_license_file(std::string_view tag, std::string_view path,
                                            std::string_view text);

}  // namespace holdfast::scan
