#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/row_table.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

constexpr size_t code_points = 1'114'112;
constexpr std::array<uint64_t, 16> primes = {31,  43,  59,  61,  73,  97,  103, 113,
                                             137, 149, 157, 173, 181, 193, 211, 223};

struct Sizes {
  size_t width = 0, inner = 0, heads = 0, layers = 0;
  size_t hashes = 8, buckets = 16'384, types = 16;
  size_t rate = 4;     // Characters a molecule.
  size_t kernel = 4;   // Rows that each row on the way back is made of.
  size_t chunk = 128;  // Characters see those of their own chunk at first.
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
};

// Rows of characters: a piece of each from a table by one hash of its code point, its type and its place.
class Characters final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes) {
    auto out = std::make_unique<Characters>();
    out->sizes_ = sizes;
    const std::string at = "char_embeddings.";
    for (size_t i = 0; i < sizes.hashes; ++i) {
      TRY(RowTable pieces,
          RowTable::load(reader, fmt::format("{}HashBucketCodepointEmbedder_{}.weight", at, i), sizes.buckets,
                         sizes.width / sizes.hashes));
      out->pieces_.push_back(std::move(pieces));
    }
    TRY(out->places_,
        RowTable::load(reader, at + "char_position_embeddings.weight", sizes.buckets, sizes.width));
    TRY(out->types_, RowTable::load(reader, at + "token_type_embeddings.weight", sizes.types, sizes.width));
    TRY(out->norm_,
        RowScale::load(reader, at + "LayerNorm", sizes.width, RowScale::Kind::layer, sizes.epsilon));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  Status check(const TokenBatch& batch) const override {
    for (int64_t position : batch.positions)
      if (position < 0 || static_cast<uint64_t>(position) >= sizes_.buckets)
        return fail(Reason::bad_request,
                    fmt::format("position {} is outside 0 to {}", position, sizes_.buckets - 1));
    for (int64_t type : batch.types)
      if (type < 0 || static_cast<uint64_t>(type) >= sizes_.types)
        return fail(Reason::bad_request,
                    fmt::format("token type {} is outside 0 to {}", type, sizes_.types - 1));
    return Done{};
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& /*threads*/) const override {
    const size_t width = sizes_.width, piece = width / sizes_.hashes;
    std::fill_n(x, (batch.starts[last] - batch.starts[first]) * width, 0.0F);
    for (size_t row = batch.starts[first]; row < batch.starts[last]; ++row) {
      float* into = x + (row - batch.starts[first]) * width;
      for (size_t i = 0; i < sizes_.hashes; ++i)
        pieces_[i].add_row((static_cast<uint64_t>(batch.ids[row]) + 1) * primes[i] % sizes_.buckets,
                           into + i * piece);
      types_.add_row(static_cast<size_t>(batch.types[row]), into);
      places_.add_row(static_cast<size_t>(batch.positions[row]), into);
    }
    norm_.run(x, batch.starts[last] - batch.starts[first]);
  }

 private:
  Sizes sizes_;
  std::vector<RowTable> pieces_;
  RowTable places_, types_;
  RowScale norm_;
};

// One of BERT's layers.
struct Block {
  JoinedAttention attention;
  LayerEnd end;
  tensor::Compute compute;

  static Result<Block> load(const WeightReader& reader, const Sizes& sizes, const std::string& at) {
    Block out;
    out.compute = reader.compute();
    const std::string self = at + "attention.self.";
    TRY(out.attention, JoinedAttention::load(reader, {self + "query", self + "key", self + "value"},
                                             {sizes.heads, sizes.width / sizes.heads, sizes.width}));
    TRY(out.end, LayerEnd::load(reader, at, sizes.width, sizes.inner, sizes.activation, sizes.epsilon));
    return out;
  }
  // x: rows of the batch's sequences, which are all that one may see. Those of padding alone, `blank`, see
  // all of theirs alike.
  void run(const TokenBatch& batch, float* x, tensor::Threads& threads,
           const std::vector<bool>& blank = {}) const {
    const size_t rows = batch.starts.back(), width = attention.width();
    const Floats joined = attention.join(x, rows, threads);
    Floats context(rows * width);
    SelfAttention job = attention.job(joined, context.data(), width);
    if (!blank.empty())
      job.add = [&](const tensor::AttentionBias::Block& block) {
        for (size_t i = 0; blank[block.sequence] && i < block.queries; ++i)
          std::fill_n(block.scores + i * block.stride, block.keys, 0.0F);
      };
    attend_within(batch, 0, batch.sequences(), job, compute, threads);
    end.run(context.data(), x, rows, threads);
  }
};

// A convolution over whole rows, [outputs, inputs, taps], as a layer of the rows under its taps beside each
// other.
Result<LinearLayer> load_convolution(const WeightReader& reader, const std::string& name, size_t outputs,
                                     size_t inputs, size_t taps) {
  TRY(const std::vector<float> weight, reader.floats(name + ".weight", {outputs, inputs, taps}));
  TRY(const std::vector<float> bias, reader.floats(name + ".bias", {outputs}));
  std::vector<float> turned(weight.size());
  for (size_t row = 0; row < outputs; ++row)
    for (size_t i = 0; i < inputs; ++i)
      for (size_t tap = 0; tap < taps; ++tap)
        turned[(row * taps + tap) * inputs + i] = weight[(row * inputs + i) * taps + tap];
  return keep_linear(reader, name, turned, bias, outputs, taps * inputs);
}

// All of the model behind its first rows: characters see those near them, become molecules, which see each
// other, and these go back into characters. Convolutions see what pads a text where that is kept, attention
// does not.
class Layer final : public SummingLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    const size_t width = sizes.width;
    const auto kind = RowScale::Kind::layer;
    TRY(out->near_, Block::load(reader, sizes, "initial_char_encoder.layer.0."));
    TRY(out->gather_, load_convolution(reader, "chars_to_molecules.conv", width, width, sizes.rate));
    TRY(out->gather_norm_,
        RowScale::load(reader, "chars_to_molecules.LayerNorm", width, kind, sizes.epsilon));
    for (size_t i = 0; i < sizes.layers; ++i) {
      TRY(Block block, Block::load(reader, sizes, fmt::format("encoder.layer.{}.", i)));
      out->deep_.push_back(std::move(block));
    }
    TRY(out->spread_, load_convolution(reader, "projection.conv", width, 2 * width, sizes.kernel));
    TRY(out->spread_norm_, RowScale::load(reader, "projection.LayerNorm", width, kind, sizes.epsilon));
    TRY(out->last_, Block::load(reader, sizes, "final_char_encoder.layer.0."));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  // Sums a text up by its first molecule.
  void run_summing(const TokenBatch& batch, size_t first, size_t last, float* x, float* sums,
                   tensor::Threads& threads) const override {
    TokenBatch texts, chunks, molecules;  // Their starts and padding alone.
    if (hides_tokens(batch, first, last)) {
      const auto at = [&](size_t sequence) {
        return batch.padding.begin() + static_cast<ptrdiff_t>(batch.starts[sequence]);
      };
      texts.padding.assign(at(first), at(last));
      chunks.padding = texts.padding;
    }
    for (size_t i = first; i < last; ++i) {
      const size_t row = texts.starts.back(), length = batch.length(i);
      for (size_t at = 0; at < length; at += sizes_.chunk)
        chunks.starts.push_back(row + std::min(length, at + sizes_.chunk));
      texts.starts.push_back(row + length);
      molecules.starts.push_back(molecules.starts.back() + molecules_of(length));
      // One is seen where any of as many characters is, counted from the text's first, which stands for
      // itself.
      for (size_t k = 0; !texts.padding.empty() && k < molecules_of(length); ++k) {
        const auto from = texts.padding.begin() + static_cast<ptrdiff_t>(row + k * sizes_.rate);
        const auto to =
            texts.padding.begin() + static_cast<ptrdiff_t>(row + std::min(length, (k + 1) * sizes_.rate));
        molecules.padding.push_back(std::find(from, to, 0) == to ? 1 : 0);
      }
    }
    near_.run(chunks, x, threads, take_blank(chunks));
    Floats deep = gather(texts, molecules, x, threads);
    for (const Block& block : deep_) block.run(molecules, deep.data(), threads);
    for (size_t i = 0; sums != nullptr && i < molecules.sequences(); ++i)
      std::copy_n(deep.data() + molecules.starts[i] * sizes_.width, sizes_.width, sums + i * sizes_.width);
    for (size_t i = 0; i < texts.sequences(); ++i)
      spread(deep.data() + molecules.starts[i] * sizes_.width, molecules.length(i),
             x + texts.starts[i] * sizes_.width, texts.length(i), threads);
    last_.run(texts, x, threads);
  }

 private:
  // Which sequences are padding alone; their tokens count as seen from here on.
  static std::vector<bool> take_blank(TokenBatch& batch) {
    std::vector<bool> out;
    for (size_t i = 0; !batch.padding.empty() && i < batch.sequences(); ++i) {
      const auto from = batch.padding.begin() + static_cast<ptrdiff_t>(batch.starts[i]);
      const auto to = batch.padding.begin() + static_cast<ptrdiff_t>(batch.starts[i + 1]);
      out.push_back(std::find(from, to, 0) == to);
      if (out.back()) std::fill(from, to, uint8_t{0});
    }
    return out;
  }

  // The first character, and each `rate` characters but the last ones.
  size_t molecules_of(size_t length) const {
    return length == 0 ? 0 : std::max<size_t>(length / sizes_.rate, 1);
  }

  Floats gather(const TokenBatch& texts, const TokenBatch& molecules, const float* x,
                tensor::Threads& threads) const {
    const size_t width = sizes_.width;
    Floats out(molecules.starts.back() * width);
    for (size_t i = 0; i < texts.sequences(); ++i) {
      if (molecules.length(i) == 0) continue;
      const float* from = x + texts.starts[i] * width;
      float* into = out.data() + molecules.starts[i] * width;
      std::copy_n(from, width, into);
      multiply(*gather_, from, into + width, molecules.length(i) - 1, threads, nullptr, sizes_.activation);
    }
    gather_norm_.run(out.data(), molecules.starts.back());
    return out;
  }

  // Characters beside the molecules they are in, some rows at a time.
  void spread(const float* molecules, size_t count, float* x, size_t length, tensor::Threads& threads) const {
    constexpr size_t rows_at_once = 256;
    const size_t width = sizes_.width, each = 2 * width, before = (sizes_.kernel - 1) / 2;
    Floats both(length * each), under(std::min(length, rows_at_once) * sizes_.kernel * each);
    for (size_t row = 0; row < length; ++row) {
      const size_t molecule = std::min(row / sizes_.rate + 1, count - 1);
      std::copy_n(x + row * width, width, both.data() + row * each);
      std::copy_n(molecules + molecule * width, width, both.data() + row * each + width);
    }
    for (size_t from = 0; from < length; from += rows_at_once) {
      const size_t rows = std::min(rows_at_once, length - from);
      for (size_t row = 0; row < rows; ++row)
        for (size_t tap = 0; tap < sizes_.kernel; ++tap) {
          float* into = under.data() + (row * sizes_.kernel + tap) * each;
          const size_t place = from + row + tap;
          if (place < before || place - before >= length)
            std::fill_n(into, each, 0.0F);
          else
            std::copy_n(both.data() + (place - before) * each, each, into);
        }
      multiply(*spread_, under.data(), x + from * width, rows, threads, nullptr, sizes_.activation);
    }
    spread_norm_.run(x, length);
  }

  Sizes sizes_;
  Block near_, last_;
  std::vector<Block> deep_;
  LinearLayer gather_, spread_;
  RowScale gather_norm_, spread_norm_;
};

}  // namespace

// Texts by their code points: BERT among groups of characters, a layer among characters before and after.
void plan_canine(ConfigReader& config, EncoderPlan& plan) {
  Sizes sizes;
  sizes.layers = read_sizes(config, plan, {});
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.heads = plan.heads;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  sizes.types = config.size({"type_vocab_size"}, 16, 1'024);
  plan.types = 0;  // The table is the family's own.
  sizes.hashes = config.size({"num_hash_functions"}, 8, primes.size());
  sizes.buckets = config.size({"num_hash_buckets"}, 16'384, 1 << 24);
  sizes.rate = config.size({"downsampling_rate"}, 4, 256);
  sizes.kernel = config.size({"upsampling_kernel_size"}, 4, 256);
  sizes.chunk = config.size({"local_transformer_stride"}, 128, 65'536);
  if (plan.width % sizes.hashes != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: hidden_size is not a multiple of num_hash_functions"));
  plan.vocabulary = code_points;
  plan.positions = std::min(config.size({"max_position_embeddings"}, 16'384, 1 << 24), sizes.buckets);
  plan.prefixes = {"canine."};
  plan.sums_up = true;
  plan.layers.resize(1);
  plan.make_embedding = [sizes](const WeightReader& reader, const EncoderPlan&, size_t) {
    return Characters::load(reader, sizes);
  };
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan&, size_t) {
    return Layer::load(reader, sizes);
  };
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.pooled_rows = HeadPlan::Rows::summary;
  if (plan.head == Head::fill_mask || plan.head == Head::pre_training || plan.head == Head::next_sentence)
    config.refuse(fail(Reason::model_unsupported, "Canine that fills masks is not supported"));
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
