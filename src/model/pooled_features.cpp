#include "model/pooled_features.h"

#include <algorithm>

namespace holdfast::model {
namespace {

constexpr size_t batch_texts = 32;

}  // namespace

Result<std::vector<float>> pooled_features(const TextModel& model, std::span<const std::string> texts,
                                           tensor::Threads& threads) {
  std::vector<float> out;
  for (size_t at = 0; at < texts.size(); at += batch_texts) {
    std::vector<token::Encoding> encodings;
    for (const std::string& text : texts.subspan(at, std::min(batch_texts, texts.size() - at))) {
      TRY(token::Encoding encoding, model.encode(text, std::nullopt, LongText::cut));
      encodings.push_back(std::move(encoding));
    }
    TRY(const std::vector<NamedOutput> outputs, model.run(encodings, threads));
    const auto pooled = std::find_if(outputs.begin(), outputs.end(),
                                     [](const NamedOutput& one) { return one.name == "pooler_output"; });
    if (pooled == outputs.end())
      return fail(Reason::model_unsupported,
                  "the base model has no pooler whose output a head could stand on");
    out.insert(out.end(), pooled->data.data(), pooled->data.data() + pooled->data.size());
  }
  return out;
}

}  // namespace holdfast::model
