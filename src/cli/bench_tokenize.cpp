#include "cli/bench_tokenize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <ctime>
#include <optional>
#include <thread>

#include "cli/user_files.h"
#include "codec/gzip.h"
#include "token/fast/instructions.h"
#include "token/tokenizer.h"
#include "token/unicode/utf8.h"

namespace holdfast::cli {
namespace {

constexpr size_t document_code_points = 8000, file_bytes_max = size_t{1} << 30, threads_max = 64,
                 warm_documents = 16;

enum class Wanted : uint8_t { ids, rows };
enum class Cut : uint8_t { documents, whole };

struct TokenizeWish {
  std::string_view tokenizer, input;
  size_t threads = 1;
  Wanted wanted = Wanted::ids;
  Cut cut = Cut::documents;
  token::Instructions instructions = token::Instructions::avx512;
  Output output = Output::people;
};

std::optional<token::Instructions> instructions_called(std::string_view name) {
  if (name == "any") return token::Instructions::any;
  if (name == "avx2") return token::Instructions::avx2;
  if (name == "avx512") return token::Instructions::avx512;
  return std::nullopt;
}

Result<TokenizeWish> read_wish(std::span<const std::string_view> words) {
  TokenizeWish out;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "--tokenizer" && more) {
      out.tokenizer = words[++i];
    } else if (words[i] == "--input" && more) {
      out.input = words[++i];
    } else if (words[i] == "--threads" && more) {
      const std::string_view text = words[++i];
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.threads);
      if (error != std::errc() || end != text.data() + text.size() || out.threads == 0 ||
          out.threads > threads_max)
        return fail(Reason::bad_request, fmt::format("--threads is a number from 1 to {}", threads_max));
    } else if (words[i] == "--instructions" && more) {
      const auto held = instructions_called(words[++i]);
      if (!held) return fail(Reason::bad_request, "--instructions is any, avx2 or avx512");
      out.instructions = *held;
    } else if (words[i] == "--offsets") {
      out.wanted = Wanted::rows;
    } else if (words[i] == "--whole") {
      out.cut = Cut::whole;
    } else if (words[i] == "--json") {
      out.output = Output::json;
    } else {
      return fail(Reason::bad_request,
                  fmt::format("bench tokenize does not know '{}'", words[i].substr(0, 60)));
    }
  }
  if (out.tokenizer.empty() || out.input.empty())
    return fail(Reason::bad_request, "bench tokenize needs --tokenizer FILE and --input TEXT_FILE");
  return out;
}

std::vector<std::string_view> cut_documents(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    for (size_t count = 0; count < document_code_points && end < text.size(); ++count)
      end += token::code_point_at(text, end).bytes;
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

struct Pass {
  size_t bytes = 0, tokens = 0;
  double seconds = 0, processor_seconds = 0;
};

Result<Pass> encode_all(const token::Tokenizer& tokenizer, std::span<const std::string_view> documents,
                        const TokenizeWish& wish, const Clock& clock) {
  std::atomic<size_t> next = 0, tokens = 0, failures = 0;
  const auto work = [&] {
    std::vector<uint32_t> ids;
    token::Rows rows;
    // As the peers are asked: special tokens are those of the text.
    token::EncodeOptions options;
    options.special = token::SpecialTokens::leave_out;
    for (size_t i = next++; i < documents.size(); i = next++) {
      ids.clear();
      rows.ids.clear();
      rows.offsets.clear();
      rows.words.clear();
      const bool rows_wanted = wish.wanted == Wanted::rows;
      const Status done = rows_wanted ? tokenizer.append_rows(documents[i], options, rows)
                                      : tokenizer.append_ids(documents[i], options, ids);
      failures += done.ok() ? 0 : 1;
      tokens += rows_wanted ? rows.ids.size() : ids.size();
    }
  };
  const auto began = clock.now();
  const std::clock_t processor_began = std::clock();
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < wish.threads; ++i) helpers.emplace_back(work);
    work();
  }
  Pass out;
  out.seconds = std::max<double>(static_cast<double>((clock.now() - began).count()), 1) / 1000;
  out.processor_seconds =
      std::max(static_cast<double>(std::clock() - processor_began) / CLOCKS_PER_SEC, 1e-6);
  for (const std::string_view document : documents) out.bytes += document.size();
  out.tokens = tokens;
  if (failures > 0) return fail(Reason::tokenization_failed, "a document could not be tokenized");
  return out;
}

// What a processor that looks at each byte once would reach: classes of bytes by a table, and for each run of
// one class one hash and one read of a table of 4 MiB. Bytes in a second of the processor.
double simplest_scan(std::span<const std::string_view> documents) {
  constexpr uint64_t prime = 0x9E3779B97F4A7C15U;
  constexpr unsigned places_log = 20;
  std::array<uint8_t, 256> classes{};
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto letter = static_cast<uint8_t>(byte | 0x20);
    classes[byte] = byte >= 0x80 || (letter >= 'a' && letter <= 'z') ? 1
                    : byte >= '0' && byte <= '9'                     ? 2
                    : byte == ' ' || (byte >= 9 && byte <= 13)       ? 3
                                                                     : 4;
  }
  std::vector<uint32_t> table(size_t{1} << places_log);
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<uint32_t>(i);
  size_t bytes = 0;
  uint64_t sum = 0;
  const std::clock_t began = std::clock();
  for (const std::string_view document : documents) {
    uint64_t hash = 0;
    uint8_t kind = 0;
    for (const char letter : document) {
      const auto byte = static_cast<uint8_t>(letter);
      if (classes[byte] != kind && kind != 3) {  // A space belongs to the word after it.
        sum += table[hash * prime >> (64 - places_log)];
        hash = 0;
      }
      kind = classes[byte];
      hash = (hash ^ byte) * prime;
    }
    bytes += document.size();
  }
  const double seconds = std::max(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC, 1e-6);
  return static_cast<double>(bytes) / seconds + (sum == 1 ? 1 : 0);  // The sum is needed.
}

struct TokenizeFigures {
  Pass fresh;
  double simplest_scan = 0;
  double load_ms = 0;  // Of the processor, as the passes.
};

Result<std::string> read_maybe_gzipped(UserFiles& files, std::string_view path) {
  TRY(std::string text, files.read(path, file_bytes_max));
  if (!codec::looks_gzipped(as_bytes(text))) return text;
  TRY(const Bytes unpacked, codec::inflate(as_bytes(text), codec::Deflate::gzip, file_bytes_max));
  return std::string(as_text(unpacked));
}

Result<TokenizeFigures> measure(const TokenizeWish& wish, const Clock& clock) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string json, read_maybe_gzipped(files, wish.tokenizer));
  TokenizeFigures out;
  const std::clock_t began = std::clock();
  TRY(const token::Tokenizer tokenizer, token::Tokenizer::load(json));
  out.load_ms = static_cast<double>(std::clock() - began) * 1000 / CLOCKS_PER_SEC;
  TRY(const std::string text, read_maybe_gzipped(files, wish.input));
  if (!token::is_valid_utf8(text)) return fail(Reason::bad_request, "the input is not UTF-8");
  const std::vector<std::string_view> documents = cut_documents(text);
  const std::span<const std::string_view> all = documents;
  if (wish.cut == Cut::whole) {
    // Tables are made when the first texts come.
    TRY_DONE(encode_all(tokenizer, all.first(std::min(all.size(), warm_documents)), wish, clock));
    const std::string_view whole = text;
    TRY(out.fresh, encode_all(tokenizer, std::span(&whole, 1), wish, clock));
    return out;
  }
  TRY_DONE(encode_all(tokenizer, all.first(all.size() / 2), wish, clock));  // Warms up.
  TRY(out.fresh, encode_all(tokenizer, all.subspan(all.size() / 2), wish, clock));
  out.simplest_scan = simplest_scan(all.subspan(all.size() / 2));
  return out;
}

int bench_tokenize(World& world, std::span<const std::string_view> words) {
  const auto wish = read_wish(words);
  if (!wish.ok()) return report(world, wish.error());
  token::hold_instructions_to(wish.value().instructions);
  const auto figures = measure(wish.value(), world.clock());
  if (!figures.ok()) return report(world, figures.error(), wish.value().output);
  const Pass& fresh = figures.value().fresh;
  const double speed = static_cast<double>(fresh.bytes) / fresh.seconds;
  if (wish.value().output == Output::json)
    world.print(fmt::format(
        "{{\"fresh_bytes_per_second\":{:.0f},\"fresh_bytes_per_processor_second\":{:.0f},"
        "\"tokens\":{},\"bytes\":{},\"seconds\":{:.3f},\"threads\":{},"
        "\"load_ms\":{:.1f},\"simplest_scan_bytes_per_processor_second\":{:.0f}}}\n",
        speed, static_cast<double>(fresh.bytes) / fresh.processor_seconds, fresh.tokens, fresh.bytes,
        fresh.seconds, wish.value().threads, figures.value().load_ms, figures.value().simplest_scan));
  else
    world.print(fmt::format("{:.1f} MB/s of text not seen before, {} tokens, loaded in {:.1f} ms\n",
                            speed / 1e6, fresh.tokens, figures.value().load_ms));
  return exit_done;
}

}  // namespace

std::vector<Command> bench_tokenize_commands() {
  return {
      {"bench tokenize",
       "--tokenizer FILE --input TEXT_FILE [--threads N] [--offsets] [--whole] [--instructions SET] [--json]",
       "Measures tokenization: documents of 8,000 characters, the first half warms up, the second is "
       "timed once; --whole: all of it is one document, timed alone; --instructions: no more than any, avx2 "
       "or "
       "avx512 of what the processor has.",
       "holdfast bench tokenize --tokenizer tokenizer.json --input corpus.txt --threads 1 --json",
       bench_tokenize}};
}

}  // namespace holdfast::cli
