#include "scan/checksums.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "codec/sha256.h"

namespace holdfast::scan {
namespace {

int digit(char c) { return c - '0'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
Checked verdict(bool holds) { return holds ? Checked::valid : Checked::invalid; }
// Of at most 18 digits.
int64_t number_of(std::string_view digits) {
  int64_t value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}
bool all_same(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return c == text[0]; });
}

template <size_t N>
int weighted(std::string_view digits, const std::array<int, N>& weights) {
  int sum = 0;
  for (size_t i = 0; i < N; ++i) sum += digit(digits[i]) * weights[i];
  return sum;
}

}  // namespace

std::string digits_of(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (is_digit(c)) out.push_back(c);
  return out;
}

std::string letters_and_digits_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char up = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    if (is_digit(up) || is_upper(up)) out.push_back(up);
  }
  return out;
}

bool luhn_holds(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int value = digit(digits[digits.size() - 1 - i]);
    if (i % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return !digits.empty() && sum % 10 == 0;
}

// Multiplication and permutation of the dihedral group D5.
bool verhoeff_holds(std::string_view digits) {
  static constexpr int d[10][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                    {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                    {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                    {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                    {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
  static constexpr int p[8][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
                                   {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
                                   {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
                                   {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
  int c = 0;
  for (size_t i = 0; i < digits.size(); ++i) c = d[c][p[i % 8][digit(digits[digits.size() - 1 - i])]];
  return !digits.empty() && c == 0;
}

Checked check_card_number(std::string_view text) {
  const std::string digits = digits_of(text);
  return verdict(digits.size() >= 12 && digits.size() <= 19 && !all_same(digits) && luhn_holds(digits));
}

Checked check_iban(std::string_view text) {
  const std::string iban = letters_and_digits_of(text);
  if (iban.size() < 15 || iban.size() > 34) return Checked::invalid;
  int rest = 0;
  for (size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    rest = is_digit(c) ? (rest * 10 + digit(c)) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
  }
  return verdict(rest == 1);
}

Checked check_us_ssn(std::string_view text) {
  char joint = 0;
  for (const char c : text) {
    if (is_digit(c)) continue;
    if (joint != 0 && c != joint) return Checked::invalid;
    joint = c;
  }
  const std::string ssn = digits_of(text);
  const int64_t area = ssn.size() == 9 ? number_of(ssn.substr(0, 3)) : 0;
  const bool never = ssn.size() != 9 || all_same(ssn) || ssn.substr(3, 2) == "00" ||
                     ssn.substr(5) == "0000" || area == 0 || area == 666 || area >= 900 ||
                     ssn == "123456789" || ssn == "078051120" || ssn.starts_with("98765432");
  return never ? Checked::invalid : Checked::unknown;
}

Checked check_us_aba(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 9 && !all_same(d) && weighted<9>(d, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 == 0);
}

Checked check_us_npi(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 10 && !all_same(d) && luhn_holds("80840" + d));
}

Checked check_us_dea(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() < 7) return Checked::invalid;
  const std::string n = d.substr(d.size() - 7);
  const int sum = digit(n[0]) + digit(n[2]) + digit(n[4]) + 2 * (digit(n[1]) + digit(n[3]) + digit(n[5]));
  return verdict(sum % 10 == digit(n[6]));
}

Checked check_uk_nhs(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 10 && !all_same(d) &&
                 weighted<10>(d, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0);
}

Checked check_ca_sin(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 9 && !all_same(d) && luhn_holds(d));
}

Checked check_in_aadhaar(std::string_view text) {
  const std::string d = digits_of(text);
  const std::string back(d.rbegin(), d.rend());
  return verdict(d.size() == 12 && d[0] >= '2' && d != back && verhoeff_holds(d));
}

// ISO 7064, modulus 11,10; one digit of the first ten appears twice or three times.
Checked check_de_tax_id(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() != 11 || d[0] == '0') return Checked::invalid;
  std::array<int, 10> counts{};
  for (size_t i = 0; i < 10; ++i) ++counts[static_cast<size_t>(digit(d[i]))];
  const auto repeated = std::count_if(counts.begin(), counts.end(), [](int n) { return n > 1; });
  if (repeated != 1 || *std::max_element(counts.begin(), counts.end()) > 3) return Checked::invalid;
  int product = 10;
  for (size_t i = 0; i < 10; ++i) {
    const int sum = (digit(d[i]) + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return verdict((11 - product) % 10 == digit(d[10]));
}

Checked check_es_nif(std::string_view text) {
  std::string id = letters_and_digits_of(text);
  if (id.size() < 8) return Checked::invalid;
  if (id[0] == 'X' || id[0] == 'Y' || id[0] == 'Z') id[0] = static_cast<char>('0' + (id[0] - 'X'));
  const char letter = id.back();
  id.pop_back();
  if (!std::all_of(id.begin(), id.end(), is_digit) || id.size() > 9) return Checked::invalid;
  return verdict(std::string_view("TRWAGMYFPDXBNJZSQVHLCKE")[static_cast<size_t>(number_of(id) % 23)] ==
                 letter);
}

Checked check_pl_pesel(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 11 && !all_same(d) &&
                 weighted<11>(d, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1}) % 10 == 0);
}

Checked check_it_fiscal_code(std::string_view text) {
  static constexpr std::array<int, 26> odd_letters = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                                      20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  const std::string code = letters_and_digits_of(text);
  if (code.size() != 16 || !is_upper(code[15])) return Checked::invalid;
  int sum = 0;
  for (size_t i = 0; i < 15; ++i) {
    const int value = is_digit(code[i]) ? digit(code[i]) : code[i] - 'A';
    sum += i % 2 == 0 ? odd_letters[static_cast<size_t>(value)] : value;
  }
  return verdict('A' + sum % 26 == code[15]);
}

Checked check_it_vat(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 11 && !all_same(d) && luhn_holds(d));
}

Checked check_au_abn(std::string_view text) {
  std::string d = digits_of(text);
  if (d.size() != 11 || d[0] == '0') return Checked::invalid;
  --d[0];
  return verdict(weighted<11>(d, {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) % 89 == 0);
}

Checked check_au_acn(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 9 && (10 - weighted<8>(d, {8, 7, 6, 5, 4, 3, 2, 1}) % 10) % 10 == digit(d[8]));
}

Checked check_au_tfn(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 9 && !all_same(d) && weighted<9>(d, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0);
}

Checked check_au_medicare(std::string_view text) {
  const std::string d = digits_of(text);
  return verdict(d.size() == 10 && weighted<8>(d, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == digit(d[8]));
}

Checked check_sg_nric(std::string_view text) {
  const std::string id = letters_and_digits_of(text);
  if (id.size() != 9) return Checked::invalid;
  const std::string d = id.substr(1, 7);
  if (!std::all_of(d.begin(), d.end(), is_digit)) return Checked::invalid;
  int sum = weighted<7>(d, {2, 7, 6, 5, 4, 3, 2});
  if (id[0] == 'T' || id[0] == 'G') sum += 4;
  if (id[0] == 'M') sum += 3;
  const auto rest = static_cast<size_t>(sum % 11);
  switch (id[0]) {
    case 'S':
    case 'T':
      return verdict(std::string_view("JZIHGFEDCBA")[rest] == id[8]);
    case 'F':
    case 'G':
      return verdict(std::string_view("XWUTRQPNMLK")[rest] == id[8]);
    case 'M':
      return verdict(std::string_view("KLJNPQRTUWX")[rest] == id[8]);
    default:
      return Checked::invalid;
  }
}

Checked check_fi_identity_code(std::string_view text) {
  if (text.size() != 11) return Checked::invalid;
  const std::string number = std::string(text.substr(0, 6)) + std::string(text.substr(7, 3));
  if (!std::all_of(number.begin(), number.end(), is_digit)) return Checked::invalid;
  const int64_t day = number_of(number.substr(0, 2)), month = number_of(number.substr(2, 2));
  if (day < 1 || day > 31 || month < 1 || month > 12) return Checked::invalid;
  return verdict(
      std::string_view("0123456789ABCDEFHJKLMNPRSTUVWXY")[static_cast<size_t>(number_of(number) % 31)] ==
      text[10]);
}

Checked check_se_personal_number(std::string_view text) {
  std::string d = digits_of(text);
  if (d.size() == 12) d = d.substr(2);
  if (d.size() != 10) return Checked::invalid;
  const int64_t month = number_of(d.substr(2, 2)), day = number_of(d.substr(4, 2)) % 60;
  return verdict(month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn_holds(d));
}

Checked check_kr_rrn(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() != 13) return Checked::invalid;
  const int sum = weighted<12>(d, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5});
  // Numbers given since October 2020 have no check digit.
  return (11 - sum % 11) % 10 == digit(d[12]) ? Checked::valid : Checked::unknown;
}

Checked check_th_id(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() != 13) return Checked::invalid;
  return verdict((11 - weighted<12>(d, {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 10 == digit(d[12]));
}

Checked check_tr_id(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() != 11 || d[0] == '0') return Checked::invalid;
  const int odd = digit(d[0]) + digit(d[2]) + digit(d[4]) + digit(d[6]) + digit(d[8]);
  const int even = digit(d[1]) + digit(d[3]) + digit(d[5]) + digit(d[7]);
  const int tenth = ((odd * 7 - even) % 10 + 10) % 10;
  return verdict(tenth == digit(d[9]) && (odd + even + digit(d[9])) % 10 == digit(d[10]));
}

Checked check_za_id(std::string_view text) {
  const std::string d = digits_of(text);
  if (d.size() != 13) return Checked::invalid;
  const int64_t month = number_of(d.substr(2, 2)), day = number_of(d.substr(4, 2));
  return verdict(month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn_holds(d));
}

// Addresses of documents and of machines are nobody's.
Checked check_email(std::string_view text) {
  const size_t at = text.rfind('@');
  const std::string_view domain = at == std::string_view::npos ? "" : text.substr(at + 1);
  const size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || domain.size() - dot < 3) return Checked::invalid;
  const std::string_view top = domain.substr(dot + 1);
  const bool letters = std::all_of(top.begin(), top.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  return letters && !domain.starts_with(".") ? Checked::valid : Checked::invalid;
}

Checked check_ip(std::string_view text) {
  if (text.starts_with("127.") || text == "0.0.0.0" || text == "255.255.255.255" || text == "::" ||
      text == "::1")
    return Checked::invalid;
  return Checked::unknown;
}

Checked check_bitcoin(std::string_view text) {
  if (text.starts_with("bc1")) return Checked::unknown;
  static constexpr std::string_view alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::array<uint8_t, 25> number{};
  for (const char c : text) {
    const size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return Checked::invalid;
    auto carry = static_cast<uint32_t>(value);
    for (size_t i = number.size(); i-- > 0;) {
      carry += 58U * number[i];
      number[i] = static_cast<uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return Checked::invalid;
  }
  const auto bytes = std::as_bytes(std::span(number));
  const auto once = codec::sha256(bytes.first(21));
  const auto twice = codec::sha256(once);
  return verdict(std::equal(twice.begin(), twice.begin() + 4, bytes.begin() + 21));
}

Checked check_phone(std::string_view text) {
  // An extension is no part of the number.
  const std::string d = digits_of(text.substr(0, text.find_first_of("xe")));
  const bool plausible = d.size() >= 7 && d.size() <= 15 && !all_same(d);
  return plausible ? Checked::unknown : Checked::invalid;
}

}  // namespace holdfast::scan
