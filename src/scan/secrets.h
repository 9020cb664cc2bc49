#pragma once

#include <cstdint>
#include <string_view>

#include "scan/finding.h"

namespace holdfast::scan {

struct SecretRule;

// Looks through text for secrets: one pass finds the keywords of all rules (Aho-Corasick), around each the
// rule's pattern is tried, what it captures must be as random as the rule asks (Shannon entropy, bits a
// character), and must not be an example or a variable's name. What to look for: secret_rules.h
// (governance.md 2.2). The secret itself never enters a finding. One thread.
class SecretSearch {
 public:
  // Borrows both.
  SecretSearch(const Place& place, FileReport& report) : place_(place), report_(report) {}

  // The next piece of the text, whose first line has this number. Matches that begin at or after `own_bytes`
  // belong to the next piece, which begins there.
  void look(std::string_view piece, uint32_t first_line, size_t own_bytes);

 private:
  void tell(const SecretRule& rule, std::string_view secret, uint32_t line);

  const Place& place_;
  FileReport& report_;
};

// Of a text that goes on: whether it has a secret that ends behind `seen` and that what follows cannot undo.
// At its end: whether it has one that ends behind `seen`.
enum class TextEnd : uint8_t { goes_on, is_all };
bool has_secret(std::string_view text, size_t seen, TextEnd end);

// Bits a character of a text by the frequencies of its bytes.
double shannon_entropy(std::string_view text);

}  // namespace holdfast::scan
