#include "scan/personal.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "scan/checksums.h"
#include "scan/scan_file.h"

namespace holdfast::scan {
namespace {

std::vector<std::string> kinds(std::string_view text, TextShape shape = TextShape::plain) {
  std::vector<std::string> out;
  for (const PersonalSpan& span : find_personal(text, shape, text.substr(0, text.find('\n'))))
    out.emplace_back(span.kind);
  return out;
}

TEST(Personal, PatternedKindsAreFound) {
  const struct {
    const char* text;
    const char* kind;
  } cases[] = {
      {"write to jane.doe+x@mail.example.co.uk today", "EMAIL_ADDRESS"},
      {"paid with 4111 1111 1111 1111", "CREDIT_CARD"},
      {"paid with 378282246310005.", "CREDIT_CARD"},
      {"to DE89 3704 0044 0532 0130 00", "IBAN_CODE"},
      {"GB29NWBK60161331926819", "IBAN_CODE"},
      {"is 536-90-4399", "US_SSN"},
      {"ssn 536904399", "US_SSN"},
      {"call +49 30 901820", "PHONE_NUMBER"},
      {"(212) 555-0188", "PHONE_NUMBER"},
      {"001-375-875-0649x61426", "PHONE_NUMBER"},
      {"phone: 020 7946 0018", "PHONE_NUMBER"},
      {"from 192.168.17.4", "IP_ADDRESS"},
      {"from 2001:db8:85a3::8a2e:370:7334", "IP_ADDRESS"},
      {"card 00:1B:44:11:3A:B7", "MAC_ADDRESS"},
      {"to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "CRYPTO"},
      {"date of birth: 1971-04-30", "DATE_OF_BIRTH"},
      {"Mrs. Anna Becker came", "PERSON"},
      {"aba 021000021", "ABA_ROUTING_NUMBER"},
      {"npi 1234567893", "US_NPI"},
      {"NHS 943 476 5919", "UK_NHS"},
      {"NI number AB123456C", "UK_NINO"},
      {"aadhaar 2345 6789 0124", "IN_AADHAAR"},
      {"pan ABCPE1234F", "IN_PAN"},
      {"Steuer-ID 86095742719", "DE_TAX_ID"},
      {"DNI 12345678Z", "ES_NIF"},
      {"NIE X1234567L", "ES_NIE"},
      {"PESEL 44051401359", "PL_PESEL"},
      {"RSSMRA85T10A562S", "IT_FISCAL_CODE"},
      {"S1234567D", "SG_NRIC_FIN"},
      {"SIN 146 454 285", "CA_SIN"},
      {"hetu 131052-308T", "FI_PERSONAL_IDENTITY_CODE"},
      {"MRN: 00482913", "MEDICAL_RECORD_NUMBER"},
      {"abn 51 824 753 556", "AU_ABN"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    const auto found = kinds(each.text);
    EXPECT_TRUE(std::find(found.begin(), found.end(), each.kind) != found.end())
        << (found.empty() ? "nothing" : found[0]);
  }
}

TEST(Personal, WhatFailsItsChecksumOrHasNoContextIsNone) {
  for (const char* text :
       {"order 4111 1111 1111 1112", "DE89 3704 0044 0532 0131 02", "000-12-3456", "666-12-3456",
        "id 536904399", "version 1.2.3", "2024-05-06", "127.0.0.1", "a@b", "weights 0.123456789", "12345678A",
        "Large Language Model", "sha256 9f86d081884c7d659a2feaa0c55ad015"})
    EXPECT_TRUE(kinds(text).empty()) << text << ": " << kinds(text)[0];
}

TEST(Personal, AColumnsNameIsContext) {
  const std::string table =
      "id,patient_name,zipcode,note\n1,Anna Becker,10115,\"well, fine\"\n2,\"Becker, Jon\",10117,ok\n";
  const auto found = kinds(table, TextShape::comma_table);
  EXPECT_EQ(std::count(found.begin(), found.end(), "PERSON"), 2);
  EXPECT_EQ(std::count(found.begin(), found.end(), "US_ZIP_CODE"), 2);
  EXPECT_TRUE(kinds("id,city,count\n1,Anna Becker,10115\n", TextShape::comma_table).empty());
}

TEST(Personal, TheMaskedTextScansClean) {
  const uint64_t seed = 5;
  SCOPED_TRACE(seed);
  SeededRandom random{seed};
  std::string table = "name,email,phone,card,iban,dob,note\n";
  for (int i = 0; i < 200; ++i) {
    const auto number = [&](int digits) {
      std::string out;
      for (int k = 0; k < digits; ++k) out.push_back(static_cast<char>('0' + random.u64() % 10));
      return out;
    };
    std::string card = "4" + number(14);
    for (char last = '0'; last <= '9'; ++last)
      if (luhn_holds(card + last)) {
        card.push_back(last);
        break;
      }
    table += "Jane Miller,u" + number(5) + "@mail.org,+1 212 " + number(3) + " " + number(4) + "," + card +
             ",GB29NWBK60161331926819,1980-01-0" + std::to_string(1 + i % 9) + ",\"a, " + number(3) + "-4" +
             number(1) + "-" + number(4) + "\"\n";
  }
  EXPECT_GE(kinds(table, TextShape::comma_table).size(), 1200);
  for (const MaskWith with : {MaskWith::kind, MaskWith::stars, MaskWith::hash, MaskWith::nothing}) {
    const std::string masked = mask_personal(table, TextShape::comma_table, with, "key");
    EXPECT_TRUE(kinds(masked, TextShape::comma_table).empty());
    EXPECT_EQ(std::count(masked.begin(), masked.end(), '\n'), 201);
    EXPECT_EQ(masked.find("@mail"), std::string::npos);
  }
}

TEST(Personal, AFileTellsLinesAndNotTheData) {
  std::string text = "name,email\n";
  for (int i = 0; i < 60'000; ++i) text += "nobody,none here at all\n";
  text += "x,anna@mail.org\n";
  const auto source = memory_source(as_bytes(text));
  const auto report = scan_file(*source, "people.csv");
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report.value().findings.size(), 1);
  EXPECT_EQ(report.value().findings[0].rule, "personal.email-address");
  EXPECT_EQ(report.value().findings[0].place.line, 60'002);
  EXPECT_EQ(report.value().findings[0].reason.find("anna"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::scan
