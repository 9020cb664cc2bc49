#include "cli/writer_worker.h"

#include <algorithm>
#include <thread>

#include "cli/adapter_shelf.h"
#include "cli/completion_writer.h"
#include "cli/writer_tasks.h"
#include "model/any_model.h"
#include "model/sentence.h"

namespace holdfast::cli {
namespace {

using serve::FrameKind;

// One conversation with the server.
class Loop {
 public:
  Loop(WorkerLine& line, const Clock& clock, const model::DecoderModel& base, AdapterShelf& adapters,
       CompletionWriter& writer)
      : line_(line), clock_(clock), base_(base), adapters_(adapters), writer_(writer) {}

  Status run() {
    while (true) {
      // While it writes it only looks whether something came.
      bool there = writer_.idle();
      if (!there) {
        TRY(there, line_.readable());
      }
      if (there) {
        TRY(const auto frame, line_.receive());
        if (!frame) return Done{};
        TRY_DONE(take(*frame));
        continue;
      }
      // All that a step wrote goes together: the server wakes up once for it.
      Bytes pieces;
      for (const serve::GenerateEvent& event : writer_.step()) {
        const Bytes piece =
            process::format_frame(static_cast<uint8_t>(FrameKind::piece), serve::encode_piece(event));
        pieces.insert(pieces.end(), piece.begin(), piece.end());
      }
      TRY_DONE(line_.send_formatted(pieces));
      // Not before the first token, which somebody may wait for.
      if (!settling_.joinable()) settling_ = std::jthread([this] { base_.settle(); });
    }
  }

 private:
  Status send(FrameKind kind, const Bytes& payload) { return line_.send(kind, payload); }

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
    TRY(const std::vector<serve::EmbedItem> items, serve::decode_ask(frame.payload));
    std::vector<Result<serve::EmbedAnswer>> answers;
    for (const serve::EmbedItem& item : items) {
      const auto generator = adapters_.find(item.adapter);
      answers.push_back(generator.ok()
                            ? answer_writer_task(item, *generator.value(), writer_.answers(), clock_.wall())
                            : Result<serve::EmbedAnswer>(generator.error()));
    }
    return send(FrameKind::answer, serve::encode_answers(answers));
  }

  WorkerLine& line_;
  const Clock& clock_;
  const model::DecoderModel& base_;
  AdapterShelf& adapters_;
  CompletionWriter& writer_;
  std::jthread settling_;
};

class OpenWriter final : public WriterWorker {
 public:
  explicit OpenWriter(model::TextGenerator generator)
      : generator_(std::make_shared<const model::TextGenerator>(std::move(generator))) {}

  serve::WorkerFacts facts() const override {
    serve::WorkerFacts out;
    out.tokens_max = static_cast<uint32_t>(generator_->tokens_max());
    out.task = "text-generation";
    return out;
  }
  Status work(WorkerLine& line, const Clock& clock, Random& random, tensor::Threads& threads) const override {
    AdapterShelf adapters(generator_);
    CompletionWriter writer(adapters, threads, clock, random);
    return Loop(line, clock, generator_->model(), adapters, writer).run();
  }

 private:
  const std::shared_ptr<const model::TextGenerator> generator_;
};

}  // namespace

Result<std::unique_ptr<const WriterWorker>> open_writer(io::Disk& folder, bool adapters, Random& random) {
  TRY(const std::vector<io::Entry> entries, folder.list(""));
  const auto first_with = [&](std::string_view ending) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const io::Entry& entry) { return entry.name.ends_with(ending); });
    return found == entries.end() ? std::string() : found->name;
  };
  const std::string gguf = first_with(".gguf");
  io::Path place;
  tensor::Compute compute;
  if (!gguf.empty() && first_with(".safetensors").empty()) {
    // Rows meet quantised weights as bytes, as every program that serves such files does it.
    place = gguf;
    compute.precision = tensor::Precision::int8;
  } else {
    TRY(const bool writes, model::writes_text(folder, ""));
    // What sentence-transformers wrote embeds texts, whatever architecture its config.json names.
    if (!writes || model::is_sentence_folder(folder, "")) return std::unique_ptr<const WriterWorker>();
  }
  using Adapters = model::DecoderModel::Adapters;
  const model::LayerStore store{folder, "packed." + std::string(tensor::precision_name(compute.precision)),
                                random, "", model::LayerStore::Writing::when_opened};
  TRY(model::TextGenerator generator,
      model::TextGenerator::open(folder, place, compute, adapters ? Adapters::may_come : Adapters::none,
                                 &store));
  return std::unique_ptr<const WriterWorker>(std::make_unique<OpenWriter>(std::move(generator)));
}

}  // namespace holdfast::cli
