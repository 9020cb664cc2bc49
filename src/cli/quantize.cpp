#include "cli/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <memory>
#include <optional>

#include "cli/connection.h"
#include "cli/hub_transfer.h"
#include "cli/model_source.h"
#include "cli/quality_change.h"
#include "cli/quantize_gguf.h"
#include "cli/quantized_variant.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "model/any_model.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr FlagRow flags[] = {
    {"--dtype", "int8|int4", "What the layers' matrices become [int8]; int4 is for models that write."},
    {"--gguf", "TYPE", "Write one GGUF file instead: F16, Q8_0, Q4_0 or Q4_K; MODEL may be a GGUF file."},
    {"--out", "FOLDER", "Where the variant is written; must not be there yet."},
    {"--texts", "FILE", "One text a line to measure the change on [32 built-in sentences]."},
    {"--drop-max", "X", "Fail, and leave nothing, where quality falls by more: 0.01 is one in a hundred."},
    {"--base-model", "NAME", "What the card names as the original."},
    {"--json", "", "One JSON line."},
    endpoint_flag,
    token_flag,
};

constexpr uint64_t file_bytes_max = 64 << 20, texts_bytes_max = 16 << 20;
constexpr size_t texts_max = 10'000, depth_max = 3;

struct Wish {
  std::string_view model, out;
  std::string base_model;
  std::optional<std::string_view> texts;
  std::optional<double> drop_max;
  model::PackedBits bits = model::PackedBits::eight;
  std::optional<codec::GgmlType> gguf;
  Output output = Output::people;
};

Result<Wish> read_wish(const Arguments& arguments) {
  Wish out;
  out.model = arguments.positionals()[0];
  const std::string_view dtype = arguments.value_or("--dtype", "int8");
  if (dtype != "int8" && dtype != "int4") return fail(Reason::bad_request, "--dtype is int8 or int4");
  if (dtype == "int4") out.bits = model::PackedBits::four;
  if (const auto type = arguments.value("--gguf")) {
    out.gguf = gguf_type_from_name(*type);
    if (!out.gguf) return fail(Reason::bad_request, "--gguf is F16, Q8_0, Q4_0 or Q4_K");
    if (arguments.has("--dtype")) return fail(Reason::bad_request, "--gguf and --dtype do not go together");
  }
  if (!arguments.has("--out")) return fail(Reason::bad_request, "quantize needs --out FOLDER");
  out.out = arguments.value_or("--out", "");
  out.base_model = arguments.value_or("--base-model", "");
  out.texts = arguments.value("--texts");
  if (const auto text = arguments.value("--drop-max")) {
    double bound = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bound);
    if (error != std::errc() || end != text->data() + text->size() || !(bound >= 0 && bound <= 1))
      return fail(Reason::bad_request, "--drop-max is a number from 0 to 1");
    out.drop_max = bound;
  }
  if (arguments.has("--json")) out.output = Output::json;
  return out;
}

Result<std::vector<std::string>> texts_of(UserFiles& files, const Wish& wish) {
  std::vector<std::string> out;
  if (!wish.texts) {
    for (std::string_view text : built_in_sentences()) out.emplace_back(text);
    return out;
  }
  TRY(const std::string all, files.read(*wish.texts, texts_bytes_max));
  for (size_t at = 0; at < all.size() && out.size() < texts_max;) {
    const size_t end = std::min(all.find('\n', at), all.size());
    if (end > at) out.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  if (out.empty()) return fail(Reason::bad_request, "--texts has no line with a text");
  return out;
}

// Whether a file of the original's top folder gives way to what quantize writes.
bool is_replaced(const std::string& name) {
  constexpr std::string_view endings[] = {".safetensors", ".safetensors.index.json",
                                          ".bin",         ".bin.index.json",
                                          ".pt",          ".pth",
                                          ".onnx",        ".h5",
                                          ".msgpack",     ".ot",
                                          ".gguf"};
  if (name == "config.json" || name == "README.md") return true;
  return std::any_of(std::begin(endings), std::end(endings),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

Status copy_files(io::Disk& base, io::Disk& out, const io::Path& folder, size_t depth) {
  TRY(const std::vector<io::Entry> entries, base.list(folder));
  for (const io::Entry& entry : entries) {
    const io::Path path = depth == 0 ? io::Path(entry.name) : folder / entry.name;
    if (entry.name.starts_with('.') || entry.name == "onnx" || entry.name == "openvino") continue;
    if (entry.is_directory) {
      if (depth + 1 >= depth_max) continue;
      TRY_DONE(out.make_directories(path));
      TRY_DONE(copy_files(base, out, path, depth + 1));
      continue;
    }
    if (depth == 0 && is_replaced(entry.name)) continue;
    TRY(const std::string text, io::read_text(base, path, file_bytes_max));
    TRY_DONE(io::publish_text(out, path, text));
  }
  return Done{};
}

// The repository that a source is of: by its name, or by where the shared cache keeps it
// (models--demo--support/snapshots/COMMIT); empty where neither tells.
std::string origin_of(const Source& source) {
  const io::Path folder(source.folder), repository = folder.parent_path().parent_path();
  constexpr std::string_view kind = "models--";
  std::string name = repository.filename().string();
  if (!source.name.empty() || folder.parent_path().filename() != "snapshots" || !name.starts_with(kind))
    return source.name;
  name = name.substr(kind.size());
  const size_t mark = name.find("--");
  return mark == std::string::npos ? std::string() : name.replace(mark, 2, "/");
}

// What the original's card says of itself, for the variant's.
struct CardWords {
  std::string license = "other", pipeline_tag;
  std::string base_model;  // The original's own base.
};
CardWords card_words(io::Disk& base) {
  CardWords out;
  const auto card = io::read_text(base, "README.md", file_bytes_max);
  if (!card.ok() || !card.value().starts_with("---\n")) return out;
  const size_t end = card.value().find("\n---", 4);
  if (end == std::string::npos) return out;
  const auto header = codec::parse_yaml(std::string_view(card.value()).substr(4, end - 4));
  if (!header.ok() || !header.value().is_object()) return out;
  const auto word = [&](std::string_view key, std::string& into) {
    const auto text = codec::json_text_if(header.value().get_object(), key);
    if (text.ok() && text.value()) into = *text.value();
  };
  word("license", out.license);
  word("pipeline_tag", out.pipeline_tag);
  word("base_model", out.base_model);
  return out;
}

std::string card_of(const CardWords& words, const std::string& base_model, const QualityChange& change,
                    const QuantizedVariant& variant, const Wish& wish) {
  constexpr double mebibyte = 1 << 20;
  std::string out = fmt::format("---\nlicense: {}\n", words.license);
  if (!words.pipeline_tag.empty()) out += fmt::format("pipeline_tag: {}\n", words.pipeline_tag);
  if (!base_model.empty())
    out += fmt::format("base_model: {}\nbase_model_relation: quantized\n", base_model);
  else if (!words.base_model.empty())  // Nothing tells the original's name: it keeps the base it had.
    out += fmt::format("base_model: {}\n", words.base_model);
  out += fmt::format(
      "tags: [{}]\n---\n# {}{}\n\n{} Made by `holdfast quantize`.\n\n"
      "| | original | this |\n| --- | --- | --- |\n| tensors | {:.1f} MiB | {:.1f} MiB |\n\n"
      "| measured beside the original in f32 | |\n| --- | --- |\n| {} | {:.5f} |\n| least cosine | {:.5f} |\n"
      "| compared | {} |\n| texts | {} |\n",
      variant.tag, variant.title, base_model.empty() ? "" : fmt::format(" of {}", base_model), variant.what,
      static_cast<double>(variant.bytes_before) / mebibyte,
      static_cast<double>(variant.file.size()) / mebibyte, change.measure, change.mean, change.least,
      change.compared, wish.texts ? "given" : "32 built-in English sentences");
  if (wish.drop_max) out += fmt::format("| bound on the drop | {} |\n", *wish.drop_max);
  return fmt::format("{}\n{}\n", out, variant.note);
}

// The end of what is said, for people or as JSON.
std::string said_of(const Wish& wish, size_t matrices, uint64_t before, uint64_t after,
                    const QualityChange& found) {
  if (wish.output == Output::json)
    return codec::to_text(json::object{{wish.gguf ? "file" : "folder", std::string(wish.out)},
                                       {"matrices", matrices},
                                       {"bytes_before", before},
                                       {"bytes_after", after},
                                       {"measure", found.measure},
                                       {"mean", found.mean},
                                       {"least_cosine", found.least},
                                       {"compared", found.compared}}) +
           "\n";
  return fmt::format("{}: {} matrices as {}, {:.1f} of {:.1f} MiB; {} {:.5f} of {}, least cosine {:.5f}\n",
                     wish.out, matrices,
                     wish.gguf ? codec::ggml_type_row(*wish.gguf).name : std::string_view("whole numbers"),
                     double(after) / (1 << 20), double(before) / (1 << 20), found.measure, found.mean,
                     found.compared, found.least);
}

Result<std::string> quantize_to_file(World& world, const Arguments& arguments, const Wish& wish) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::vector<std::string> texts, texts_of(files, wish));
  if (!wish.out.ends_with(".gguf")) return fail(Reason::bad_request, "--out is a file, NAME.gguf");
  if (files.disk().stat(files.path(wish.out)).ok())
    return fail(Reason::bad_request, fmt::format("{} is there already", wish.out));
  GgufJob job;
  job.out = files.path(wish.out);
  job.wish.type = *wish.gguf;
  job.wish.name = wish.base_model;
  job.texts = texts;
  job.drop_max = wish.drop_max;
  if (wish.model.ends_with(".gguf")) {
    job.model = files.path(wish.model);
  } else {
    TRY(const Source source, open_source(world, arguments, wish.model, RemoteType::model));
    job.model = files.path(source.folder);
    if (job.wish.name.empty()) job.wish.name = origin_of(source);
  }
  TRY(const GgufVariant made, write_gguf_variant(files.disk(), job));
  return said_of(wish, made.made.matrices, made.made.bytes_before, made.made.bytes_after, made.change);
}

Result<std::string> quantize(World& world, const Arguments& arguments, const Wish& wish) {
  if (wish.gguf) return quantize_to_file(world, arguments, wish);
  TRY(const Source source, open_source(world, arguments, wish.model, RemoteType::model));
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::vector<std::string> texts, texts_of(files, wish));
  if (files.disk().stat(files.path(wish.out)).ok())
    return fail(Reason::bad_request, fmt::format("{} is there already", wish.out));
  TRY(const auto base, io::open_posix_disk(source.folder));
  TRY(json::object config, model::read_config(*base, "."));
  TRY(const bool writes, model::writes_text(*base, "."));
  TRY(const QuantizedVariant made,
      writes ? make_writer_variant(*base, wish.bits, texts) : make_encoder_variant(*base, wish.bits, texts));

  TRY(const auto out, io::open_posix_disk(files.disk().absolute(files.path(wish.out))));
  const auto write = [&]() -> Result<QualityChange> {
    TRY_DONE(copy_files(*base, *out, ".", 0));
    config["quantization_config"] = made.config;
    TRY_DONE(io::publish_text(*out, "config.json", codec::to_pretty_text(config)));
    TRY_DONE(io::publish_text(*out, "model.safetensors", as_text(made.file)));
    const auto threads = tensor::make_threads(2);
    TRY(QualityChange change, made.compare(*out, *threads));
    TRY_DONE(check_drop(change, wish.drop_max));
    std::string named = wish.base_model.empty() ? origin_of(source) : wish.base_model;
    TRY_DONE(io::publish_text(*out, "README.md", card_of(card_words(*base), named, change, made, wish)));
    return change;
  };
  auto change = write();
  if (!change.ok()) {  // Nothing that looks whole stays behind.
    [[maybe_unused]] const Status gone = files.disk().remove_tree(files.path(wish.out));
    return std::move(change).error();
  }
  return said_of(wish, made.matrices, made.bytes_before, made.file.size(), change.value());
}

int run_quantize(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto wish = read_wish(arguments.value());
  if (!wish.ok()) return report(world, wish.error());
  const auto said = quantize(world, arguments.value(), wish.value());
  if (!said.ok()) return report(world, said.error(), wish.value().output);
  world.print(said.value());
  return exit_done;
}

}  // namespace

std::vector<Command> quantize_commands() {
  return {{"quantize",
           "MODEL --out FOLDER|FILE.gguf [--dtype int8|int4 | --gguf TYPE] [--texts FILE] [--drop-max X] "
           "[--base-model NAME] [--json]",
           "Writes a model with its layers' matrices in eight or four bits, and how much quality that costs.",
           "holdfast quantize demo/minilm --out ./minilm-int8 --drop-max 0.01", run_quantize}};
}

}  // namespace holdfast::cli
