#pragma once

#include <span>

#include "scan/license.h"

namespace holdfast::scan {

// Whether an SPDX name lets one choose later versions: "GPL-2.0-or-later", "GPL-2.0+".
bool says_or_later(std::string_view id);

// One licence of the choice that was made for a component.
struct ChosenLicense {
  const LicenseTerms* terms = nullptr;
  bool or_later = false;
};

void add_reason(LicenseReport& report, LicenseReason reason);  // The verdict becomes the worse of the two.
void add_duty(LicenseReport& report, std::string text);        // Each once.

// What a model says of itself against one licence of what it was made from: terms that were dropped, works
// that must be shared alike, licences that do not go together. `to` is all that hold for the model.
void judge_license_pair(const Component& base, const ChosenLicense& from, const Component& model,
                        std::span<const ChosenLicense> to, const IntendedUse& use, LicenseReport& report);

}  // namespace holdfast::scan
