#include "cli/quality_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::cli {
namespace {

constexpr std::string_view sentences[] = {
    "How do I reset the password of my account?",
    "The parcel arrived two days late and the box was crushed.",
    "Interest rates were left unchanged at four and a quarter percent on Thursday.",
    "A man is playing the guitar on a small stage in front of a crowd.",
    "What is the difference between a virus and a bacterium?",
    "I would buy these headphones again without thinking twice.",
    "The committee approved the budget by a vote of seven to two.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Her train leaves at 6:45 from platform nine.",
    "The old harbour was filled in to make room for a shopping street.",
    "Can I get a refund if I cancel within fourteen days?",
    "Scientists measured a rise of 1.2 degrees since the beginning of the record.",
    "This film is a waste of two hours and a good cast.",
    "Two dogs are running through shallow water on a beach.",
    "The engine makes a grinding noise when it is cold.",
    "Paris is the capital of France and lies on the Seine.",
    "Mix the flour with the eggs, then add the milk slowly.",
    "The plaintiff failed to show that the contract had been signed.",
    "SELECT name, COUNT(*) FROM orders GROUP BY name HAVING COUNT(*) > 3;",
    "My internet connection drops every evening at around eight.",
    "The patient reported mild headaches and no fever.",
    "Is there a vegetarian option on the menu?",
    "The goalkeeper saved a penalty in the last minute of extra time.",
    "Nothing about this hotel matched the photographs.",
    "The bridge was closed to lorries after cracks were found in a pillar.",
    "Who wrote the first program for a calculating machine?",
    "She has been learning to sail since the spring.",
    "Shares of the company fell eleven percent after the report.",
    "The warranty does not cover damage by water.",
    "A woman is slicing an onion on a wooden board.",
    "The quick brown fox jumps over the lazy dog.",
    "Thank you, everything works now!",
};

struct Means {
  double sum = 0, least = 1;
  size_t count = 0;
  void add(double x) {
    sum += x;
    least = std::min(least, x);
    ++count;
  }
};

double cosine(const float* a, const float* b, size_t width) {
  double dot = 0, left = 0, right = 0;
  for (size_t i = 0; i < width; ++i) {
    dot += double(a[i]) * b[i];
    left += double(a[i]) * a[i];
    right += double(b[i]) * b[i];
  }
  return left == 0 || right == 0 ? (left == right ? 1 : 0) : dot / std::sqrt(left * right);
}

// The mean over each text's tokens.
std::vector<float> pooled(const model::NamedOutput& tokens) {
  std::vector<float> out(tokens.columns);
  const size_t rows = tokens.data.size() / tokens.columns;
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < tokens.columns; ++i)
      out[i] += tokens.data.data()[row * tokens.columns + i] / static_cast<float>(rows);
  return out;
}

size_t greatest(const float* row, size_t columns) {
  return static_cast<size_t>(std::max_element(row, row + columns) - row);
}

// Scores [tokens, vocabulary] after each token.
Result<std::vector<float>> scores_of(const model::DecoderModel& model, const std::vector<uint32_t>& ids,
                                     tensor::Threads& threads) {
  model::TokenBatch batch;
  for (size_t i = 0; i < ids.size(); ++i) batch.add(ids[i], 0, static_cast<int64_t>(i));
  batch.end_sequence();
  TRY(const model::Decoder::States states, model.decoder().forward(batch, {}, threads));
  std::vector<float> out(ids.size() * model.head_width());
  model.run_head(states.last.data(), ids.size(), out.data(), threads);
  return out;
}

}  // namespace

Status check_drop(const QualityChange& change, std::optional<double> drop_max) {
  if (!drop_max || change.drop() <= *drop_max) return Done{};
  return fail(Reason::policy_refused,
              fmt::format("{} fell to {:.5f} on {} compared: more than the {} allowed", change.measure,
                          change.mean, change.compared, *drop_max));
}

std::span<const std::string_view> built_in_sentences() { return sentences; }

Result<QualityChange> compare_models(const model::TextModel& model, const model::TextModel& variant,
                                     std::span<const std::string> texts, tensor::Threads& threads) {
  const bool bare = model.plan().head == model::Head::none;
  Means vectors, labels;
  for (const std::string& text : texts) {
    TRY(const token::Encoding encoding, model.encode(text, std::nullopt, model::LongText::cut));
    TRY(const auto exact, model.run(std::span(&encoding, 1), threads));
    TRY(const auto got, variant.run(std::span(&encoding, 1), threads));
    for (size_t i = 0; i < exact.size() && i < got.size(); ++i) {
      const size_t columns = exact[i].columns, rows = exact[i].data.size() / std::max<size_t>(columns, 1);
      if (bare && exact[i].name != "last_hidden_state") continue;
      if (bare) {
        const std::vector<float> a = pooled(exact[i]), b = pooled(got[i]);
        vectors.add(cosine(a.data(), b.data(), columns));
        continue;
      }
      if (columns == 1) {  // One number a row: a score, or the place of an answer in the text.
        const float *a = exact[i].data.data(), *b = got[i].data.data();
        vectors.add(cosine(a, b, rows));
        if (rows > 1) labels.add(greatest(a, rows) == greatest(b, rows) ? 1 : 0);
        continue;
      }
      for (size_t row = 0; row < rows; ++row) {
        const float *a = exact[i].data.data() + row * columns, *b = got[i].data.data() + row * columns;
        vectors.add(cosine(a, b, columns));
        labels.add(greatest(a, columns) == greatest(b, columns) ? 1 : 0);
      }
    }
  }
  if (vectors.count == 0) return fail(Reason::bad_request, "there is no text to compare the two models on");
  const Means& told = labels.count > 0 ? labels : vectors;
  QualityChange out;
  out.measure = bare               ? "cosine of sentence vectors"
                : labels.count > 0 ? "labels that agree"
                                   : "cosine of scores";
  out.mean = told.sum / static_cast<double>(told.count);
  out.least = vectors.least;
  out.compared = told.count;
  return out;
}

Result<QualityChange> compare_writers(const model::TextGenerator& model, const model::TextGenerator& variant,
                                      std::span<const std::string> texts, tensor::Threads& threads) {
  // Scores of many tokens by a large vocabulary would fill memory.
  constexpr size_t tokens_most = 256;
  Means scores, same;
  for (const std::string& text : texts) {
    TRY(token::Encoding encoding, model.tokenizer().encode({.text = text, .words = {}, .pair = {}}, {}));
    std::vector<uint32_t> ids(encoding.ids.begin(), encoding.ids.end());
    ids.resize(std::min({ids.size(), model.tokens_max(), tokens_most}));
    if (ids.empty()) continue;
    TRY(const std::vector<float> exact, scores_of(model.model(), ids, threads));
    TRY(const std::vector<float> got, scores_of(variant.model(), ids, threads));
    const size_t columns = model.model().head_width();
    for (size_t row = 0; row < ids.size(); ++row) {
      const float *a = exact.data() + row * columns, *b = got.data() + row * columns;
      scores.add(cosine(a, b, columns));
      same.add(greatest(a, columns) == greatest(b, columns) ? 1 : 0);
    }
  }
  if (same.count == 0) return fail(Reason::bad_request, "there is no text to compare the two models on");
  QualityChange out;
  out.measure = "next tokens that agree";
  out.mean = same.sum / static_cast<double>(same.count);
  out.least = scores.least;
  out.compared = same.count;
  return out;
}

}  // namespace holdfast::cli
