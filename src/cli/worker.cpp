// The process that holds a model: started by serve/, speaks serve/worker_protocol.h on the descriptor it is
// given.
#include "cli/worker.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>

#include "base/ticks.h"
#include "cli/completion_writer.h"
#include "codec/json.h"
#include "model/any_model.h"
#include "model/pipeline.h"
#include "process/channel.h"
#include "serve/worker_protocol.h"

namespace holdfast::cli {
namespace {

using serve::EmbedAnswer;
using serve::EmbedItem;
using serve::FrameKind;

struct WorkerWords {
  int channel = -1;
  size_t threads = 1;
  std::string folder;
};

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<WorkerWords> parse(std::span<const std::string_view> arguments) {
  if (arguments.size() != 5 || arguments[0] != "--channel" || arguments[2] != "--threads")
    return std::nullopt;
  const auto channel = number(arguments[1]), threads = number(arguments[3]);
  if (!channel || *channel < 3 || !threads || *threads < 1 || *threads > 64) return std::nullopt;
  return WorkerWords{*channel, static_cast<size_t>(*threads), std::string(arguments[4])};
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

// All items that want the same go through the model together; each answer's bits are those it would have
// alone.
class Batch {
 public:
  Batch(const model::Pipeline& pipeline, tensor::Threads& threads, const Ticks& ticks)
      : pipeline_(pipeline), embedder_(pipeline.embedder()), threads_(threads), ticks_(ticks) {}

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
    auto vectors = wanted == serve::Wanted::vectors ? embed(all, times) : features(all, times);
    for (const model::TokenizedText& text : all) times.count(text.ids, std::nullopt);
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
                                                model::StageTimes& times) {
    const model::StageTimer timer(&times, &model::StageTimes::model);
    return embedder_.embed(texts, threads_);
  }
  Result<std::vector<std::vector<float>>> features(const std::vector<model::TokenizedText>& texts,
                                                   model::StageTimes& times) {
    const model::StageTimer timer(&times, &model::StageTimes::model);
    return embedder_.features(texts, threads_);
  }

  static serve::WorkerWork work_of(const model::StageTimes& times, std::chrono::nanoseconds took,
                                   double share) {
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

  Result<EmbedAnswer> run_task(const EmbedItem& item) const {
    if (item.texts.size() != 1) return fail(Code::corrupt, "a task is one text");
    TRY(const boost::json::object call, codec::parse_json_object(item.texts[0]));
    TRY(const std::string_view task, codec::json_text(call, "task"));
    TRY(const boost::json::object* parameters, codec::json_object(call, "parameters"));
    const boost::json::value* inputs = call.if_contains("inputs");
    if (inputs == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
    model::StageTimes times(ticks_);
    const auto began = ticks_.now();
    TRY(const boost::json::value answer, pipeline_.run(task, *inputs, *parameters, threads_, &times));
    EmbedAnswer out;
    out.json = codec::to_text(answer);
    out.work = work_of(times, ticks_.now() - began, 1);
    return out;
  }

  const model::Pipeline& pipeline_;
  const model::Embedder& embedder_;
  tensor::Threads& threads_;
  const Ticks& ticks_;
};

constexpr std::chrono::milliseconds forever = std::chrono::milliseconds::max();

Status send(process::Channel& channel, const Clock& clock, FrameKind kind, const Bytes& payload) {
  return channel.send(static_cast<uint8_t>(kind), payload, clock, forever);
}

Status answer_asks(process::Channel& channel, const Clock& clock, const model::Pipeline& pipeline,
                   tensor::Threads& threads) {
  const SystemTicks ticks;
  Batch batch(pipeline, threads, ticks);
  while (true) {
    TRY(const auto frame, channel.receive(clock, forever));
    if (!frame) return Done{};  // The server closed its end.
    if (frame->kind == static_cast<uint8_t>(FrameKind::generate)) {
      TRY(const serve::GenerateAsk ask, serve::decode_generate(frame->payload));
      const serve::GenerateEvent refused{
          .id = ask.id, .error = fail(Reason::model_unsupported, "the model does not write text")};
      TRY_DONE(send(channel, clock, FrameKind::piece, serve::encode_piece(refused)));
      continue;
    }
    if (frame->kind == static_cast<uint8_t>(FrameKind::cancel)) continue;  // It was refused.
    if (frame->kind != static_cast<uint8_t>(FrameKind::ask))
      return fail(Code::corrupt, "an unexpected frame");
    TRY(const std::vector<EmbedItem> items, serve::decode_ask(frame->payload));
    const std::vector<Result<EmbedAnswer>> answers = batch.run(items);
    TRY_DONE(send(channel, clock, FrameKind::answer, serve::encode_answers(answers)));
  }
}

// Asks of one model that writes: those that embed are refused, answers are written beside each other.
class WriterLoop {
 public:
  WriterLoop(process::Channel& channel, const Clock& clock, CompletionWriter& writer)
      : channel_(channel), clock_(clock), writer_(writer) {}

  Status run() {
    while (true) {
      // While it writes it only looks whether something came.
      bool there = writer_.idle();
      if (!there) {
        TRY(there, channel_.readable(clock_, clock_.now()));
      }
      if (there) {
        TRY(const auto frame, channel_.receive(clock_, forever));
        if (!frame) return Done{};
        TRY_DONE(take(*frame));
        continue;
      }
      for (const serve::GenerateEvent& event : writer_.step())
        TRY_DONE(send(channel_, clock_, FrameKind::piece, serve::encode_piece(event)));
    }
  }

 private:
  Status take(const process::Frame& frame) {
    if (frame.kind == static_cast<uint8_t>(FrameKind::generate)) {
      TRY(const serve::GenerateAsk ask, serve::decode_generate(frame.payload));
      writer_.begin(ask);
      return Done{};
    }
    if (frame.kind == static_cast<uint8_t>(FrameKind::cancel)) {
      TRY(const uint64_t id, serve::decode_cancel(frame.payload));
      writer_.cancel(id);
      return Done{};
    }
    if (frame.kind != static_cast<uint8_t>(FrameKind::ask)) return fail(Code::corrupt, "an unexpected frame");
    TRY(const std::vector<EmbedItem> items, serve::decode_ask(frame.payload));
    const std::vector<Result<EmbedAnswer>> answers(
        items.size(), fail(Reason::model_unsupported, "the model writes text: ask /v1/chat/completions"));
    return send(channel_, clock_, FrameKind::answer, serve::encode_answers(answers));
  }

  process::Channel& channel_;
  const Clock& clock_;
  CompletionWriter& writer_;
};

// What a folder holds: a model that writes (its config.json names one, or its only weights are a GGUF file,
// of which the first by name is taken), or one for the text tasks. Owns its disk, as weights stay mapped.
struct OpenedModel {
  std::unique_ptr<io::Disk> disk;
  std::optional<model::TextGenerator> generator;
  std::optional<model::Pipeline> pipeline;
};

Result<OpenedModel> open_model(const std::string& folder) {
  OpenedModel out;
  TRY(out.disk, io::open_posix_disk(folder));
  TRY(const std::vector<io::Entry> entries, out.disk->list(""));
  const auto first_with = [&](std::string_view ending) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const io::Entry& entry) { return entry.name.ends_with(ending); });
    return found == entries.end() ? std::string() : found->name;
  };
  const std::string gguf = first_with(".gguf");
  if (!gguf.empty() && first_with(".safetensors").empty()) {
    // Rows meet quantised weights as bytes, as every program that serves such files does it.
    const tensor::Compute compute{.isa = tensor::best_isa(), .precision = tensor::Precision::int8};
    TRY(out.generator, model::TextGenerator::open(*out.disk, gguf, compute));
    return out;
  }
  TRY(const bool writes, model::writes_text(*out.disk, ""));
  if (writes) {
    TRY(out.generator, model::TextGenerator::open(*out.disk, ""));
  } else {
    TRY(out.pipeline, model::Pipeline::open(*out.disk, ""));
  }
  return out;
}

serve::WorkerFacts facts_of(const OpenedModel& opened) {
  serve::WorkerFacts facts;
  if (opened.generator) {
    facts.tokens_max = static_cast<uint32_t>(opened.generator->tokens_max());
    facts.task = "text-generation";
    return facts;
  }
  const model::Embedder& embedder = opened.pipeline->embedder();
  facts.dimensions =
      static_cast<uint32_t>(embedder.is_sentence_model() ? embedder.dimensions() : embedder.feature_width());
  facts.tokens_max = static_cast<uint32_t>(embedder.tokens_max());
  facts.sentence_model = embedder.is_sentence_model();
  facts.normalizes = embedder.normalizes();
  facts.task = opened.pipeline->task();
  return facts;
}

int run_worker(World& world, std::span<const std::string_view> arguments) {
  const auto words = parse(arguments);
  if (!words) {
    world.complain("holdfast: worker is started by the server: --channel N --threads N FOLDER\n");
    return exit_misused;
  }
  const Clock& clock = world.clock();
  process::Channel channel{process::Descriptor(words->channel)};
  const auto opened = open_model(words->folder);
  if (!opened.ok()) {
    const Status told = send(channel, clock, FrameKind::failed, serve::encode_error(opened.error()));
    return told.ok() ? exit_done : exit_failed;
  }
  const auto threads = tensor::make_threads(words->threads);
  Status done = send(channel, clock, FrameKind::ready, serve::encode_facts(facts_of(opened.value())));
  if (done.ok() && opened.value().generator) {
    CompletionWriter writer(*opened.value().generator, *threads, clock, world.random());
    done = WriterLoop(channel, clock, writer).run();
  } else if (done.ok()) {
    done = answer_asks(channel, clock, *opened.value().pipeline, *threads);
  }
  return done.ok() ? exit_done : exit_failed;
}

}  // namespace

std::vector<Command> worker_commands() {
  return {{"worker", "--channel N --threads N FOLDER", "Holds one model for the server, which starts it.",
           "holdfast worker --channel 3 --threads 2 /srv/holdfast/serving/1-0123", run_worker}};
}

}  // namespace holdfast::cli
