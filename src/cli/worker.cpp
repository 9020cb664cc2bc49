// The process that holds a model: started by serve/, speaks serve/worker_protocol.h on the descriptor it is
// given.
#include "cli/worker.h"

#include <malloc.h>
#include <functional>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>

#include "base/ticks.h"
#include "cli/worker_line.h"
#include "cli/writer_worker.h"
#include "codec/json.h"
#include "model/pipeline.h"
#include "model/signal_pipeline.h"
#include "model/text_rewriter.h"
#include "process/channel.h"
#include "serve/task_text.h"
#include "serve/worker_protocol.h"

namespace holdfast::cli {
namespace {

using serve::EmbedAnswer;
using serve::EmbedItem;
using serve::FrameKind;

struct WorkerWords {
  int channel = -1;
  size_t threads = 1;
  std::chrono::milliseconds heartbeat{0};
  bool adapters = false;  // Some may come.
  std::string folder;
};

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<WorkerWords> parse(std::span<const std::string_view> arguments) {
  const bool adapters = arguments.size() == 8 && arguments[6] == "--adapters";
  if (!(arguments.size() == 7 || adapters) || arguments[0] != "--channel" || arguments[2] != "--threads" ||
      arguments[4] != "--heartbeat")
    return std::nullopt;
  const auto channel = number(arguments[1]), threads = number(arguments[3]), beat = number(arguments[5]);
  if (!channel || *channel < 3 || !threads || *threads < 1 || *threads > 64 || !beat || *beat < 0)
    return std::nullopt;
  return WorkerWords{*channel, static_cast<size_t>(*threads), std::chrono::milliseconds(*beat), adapters,
                     std::string(arguments.back())};
}

// The tokens of one item's inputs, in the model's own bounds.
Result<std::vector<model::TokenizedText>> tokenize(const model::Embedder& embedder, const EmbedItem& item) {
  const auto side = item.long_text == serve::LongText::cut_left ? token::Side::left : token::Side::right;
  std::vector<model::TokenizedText> out;
  size_t tokens = 0;
  for (size_t i = 0; i < item.size(); ++i) {
    auto one = item.ids.empty() ? embedder.tokenize(item.texts[i], side) : embedder.wrap(item.ids[i]);
    if (!one.ok()) return std::move(one).error();
    if (one.value().truncated && item.long_text == serve::LongText::refuse)
      return fail(Reason::input_too_long, "an input has more than the " +
                                              std::to_string(embedder.tokens_max()) +
                                              " tokens that the model takes");
    tokens += one.value().ids.size();
    out.push_back(std::move(one).value());
  }
  if (item.wanted == serve::Wanted::features && tokens > serve::answer_floats_max / embedder.feature_width())
    return fail(Reason::input_too_long,
                "the features of all tokens would be too long an answer; send fewer inputs");
  return out;
}

serve::WorkerWork work_of(const model::StageTimes& times, std::chrono::nanoseconds took, double share) {
  const auto whole = [](std::chrono::nanoseconds time) {
    return static_cast<uint64_t>(std::max<int64_t>(time.count(), 0));
  };
  return {.tokenize_ns = whole(times.tokenize),
          .model_ns = whole(times.model),
          .post_ns = whole(took - times.tokenize - times.model),
          .busy_ns = static_cast<uint64_t>(static_cast<double>(whole(took)) * share),
          .tokens = times.tokens,
          .unknown_tokens = times.unknown_tokens};
}

// Of a model that reads texts.
Status expect_no_file(ByteView file) {
  if (file.empty()) return Done{};
  return fail(Reason::bad_request, "the model reads texts: send {\"inputs\": \"...\"} as JSON");
}

// The task an item is of, by a model's own way to do it.
using RunTask = std::function<Result<boost::json::value>(
    std::string_view task, const boost::json::value& inputs, const boost::json::object& parameters,
    ByteView file, model::StageTimes* times)>;

Result<EmbedAnswer> answer_task(const EmbedItem& item, const Ticks& ticks, const RunTask& run) {
  if (item.texts.size() != 1) return fail(Code::corrupt, "a task is one text");
  const serve::TaskText text = serve::split_task_text(item.texts[0]);
  TRY(const boost::json::object call, codec::parse_json_object(text.json));
  TRY(const std::string_view task, codec::json_text(call, "task"));
  TRY(const boost::json::object* parameters, codec::json_object(call, "parameters"));
  const boost::json::value* inputs = call.if_contains("inputs");
  if (inputs == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
  model::StageTimes times(ticks);
  const auto began = ticks.now();
  TRY(const boost::json::value answer, run(task, *inputs, *parameters, as_bytes(text.file), &times));
  EmbedAnswer out;
  out.json = codec::to_text(answer);
  out.work = work_of(times, ticks.now() - began, 1);
  return out;
}

// All items that want the same go through the model together; each answer's bits are those it would have
// alone.
class Batch {
 public:
  Batch(const model::Pipeline& pipeline, tensor::Threads& threads, const Ticks& ticks)
      : pipeline_(pipeline),
        embedder_(pipeline.embedder()),
        threads_(threads),
        alone_(tensor::make_threads(1)),
        ticks_(ticks) {}

  std::vector<Result<EmbedAnswer>> run(const std::vector<EmbedItem>& items) {
    std::vector<Result<EmbedAnswer>> answers(items.size());
    for (const serve::Wanted wanted : {serve::Wanted::vectors, serve::Wanted::features})
      run_wanted(items, wanted, answers);
    for (size_t i = 0; i < items.size(); ++i)
      if (items[i].wanted == serve::Wanted::task) answers[i] = run_task(items[i]);
    return answers;
  }

 private:
  struct Place {
    size_t item = 0, first = 0, count = 0;
  };

  void run_wanted(const std::vector<EmbedItem>& items, serve::Wanted wanted,
                  std::vector<Result<EmbedAnswer>>& answers) {
    std::vector<model::TokenizedText> all;
    std::vector<Place> places;
    model::StageTimes times(ticks_);
    const auto began = ticks_.now();
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].wanted != wanted) continue;
      auto tokens = tokenize(embedder_, items[i]);
      if (!tokens.ok()) {
        answers[i] = std::move(tokens).error();
        continue;
      }
      places.push_back({i, all.size(), tokens.value().size()});
      for (model::TokenizedText& text : tokens.value()) all.push_back(std::move(text));
    }
    if (all.empty()) return;
    times.tokenize = ticks_.now() - began;
    for (const model::TokenizedText& text : all) times.count(text.ids, std::nullopt);
    tensor::Threads& threads = threads_for(times.tokens);
    auto vectors =
        wanted == serve::Wanted::vectors ? embed(all, times, threads) : features(all, times, threads);
    took_a_token(times);
    for (const Place& place : places) {
      if (!vectors.ok()) {
        answers[place.item] = vectors.error();
        continue;
      }
      EmbedAnswer answer;
      model::StageTimes own(ticks_);
      for (size_t i = place.first; i < place.first + place.count; ++i) {
        own.count(all[i].ids, embedder_.text_model().unknown_id());
        answer.tokens.push_back(static_cast<uint32_t>(all[i].ids.size()));
        answer.vectors.push_back(std::move(vectors.value()[i]));
      }
      own.tokenize = times.tokenize;
      own.model = times.model;
      const double share =
          static_cast<double>(own.tokens) / static_cast<double>(std::max<uint64_t>(times.tokens, 1));
      answer.work = work_of(own, ticks_.now() - began, share);
      answers[place.item] = std::move(answer);
    }
  }

  Result<std::vector<std::vector<float>>> embed(const std::vector<model::TokenizedText>& texts,
                                                model::StageTimes& times, tensor::Threads& threads) {
    const model::StageTimer timer(&times, &model::StageTimes::model);
    return embedder_.embed(texts, threads);
  }
  Result<std::vector<std::vector<float>>> features(const std::vector<model::TokenizedText>& texts,
                                                   model::StageTimes& times, tensor::Threads& threads) {
    const model::StageTimer timer(&times, &model::StageTimes::model);
    return embedder_.features(texts, threads);
  }

  // A second thread that is woken, and looks for more for a while, costs more than it brings to what is over
  // in so little time; the bits are the same by any number of them.
  tensor::Threads& threads_for(uint64_t tokens) {
    constexpr std::chrono::microseconds worth_sharing{100};
    const bool known = token_takes_.count() > 0;
    return known && token_takes_ * static_cast<int64_t>(tokens) < worth_sharing ? *alone_ : threads_;
  }
  // As fast as of late, so that a batch during which somebody else had the processor says little.
  void took_a_token(const model::StageTimes& times) {
    const auto measured = times.model / static_cast<int64_t>(std::max<uint64_t>(times.tokens, 1));
    token_takes_ =
        token_takes_.count() > 0 ? std::min(measured, token_takes_ + token_takes_ / 8 + tick) : measured;
  }

  Result<EmbedAnswer> run_task(const EmbedItem& item) const {
    return answer_task(item, ticks_,
                       [&](auto task, const auto& inputs, const auto& parameters, ByteView file,
                           auto* times) -> Result<boost::json::value> {
                         TRY_DONE(expect_no_file(file));
                         return pipeline_.run(task, inputs, parameters, threads_, times);
                       });
  }

  const model::Pipeline& pipeline_;
  const model::Embedder& embedder_;
  static constexpr std::chrono::nanoseconds tick{1};
  tensor::Threads& threads_;
  const std::unique_ptr<tensor::Threads> alone_;
  std::chrono::nanoseconds token_takes_{0};  // 0: not known.
  const Ticks& ticks_;
};

using AnswerItems = std::function<std::vector<Result<EmbedAnswer>>(const std::vector<EmbedItem>&)>;

Status answer_asks(WorkerLine& line, const AnswerItems& answer) {
  while (true) {
    TRY(const auto frame, line.receive());
    if (!frame) return Done{};  // The server closed its end.
    if (frame->kind == static_cast<uint8_t>(FrameKind::generate)) {
      TRY(const serve::GenerateAsk ask, serve::decode_generate(frame->payload));
      serve::GenerateEvent refused;
      refused.id = ask.id;
      refused.error = fail(Reason::model_unsupported, "the model does not write text");
      TRY_DONE(line.send(FrameKind::piece, serve::encode_piece(refused)));
      continue;
    }
    if (frame->kind == static_cast<uint8_t>(FrameKind::cancel)) continue;  // It was refused.
    if (frame->kind != static_cast<uint8_t>(FrameKind::ask))
      return fail(Code::corrupt, "an unexpected frame");
    TRY(const std::vector<EmbedItem> items, serve::decode_ask(frame->payload));
    const std::vector<Result<EmbedAnswer>> answers = answer(items);
    TRY_DONE(line.send(FrameKind::answer, serve::encode_answers(answers)));
  }
}

serve::WorkerFacts facts_of(const model::Pipeline& pipeline) {
  const model::Embedder& embedder = pipeline.embedder();
  serve::WorkerFacts facts;
  facts.dimensions =
      static_cast<uint32_t>(embedder.is_sentence_model() ? embedder.dimensions() : embedder.feature_width());
  facts.tokens_max = static_cast<uint32_t>(embedder.tokens_max());
  facts.sentence_model = embedder.is_sentence_model();
  facts.normalizes = embedder.normalizes();
  facts.task = pipeline.task();
  return facts;
}

// A model that has no vectors: tasks alone.
Status answer_tasks(WorkerLine& line, const serve::WorkerFacts& facts, const RunTask& run) {
  TRY_DONE(line.send(FrameKind::ready, serve::encode_facts(facts)));
  const SystemTicks ticks;
  return answer_asks(line, [&](const std::vector<EmbedItem>& items) {
    std::vector<Result<EmbedAnswer>> answers;
    for (const EmbedItem& item : items) {
      if (item.wanted == serve::Wanted::task)
        answers.push_back(answer_task(item, ticks, run));
      else
        answers.emplace_back(fail(Reason::model_unsupported, "the model has no vectors of texts"));
    }
    return answers;
  });
}

// One that writes one text from another.
Status answer_rewriting(WorkerLine& line, const model::TextRewriter& rewriter, tensor::Threads& threads) {
  serve::WorkerFacts facts;
  facts.tokens_max = static_cast<uint32_t>(rewriter.tokens_max());
  facts.task = rewriter.task();
  return answer_tasks(line, facts,
                      [&](auto task, const auto& inputs, const auto& parameters, ByteView file,
                          auto* times) -> Result<boost::json::value> {
                        TRY_DONE(expect_no_file(file));
                        return rewriter.run(task, inputs, parameters, threads, times);
                      });
}

// One that reads images or sounds.
Status answer_signals(WorkerLine& line, const model::SignalPipeline& pipeline, tensor::Threads& threads) {
  serve::WorkerFacts facts;
  facts.task = pipeline.task();
  return answer_tasks(line, facts,
                      [&](auto task, const auto& inputs, const auto& parameters, ByteView file, auto* times) {
                        return pipeline.run(task, inputs, parameters, file, threads, times);
                      });
}

// Tells the server what the folder holds, then answers it until it closes its end.
Status work(const WorkerWords& words, WorkerLine& line, World& world) {
  const auto refused = [&](const Error& error) {
    return line.send(FrameKind::failed, serve::encode_error(error));
  };
  const auto disk = io::open_posix_disk(words.folder);
  if (!disk.ok()) return refused(disk.error());
  const auto threads = tensor::make_threads(words.threads);
  const auto writer = open_writer(*disk.value(), words.adapters, world.random());
  if (!writer.ok()) return refused(writer.error());
  if (writer.value() != nullptr) {
    TRY_DONE(line.send(FrameKind::ready, serve::encode_facts(writer.value()->facts())));
    return writer.value()->work(line, world.clock(), world.random(), *threads);
  }
  if (words.adapters)
    return refused(
        fail(Reason::model_unsupported, "the adapter's base does not write text; others cannot be changed"));
  const auto rewrites = model::rewrites_text(*disk.value(), "");
  if (!rewrites.ok()) return refused(rewrites.error());
  if (rewrites.value()) {
    const auto rewriter = model::TextRewriter::open(*disk.value(), "");
    if (!rewriter.ok()) return refused(rewriter.error());
    return answer_rewriting(line, rewriter.value(), *threads);
  }
  const auto signals = model::reads_signals(*disk.value(), "");
  if (!signals.ok()) return refused(signals.error());
  if (signals.value()) {
    const auto pipeline = model::SignalPipeline::open(*disk.value(), "");
    if (!pipeline.ok()) return refused(pipeline.error());
    return answer_signals(line, pipeline.value(), *threads);
  }
  const auto pipeline = model::Pipeline::open(*disk.value(), "", {}, nullptr, &world.random());
  if (!pipeline.ok()) return refused(pipeline.error());
  ::malloc_trim(0);  // The first worker of a model packed it in memory that it then gave back.
  TRY_DONE(line.send(FrameKind::ready, serve::encode_facts(facts_of(pipeline.value()))));
  const SystemTicks ticks;
  Batch batch(pipeline.value(), *threads, ticks);
  return answer_asks(line, [&](const std::vector<EmbedItem>& items) { return batch.run(items); });
}

int run_worker(World& world, std::span<const std::string_view> arguments) {
  const auto words = parse(arguments);
  if (!words) {
    world.complain(
        "holdfast: worker is started by the server: --channel N --threads N --heartbeat MS [--adapters] "
        "FOLDER\n");
    return exit_misused;
  }
  WorkerLine line(process::Channel(process::Descriptor(words->channel)), world.clock(), words->heartbeat);
  return work(*words, line, world).ok() ? exit_done : exit_failed;
}

}  // namespace

std::vector<Command> worker_commands() {
  return {{"worker", "--channel N --threads N --heartbeat MS [--adapters] FOLDER",
           "Holds one model for the server, which starts it.",
           "holdfast worker --channel 3 --threads 2 --heartbeat 2000 /srv/holdfast/serving/1-0123",
           run_worker}};
}

}  // namespace holdfast::cli
