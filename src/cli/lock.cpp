#include "cli/lock.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/arguments.h"
#include "cli/linked_libraries.h"
#include "cli/user_files.h"
#include "cli/version.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "serve/lock_file.h"
#include "tensor/isa.h"

namespace holdfast::cli {
namespace {

constexpr uint64_t prompt_bytes_max = 4 << 20;

// The folder as it is, and what the flags say of it.
Result<serve::Lock> look(UserFiles& files, const Arguments& arguments) {
  const std::string_view folder = arguments.positionals()[0];
  TRY(serve::Lock lock, serve::look_at(files.disk(), files.path(folder), runtime()));
  lock.model = arguments.value_or("--model", "");
  lock.dataset = arguments.value_or("--dataset", "");
  if (const auto prompt = arguments.value("--prompt")) {
    TRY(const std::string text, files.read(*prompt, prompt_bytes_max));
    lock.prompt = codec::to_hex(codec::sha256(as_bytes(text)));
  }
  return lock;
}

std::string path_of(const Arguments& arguments) {
  return std::string(
      arguments.value_or("--lock", fmt::format("{}/{}", arguments.positionals()[0], serve::lock_name)));
}

Result<int> write(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(serve::Lock lock, look(files, arguments));
  if (!arguments.has("--libraries")) lock.libraries.clear();
  if (lock.files.empty()) return fail(Reason::bad_request, "the folder holds nothing of a model");
  TRY_DONE(files.write(path_of(arguments), serve::lock_text(lock)));
  world.print(fmt::format("{} pins {} files\n", path_of(arguments), lock.files.size()));
  return exit_done;
}

Result<int> verify(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string text, files.read(path_of(arguments), serve::lock_bytes_max));
  TRY(const serve::Lock lock, serve::parse_lock(text));
  TRY(const serve::Lock found, look(files, arguments));
  const auto all = serve::differences(lock, found);
  if (arguments.has("--json")) {
    boost::json::array list;
    for (const std::string& one : all) list.emplace_back(one);
    world.print(codec::to_text(boost::json::object{{"same", all.empty()}, {"differences", std::move(list)}}) +
                "\n");
  } else if (all.empty()) {
    world.print(fmt::format("all is as {} pins it\n", path_of(arguments)));
  } else {
    for (const std::string& one : all) world.print(one + "\n");
  }
  return all.empty() ? exit_done : exit_failed;
}

constexpr FlagRow lock_flags[] = {{"--lock", "FILE", "The lock; FOLDER/holdfast.lock."},
                                  {"--model", "NS/NAME@COMMIT", "What the folder was fetched from."},
                                  {"--dataset", "NS/NAME@COMMIT", "What it was judged on."},
                                  {"--prompt", "FILE", "A prompt that goes with it."},
                                  {"--libraries", "", "Pin the libraries that answers depend on as well."},
                                  {"--json", "", "Answer in JSON."}};

template <class Work>
int run(World& world, std::span<const std::string_view> words, Work work) {
  const auto arguments = Arguments::parse({lock_flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Result<int> done = work(world, arguments.value());
  return done.ok() ? done.value() : report(world, done.error());
}

}  // namespace

std::string runtime_name() {
  return fmt::format("holdfast {} {}", program_version(), tensor::isa_name(tensor::best_isa()));
}

serve::Runtime runtime() { return {.name = runtime_name(), .libraries = linked_libraries()}; }

std::vector<Command> lock_commands() {
  return {{"lock write",
           "FOLDER [--model NS/NAME@COMMIT] [--dataset NS/NAME@COMMIT] [--prompt FILE] [--lock FILE] "
           "[--libraries]",
           "Pin a model's folder, its tokenizer, prompt, runtime and dtype by digest in holdfast.lock.",
           "holdfast lock write ./my-model --dataset ada/judged@8f0c…",
           [](World& world, std::span<const std::string_view> words) { return run(world, words, write); }},
          {"lock verify", "FOLDER [--lock FILE] [--model …] [--dataset …] [--prompt FILE] [--json]",
           "Say what is not as holdfast.lock pins it; exits 1 when anything is not.",
           "holdfast lock verify ./my-model",
           [](World& world, std::span<const std::string_view> words) { return run(world, words, verify); }}};
}

}  // namespace holdfast::cli
