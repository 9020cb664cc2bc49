#pragma once

#include <string>
#include <string_view>

#include "scan/personal_rules.h"

namespace holdfast::scan {

// Digits only, or digits and capitals.
std::string digits_of(std::string_view text);
std::string letters_and_digits_of(std::string_view text);

bool luhn_holds(std::string_view digits);
bool verhoeff_holds(std::string_view digits);

// The names say whose numbers they are; each takes the text as it was found.
Checked check_card_number(std::string_view text);
Checked check_iban(std::string_view text);
Checked check_us_ssn(std::string_view text);
Checked check_us_aba(std::string_view text);
Checked check_us_npi(std::string_view text);
Checked check_us_dea(std::string_view text);
Checked check_uk_nhs(std::string_view text);
Checked check_ca_sin(std::string_view text);
Checked check_in_aadhaar(std::string_view text);
Checked check_de_tax_id(std::string_view text);
Checked check_es_nif(std::string_view text);  // NIE as well.
Checked check_pl_pesel(std::string_view text);
Checked check_it_fiscal_code(std::string_view text);
Checked check_it_vat(std::string_view text);
Checked check_au_abn(std::string_view text);
Checked check_au_acn(std::string_view text);
Checked check_au_tfn(std::string_view text);
Checked check_au_medicare(std::string_view text);
Checked check_sg_nric(std::string_view text);
Checked check_fi_identity_code(std::string_view text);
Checked check_se_personal_number(std::string_view text);
Checked check_kr_rrn(std::string_view text);
Checked check_th_id(std::string_view text);
Checked check_tr_id(std::string_view text);
Checked check_za_id(std::string_view text);
Checked check_email(std::string_view text);
Checked check_ip(std::string_view text);
Checked check_bitcoin(std::string_view text);
Checked check_phone(std::string_view text);

}  // namespace holdfast::scan
