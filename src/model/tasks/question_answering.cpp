#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <map>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

struct Options {
  size_t top = 1, stride = 128, answer_max = 15, length_max = 384, question_max = 64;
  bool impossible = false, whole_words = true;
};

struct Answer {
  double score = 0;
  size_t start = 0, end = 0;
  std::string text;
};

Result<Options> read_options(const TaskCall& call) {
  Options out;
  const auto count = [&](size_t& into, std::string_view key) -> Status {
    TRY(const auto given, read_count(call.parameters, key));
    if (given && *given < 1) return fail(Reason::bad_request, std::string(key) + " must be at least 1");
    if (given) into = *given;
    return Done{};
  };
  TRY_DONE(count(out.top, "top_k"));
  TRY_DONE(count(out.answer_max, "max_answer_len"));
  TRY_DONE(count(out.length_max, "max_seq_len"));
  TRY_DONE(count(out.question_max, "max_question_len"));
  out.length_max = std::min(out.length_max, call.model.tokens_max());
  out.stride = std::min<size_t>(out.length_max / 2, 128);
  TRY_DONE(count(out.stride, "doc_stride"));
  TRY(const auto impossible, codec::json_flag_if(call.parameters, "handle_impossible_answer"));
  TRY(const auto words, codec::json_flag_if(call.parameters, "align_to_words"));
  out.impossible = impossible.value_or(false);
  out.whole_words = words.value_or(true);
  return out;
}

// Which rows may answer: those of the context, and the first token, which stands for "none".
std::vector<bool> rows_allowed(const TextModel& model, const token::Encoding& encoding) {
  const std::vector<int> sequences = encoding.sequences();
  std::vector<bool> out(encoding.size());
  for (size_t i = 0; i < encoding.size(); ++i)
    out[i] = sequences[i] == 1 || (model.first_id() && encoding.ids[i] == *model.first_id());
  return out;
}

std::vector<double> probabilities(const float* logits, const std::vector<bool>& allowed) {
  std::vector<double> out(allowed.size());
  double peak = -1e30, sum = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = allowed[i] ? logits[i] : -10'000.0;
    peak = std::max(peak, out[i]);
  }
  for (double& x : out) sum += x = std::exp(x - peak);
  for (double& x : out) x /= sum;
  return out;
}

// Offsets of whole words of the context.
class Words {
 public:
  explicit Words(const token::Encoding& encoding) : encoding_(encoding) {
    const std::vector<int> sequences = encoding.sequences();
    for (size_t i = 0; i < encoding.size(); ++i) {
      if (sequences[i] != 1 || encoding.words[i] == token::Encoding::no_word) continue;
      auto [at, fresh] = spans_.try_emplace(encoding.words[i], encoding.offsets[i]);
      at->second.begin = std::min(at->second.begin, encoding.offsets[i].begin);
      at->second.end = std::max(at->second.end, encoding.offsets[i].end);
    }
  }
  const token::Span& at(size_t row) const {
    const auto found = spans_.find(encoding_.words[row]);
    return found == spans_.end() ? encoding_.offsets[row] : found->second;
  }

 private:
  const token::Encoding& encoding_;
  std::map<int32_t, token::Span> spans_;
};

struct Place {
  double score = 0;
  size_t start = 0, end = 0;  // Rows.
};

// The best pairs of rows, longest answer_max apart.
std::vector<Place> best_places(const std::vector<double>& starts, const std::vector<double>& ends,
                               const Options& options) {
  std::vector<Place> all;
  for (size_t start = 0; start < starts.size(); ++start)
    for (size_t end = start; end < std::min(ends.size(), start + options.answer_max); ++end)
      all.push_back({starts[start] * ends[end], start, end});
  const size_t top = std::min(options.top, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top), all.end(),
                    [](const Place& a, const Place& b) { return a.score > b.score; });
  all.resize(top);
  return all;
}

Result<std::vector<token::Encoding>> encode_parts(const TaskCall& call, std::string_view question,
                                                  std::string_view context, const Options& options) {
  token::EncodeOptions short_question;
  short_question.special = token::SpecialTokens::leave_out;
  TRY(const token::Encoding alone,
      call.model.tokenizer().encode({.text = question, .words = {}, .pair = {}}, short_question));
  if (alone.size() > options.question_max)
    return fail(Reason::input_too_long, "the question has more tokens than max_question_len");
  const size_t taken = alone.size() + call.model.tokenizer().added_tokens(2);
  if (taken >= options.length_max)
    return fail(Reason::input_too_long, "the question leaves no room for the context");
  token::Truncation truncation{.length_max = options.length_max,
                               .stride = options.stride,
                               .strategy = token::TruncationStrategy::only_second};
  truncation.stride = std::min(truncation.stride, options.length_max - taken - 1);
  TRY(token::Encoding first, call.encode_with(question, context, &truncation));
  std::vector<token::Encoding> out;
  std::vector<token::Encoding> rest = std::move(first.overflow);
  first.overflow.clear();
  out.push_back(std::move(first));
  for (token::Encoding& one : rest) out.push_back(std::move(one));
  return out;
}

Result<boost::json::value> answer_one(const TaskCall& call, const boost::json::object& input,
                                      const Options& options) {
  TRY(const std::string_view question, codec::json_text(input, "question"));
  TRY(const std::string_view context, codec::json_text(input, "context"));
  if (question.empty() || context.empty())
    return fail(Reason::bad_request, "question and context must not be empty");
  TRY(const std::vector<token::Encoding> parts, encode_parts(call, question, context, options));
  TRY(const std::vector<NamedOutput> outputs, call.run(parts));
  if (outputs.size() != 2) return fail(Reason::model_unsupported, "the model gives no start and end");
  const CodePoints points(context);
  std::vector<Answer> answers;
  double none = 1'000'000;
  size_t row = 0;
  for (const token::Encoding& part : parts) {
    const std::vector<bool> allowed = rows_allowed(call.model, part);
    std::vector<double> starts = probabilities(outputs[0].data.data() + row, allowed);
    std::vector<double> ends = probabilities(outputs[1].data.data() + row, allowed);
    row += part.size();
    if (options.impossible) none = std::min(none, starts[0] * ends[0]);
    starts[0] = ends[0] = 0;
    const Words words(part);
    for (const Place& place : best_places(starts, ends, options)) {
      if (!allowed[place.start] || !allowed[place.end]) continue;
      const size_t from = options.whole_words ? words.at(place.start).begin : part.offsets[place.start].begin;
      const size_t to = options.whole_words ? words.at(place.end).end : part.offsets[place.end].end;
      answers.push_back({place.score, from, to, std::string(points.slice(from, to))});
    }
  }
  if (options.impossible) answers.push_back({none, 0, 0, ""});
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return a.score > b.score; });
  answers.resize(std::min(answers.size(), options.top));
  boost::json::array out;
  for (const Answer& one : answers)
    out.push_back(boost::json::object{
        {"score", one.score}, {"start", one.start}, {"end", one.end}, {"answer", one.text}});
  if (out.size() == 1) return std::move(out[0]);
  return boost::json::value(std::move(out));
}

}  // namespace

Result<boost::json::value> answer_question(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::question_answering, "question-answering"));
  TRY(const Options options, read_options(call));
  if (call.inputs.is_object()) return answer_one(call, call.inputs.get_object(), options);
  if (!call.inputs.is_array()) return fail(Reason::bad_request, "inputs must have a question and a context");
  boost::json::array all;
  for (const boost::json::value& one : call.inputs.get_array()) {
    if (!one.is_object()) return fail(Reason::bad_request, "inputs must have a question and a context");
    TRY(boost::json::value answer, answer_one(call, one.get_object(), options));
    all.push_back(std::move(answer));
  }
  return boost::json::value(std::move(all));
}

}  // namespace holdfast::model
