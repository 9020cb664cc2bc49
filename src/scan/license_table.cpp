#include <algorithm>
#include <array>
#include <string>

#include "scan/license.h"

namespace holdfast::scan {
namespace {

using enum Commercial;
using D = Derivatives;
using S = ShareAlike;

constexpr std::string_view notice =
    "The above copyright notice and this permission notice shall be included in all copies or substantial "
    "portions.";
constexpr std::string_view apache_clause =
    "Apache-2.0 section 4: give recipients a copy of this License, mark modified files, keep notices and the "
    "NOTICE file.";
constexpr std::string_view bsd_clause =
    "Redistributions must retain the above copyright notice, this list of conditions and the disclaimer.";
constexpr std::string_view public_clause =
    "Dedicated to the public domain, or licensed without conditions as far as the law allows.";
constexpr std::string_view by_clause =
    "CC BY section 3(a): retain identification of the creator, a copyright notice, a notice of this licence, "
    "and indicate changes.";
constexpr std::string_view sa_clause =
    "CC BY-SA section 3(b): the Adapter's License You apply must be a Creative Commons license with the same "
    "License Elements, this version or later, or a BY-SA Compatible License.";
constexpr std::string_view nc_clause =
    "CC BY-NC section 2(a)(1): reproduce and Share the Licensed Material, in whole or in part, for "
    "NonCommercial purposes only.";
constexpr std::string_view nd_clause =
    "CC BY-ND section 2(a)(1)(B): produce and reproduce, but not Share, Adapted Material.";
constexpr std::string_view odbl_clause =
    "ODbL section 4.4: any Derivative Database that You Publicly Use must be only under the terms of this "
    "License or a compatible one.";
constexpr std::string_view gpl_clause =
    "GPL: You must license the entire work, as a whole, under this License to anyone who comes into "
    "possession of a copy.";
constexpr std::string_view agpl_clause =
    "AGPL-3.0 section 13: offer all users interacting with it remotely through a computer network the "
    "Corresponding Source.";
constexpr std::string_view weak_clause =
    "Modifications of the covered files (or of the library) must stay under this licence; larger works may "
    "have other terms.";
constexpr std::string_view rail_clause =
    "RAIL section 4 and Attachment A: use-based restrictions must be included as an enforceable provision in "
    "any agreement governing use or distribution of the Model or its Derivatives.";
constexpr std::string_view bloom_clause =
    "BigScience RAIL 1.0 section 4 and Attachment A: You agree not to use the Model or its Derivatives for "
    "the specified restricted uses, and to pass that on.";
constexpr std::string_view llama_clause =
    "Additional Commercial Terms: if, on the release date, the monthly active users of the products or "
    "services of the Licensee or its affiliates exceed 700 million, You must request a license from Meta.";
constexpr std::string_view llama2_condition =
    "above 700 million monthly users a licence of Meta is needed; outputs must not improve other large "
    "language models";
constexpr std::string_view llama3_condition =
    "above 700 million monthly users a licence of Meta is needed; show \"Built with Meta Llama 3\", name "
    "derivatives \"Llama 3…\"; outputs must not improve other large language models";
constexpr std::string_view llama31_condition =
    "above 700 million monthly users a licence of Meta is needed; show \"Built with Llama\", names of "
    "derivatives begin with \"Llama\"";
constexpr std::string_view llama_eu_condition =
    "above 700 million monthly users a licence of Meta is needed; show \"Built with Llama\", names of "
    "derivatives begin with \"Llama\"; the multimodal models grant no rights to those domiciled in the "
    "European Union";
constexpr std::string_view gemma_clause =
    "Gemma Terms section 3.1 and 3.2: pass on the use restrictions as an enforceable provision, a copy of "
    "the agreement and a notice of modifications; the Prohibited Use Policy applies.";
constexpr std::string_view research_clause =
    "The licence grants use for research purposes only and excludes commercial use.";
constexpr std::string_view grok_clause =
    "Grok 2 Community License: commercial use within the guardrails of the Acceptable Use Policy; not to "
    "train or improve other foundation models.";

constexpr LicenseTerms permissive(std::string_view id, std::string_view clause) {
  return {.id = id, .family = "permissive", .condition = {}, .clause = clause};
}
constexpr LicenseTerms free_of_terms(std::string_view id) {
  return {
      .id = id, .family = "public domain", .attribution = false, .condition = {}, .clause = public_clause};
}
constexpr LicenseTerms credit(std::string_view id, std::string_view clause = by_clause) {
  return {.id = id, .family = "attribution", .condition = {}, .clause = clause};
}
constexpr LicenseTerms copyleft(std::string_view id, S strength, std::string_view clause) {
  return {.id = id, .family = "share-alike", .share_alike = strength, .condition = {}, .clause = clause};
}
constexpr LicenseTerms no_commerce(std::string_view id, D derivatives = D::yes, S alike = S::none) {
  return {.id = id,
          .family = "non-commercial",
          .commercial = no,
          .derivatives = derivatives,
          .share_alike = alike,
          .condition = {},
          .clause = nc_clause};
}
constexpr LicenseTerms no_derivatives(std::string_view id) {
  return {
      .id = id, .family = "attribution", .derivatives = D::not_shared, .condition = {}, .clause = nd_clause};
}
constexpr LicenseTerms research(std::string_view id) {
  return {.id = id,
          .family = "research",
          .commercial = no,
          .research_only = true,
          .condition = {},
          .clause = research_clause};
}
// With a list of forbidden uses besides.
constexpr LicenseTerms research_within(std::string_view id) {
  LicenseTerms terms = research(id);
  terms.use_restrictions = true;
  return terms;
}
constexpr LicenseTerms rail(std::string_view id, std::string_view clause = rail_clause) {
  return {.id = id, .family = "responsible AI", .use_restrictions = true, .condition = {}, .clause = clause};
}
constexpr LicenseTerms community(std::string_view id, std::string_view condition, std::string_view clause) {
  return {.id = id,
          .family = "community",
          .commercial = conditional,
          .use_restrictions = true,
          .condition = condition,
          .clause = clause};
}

constexpr auto table = std::to_array<LicenseTerms>({
    permissive("mit", notice),
    permissive("isc", notice),
    permissive("zlib", notice),
    permissive("ncsa", bsd_clause),
    permissive("postgresql", notice),
    permissive("apache-2.0", apache_clause),
    permissive("ecl-2.0", apache_clause),
    permissive("bsd", bsd_clause),
    permissive("bsd-2-clause", bsd_clause),
    permissive("bsd-3-clause", bsd_clause),
    permissive("bsd-3-clause-clear", bsd_clause),
    permissive("bsl-1.0", notice),
    permissive("afl-3.0", bsd_clause),
    copyleft("artistic-2.0", S::weak, weak_clause),
    permissive("ms-pl", bsd_clause),
    copyleft("ofl-1.1", S::weak, weak_clause),
    permissive("etalab-2.0", by_clause),
    permissive("openmdw-1.0", notice),
    permissive("openmdw-1.1", notice),
    permissive("open-mdw", notice),
    permissive("apple-ascl", notice),
    permissive("cdla-permissive-1.0", notice),
    permissive("cdla-permissive-2.0", notice),
    copyleft("lppl-1.3c", S::weak, weak_clause),
    free_of_terms("cc0-1.0"),
    free_of_terms("unlicense"),
    free_of_terms("wtfpl"),
    free_of_terms("pddl"),
    credit("cc-by-2.0"),
    credit("cc-by-2.5"),
    credit("cc-by-3.0"),
    credit("cc-by-4.0"),
    credit("odc-by"),
    copyleft("cc-by-sa-3.0", S::strong, sa_clause),
    copyleft("cc-by-sa-4.0", S::strong, sa_clause),
    copyleft("odbl", S::strong, odbl_clause),
    copyleft("cdla-sharing-1.0", S::strong, odbl_clause),
    copyleft("gpl", S::strong, gpl_clause),
    copyleft("gpl-2.0", S::strong, gpl_clause),
    copyleft("gpl-3.0", S::strong, gpl_clause),
    copyleft("gfdl", S::strong, gpl_clause),
    copyleft("agpl-3.0", S::network, agpl_clause),
    copyleft("osl-3.0", S::network, agpl_clause),
    copyleft("eupl-1.1", S::network, agpl_clause),
    copyleft("eupl-1.2", S::network, agpl_clause),
    copyleft("lgpl", S::weak, weak_clause),
    copyleft("lgpl-2.1", S::weak, weak_clause),
    copyleft("lgpl-3.0", S::weak, weak_clause),
    copyleft("lgpl-lr", S::weak, weak_clause),
    copyleft("mpl-2.0", S::weak, weak_clause),
    copyleft("epl-1.0", S::weak, weak_clause),
    copyleft("epl-2.0", S::weak, weak_clause),
    no_commerce("cc-by-nc-2.0"),
    no_commerce("cc-by-nc-3.0"),
    no_commerce("cc-by-nc-4.0"),
    no_commerce("cc-by-nc-nd-3.0", D::not_shared),
    no_commerce("cc-by-nc-nd-4.0", D::not_shared),
    no_commerce("cc-by-nc-sa-2.0", D::yes, S::strong),
    no_commerce("cc-by-nc-sa-3.0", D::yes, S::strong),
    no_commerce("cc-by-nc-sa-4.0", D::yes, S::strong),
    no_derivatives("cc-by-nd-4.0"),
    research("intel-research"),
    research("h-research"),
    research("apple-amlr"),
    research_within("deepfloyd-if-license"),
    research_within("fair-noncommercial-research-license"),
    {.id = "c-uda",
     .family = "computational use",
     .use_restrictions = true,
     .condition = "the data may be used to compute with, and for nothing else",
     .clause = "C-UDA 1.0 section 2: the licence is for Computational Use of the data, and who is given the "
               "data gets these terms with it; results of computing are free of them."},
    rail("openrail"),
    rail("openrail++"),
    rail("creativeml-openrail-m"),
    rail("bigscience-openrail-m"),
    rail("bigcode-openrail-m"),
    rail("bigscience-bloom-rail-1.0", bloom_clause),
    community("llama2", llama2_condition, llama_clause),
    community("llama3", llama3_condition, llama_clause),
    community("llama3.1", llama31_condition, llama_clause),
    community("llama3.2", llama_eu_condition, llama_clause),
    community("llama3.3", llama31_condition, llama_clause),
    community("llama4", llama_eu_condition, llama_clause),
    community("gemma", "the Prohibited Use Policy applies and travels with the model", gemma_clause),
    community("grok2-community", "the Acceptable Use Policy applies; not to train other foundation models",
              grok_clause),
    permissive("hpnd", notice),
    permissive("curl", notice),
    copyleft("ruby", S::weak, weak_clause),
    permissive("php-3.0", notice),
    permissive("php-3.01", notice),
    copyleft("vim", S::weak, weak_clause),
    permissive("w3c", notice),
    permissive("zpl-2.0", notice),
    permissive("zpl-2.1", notice),
    permissive("upl-1.0", notice),
    permissive("ijg", notice),
    permissive("libpng", notice),
    permissive("libpng-2.0", notice),
    permissive("bzip2-1.0.6", notice),
    permissive("ftl", notice),
    permissive("icu", notice),
    permissive("unicode-dfs-2016", notice),
    permissive("unicode-3.0", notice),
    permissive("tcl", notice),
    permissive("ntp", notice),
    permissive("xnet", notice),
    permissive("python-2.0", notice),
    permissive("psf-2.0", notice),
    permissive("blueoak-1.0.0", notice),
    permissive("beerware", notice),
    permissive("afl-2.1", notice),
    permissive("naist-2003", notice),
    permissive("mit-cmu", notice),
    permissive("mit-modern-variant", notice),
    permissive("fsfap", notice),
    permissive("zlib-acknowledgement", notice),
    permissive("cnri-python", notice),
    permissive("openssl", bsd_clause),
    permissive("bsd-1-clause", bsd_clause),
    permissive("bsd-4-clause", bsd_clause),
    permissive("bsd-2-clause-patent", bsd_clause),
    permissive("bsd-3-clause-lbnl", bsd_clause),
    permissive("bsd-3-clause-attribution", bsd_clause),
    permissive("intel", bsd_clause),
    copyleft("artistic-1.0", S::weak, weak_clause),
    permissive("apache-1.1", bsd_clause),
    permissive("apache-1.0", bsd_clause),
    permissive("mulanpsl-2.0", apache_clause),
    free_of_terms("mit-0"),
    free_of_terms("glwtpl"),
    free_of_terms("cc-pddc"),
    credit("cc-by-1.0"),
    credit("ogl-uk-3.0"),
    credit("ogl-uk-2.0"),
    credit("dl-de-by-2.0"),
    copyleft("cc-by-sa-1.0", S::strong, sa_clause),
    copyleft("cc-by-sa-2.0", S::strong, sa_clause),
    copyleft("cc-by-sa-2.5", S::strong, sa_clause),
    copyleft("gpl-1.0", S::strong, gpl_clause),
    copyleft("cecill-2.1", S::strong, gpl_clause),
    copyleft("cecill-2.0", S::strong, gpl_clause),
    copyleft("sleepycat", S::strong, gpl_clause),
    copyleft("qpl-1.0", S::strong, gpl_clause),
    copyleft("gfdl-1.1", S::strong, gpl_clause),
    copyleft("gfdl-1.2", S::strong, gpl_clause),
    copyleft("agpl-1.0", S::network, agpl_clause),
    copyleft("cpal-1.0", S::network, agpl_clause),
    copyleft("rpl-1.5", S::network, agpl_clause),
    copyleft("osl-2.1", S::network, agpl_clause),
    copyleft("osl-1.0", S::network, agpl_clause),
    copyleft("mpl-1.0", S::weak, weak_clause),
    copyleft("mpl-1.1", S::weak, weak_clause),
    copyleft("cddl-1.0", S::weak, weak_clause),
    copyleft("cddl-1.1", S::weak, weak_clause),
    copyleft("ms-rl", S::weak, weak_clause),
    copyleft("cpl-1.0", S::weak, weak_clause),
    copyleft("ipl-1.0", S::weak, weak_clause),
    copyleft("apsl-2.0", S::weak, weak_clause),
    copyleft("cecill-c", S::weak, weak_clause),
    copyleft("erlpl-1.1", S::weak, weak_clause),
    no_commerce("cc-by-nc-1.0"),
    no_commerce("cc-by-nc-2.5"),
    no_commerce("cc-by-nc-sa-1.0", D::yes, S::strong),
    no_commerce("cc-by-nc-sa-2.5", D::yes, S::strong),
    no_commerce("cc-by-nc-nd-1.0", D::not_shared),
    no_commerce("cc-by-nc-nd-2.0", D::not_shared),
    no_commerce("cc-by-nc-nd-2.5", D::not_shared),
    no_derivatives("cc-by-nd-1.0"),
    no_derivatives("cc-by-nd-2.0"),
    no_derivatives("cc-by-nd-2.5"),
    no_derivatives("cc-by-nd-3.0"),
    community("sspl-1.0", "offering it as a service asks for the source of the whole service", agpl_clause),
    community("elastic-2.0", "not to be offered to others as a managed service", notice),
    community("busl-1.1", "no production use beyond the additional use grant until the change date", notice),
    community("json", "it shall be used for Good, not Evil", notice),
    {.id = "polyform-noncommercial-1.0.0",
     .family = "non-commercial",
     .commercial = no,
     .condition = {},
     .clause = "PolyForm Noncommercial 1.0.0: any noncommercial purpose is a permitted purpose."},
});

// SPDX spells some differently.
constexpr auto aliases = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"gpl-2.0+", "gpl-2.0"},
    {"gpl-3.0+", "gpl-3.0"},
    {"odbl-1.0", "odbl"},
    {"odc-by-1.0", "odc-by"},
    {"pddl-1.0", "pddl"},
    {"0bsd", "unlicense"},
    {"gfdl-1.3", "gfdl"},
    {"lgpl-2.0", "lgpl"},
    {"c-uda-1.0", "c-uda"},
    {"bigcode-openrail-m-v1", "bigcode-openrail-m"},
    {"bigscience-rail-1.0", "bigscience-bloom-rail-1.0"},
    {"openmdw", "openmdw-1.0"},
    {"bsd-3-clause-new", "bsd-3-clause"},
    {"x11", "mit"},
    {"llama-2", "llama2"},
    {"llama-3", "llama3"},
    {"llama-3.1", "llama3.1"},
    {"llama-3.2", "llama3.2"},
    {"llama-3.3", "llama3.3"},
    {"llama-4", "llama4"},
});

}  // namespace

std::span<const LicenseTerms> license_table() { return table; }

const LicenseTerms* find_license(std::string_view id) {
  std::string low(id.substr(0, 100));
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const std::string_view end : {"-only", "-or-later"})
    if (low.ends_with(end)) low.resize(low.size() - end.size());
  // "GPL-2.0+" is an old spelling of "or later"; "openrail++" is a name.
  if (low.size() > 1 && low.back() == '+' && low[low.size() - 2] >= '0' && low[low.size() - 2] <= '9')
    low.pop_back();
  for (const auto& [from, to] : aliases)
    if (low == from) low = to;
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const LicenseTerms& terms) { return terms.id == low; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace holdfast::scan
