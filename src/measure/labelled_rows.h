#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::measure {

struct LabelledRow {
  std::string id, text, label;
  std::map<std::string, std::string> others;  // Further columns of text: what rows can be sliced by.
};

struct RowColumns {
  std::string text = "text", label = "label";
};

// Gives the bytes of the file at a path.
using ReadDataFile = std::function<Result<std::string>(const std::string& path)>;

// A split of a data set whose files are `paths`, of which those of split_files.h are read: one JSON object a
// line, one row of a table; class labels of `datasets` by their names. not_found where there is none; a bad
// line is named.
Result<std::vector<LabelledRow>> read_split(std::span<const std::string> paths, std::string_view split,
                                            const RowColumns& columns, const ReadDataFile& read);

// The labels that occur, sorted: a class's number is its place.
std::vector<std::string> labels_of(const std::vector<LabelledRow>& rows);

}  // namespace holdfast::measure
