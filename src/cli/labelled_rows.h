#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"

namespace holdfast::cli {

struct LabelledRow {
  std::string id, text, label;
  std::map<std::string, std::string> others;  // Further columns of text: what rows can be sliced by.
};

struct RowColumns {
  std::string text = "text", label = "label";
};

// A split of a data folder, in the files of data_files.h: one JSON object a line, one row of a table; class
// labels of `datasets` by their names. not_found where there is none; a bad line is named.
Result<std::vector<LabelledRow>> read_rows(io::Disk& disk, std::string_view split, const RowColumns& columns);

// The labels that occur, sorted: a class's number is its place.
std::vector<std::string> labels_of(const std::vector<LabelledRow>& rows);

}  // namespace holdfast::cli
