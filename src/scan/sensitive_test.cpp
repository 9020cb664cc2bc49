#include "scan/sensitive.h"

#include <gtest/gtest.h>

namespace holdfast::scan {
namespace {

std::string kinds_of(std::string_view text, std::string_view name) {
  const auto source = memory_source(as_bytes(text));
  const auto found = find_sensitive(*source, name);
  EXPECT_TRUE(found.ok());
  std::string out;
  for (const SensitiveFinding& each : found.value())
    out += std::string(sensitive_name(each.kind)) + "@" + std::to_string(each.line) + " ";
  return out;
}

TEST(Sensitive, EachKindIsToldFromTheOthers) {
  std::string contacts = "name,email\n";
  for (int i = 0; i < 12; ++i) contacts += "Nobody,person" + std::to_string(i) + "@example.org\n";
  const std::string key = "AK" + std::string("IAZ7QWERTYPLMNBVCX");
  struct Case {
    std::string name, text, kinds;
  };
  const Case cases[] = {
      {"deploy.env", "region=eu\nkey=" + key + "\n", "credentials@2 "},
      {"people.csv", "id,ssn\n1,078-05-1121\n", "identity@2 "},
      {"cards.csv", "id,card\n1,4111 1111 1111 1111\n", "payment@2 "},
      {"patients.csv", "id,nhs number\n1,943 476 5919\n", "health@2 "},
      {"contacts.csv", contacts, "contacts@2 "},
      {"plan.md", "# Plan\n\nCONFIDENTIAL - not before the fair\n", "marked@3 "},
      {"few.csv", "name,email\nAda,ada@example.org\n", ""},
      {"talk.md", "We call such papers CONFIDENTIAL here.\nConfidential data is a topic.\n", ""},
      {"train.csv", "text,label\nthe refund came late,refund\n", ""},
      {"weights.bin", std::string("CONFIDENTIAL\n\0", 14), ""},
  };
  for (const Case& each : cases) EXPECT_EQ(kinds_of(each.text, each.name), each.kinds) << each.name;
}

TEST(Sensitive, NamesGoThereAndBack) {
  for (size_t i = 0; i < sensitive_kinds; ++i) {
    const auto kind = static_cast<SensitiveKind>(i);
    EXPECT_EQ(sensitive_of_name(sensitive_name(kind)), kind);
  }
  EXPECT_FALSE(sensitive_of_name("secret").has_value());
}

}  // namespace
}  // namespace holdfast::scan
