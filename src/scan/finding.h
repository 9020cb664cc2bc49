#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::scan {

// note: worth knowing. warning: a person should look; what we cannot judge is here at least. dangerous: would
// run code or give away a secret.
enum class Severity : uint8_t { note, warning, dangerous };
enum class Topic : uint8_t { pickle, archive, secret, license, card, format, personal };

std::string_view severity_name(Severity severity);
std::string_view topic_name(Topic topic);

struct Place {
  std::string file{};
  std::string member{};  // Of an archive, "a.zip!b.pkl" for nested ones; empty for the file itself.
  std::optional<uint64_t> offset{};  // Of the byte, within the member: a pickle's opcode.
  std::optional<uint32_t> line{};    // From 1.
};

struct Finding {
  Topic topic = Topic::format;
  std::string rule{};  // "pickle.global", "secret.aws-access-token"
  Severity severity = Severity::note;
  Place place{};
  std::string reason{};  // For people; never the secret itself.
};

// A name that a pickle looks up when it is loaded.
enum class Safety : uint8_t { innocuous, suspicious, dangerous };
std::string_view safety_name(Safety safety);
struct Import {
  std::string module, name;
  Safety safety = Safety::suspicious;
  friend bool operator==(const Import&, const Import&) = default;
};

inline constexpr size_t findings_max = 1000;  // Of one file.
inline constexpr size_t imports_max = 1000;

struct FileReport {
  std::vector<Finding> findings{};
  std::vector<Import> imports{};  // Each once.
  bool has_pickle = false;
  std::vector<std::string>
      tokens{};  // Texts of the form of our own tokens, 100 at most; never stored or shown.

  // Adds until findings_max, and never loses a worse one to the limit.
  void add(Finding finding);
  Severity worst() const;  // note when there is nothing.
};

}  // namespace holdfast::scan
