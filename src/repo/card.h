#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "repo/repository.h"

namespace holdfast::repo {

// The YAML between two "---" lines at the start of a README.md; empty when there is none.
std::string_view front_matter(std::string_view readme);

// What the metadata of a card lacks or gets wrong. Errors refuse the card, warnings are shown.
struct CardFindings {
  std::vector<std::string> errors, warnings;
};
// As the hub's validate-yaml: YAML that does not parse, values of the wrong kind, a license that is not in
// licenses(), a model index without names.
CardFindings check_card(std::string_view readme, RepoType type);

// Every identifier a card's `license` may have, sorted.
std::span<const std::string_view> licenses();

// What a repository's files say it is.
struct CardFacts {
  std::vector<std::string> paths;  // Of all files.
  std::string readme;              // README.md, may be empty.
  std::string config;              // config.json of a model, may be empty.
};
struct Card {
  std::string commit;   // Hex.
  std::string library;  // "transformers"; empty when unknown.
  std::string pipeline;
  std::vector<std::string> tags;
  std::string data = "{}";  // The front matter as JSON.
  std::string config;       // The part of config.json that listings show, as JSON; may be empty.
  std::string safetensors;  // {"parameters": {"F32": n}, "total": n}, or empty.
  int64_t parameters = 0;
  WallTime modified{};  // Of the commit.
};
// Everything but commit, safetensors and modified.
Card read_card(const CardFacts& facts, RepoType type);

}  // namespace holdfast::repo
