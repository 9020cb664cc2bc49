#include "codec/torch_checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "codec/pickle.h"
#include "codec/stored_zip.h"

namespace holdfast::codec {
namespace {

using Kind = PickleValue::Kind;

// What state dicts are made of, and no more. The first names' places are known to the code below.
enum Callable : int64_t { ordered_dict, rebuild_tensor, rebuild_parameter, torch_size, first_storage };
constexpr auto allowed = std::to_array<PickleName>({{"collections", "OrderedDict"},
                                                    {"torch._utils", "_rebuild_tensor_v2"},
                                                    {"torch._utils", "_rebuild_parameter"},
                                                    {"torch", "Size"},
                                                    {"torch", "FloatStorage"},
                                                    {"torch", "HalfStorage"},
                                                    {"torch", "BFloat16Storage"},
                                                    {"torch", "DoubleStorage"},
                                                    {"torch", "LongStorage"},
                                                    {"torch", "IntStorage"},
                                                    {"torch", "ShortStorage"},
                                                    {"torch", "CharStorage"},
                                                    {"torch", "ByteStorage"},
                                                    {"torch", "BoolStorage"}});
constexpr Dtype storage_dtypes[] = {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64, Dtype::i64,
                                    Dtype::i32, Dtype::i16, Dtype::i8,   Dtype::u8,  Dtype::boolean};
static_assert(std::size(storage_dtypes) + first_storage == allowed.size());

constexpr size_t rank_max = 64, name_bytes_max = 4096;
constexpr std::string_view nested_names[] = {"state_dict", "model_state_dict", "model", "module"};

Error odd(std::string_view what) {
  return fail(Reason::bad_request, fmt::format("torch checkpoint: {}", what));
}

struct Storage {
  Dtype dtype = Dtype::f32;
  ByteView bytes;
};

// From ('storage', type, key, place, elements, ...) to its bytes.
using FindStorage = std::function<Result<ByteView>(std::string_view key, uint64_t bytes)>;

// The state dict of one pickle.
class StateDict {
 public:
  StateDict(const Pickle& pickle, FindStorage find) : pickle_(pickle), find_(std::move(find)) {}

  Result<std::vector<TorchTensor>> read() {
    TRY(const Entries top, entries_of(pickle_.root));
    TRY(std::vector<TorchTensor> out, tensors_of(top));
    for (size_t i = 0; i < std::size(nested_names) && out.empty(); ++i)
      for (const auto& [key, value] : top)
        if (is_text(key, nested_names[i])) {
          TRY(const Entries inner, entries_of(value));
          TRY(out, tensors_of(inner));
        }
    if (out.empty()) return odd("it has no tensor under a name");
    return out;
  }

 private:
  using Entries = std::vector<std::pair<uint32_t, uint32_t>>;

  const PickleValue& at(uint32_t index) const { return pickle_.at(index); }
  bool is_text(uint32_t index, std::string_view text) const {
    return at(index).kind == Kind::text && at(index).text == text;
  }
  bool calls(uint32_t index, Callable callable) const {
    const PickleValue& value = at(index);
    return value.kind == Kind::call && at(value.items[0]).integer == callable;
  }
  const std::vector<uint32_t>& arguments(uint32_t index) const { return at(at(index).items[1]).items; }

  void add_entries(const std::vector<uint32_t>& items, Entries& out) const {
    for (size_t i = 0; i + 1 < items.size(); i += 2) out.emplace_back(items[i], items[i + 1]);
  }
  // Of a dictionary, ordered or not; none of anything else.
  Result<Entries> entries_of(uint32_t index) const {
    Entries out;
    if (at(index).kind == Kind::dictionary) add_entries(at(index).items, out);
    if (!calls(index, ordered_dict)) return out;
    if (!arguments(index).empty()) {  // As a list of pairs.
      const PickleValue& list = at(arguments(index)[0]);
      if (list.kind != Kind::list) return odd("an ordered dictionary of no list");
      for (const uint32_t pair : list.items) {
        if (at(pair).items.size() != 2) return odd("an ordered dictionary of no pairs");
        out.emplace_back(at(pair).items[0], at(pair).items[1]);
      }
    }
    for (size_t i = 2; i < at(index).items.size(); ++i) add_entries(at(at(index).items[i]).items, out);
    return out;
  }

  Result<std::vector<TorchTensor>> tensors_of(const Entries& entries) {
    std::map<std::string_view, TorchTensor> out;  // Of equal names the last, as a dict has it.
    for (const auto& [key, value] : entries) {
      uint32_t tensor = value;
      if (calls(value, rebuild_parameter) && !arguments(value).empty()) tensor = arguments(value)[0];
      if (!calls(tensor, rebuild_tensor)) continue;
      const PickleValue& name = at(key);
      if (name.kind != Kind::text || name.text.empty() || name.text.size() > name_bytes_max)
        return odd("a tensor whose name is none");
      auto made = tensor_of(arguments(tensor));
      if (!made.ok())
        return fail(Reason::bad_request,
                    fmt::format("'{}': {}", name.text.substr(0, 120), made.error().message));
      made.value().name = name.text;
      out.insert_or_assign(name.text, std::move(made).value());
    }
    std::vector<TorchTensor> list;
    for (auto& [name, tensor] : out) list.push_back(std::move(tensor));
    return list;
  }

  Result<Storage> storage_of(uint32_t index) {
    const PickleValue& outside = at(index);
    if (outside.kind != Kind::persistent) return odd("a tensor without a storage");
    const PickleValue& id = at(outside.items[0]);
    if (id.kind != Kind::tuple || id.items.size() < 5 || !is_text(id.items[0], "storage"))
      return odd("an id that is not of a storage");
    const PickleValue &type = at(id.items[1]), &key = at(id.items[2]), &count = at(id.items[4]);
    if (type.kind != Kind::name || type.integer < first_storage) return odd("a storage of no known type");
    if (key.kind != Kind::text || count.kind != Kind::integer || count.integer < 0)
      return odd("a storage without key or size");
    if (id.items.size() > 5 && at(id.items[5]).kind != Kind::none)
      return odd("a view of a storage is not read");
    Storage out;
    out.dtype = storage_dtypes[type.integer - first_storage];
    const uint64_t width = dtype_bits(out.dtype) / 8;
    if (static_cast<uint64_t>(count.integer) > UINT64_MAX / width) return odd("a storage too large");
    TRY(out.bytes, find_(key.text, static_cast<uint64_t>(count.integer) * width));
    return out;
  }

  Result<std::vector<uint64_t>> sizes_of(uint32_t index) const {
    const uint32_t tuple =
        calls(index, torch_size) && arguments(index).size() == 1 ? arguments(index)[0] : index;
    if (at(tuple).kind != Kind::tuple || at(tuple).items.size() > rank_max)
      return odd("a shape that is none");
    std::vector<uint64_t> out;
    for (const uint32_t item : at(tuple).items) {
      if (at(item).kind != Kind::integer || at(item).integer < 0) return odd("a shape that is none");
      out.push_back(static_cast<uint64_t>(at(item).integer));
    }
    return out;
  }

  // (storage, offset, size, stride, requires_grad, hooks)
  Result<TorchTensor> tensor_of(const std::vector<uint32_t>& items) {
    if (items.size() < 4) return odd("a tensor with too few arguments");
    TRY(const Storage storage, storage_of(items[0]));
    TorchTensor out;
    out.dtype = storage.dtype;
    TRY(out.shape, sizes_of(items[2]));
    TRY(out.strides, sizes_of(items[3]));
    if (at(items[1]).kind != Kind::integer || at(items[1]).integer < 0 ||
        out.strides.size() != out.shape.size())
      return odd("an offset or strides that do not fit");
    const uint64_t offset = static_cast<uint64_t>(at(items[1]).integer), width = dtype_bits(out.dtype) / 8,
                   there = storage.bytes.size() / width;
    if (offset > there) return odd("it begins past its storage");
    uint64_t count = 1, last = 0;
    bool empty = false;
    for (const uint64_t size : out.shape) empty = empty || size == 0;
    for (size_t i = 0; i < out.shape.size() && !empty; ++i) {
      const uint64_t size = out.shape[i], stride = out.strides[i];
      if (count > there / size) return odd("it has more elements than its storage");
      count *= size;
      if (size > 1 && stride > there / (size - 1)) return odd("it goes past its storage");
      last += (size - 1) * stride;
    }
    if (!empty && last >= there - offset) return odd("it goes past its storage");
    out.storage = storage.bytes.subspan(offset * width, empty ? 0 : (last + 1) * width);
    return out;
  }

  const Pickle& pickle_;
  const FindStorage find_;
};

Result<std::vector<TorchTensor>> read_archive(ByteView file) {
  TRY(const std::vector<StoredMember> members, read_stored_zip(file));
  constexpr std::string_view data_name = "/data.pkl";
  const StoredMember* data = nullptr;
  for (const StoredMember& member : members)
    if (member.name.ends_with(data_name) && member.name.find('/') == member.name.size() - data_name.size()) {
      if (data != nullptr) return odd("it has two pickles");
      data = &member;
    }
  if (data == nullptr) return odd("it has no data.pkl");
  const std::string folder(data->name.substr(0, data->name.size() - data_name.size() + 1));
  if (const StoredMember* order = find_member(members, folder + "byteorder");
      order != nullptr && as_text(order->bytes) != "little")
    return odd("its numbers are not little-endian");
  TRY(const Pickle pickle, read_pickle(data->bytes, allowed));
  return StateDict(pickle,
                   [&](std::string_view key, uint64_t bytes) -> Result<ByteView> {
                     const StoredMember* member = find_member(members, fmt::format("{}data/{}", folder, key));
                     if (member == nullptr || member->bytes.size() < bytes)
                       return odd("its storage is not in the file");
                     return member->bytes.first(bytes);
                   })
      .read();
}

// Before torch 1.6: a magic number, a version, facts of the machine, the dict and the list of storage keys,
// each a pickle; then each storage's count of elements and its bytes.
constexpr std::array<uint8_t, 10> magic = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
constexpr int64_t legacy_protocol = 1001;

class Legacy {
 public:
  explicit Legacy(ByteView file) : left_(file) {}

  Result<std::vector<TorchTensor>> read() {
    TRY(const Pickle number, next());
    const PickleValue& first = number.at(number.root);
    if (first.kind != Kind::large_integer || first.text.size() != magic.size() ||
        std::memcmp(first.text.data(), magic.data(), magic.size()) != 0)
      return odd("neither a zip archive nor torch's older form");
    TRY(const Pickle protocol, next());
    if (protocol.at(protocol.root).integer != legacy_protocol) return odd("another version of torch's form");
    TRY(const Pickle machine, next());
    const PickleValue& facts = machine.at(machine.root);
    for (size_t i = 0; facts.kind == Kind::dictionary && i + 1 < facts.items.size(); i += 2)
      if (machine.at(facts.items[i]).text == "little_endian" && machine.at(facts.items[i + 1]).integer == 0)
        return odd("its numbers are not little-endian");
    TRY(const Pickle dict, next());
    TRY(const Pickle keys, next());
    TRY_DONE(find_widths(dict));
    TRY_DONE(find_storages(keys));
    return StateDict(dict,
                     [&](std::string_view key, uint64_t bytes) -> Result<ByteView> {
                       const auto found = storages_.find(key);
                       if (found == storages_.end() || found->second.size() < bytes)
                         return odd("its storage is not in the file");
                       return found->second.first(bytes);
                     })
        .read();
  }

 private:
  Result<Pickle> next() {
    TRY(Pickle pickle, read_pickle(left_, allowed));
    left_ = left_.subspan(pickle.bytes_used);
    return pickle;
  }

  // Bytes an element has, by storage: the list of keys does not say.
  Status find_widths(const Pickle& dict) {
    for (const PickleValue& value : dict.values) {
      if (value.kind != Kind::persistent) continue;
      const PickleValue& id = dict.at(value.items[0]);
      if (id.kind != Kind::tuple || id.items.size() < 5) return odd("an id that is not of a storage");
      const PickleValue &type = dict.at(id.items[1]), &key = dict.at(id.items[2]);
      if (type.kind != Kind::name || type.integer < first_storage || key.kind != Kind::text)
        return odd("an id that is not of a storage");
      widths_[key.text] = dtype_bits(storage_dtypes[type.integer - first_storage]) / 8;
    }
    return Done{};
  }
  Status find_storages(const Pickle& keys) {
    const PickleValue& list = keys.at(keys.root);
    if (list.kind != Kind::list) return odd("it does not list its storages");
    ByteReader reader(left_);
    for (const uint32_t item : list.items) {
      const auto width = widths_.find(keys.at(item).text);
      if (width == widths_.end()) return odd("it has a storage that no tensor names");
      if (reader.left() < 8) return odd("its storages are cut short");
      TRY(const uint64_t count, reader.u64());
      if (count > reader.left() / width->second) return odd("its storages are cut short");
      TRY(const ByteView bytes, reader.take(count * width->second));
      storages_[width->first] = bytes;
    }
    return Done{};
  }

  ByteView left_;
  std::map<std::string, uint64_t, std::less<>> widths_;
  std::map<std::string, ByteView, std::less<>> storages_;
};

}  // namespace

bool TorchTensor::is_contiguous() const {
  uint64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] > 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

uint64_t TorchTensor::row_major_bytes() const {
  uint64_t count = 1;  // No more than the storage's, as read.
  for (const uint64_t size : shape) count *= size;
  return count * (dtype_bits(dtype) / 8);
}

ByteView TorchTensor::row_major(Bytes& owned) const {
  if (is_contiguous()) return storage;
  const size_t width = dtype_bits(dtype) / 8;
  owned.resize(row_major_bytes());
  const uint64_t count = owned.size() / width;
  std::vector<uint64_t> index(shape.size());
  uint64_t from = 0;
  for (uint64_t i = 0; i < count; ++i) {
    std::memcpy(owned.data() + i * width, storage.data() + from * width, width);
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return owned;
}

bool is_torch_checkpoint(ByteView first) {
  const std::string_view text = as_text(first);
  // A zip archive, or a pickle that begins with torch's magic number as a LONG1.
  return text.starts_with("PK\x03\x04") || (text.size() > 4 && text[0] == '\x80' && text[2] == '\x8a');
}

Result<std::vector<TorchTensor>> read_torch_checkpoint(ByteView file) {
  if (as_text(file).starts_with("PK")) return read_archive(file);
  return Legacy(file).read();
}

}  // namespace holdfast::codec
