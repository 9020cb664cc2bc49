#include "scan/license_file.h"

#include <gtest/gtest.h>

namespace holdfast::scan {
namespace {

constexpr std::string_view mit =
    "MIT License\n\nCopyright (c) 2026 Ada\n\nPermission is hereby granted, free of charge, to any person "
    "obtaining a copy\nof this software … The above copyright notice and this permission notice shall be "
    "included";
constexpr std::string_view apache =
    "                                 Apache License\n                           Version 2.0, January 2004\n";
constexpr std::string_view bsd =
    "Redistribution and use in source and binary forms, with or without\nmodification, are permitted\n"
    "2. Redistributions in binary form must reproduce";

TEST(LicenseFile, IsToldByItsTitleOrItsGrant) {
  struct Case {
    std::string_view text;
    std::string_view id;
  };
  for (const Case& each : {
           Case{mit, "mit"},
           Case{apache, "apache-2.0"},
           Case{bsd, "bsd-2-clause"},
           Case{"GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", "gpl-3.0"},
           Case{"GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991", "gpl-2.0"},
           Case{"GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007", "agpl-3.0"},
           Case{"# Attribution-NonCommercial-ShareAlike 4.0 International", "cc-by-nc-sa-4.0"},
           Case{"Creative Commons Attribution 4.0 International Public License", "cc-by-4.0"},
           Case{"LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "llama3.1"},
           Case{"META LLAMA 3 COMMUNITY LICENSE AGREEMENT", "llama3"},
       }) {
    const auto found = license_of_text(each.text);
    ASSERT_TRUE(found) << each.id;
    EXPECT_EQ(*found, each.id);
  }
  EXPECT_TRUE(license_of_text(std::string(bsd) + "\nNeither the name of the holder") == "bsd-3-clause");
  EXPECT_FALSE(license_of_text("All rights reserved. Ask our lawyers."));
  EXPECT_FALSE(license_of_text(""));
}

TEST(LicenseFile, AgainstTheCardsTagIsAWarning) {
  const auto found = compare_license_file("apache-2.0", "LICENSE", mit);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rule, "license.file");
  EXPECT_EQ(found->severity, Severity::warning);
  EXPECT_FALSE(compare_license_file("mit", "LICENSE", mit));
  EXPECT_FALSE(compare_license_file("apache-2.0 OR mit", "LICENSE", mit));
  EXPECT_FALSE(compare_license_file("Apache-2.0", "LICENSE", apache)) << "case does not matter";
  EXPECT_FALSE(compare_license_file("", "LICENSE", mit)) << "the card's silence is told elsewhere";
  EXPECT_FALSE(compare_license_file("mit", "LICENSE", "a text of our own"));
  EXPECT_TRUE(compare_license_file("mit", "LICENSE", "Attribution-NonCommercial 4.0 International"));
}

TEST(LicenseFile, StandsAtTheRootUnderItsNames) {
  for (const char* path : {"LICENSE", "license.md", "LICENCE.txt", "COPYING"})
    EXPECT_TRUE(is_license_file(path));
  for (const char* path : {"docs/LICENSE", "LICENSES", "license.py", "README.md"})
    EXPECT_FALSE(is_license_file(path));
}

}  // namespace
}  // namespace holdfast::scan
