#include "scan/secret_rules.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/check.h"
#include "scan/secret_form.h"

namespace holdfast::scan {
namespace {

constexpr Severity maybe = Severity::warning;

// Forms that their makers publish; keywords are parts that every match holds.
constexpr auto rules = std::to_array<SecretRule>({
    {own_token_rule, "an access token of this hub or of Hugging Face", "hf_ hfp_",
     R"re(\b(hfp?_[A-Za-z0-9]{30,48})\b)re", 3.0},
    {"huggingface-organization-token", "a Hugging Face organisation token", "api_org_",
     R"re(\b(api_org_[A-Za-z]{34})\b)re", 2.0},
    {"aws-access-token", "an AWS access key id", "a3t akia asia abia acca",
     R"re(\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b)re", 3.0},
    {"aws-secret-key", "an AWS secret access key", "aws_secret secretaccesskey aws-secret",
     R"re((?i)(?:aws[_-]?secret[_-]?(?:access[_-]?)?key(?:[_-]?id)?|secretaccesskey)["']?\s{0,5}(?::|=|=>|,)\s{0,5}["']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=]))re",
     4.0},
    {"github-pat", "a GitHub personal access token", "ghp_", R"re(\b(ghp_[0-9a-zA-Z]{36})\b)re", 3.0},
    {"github-fine-grained-pat", "a GitHub fine-grained token", "github_pat_",
     R"re(\b(github_pat_\w{82})\b)re", 3.0},
    {"github-oauth", "a GitHub OAuth token", "gho_", R"re(\b(gho_[0-9a-zA-Z]{36})\b)re", 3.0},
    {"github-app-token", "a GitHub app token", "ghu_ ghs_", R"re(\b((?:ghu|ghs)_[0-9a-zA-Z]{36})\b)re", 3.0},
    {"github-refresh-token", "a GitHub refresh token", "ghr_", R"re(\b(ghr_[0-9a-zA-Z]{36})\b)re", 3.0},
    {"gitlab-pat", "a GitLab token",
     "glpat- glptt- gldt- glrt- glsoat- glcbt- gloas- glagent- glimt- glft- glffct-",
     R"re(\b(gl(?:pat|ptt|dt|rt|soat|cbt|oas|agent|imt|ft|ffct)-[0-9a-zA-Z_\-]{20,64}))re", 3.0},
    {"anthropic-api-key", "an Anthropic API key", "sk-ant-",
     R"re(\b(sk-ant-(?:api03|admin01)-[a-zA-Z0-9_\-]{93}AA)(?![\w-]))re"},
    {"openai-api-key", "an OpenAI API key", "t3blbkfj",
     R"re(\b(sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{16,74}T3BlbkFJ[A-Za-z0-9_-]{16,74})(?![\w-]))re", 3.0,
     Severity::dangerous, 120},
    {"gcp-api-key", "a Google API key", "aiza", R"re(\b(AIza[\w-]{35})(?![\w-]))re", 4.0},
    {"gcp-service-account", "a Google service account's key", "private_key_id",
     R"re("private_key_id"\s{0,5}:\s{0,5}"([0-9a-f]{40})")re", 3.0},
    {"google-oauth-secret", "a Google OAuth client secret", "gocspx-", R"re(\b(GOCSPX-[\w-]{28})(?![\w-]))re",
     3.0},
    {"slack-bot-token", "a Slack bot token", "xoxb", R"re(\b(xoxb-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*))re",
     3.0},
    {"slack-user-token", "a Slack user token", "xoxp- xoxe- xoxa- xoxr- xoxs-",
     R"re(\b(xox[pears](?:-[0-9a-zA-Z]{8,}){2,5}))re", 3.0},
    {"slack-app-token", "a Slack app token", "xapp-", R"re(\b(xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+))re", 2.0},
    {"slack-webhook-url", "a Slack webhook", "hooks.slack.com",
     R"re(hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{43,56}))re", 3.0},
    {"pypi-upload-token", "a PyPI upload token", "pypi-ageichlwas5vcmc",
     R"re(\b(pypi-AgEIcHlwaS5vcmc[\w-]{50,400}))re", 3.0, Severity::dangerous, 8, 480},
    {"npm-access-token", "an npm token", "npm_", R"re(\b(npm_[a-zA-Z0-9]{36})\b)re", 3.0},
    {"rubygems-api-token", "a RubyGems token", "rubygems_", R"re(\b(rubygems_[a-f0-9]{48})\b)re", 2.0},
    {"stripe-access-token", "a Stripe key", "sk_live sk_test sk_prod rk_live rk_test rk_prod",
     R"re(\b((?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99})\b)re", 2.0},
    {"twilio-api-key", "a Twilio key", "twilio", R"re((?i:twilio)[^\n]{0,80}?\b(SK[0-9a-f]{32})\b)re", 3.0},
    {"sendgrid-api-token", "a SendGrid token", "sg.",
     R"re(\b(SG\.[a-zA-Z0-9=_\-]{22}\.[a-zA-Z0-9=_\-]{43})(?![\w-]))re", 2.0},
    {"mailgun-token", "a Mailgun token", "mailgun",
     R"re((?i)mailgun[^\n]{0,60}?\b((?:key|pubkey)-[a-f0-9]{32})\b)re", 2.0},
    {"mailchimp-api-key", "a Mailchimp key", "mailchimp",
     R"re((?i)mailchimp[^\n]{0,60}?\b([a-f0-9]{32}-us\d{1,2})\b)re", 2.0},
    {"telegram-bot-api-token", "a Telegram bot's token", "telegr",
     R"re((?i)telegr[^\n]{0,60}?\b([0-9]{5,16}:A[\w-]{34})(?![\w-]))re", 3.0},
    {"discord-bot-token", "a Discord token", "discord",
     R"re((?i)discord[^\n]{0,60}?\b([MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,38}))re", 3.0},
    {"digitalocean-token", "a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_",
     R"re(\b(do[opr]_v1_[a-f0-9]{64})\b)re", 3.0},
    {"databricks-api-token", "a Databricks token", "dapi", R"re(\b(dapi[a-f0-9]{32}(?:-\d)?)\b)re", 3.0},
    {"shopify-token", "a Shopify token", "shpat_ shpca_ shppa_ shpss_",
     R"re(\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b)re", 2.0},
    {"square-access-token", "a Square token", "eaaa sq0atp-",
     R"re(\b((?:EAAA|sq0atp-)[\w-]{22,60})(?![\w-]))re", 3.0},
    {"doppler-api-token", "a Doppler token", "dp.pt.", R"re(\b(dp\.pt\.[a-zA-Z0-9]{43})\b)re", 2.0},
    {"dropbox-token", "a Dropbox token", "sl.", R"re(\b(sl\.[A-Za-z0-9\-=_]{130,152})(?![\w-]))re", 3.0},
    {"grafana-token", "a Grafana token", "glsa_ glc_",
     R"re(\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3}))re", 3.0},
    {"hashicorp-tf-token", "a Terraform token", "atlasv1",
     R"re(\b([a-zA-Z0-9]{14}\.atlasv1\.[a-zA-Z0-9\-_=]{60,70})(?![\w-]))re", 3.5},
    {"vault-token", "a Vault token", "hvs. hvb.", R"re(\b(hv[sb]\.[\w-]{90,300})(?![\w-]))re", 3.5,
     Severity::dangerous, 8, 360},
    {"linear-api-key", "a Linear key", "lin_api_", R"re(\b(lin_api_[a-zA-Z0-9]{40})\b)re", 2.0},
    {"notion-api-token", "a Notion token", "ntn_", R"re(\b(ntn_[0-9]{11}[A-Za-z0-9]{35})\b)re", 3.0},
    {"newrelic-user-key", "a New Relic key", "nrak-", R"re(\b(NRAK-[A-Z0-9]{27})\b)re", 2.0},
    {"planetscale-token", "a PlanetScale token", "pscale_",
     R"re(\b(pscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}))re", 3.0},
    {"postman-api-token", "a Postman key", "pmak-", R"re(\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b)re", 3.0},
    {"pulumi-api-token", "a Pulumi token", "pul-", R"re(\b(pul-[a-f0-9]{40})\b)re", 2.0},
    {"sentry-token", "a Sentry token", "sntrys_ sntryu_",
     R"re(\b(sntrys_eyJpYXQiO[\w+/=]{60,600}|sntryu_[a-f0-9]{64}))re", 3.0, Severity::dangerous, 8, 640},
    {"perplexity-api-key", "a Perplexity key", "pplx-", R"re(\b(pplx-[a-zA-Z0-9]{48})\b)re", 4.0},
    {"cohere-api-token", "a Cohere key", "cohere co_api_key",
     R"re((?i)(?:cohere|co_api_key)[^\n]{0,40}?["'=: ]([a-zA-Z0-9]{40})\b)re", 4.0},
    {"groq-api-key", "a Groq key", "gsk_", R"re(\b(gsk_[a-zA-Z0-9]{52})\b)re", 3.5},
    {"replicate-api-token", "a Replicate token", "r8_", R"re(\b(r8_[a-zA-Z0-9]{37})\b)re", 3.5},
    {"azure-ad-client-secret", "an Azure client secret", "q~",
     R"re((?:^|['"`\s>=:(,)])([a-zA-Z0-9_~.]{3}\dQ~[a-zA-Z0-9_~.-]{31,34})(?:$|['"`\s<),]))re", 3.0,
     Severity::dangerous, 8, 64},
    {"azure-storage-key", "an Azure storage account's key",
     "accountkey=", R"re(AccountKey=([A-Za-z0-9+/]{86}==))re", 4.0},
    {"alibaba-access-key-id", "an Alibaba access key id", "ltai", R"re(\b(LTAI[a-zA-Z0-9]{20})\b)re", 3.0},
    {"age-secret-key", "an age secret key", "age-secret-key-1",
     R"re(\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\b)re"},
    {"private-key", "a private key", "-----begin",
     R"re(-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----([\sA-Za-z0-9+/=\\,:\-]{64,}))re", 3.0,
     Severity::dangerous, 0, 512},
    {"jwt", "a JSON web token", "ey",
     R"re(\b(ey[a-zA-Z0-9]{17,}\.ey[a-zA-Z0-9/\\_-]{17,}\.(?:[a-zA-Z0-9/\\_-]{10,}={0,2}))(?![\w-]))re", 3.0,
     maybe, 0, 1024},
    {"url-password", "a password within an address", "://",
     R"re([a-z][a-z0-9+.-]{1,20}://[^\s/:@"'<>{}$%]{1,64}:([^\s/:@"'<>{}$%*]{6,100})@[a-zA-Z0-9.-]+)re", 2.5,
     maybe},
    {"basic-auth-header", "credentials in a header", "authorization",
     R"re((?i)authorization["']?\s{0,3}[:=]\s{0,3}["']?basic\s+([A-Za-z0-9+/]{16,200}={0,2}))re", 3.0, maybe},
    {"bearer-auth-header", "a token in a header", "authorization",
     R"re((?i)authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|token)\s+([A-Za-z0-9_.=~@+/-]{20,300}))re",
     3.5, maybe},
    {"generic-api-key", "what looks like a key", "key secret token passw credential creds auth",
     R"re((?i)(?:api[_-]?key|access[_-]?key|secret[_-]?key|auth[_-]?key|auth[_-]?token|access[_-]?token|api[_-]?token|client[_-]?secret|app[_-]?secret|passwd|password|credential|creds|secret|token|private[_-]?key|encryption[_-]?key|signing[_-]?key|account[_-]?key|license[_-]?key)[\w-]{0,20}["'\]]{0,2}\s{0,3}(?:=|:|=>|:=)\s{0,3}["'`]([\w.=+/~-]{12,150})["'`])re",
     3.5, maybe, 60, 240},
    {"generic-environment", "what looks like a key in an environment file",
     "key secret token passw credential creds auth",
     R"re((?m)^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{0,40}(?i:api_?key|_key|secret|token|passwd|password|credential|auth)[\w.-]{0,20}[ \t]*[=:][ \t]*([\w=+/~-]{16,150})[ \t]*\r?$)re",
     3.7, maybe, 80, 240},
});

}  // namespace

std::span<const SecretRule> common_secret_rules() { return rules; }

namespace {

constexpr std::string_view assigned_prefix = "assigned-";
constexpr double entropy_of_marked = 2.0, entropy_of_assigned = 2.5;
constexpr uint16_t longest_form = 1200;

// The tables are ours, so a form that cannot be read is a fault of the program.
std::string spelled(std::string_view form) {
  auto pattern = pattern_of_form(form);
  CHECK(pattern.ok());
  return std::move(pattern).value();
}

std::string any_of(std::string_view words, std::string (*spell)(std::string_view)) {
  std::string out;
  for (size_t begin = 0; begin < words.size();) {
    const size_t end = std::min(words.find(' ', begin), words.size());
    out += (out.empty() ? "" : "|") + spell(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string id_of(std::string_view maker) {
  std::string out;
  for (const char c : maker)
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : (c == ' ' || c == '.' ? '-' : c);
  return out;
}

struct AllRules {
  std::deque<std::string> texts;  // What the rows made here point into.
  std::vector<SecretRule> rows;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  void add(const MarkedSecret& secret) {
    rows.push_back({.id = keep(id_of(secret.maker) + "-token"),
                    .what = keep(fmt::format("a secret of {}", secret.maker)),
                    .keywords = secret.keyword.empty() ? keep(keyword_of_form(secret.form)) : secret.keyword,
                    .pattern = keep(fmt::format(R"re((?<![\w-])({})(?![\w-]))re", spelled(secret.form))),
                    .entropy = entropy_of_marked,
                    .before = 240,
                    .after = longest_form});
  }
  void add(const AssignedSecret& secret) {
    const std::string_view name = secret.names.substr(0, secret.names.find(' '));
    // The name, what is left of the variable's, a sign that something is assigned, the value alone.
    rows.push_back(
        {.id = keep(fmt::format("{}{}", assigned_prefix, name)),
         .what = keep(fmt::format("what looks like a key of {}", name)),
         .keywords = secret.names,
         .pattern = keep(fmt::format(
             R"re((?i)(?:{})[\w.\- \t]{{0,20}}["'\]\s]{{0,3}}(?:[:=]=?|=>|\|\||,|>|\?=)[\s"'`=]{{0,5}}({})(?![\w=-]))re",
             any_of(secret.names, spelled), any_of(secret.forms, spelled))),
         .entropy = entropy_of_assigned,
         .severity = maybe,
         .before = 0});
  }
  AllRules() {
    rows.assign(rules.begin(), rules.end());
    for (const MarkedSecret& secret : marked_secrets()) add(secret);
    for (const AssignedSecret& secret : assigned_secrets()) add(secret);
  }
};

}  // namespace

std::span<const SecretRule> secret_rules() {
  static const AllRules all;
  return all.rows;
}

bool is_by_assignment(const SecretRule& rule) {
  return rule.id.starts_with(assigned_prefix) || rule.id.starts_with(generic_prefix);
}

}  // namespace holdfast::scan
