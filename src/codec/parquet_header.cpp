#include "codec/parquet_header.h"

#include <cstring>

#include "codec/thrift_compact.h"

namespace holdfast::codec {
namespace {

using Type = ThriftReader::Type;
constexpr std::string_view magic = "PAR1";
constexpr size_t leaves_max = 10'000;

Error broken(const char* what) { return fail(Code::corrupt, what); }

// Calls `take(reader, id, type)` for each field of a struct; fields it does not take (false) are skipped.
template <class Take>
Status each_field(ThriftReader& reader, Take take) {
  for (int32_t before = 0;;) {
    TRY(const ThriftReader::Field field, reader.field(before));
    if (field.type == Type::stop) return Done{};
    TRY(const bool taken, take(field.id, field.type));
    if (!taken) TRY_DONE(reader.skip(field.type));
    before = field.id;
  }
}

template <class Take>
Status each_struct(ThriftReader& reader, Type type, Take take) {
  TRY(const ThriftReader::List list, reader.list(type));
  if (list.size > 0 && list.type != Type::structure) return broken("a list of the header is broken");
  for (size_t i = 0; i < list.size; ++i) TRY_DONE(take());
  return Done{};
}

Status unsigned_of(ThriftReader& reader, Type type, uint64_t& into) {
  TRY(const int64_t value, reader.integer(type));
  if (value < 0) return broken("a count of the header is negative");
  into = static_cast<uint64_t>(value);
  return Done{};
}

// What annotates an element (ConvertedType and LogicalType of parquet.thrift).
enum class Annotation : uint8_t {
  none,
  list,
  map,
  decimal,
  date,
  time,
  milliseconds,
  microseconds,
  nanoseconds
};

Annotation annotation_of_converted(uint64_t type) {
  switch (type) {
    case 1:
    case 2:
      return Annotation::map;
    case 3:
      return Annotation::list;
    case 5:
      return Annotation::decimal;
    case 6:
      return Annotation::date;
    case 7:
    case 8:
    case 21:
      return Annotation::time;
    case 9:
      return Annotation::milliseconds;
    case 10:
      return Annotation::microseconds;
    default:
      return Annotation::none;
  }
}

Result<Annotation> read_logical_type(ThriftReader& reader, uint64_t& scale) {
  Annotation out = Annotation::none;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    if (id == 2) out = Annotation::map;
    if (id == 3) out = Annotation::list;
    if (id == 5) out = Annotation::decimal;
    if (id == 6) out = Annotation::date;
    if (id == 7) out = Annotation::time;
    if (id == 5 && type == Type::structure) {
      TRY_DONE(each_field(reader, [&](int32_t part, Type part_type) -> Result<bool> {
        if (part != 1) return false;
        TRY_DONE(unsigned_of(reader, part_type, scale));
        return true;
      }));
      return true;
    }
    if (id != 8 || type != Type::structure) return false;
    out = Annotation::time;
    TRY_DONE(each_field(reader, [&](int32_t part, Type part_type) -> Result<bool> {
      if (part != 2 || part_type != Type::structure) return false;
      TRY_DONE(each_field(reader, [&](int32_t unit, Type) -> Result<bool> {
        if (unit == 1) out = Annotation::milliseconds;
        if (unit == 2) out = Annotation::microseconds;
        if (unit == 3) out = Annotation::nanoseconds;
        return false;
      }));
      return true;
    }));
    return true;
  }));
  return out;
}

struct SchemaElement {
  std::string name;
  ParquetType type = ParquetType::bytes;
  uint64_t children = 0, repetition = 0, length = 0, scale = 0;
  Annotation annotation = Annotation::none;
  bool typed = false;
};

constexpr uint64_t is_optional = 1, is_repeated = 2;  // FieldRepetitionType.

Result<SchemaElement> read_element(ThriftReader& reader) {
  SchemaElement out;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    uint64_t number = 0;
    switch (id) {
      case 1:
        TRY_DONE(unsigned_of(reader, type, number));
        if (number > 7) return broken("a column has an unknown type");
        out.type = static_cast<ParquetType>(number);
        out.typed = true;
        return true;
      case 2:
        TRY_DONE(unsigned_of(reader, type, out.length));
        return true;
      case 3:
        TRY_DONE(unsigned_of(reader, type, out.repetition));
        return true;
      case 4: {
        TRY(out.name, reader.text(type));
        return true;
      }
      case 5:
        TRY_DONE(unsigned_of(reader, type, out.children));
        return true;
      case 6:
        TRY_DONE(unsigned_of(reader, type, number));
        out.annotation = annotation_of_converted(number);
        return true;
      case 7:
        TRY_DONE(unsigned_of(reader, type, out.scale));
        return true;
      case 10: {
        if (type != Type::structure) return false;
        TRY(const Annotation logical, read_logical_type(reader, out.scale));
        if (logical != Annotation::none) out.annotation = logical;
        return true;
      }
      default:
        return false;
    }
  }));
  return out;
}

constexpr uint64_t length_max = 1 << 20, digits_bytes_max = 16, scale_max = 38;

bool is_decimal(const SchemaElement& element) {
  switch (element.type) {
    case ParquetType::int32:
    case ParquetType::int64:
    case ParquetType::bytes:
      return element.scale <= scale_max;
    case ParquetType::fixed_bytes:
      return element.scale <= scale_max && element.length > 0 && element.length <= digits_bytes_max;
    case ParquetType::boolean:
    case ParquetType::int96:
    case ParquetType::real32:
    case ParquetType::real64:
      return false;
  }
  return false;
}

ParquetKind kind_of(const SchemaElement& element) {
  switch (element.annotation) {
    case Annotation::none:
      break;
    case Annotation::date:
      return element.type == ParquetType::int32 ? ParquetKind::date : ParquetKind::other;
    case Annotation::milliseconds:
      return element.type == ParquetType::int64 ? ParquetKind::milliseconds : ParquetKind::other;
    case Annotation::microseconds:
      return element.type == ParquetType::int64 ? ParquetKind::microseconds : ParquetKind::other;
    case Annotation::nanoseconds:
      return element.type == ParquetType::int64 ? ParquetKind::nanoseconds : ParquetKind::other;
    case Annotation::decimal:
      return is_decimal(element) ? ParquetKind::decimal : ParquetKind::other;
    case Annotation::list:
    case Annotation::map:
    case Annotation::time:
      return ParquetKind::other;
  }
  switch (element.type) {
    case ParquetType::boolean:
      return ParquetKind::truth;
    case ParquetType::int32:
    case ParquetType::int64:
      return ParquetKind::whole;
    case ParquetType::real32:
    case ParquetType::real64:
      return ParquetKind::real;
    case ParquetType::bytes:
      return ParquetKind::text;
    case ParquetType::int96:
      return ParquetKind::old_moment;
    case ParquetType::fixed_bytes:
      return element.length > 0 && element.length <= length_max ? ParquetKind::text : ParquetKind::other;
  }
  return ParquetKind::other;
}

uint32_t length_of(const SchemaElement& element) {
  if (element.type == ParquetType::int96) return 12;
  return element.type == ParquetType::fixed_bytes
             ? static_cast<uint32_t>(std::min(element.length, length_max))
             : 0;
}

// The schema is a tree in depth-first order; the root comes first.
class SchemaWalk {
 public:
  explicit SchemaWalk(const std::vector<SchemaElement>& elements) : elements_(elements) {}

  Result<std::vector<ParquetLeaf>> run() {
    if (elements_.empty()) return broken("there is no schema");
    open_.push_back({.left = elements_.front().children});
    for (size_t at = 1; !open_.empty();) {
      if (open_.back().left == 0) {
        open_.pop_back();
        continue;
      }
      if (at >= elements_.size()) return broken("the schema ends too early");
      --open_.back().left;
      TRY_DONE(enter(elements_[at++]));
    }
    return std::move(leaves_);
  }

 private:
  // A list is a group of a repeated group of the element; a map one of a repeated group of key and value.
  enum class Group : uint8_t { plain, list, element, map };
  struct Open {
    uint64_t left = 0;  // Children that are still to come.
    std::string column{}, path{};
    uint32_t repetition = 0, definition = 0;
    Group group = Group::plain;
  };

  Status enter(const SchemaElement& element) {
    const Open above = open_.back();
    const bool repeated = element.repetition == is_repeated;
    const bool between = (repeated && (above.group == Group::list || above.group == Group::map)) ||
                         above.group == Group::element;
    Open here{.left = element.children,
              .column = above.column.empty() ? element.name : above.column,
              .path = between              ? above.path
                      : above.path.empty() ? element.name
                                           : above.path + "." + element.name,
              .repetition = above.repetition + (repeated ? 1 : 0),
              .definition = above.definition + (repeated || element.repetition == is_optional ? 1 : 0)};
    if (here.definition > depth_max) return broken("a column is nested too deep");
    if (element.typed) {
      const ParquetKind kind = kind_of(element);
      // Decimals among the numbers of rows were always read as they are written; they are no whole numbers.
      const bool known = element.type != ParquetType::int96 && element.type != ParquetType::fixed_bytes;
      leaves_.push_back({.name = here.column,
                         .path = std::move(here.path),
                         .type = element.type,
                         .kind = kind,
                         .length = length_of(element),
                         .scale = static_cast<uint32_t>(std::min(element.scale, scale_max)),
                         .optional = element.repetition == is_optional,
                         .readable = known && open_.size() == 1 && !repeated,
                         .repetition_max = static_cast<uint8_t>(here.repetition),
                         .definition_max = static_cast<uint8_t>(here.definition)});
      return Done{};
    }
    if (element.children > elements_.size()) return broken("the schema ends too early");
    if (element.annotation == Annotation::list)
      here.group = Group::list;
    else if (element.annotation == Annotation::map)
      here.group = Group::map;
    else if (repeated && above.group == Group::list && element.children == 1)
      here.group = Group::element;
    open_.push_back(std::move(here));
    return Done{};
  }

  static constexpr uint32_t depth_max = 100;
  const std::vector<SchemaElement>& elements_;
  std::vector<Open> open_;
  std::vector<ParquetLeaf> leaves_;
};

Status read_column(ThriftReader& reader, ParquetChunk& chunk) {
  uint64_t data = 0, dictionary = 0;
  bool has_data = false, has_dictionary = false;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    uint64_t number = 0;
    switch (id) {
      case 1:
        TRY_DONE(unsigned_of(reader, type, number));
        if (number > 7) return broken("a column has an unknown type");
        chunk.type = static_cast<ParquetType>(number);
        return true;
      case 4:
        TRY_DONE(unsigned_of(reader, type, number));
        if (number > 7) return broken("a column has an unknown compression");
        chunk.codec = static_cast<ParquetCodec>(number);
        return true;
      case 5:
        TRY_DONE(unsigned_of(reader, type, chunk.values));
        return true;
      case 7:
        TRY_DONE(unsigned_of(reader, type, chunk.size));
        return true;
      case 9:
        TRY_DONE(unsigned_of(reader, type, data));
        has_data = true;
        return true;
      case 11:
        TRY_DONE(unsigned_of(reader, type, dictionary));
        has_dictionary = dictionary > 0;  // Some writers say 0 for none.
        return true;
      default:
        return false;
    }
  }));
  if (!has_data) return broken("a column has no pages");
  chunk.offset = has_dictionary ? std::min(data, dictionary) : data;
  return Done{};
}

Result<ParquetFile::RowGroup> read_group(ThriftReader& reader) {
  ParquetFile::RowGroup group;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    if (id == 3) {
      TRY_DONE(unsigned_of(reader, type, group.rows));
      return true;
    }
    if (id != 1) return false;
    TRY_DONE(each_struct(reader, type, [&]() -> Status {
      ParquetChunk chunk;
      TRY_DONE(each_field(reader, [&](int32_t inner, Type inner_type) -> Result<bool> {
        if (inner == 1) return broken("a column lies in another file");
        if (inner != 3 || inner_type != Type::structure) return false;
        TRY_DONE(read_column(reader, chunk));
        return true;
      }));
      group.chunks.push_back(chunk);
      return Done{};
    }));
    return true;
  }));
  return group;
}

Status read_note(ThriftReader& reader, std::map<std::string, std::string>& notes) {
  std::string key, value;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    if (id != 1 && id != 2) return false;
    TRY(std::string text, reader.text(type));
    (id == 1 ? key : value) = std::move(text);
    return true;
  }));
  notes[key] = std::move(value);
  return Done{};
}

}  // namespace

Result<ParquetFile> read_parquet_footer(ByteView file) {
  constexpr size_t tail = 8;
  if (file.size() < magic.size() + tail || as_text(file.first(magic.size())) != magic ||
      as_text(file.last(magic.size())) != magic)
    return broken("this is no Parquet file");
  uint32_t size = 0;
  std::memcpy(&size, file.data() + file.size() - tail, sizeof size);
  if (size > file.size() - tail - magic.size()) return broken("the footer is longer than the file");
  ThriftReader reader(file.subspan(file.size() - tail - size, size));
  ParquetFile out;
  std::vector<SchemaElement> elements;
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    switch (id) {
      case 2:
        TRY_DONE(each_struct(reader, type, [&]() -> Status {
          if (elements.size() == leaves_max) return broken("there are too many columns");
          TRY(SchemaElement element, read_element(reader));
          elements.push_back(std::move(element));
          return Done{};
        }));
        return true;
      case 3:
        TRY_DONE(unsigned_of(reader, type, out.rows));
        return true;
      case 4:
        TRY_DONE(each_struct(reader, type, [&]() -> Status {
          TRY(ParquetFile::RowGroup group, read_group(reader));
          out.groups.push_back(std::move(group));
          return Done{};
        }));
        return true;
      case 5:
        TRY_DONE(each_struct(reader, type, [&]() { return read_note(reader, out.notes); }));
        return true;
      default:
        return false;
    }
  }));
  TRY(out.leaves, SchemaWalk(elements).run());
  uint64_t rows = 0;
  for (const ParquetFile::RowGroup& group : out.groups) {
    if (group.chunks.size() != out.leaves.size()) return broken("a row group lacks columns");
    if (__builtin_add_overflow(rows, group.rows, &rows)) return broken("the counts of rows differ");
  }
  if (rows != out.rows) return broken("the counts of rows differ");
  return out;
}

Result<ParquetPageAt> read_parquet_page(ByteView bytes) {
  ThriftReader reader(bytes);
  ParquetPageAt out;
  ParquetPage& page = out.page;
  const auto data_header = [&](int32_t id, Type type) -> Result<bool> {  // Also of a dictionary.
    uint64_t number = 0;
    if (id != 1 && id != 2) return false;
    TRY_DONE(unsigned_of(reader, type, number));
    if (id == 1)
      page.values = number;
    else
      page.encoding = static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX));
    return true;
  };
  const auto data_header_2 = [&](int32_t id, Type type) -> Result<bool> {
    uint64_t number = 0;
    switch (id) {
      case 1:
        TRY_DONE(unsigned_of(reader, type, page.values));
        return true;
      case 4:
        TRY_DONE(unsigned_of(reader, type, number));
        page.encoding = static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX));
        return true;
      case 5:
        TRY_DONE(unsigned_of(reader, type, page.definition_bytes));
        return true;
      case 6:
        TRY_DONE(unsigned_of(reader, type, page.repetition_bytes));
        return true;
      case 7: {
        TRY(page.compressed, reader.flag(type));
        return true;
      }
      default:
        return false;
    }
  };
  TRY_DONE(each_field(reader, [&](int32_t id, Type type) -> Result<bool> {
    uint64_t number = 0;
    switch (id) {
      case 1:
        TRY_DONE(unsigned_of(reader, type, number));
        if (number > 3) return broken("a page is of an unknown kind");
        page.kind = static_cast<ParquetPage::Kind>(number);
        return true;
      case 2:
        TRY_DONE(unsigned_of(reader, type, page.unpacked));
        return true;
      case 3:
        TRY_DONE(unsigned_of(reader, type, page.packed));
        return true;
      case 5:
      case 7:
      case 8:
        if (type != Type::structure) return broken("a page's header is broken");
        if (id == 8)
          TRY_DONE(each_field(reader, data_header_2));
        else
          TRY_DONE(each_field(reader, data_header));
        return true;
      default:
        return false;
    }
  }));
  out.header_bytes = reader.position();
  return out;
}

}  // namespace holdfast::codec
