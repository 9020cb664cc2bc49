#include "serve/worker_protocol.h"

#include <bit>
#include <cstring>

namespace holdfast::serve {
namespace {

Error broken(const char* what) { return fail(Code::corrupt, std::string("a worker's frame has ") + what); }

void put_text(ByteWriter& out, std::string_view text) {
  out.u32(static_cast<uint32_t>(text.size()));
  out.text(text);
}

Result<std::string> take_text(ByteReader& in) {
  TRY(const uint32_t length, in.u32());
  TRY(const ByteView bytes, in.take(length));
  return std::string(as_text(bytes));
}

// A count of things that take at least `bytes_each`, so that memory is bounded by the payload.
Result<uint32_t> take_count(ByteReader& in, size_t bytes_each) {
  TRY(const uint32_t count, in.u32());
  if (count > in.left() / bytes_each) return broken("a count that its length cannot hold");
  return count;
}

template <class T>
void put_numbers(ByteWriter& out, const std::vector<T>& numbers) {
  static_assert(sizeof(T) == 4);
  out.u32(static_cast<uint32_t>(numbers.size()));
  out.bytes(std::as_bytes(std::span(numbers)));
}

template <class T>
Result<std::vector<T>> take_numbers(ByteReader& in) {
  static_assert(sizeof(T) == 4);
  TRY(const uint32_t count, take_count(in, sizeof(T)));
  TRY(const ByteView bytes, in.take(count * sizeof(T)));
  std::vector<T> out(count);
  if (count > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

void put_error(ByteWriter& out, const Error& error) {
  out.u8(static_cast<uint8_t>(error.code));
  out.u8(static_cast<uint8_t>(error.reason));
  put_text(out, error.message);
}

Result<PeerError> take_error(ByteReader& in) {
  TRY(const uint8_t code, in.u8());
  TRY(const uint8_t reason, in.u8());
  TRY(std::string message, take_text(in));
  if (code > static_cast<uint8_t>(Code::internal) || reason > reasons().size())
    return broken("an unknown error");
  Error error;
  error.code = static_cast<Code>(code);
  error.reason = static_cast<Reason>(reason);
  error.message = std::move(message);
  return PeerError{std::move(error)};
}

Result<EmbedItem> take_item(ByteReader& in) {
  EmbedItem item;
  TRY(const uint8_t wanted, in.u8());
  TRY(const uint8_t long_text, in.u8());
  if (wanted > 2 || long_text > 2) return broken("an unknown wish");
  item.wanted = static_cast<Wanted>(wanted);
  item.long_text = static_cast<LongText>(long_text);
  TRY(const uint32_t texts, take_count(in, 4));
  for (uint32_t i = 0; i < texts; ++i) {
    TRY(std::string text, take_text(in));
    item.texts.push_back(std::move(text));
  }
  TRY(const uint32_t lists, take_count(in, 4));
  for (uint32_t i = 0; i < lists; ++i) {
    TRY(std::vector<uint32_t> ids, take_numbers<uint32_t>(in));
    item.ids.push_back(std::move(ids));
  }
  TRY(item.adapter, take_text(in));
  return item;
}

Result<EmbedAnswer> take_answer(ByteReader& in) {
  EmbedAnswer answer;
  TRY(answer.tokens, take_numbers<uint32_t>(in));
  TRY(const uint32_t count, take_count(in, 4));
  if (count != answer.tokens.size()) return broken("as many vectors as texts nowhere");
  for (uint32_t i = 0; i < count; ++i) {
    TRY(std::vector<float> vector, take_numbers<float>(in));
    answer.vectors.push_back(std::move(vector));
  }
  TRY(answer.json, take_text(in));
  for (uint64_t* number : {&answer.work.tokenize_ns, &answer.work.model_ns, &answer.work.post_ns,
                           &answer.work.busy_ns, &answer.work.tokens, &answer.work.unknown_tokens}) {
    TRY(*number, in.u64());
  }
  return answer;
}

void put_written(ByteWriter& out, const std::vector<WrittenToken>& tokens) {
  out.u32(static_cast<uint32_t>(tokens.size()));
  for (const WrittenToken& token : tokens) {
    out.u32(token.id);
    out.u8(static_cast<uint8_t>((token.special ? 1 : 0) | (token.log_probability ? 2 : 0)));
    out.u32(std::bit_cast<uint32_t>(token.log_probability.value_or(0)));
    put_text(out, token.text);
    out.u32(static_cast<uint32_t>(token.others.size()));
    for (const WrittenToken::Other& other : token.others) {
      out.u32(other.id);
      out.u32(std::bit_cast<uint32_t>(other.log_probability));
      put_text(out, other.text);
    }
  }
}

Result<std::vector<WrittenToken>> take_written(ByteReader& in) {
  TRY(const uint32_t count, take_count(in, 17));
  std::vector<WrittenToken> out;
  for (uint32_t i = 0; i < count; ++i) {
    WrittenToken token;
    TRY(token.id, in.u32());
    TRY(const uint8_t flags, in.u8());
    if (flags > 3) return broken("unknown flags of a token");
    token.special = (flags & 1) != 0;
    TRY(const uint32_t bits, in.u32());
    if ((flags & 2) != 0) token.log_probability = std::bit_cast<float>(bits);
    TRY(token.text, take_text(in));
    TRY(const uint32_t others, take_count(in, 12));
    for (uint32_t k = 0; k < others; ++k) {
      WrittenToken::Other other;
      TRY(other.id, in.u32());
      TRY(const uint32_t value, in.u32());
      other.log_probability = std::bit_cast<float>(value);
      TRY(other.text, take_text(in));
      token.others.push_back(std::move(other));
    }
    out.push_back(std::move(token));
  }
  return out;
}

Result<GenerateEvent::End> take_end(ByteReader& in) {
  GenerateEvent::End end;
  TRY(end.reason, take_text(in));
  TRY(end.stop, take_text(in));
  TRY(end.prompt_tokens, in.u32());
  TRY(end.new_tokens, in.u32());
  TRY(end.seed, in.u64());
  TRY(end.reused_tokens, in.u32());
  TRY(end.prompt_steps, in.u32());
  return end;
}

Status at_end(const ByteReader& in) {
  return in.left() == 0 ? Status(Done{}) : broken("bytes after its end");
}

}  // namespace

Bytes encode_facts(const WorkerFacts& facts) {
  ByteWriter out;
  out.u32(facts.dimensions);
  out.u32(facts.tokens_max);
  out.u8(facts.sentence_model ? 1 : 0);
  out.u8(facts.normalizes ? 1 : 0);
  put_text(out, facts.task);
  return std::move(out).take();
}

Bytes encode_error(const Error& error) {
  ByteWriter out;
  put_error(out, error);
  return std::move(out).take();
}

Bytes encode_ask(std::span<const EmbedItem> items) {
  ByteWriter out;
  out.u32(static_cast<uint32_t>(items.size()));
  for (const EmbedItem& item : items) {
    out.u8(static_cast<uint8_t>(item.wanted));
    out.u8(static_cast<uint8_t>(item.long_text));
    out.u32(static_cast<uint32_t>(item.texts.size()));
    for (const std::string& text : item.texts) put_text(out, text);
    out.u32(static_cast<uint32_t>(item.ids.size()));
    for (const std::vector<uint32_t>& ids : item.ids) put_numbers(out, ids);
    put_text(out, item.adapter);
  }
  return std::move(out).take();
}

Bytes encode_answers(std::span<const Result<EmbedAnswer>> answers) {
  ByteWriter out;
  out.u32(static_cast<uint32_t>(answers.size()));
  for (const Result<EmbedAnswer>& answer : answers) {
    out.u8(answer.ok() ? 1 : 0);
    if (!answer.ok()) {
      put_error(out, answer.error());
      continue;
    }
    put_numbers(out, answer.value().tokens);
    out.u32(static_cast<uint32_t>(answer.value().vectors.size()));
    for (const std::vector<float>& vector : answer.value().vectors) put_numbers(out, vector);
    put_text(out, answer.value().json);
    const WorkerWork& work = answer.value().work;
    for (const uint64_t number :
         {work.tokenize_ns, work.model_ns, work.post_ns, work.busy_ns, work.tokens, work.unknown_tokens})
      out.u64(number);
  }
  return std::move(out).take();
}

Result<WorkerFacts> decode_facts(ByteView payload) {
  ByteReader in(payload);
  WorkerFacts facts;
  TRY(facts.dimensions, in.u32());
  TRY(facts.tokens_max, in.u32());
  TRY(const uint8_t sentence_model, in.u8());
  TRY(const uint8_t normalizes, in.u8());
  facts.sentence_model = sentence_model != 0;
  facts.normalizes = normalizes != 0;
  TRY(facts.task, take_text(in));
  TRY_DONE(at_end(in));
  return facts;
}

Result<PeerError> decode_error(ByteView payload) {
  ByteReader in(payload);
  TRY(PeerError told, take_error(in));
  TRY_DONE(at_end(in));
  return told;
}

Result<std::vector<EmbedItem>> decode_ask(ByteView payload) {
  ByteReader in(payload);
  TRY(const uint32_t count, take_count(in, 14));
  if (count > items_max) return broken("too many items");
  std::vector<EmbedItem> items;
  for (uint32_t i = 0; i < count; ++i) {
    TRY(EmbedItem item, take_item(in));
    items.push_back(std::move(item));
  }
  TRY_DONE(at_end(in));
  return items;
}

Result<std::vector<Result<EmbedAnswer>>> decode_answers(ByteView payload) {
  ByteReader in(payload);
  TRY(const uint32_t count, take_count(in, 7));
  std::vector<Result<EmbedAnswer>> answers;
  for (uint32_t i = 0; i < count; ++i) {
    TRY(const uint8_t good, in.u8());
    if (good == 0) {
      TRY(PeerError told, take_error(in));
      answers.emplace_back(std::move(told.error));
    } else {
      TRY(EmbedAnswer answer, take_answer(in));
      answers.emplace_back(std::move(answer));
    }
  }
  TRY_DONE(at_end(in));
  return answers;
}

Bytes encode_generate(const GenerateAsk& ask) {
  ByteWriter out;
  out.u64(ask.id);
  put_text(out, ask.request);
  put_text(out, ask.adapter);
  return std::move(out).take();
}

Bytes encode_cancel(uint64_t id) {
  ByteWriter out;
  out.u64(id);
  return std::move(out).take();
}

Bytes encode_piece(const GenerateEvent& event) {
  ByteWriter out;
  out.u64(event.id);
  out.u32(event.prompt_tokens);
  put_text(out, event.text);
  put_text(out, event.reasoning);
  out.u32(static_cast<uint32_t>(event.calls.size()));
  for (const ToolCallPart& call : event.calls) {
    out.u32(call.index);
    for (const std::string* text : {&call.id, &call.name, &call.arguments}) put_text(out, *text);
  }
  put_written(out, event.tokens);
  put_written(out, event.prompt);
  out.u8(event.error ? 2 : event.end ? 1 : 0);
  if (event.error) {
    put_error(out, *event.error);
  } else if (event.end) {
    put_text(out, event.end->reason);
    put_text(out, event.end->stop);
    out.u32(event.end->prompt_tokens);
    out.u32(event.end->new_tokens);
    out.u64(event.end->seed);
    out.u32(event.end->reused_tokens);
    out.u32(event.end->prompt_steps);
  }
  return std::move(out).take();
}

Result<GenerateAsk> decode_generate(ByteView payload) {
  ByteReader in(payload);
  GenerateAsk ask;
  TRY(ask.id, in.u64());
  TRY(ask.request, take_text(in));
  TRY(ask.adapter, take_text(in));
  TRY_DONE(at_end(in));
  return ask;
}

Result<uint64_t> decode_cancel(ByteView payload) {
  ByteReader in(payload);
  TRY(const uint64_t id, in.u64());
  TRY_DONE(at_end(in));
  return id;
}

Result<GenerateEvent> decode_piece(ByteView payload) {
  ByteReader in(payload);
  GenerateEvent event;
  TRY(event.id, in.u64());
  TRY(event.prompt_tokens, in.u32());
  TRY(event.text, take_text(in));
  TRY(event.reasoning, take_text(in));
  TRY(const uint32_t calls, take_count(in, 16));
  for (uint32_t i = 0; i < calls; ++i) {
    ToolCallPart call;
    TRY(call.index, in.u32());
    TRY(call.id, take_text(in));
    TRY(call.name, take_text(in));
    TRY(call.arguments, take_text(in));
    event.calls.push_back(std::move(call));
  }
  TRY(event.tokens, take_written(in));
  TRY(event.prompt, take_written(in));
  TRY(const uint8_t kind, in.u8());
  if (kind > 2) return broken("an unknown kind of piece");
  if (kind == 2) {
    TRY(PeerError told, take_error(in));
    event.error = std::move(told).error;
  } else if (kind == 1) {
    TRY(event.end, take_end(in));
  }
  TRY_DONE(at_end(in));
  return event;
}

}  // namespace holdfast::serve
