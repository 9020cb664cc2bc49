#pragma once

#include <span>
#include <string>

#include "scan/license.h"

namespace holdfast::scan {

// The four questions before something is taken into use, each with the verdict on it alone.
struct LicenseAnswers {
  Verdict commercial = Verdict::review;    // May it be used commercially?
  bool attribution = true;                 // Do notices or credit have to be kept?
  Verdict distribution = Verdict::review;  // May it, or what is made of it, be handed on?
  Verdict datasets = Verdict::review;  // Do the terms of its data go with the use? `allowed` without data.
};
LicenseAnswers answer_questions(std::span<const Component> components, const IntendedUse& use);

// The text of a NOTICE file: each part with its licence and what of it has to be kept.
std::string notice_text(std::span<const Component> components);

}  // namespace holdfast::scan
