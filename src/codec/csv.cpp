#include "codec/csv.h"

#include <fmt/format.h>

namespace holdfast::codec {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const CsvLimits& limits) : text_(text), limits_(limits) {}

  Result<std::vector<std::vector<std::string>>> parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (at_ < text_.size()) {
      if (take_line_end()) continue;
      const size_t began = line_;
      TRY(std::vector<std::string> row, parse_row());
      if (!rows_.empty() && row.size() != rows_.front().size())
        return fail(Reason::bad_request, fmt::format("line {} has {} columns, the first one {}", began,
                                                     row.size(), rows_.front().size()));
      if (rows_.size() == limits_.rows_max) return fail(Reason::body_too_large, "there are too many rows");
      rows_.push_back(std::move(row));
    }
    return std::move(rows_);
  }

 private:
  bool take_line_end() {
    if (text_.substr(at_).starts_with("\r\n"))
      at_ += 2;
    else if (text_[at_] == '\n')
      ++at_;
    else
      return false;
    ++line_;
    return true;
  }

  Result<std::vector<std::string>> parse_row() {
    std::vector<std::string> row;
    for (;;) {
      if (row.size() == limits_.columns_max)
        return fail(Reason::bad_request, fmt::format("line {} has too many columns", line_));
      TRY(std::string field,
          at_ < text_.size() && text_[at_] == '"' ? quoted() : Result<std::string>(plain()));
      row.push_back(std::move(field));
      if (at_ == text_.size() || take_line_end()) return row;
      if (text_[at_] != ',')
        return fail(Reason::bad_request, fmt::format("line {}: a quote ends inside a value", line_));
      ++at_;
    }
  }

  std::string plain() {
    const size_t began = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' &&
           !text_.substr(at_).starts_with("\r\n"))
      ++at_;
    return std::string(text_.substr(began, at_ - began));
  }

  Result<std::string> quoted() {
    const size_t began = line_;
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return out;
        }
        ++at_;
      }
      out += text_[at_];
    }
    return fail(Reason::bad_request, fmt::format("the quote of line {} does not end", began));
  }

  std::string_view text_;
  CsvLimits limits_;
  size_t at_ = 0, line_ = 1;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text, const CsvLimits& limits) {
  return CsvParser(text, limits).parse();
}

}  // namespace holdfast::codec
