#include "repo/comparison.h"

#include <algorithm>
#include <array>

#include "scan/license_file.h"

namespace holdfast::repo {
namespace {

constexpr uint64_t card_bytes_max = 1 << 20;
constexpr size_t files_max = 10'000;

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view each) { return path.ends_with(each); });
}

bool tells_of_license(const scan::CardDifference& part) {
  return part.part == scan::CardDifference::Part::metadata && part.name.starts_with("license");
}

// The model-index, or a section on evaluation, results or benchmarks.
bool tells_of_evaluation(const scan::CardDifference& part) {
  if (part.part == scan::CardDifference::Part::metadata) return part.name == "model-index";
  std::string name = part.name;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  static constexpr auto words = std::to_array<std::string_view>({"evaluation", "results", "benchmark"});
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

// A large file in the place of a card is no card.
std::string card_text(const git::Repository& objects, const git::ObjectId& blob) {
  if (blob == git::ObjectId()) return {};
  auto text = objects.read_blob(blob, card_bytes_max);
  return text.ok() ? std::move(text).value() : std::string();
}

}  // namespace

bool is_tokenizer_file(std::string_view path) {
  return path.starts_with("tokenizer") || path == "vocab.txt" || path == "vocab.json" ||
         path == "merges.txt" || path == "special_tokens_map.json" || path == "added_tokens.json" ||
         path == "chat_template.jinja" || path == "chat_template.json" || path.ends_with(".model");
}

Result<RevisionChanges> compare_revisions(const git::Repository& objects, const git::ObjectId& before,
                                          const git::ObjectId& after) {
  RevisionChanges out;
  TRY(out.files, git::diff_trees(objects, before, after, files_max));
  bool card = false, license = false, tokenizer = false, evaluation = false, weights = false,
       configuration = false, code = false;
  for (const git::DiffEntry& entry : out.files.entries) {
    const std::string_view path = entry.path;
    if (path == "README.md") {
      card = true;
      out.card = scan::diff_cards(card_text(objects, entry.before), card_text(objects, entry.after));
    }
    license = license || scan::is_license_file(path);
    tokenizer = tokenizer || is_tokenizer_file(path);
    evaluation = evaluation || path.starts_with(".eval_results/") || path == "eval_results.json" ||
                 path == "all_results.json";
    weights = weights || ends_with_any(path, {".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf",
                                              ".onnx", ".h5", ".pkl", ".msgpack"});
    configuration = configuration || path == "config.json" || path == "generation_config.json" ||
                    path == "preprocessor_config.json" || path == "adapter_config.json";
    code = code || ends_with_any(path, {".py", ".ipynb", ".sh"});
  }
  for (const scan::CardDifference& each : out.card) {
    license = license || tells_of_license(each);
    evaluation = evaluation || tells_of_evaluation(each);
  }
  for (const auto& [set, name] :
       std::to_array<std::pair<bool, std::string_view>>({{card, "card"},
                                                         {license, "license"},
                                                         {tokenizer, "tokenizer"},
                                                         {evaluation, "evaluation"},
                                                         {weights, "weights"},
                                                         {configuration, "configuration"},
                                                         {code, "code"}}))
    if (set) out.flags.emplace_back(name);
  return out;
}

}  // namespace holdfast::repo
