#include "cli/receipt.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "base/arguments.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "serve/receipt.h"

namespace holdfast::cli {
namespace {

constexpr uint64_t body_bytes_max = 64 << 20;

Status check_body(UserFiles& files, const Arguments& arguments, std::string_view flag,
                  const std::string& digest) {
  const auto path = arguments.value(flag);
  if (!path) return Done{};
  TRY(const std::string body, files.read(*path, body_bytes_max));
  if (serve::body_digest(serve::split_stream(body).output) != digest)
    return fail(Reason::data_corrupt, fmt::format("{} is not the body that the receipt is of", flag));
  return Done{};
}

Status check_replay(UserFiles& files, const Arguments& arguments, const serve::Receipt& receipt) {
  const auto path = arguments.value("--replay");
  if (!path) return Done{};
  TRY(const std::string body, files.read(*path, body_bytes_max));
  if (serve::answer_digest(body) != receipt.answer)
    return fail(Reason::data_corrupt, "the replay's answer is another one than the receipt is of");
  return Done{};
}

Result<int> verify(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string text, files.read(arguments.positionals()[0], body_bytes_max));
  const serve::StreamParts stream = serve::split_stream(text);
  TRY(const serve::Receipt receipt, serve::parse_receipt(stream.receipt.empty() ? text : stream.receipt));
  const auto key = arguments.value("--key");
  TRY_DONE(serve::verify_receipt(receipt, key.value_or(receipt.key)));
  if (!stream.receipt.empty() && serve::body_digest(stream.output) != receipt.output)
    return fail(Reason::data_corrupt, "the stream is not the one that its receipt is of");
  TRY_DONE(check_body(files, arguments, "--input", receipt.input));
  TRY_DONE(check_body(files, arguments, "--output", receipt.output));
  TRY_DONE(check_replay(files, arguments, receipt));
  if (arguments.has("--json")) {
    boost::json::object out{{"valid", true},
                            {"key_given", key.has_value()},
                            {"model", receipt.model},
                            {"revision", receipt.revision},
                            {"deployment", receipt.deployment},
                            {"at", format_time(receipt.at)},
                            {"key", receipt.key}};
    if (!receipt.base.empty()) out["base"] = receipt.base;
    world.print(codec::to_text(out) + "\n");
    return exit_done;
  }
  world.print(fmt::format("the receipt is sound: {}@{} ({}) answered at {}\n", receipt.model,
                          receipt.revision, receipt.deployment, format_time(receipt.at)));
  if (!receipt.base.empty()) world.print(fmt::format("it is an adapter of {}\n", receipt.base));
  if (!key)
    world.print(
        fmt::format("signed by the key that it names itself, {}; with --key it is held to the one you "
                    "know\n",
                    receipt.key));
  return exit_done;
}

constexpr FlagRow verify_flags[] = {
    {"--key", "HEX", "The server's public key, as GET /api/receipts/key says it."},
    {"--input", "FILE", "The request's body."},
    {"--output", "FILE", "The answer's body."},
    {"--replay", "FILE", "The body of another answer to the same: it must say the same."},
    {"--json", "", "Answer in JSON."}};

}  // namespace

std::vector<Command> receipt_commands() {
  return {{"receipt verify", "FILE [--key HEX] [--input FILE] [--output FILE] [--replay FILE]",
           "Check what a signed receipt says of a model's answer, or a stream that ends with one; without "
           "the server.",
           "holdfast receipt verify receipt.json --key 8f0c… --output answer.json",
           [](World& world, std::span<const std::string_view> words) {
             const auto arguments = Arguments::parse({verify_flags, 1, 1}, words);
             if (!arguments.ok()) return report(world, arguments.error());
             const auto code = verify(world, arguments.value());
             return code.ok() ? code.value() : report(world, code.error());
           }}};
}

}  // namespace holdfast::cli
