"""The checks checked: each is given a small tree with one fault and must name it, and the same tree without."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import check_links  # noqa: E402
import check_requirements  # noqa: E402
import check_rooms  # noqa: E402
import check_sizes  # noqa: E402
import check_words  # noqa: E402
import make_map  # noqa: E402
import tu_times  # noqa: E402
import write_batches  # noqa: E402
from tree import Tree  # noqa: E402

ROOMS = "# comment\nbase: | words\nio: base | files\nnet: base io | wire\n"
INHABITED = {f"src/{room}/x.cpp": "\n" for room in ("base", "io", "net")}


@pytest.fixture
def make(tmp_path):
    """make({path: text}) gives a Tree of those files beside a sound ROOMS."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    def build(files):
        for name, text in {"src/ROOMS": ROOMS, **INHABITED, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        return Tree(tmp_path)
    return build


def one(found, *words):
    """Exactly one violation, holding all the words."""
    found = list(found)
    assert len(found) == 1, found
    for word in words:
        assert word in found[0], found[0]


def test_a_room_may_include_what_it_is_granted_and_itself(make):
    tree = make({"src/io/a.cpp": '#include "io/a.h"\n#include "base/b.h"\n#include <vector>\n'})
    assert list(check_rooms.violations(tree)) == []


def test_an_upward_include_is_named(make):
    one(check_rooms.violations(make({"src/io/a.cpp": '#include "net/b.h"\n'})), "src/io/a.cpp:1", "may not include net/")


def test_tests_obey_the_rooms_too(make):
    one(check_rooms.violations(make({"src/base/a_test.cpp": '\n#include "io/b.h"\n'})), "src/base/a_test.cpp:2")


def test_an_include_without_its_room_is_named(make):
    one(check_rooms.violations(make({"src/io/a.cpp": '#include "a.h"\n'})), "full path from src/")


def test_a_folder_that_is_no_room_is_named(make):
    one(check_rooms.violations(make({"src/extra/a.cpp": "\n"})), "src/extra", "not a room")


@pytest.mark.parametrize("line, word", [
    ("io: net | files\nnet: base | wire\n", "not above it"),
    ("io: nowhere | files\n", "not above it"),
    ("io base files\n", "room: granted rooms"),
    ("base: | again\n", "listed twice"),
])
def test_a_wrong_line_of_rooms_is_named(make, line, word):
    assert any(word in found for found in check_rooms.table_violations(make({"src/ROOMS": "base: | words\n" + line})))


def test_a_room_without_files_is_named(make):
    one(check_rooms.violations(make({"src/ROOMS": ROOMS + "sql: base | rows\n"})), "sql has no files")


BANNED = [
    ("auto t = std::chrono::steady_clock::now();", "Clock"),
    ('auto* v = getenv("HOME");', "option"),
    ('std::ofstream out("x");', "Disk"),
    ("int n = rand();", "Random"),
    ("std::mt19937 engine;", "Random"),
    ("} catch (const std::exception& e) {", "Result"),
    ("#include <boost/asio/post.hpp>", "only net/"),
    ("co_return value;", "net/"),
    ("#include <yaml-cpp/yaml.h>", "adapter"),
    ("#include <sqlite3.h>", "sql/database.h"),
    ("#include <git2/refs.h>", "git/"),
    ("#include <curl/curl.h>", "net/client.h"),
    ("for (auto& pair : call.query().pairs()) {", "name the query"),
    ("assert(x);", "CHECK"),
    ("int port = std::stoi(text);", "from_chars"),
    ('std::cout << "hello";', "Log"),
    ('  printf("x");', "Log"),
    ("#define LIMIT 3", "HOLD_"),
    ("using namespace std;", "using-directive"),
]


@pytest.mark.parametrize("line, instead", BANNED, ids=[line for line, _ in BANNED])
def test_a_banned_spelling_is_named_with_its_replacement(make, line, instead):
    one(check_words.violations(make({"src/repo/a.cpp": f"\n{line}\n"})), "src/repo/a.cpp:2", instead)


@pytest.mark.parametrize("line", [line for line, _ in BANNED])
def test_a_banned_spelling_in_a_comment_or_literal_is_no_use_of_it(make, line):
    quoted = line.replace('"', '\\"')
    tree = make({"src/repo/a.cpp": f'// {line}\nauto text = "{quoted}";\nauto raw = R"x({line})x";\n'})
    assert list(check_words.violations(tree)) == []


@pytest.mark.parametrize("path, line", [
    ("src/base/clock.cpp", "std::chrono::steady_clock::now();"),
    ("src/repo/a_test.cpp", 'std::ofstream out("x");'),
    ("src/codec/yaml_adapter.cpp", "} catch (const YAML::Exception& e) {"),
    ("src/codec/yaml_adapter.cpp", "#include <yaml-cpp/yaml.h>"),
    ("src/net/server.cpp", "co_await stream.read(buffer);"),
    ("src/repo/a.cpp", "dispatch(x); int operand(); fmt::print(file);"),
    ("src/repo/a.cpp", "using namespace std::chrono_literals;"),
])
def test_a_spelling_is_legal_in_its_place(make, path, line):
    assert list(check_words.violations(make({path: line + "\n"}))) == []


def test_a_file_may_catch_when_its_room_says_so(make):
    files = {"src/net/door.cpp": "} catch (...) {\n"}
    one(check_words.violations(make(files)), "door.cpp:1")
    assert list(check_words.violations(make({**files, "src/net/README.md": "catches: door.cpp, the request's top\n"}))) == []


def test_a_braced_argument_of_co_await_is_refused_even_in_net(make):
    one(check_words.violations(make({"src/net/a.cpp": "auto x = co_await call(Wish{1});\n"})), "name the aggregate first")


def test_unfinished_words_are_found_in_comments(make):
    marker = "TO" + "DO"
    one(check_words.violations(make({"src/repo/a.cpp": f"// {marker}: later\n"})), marker)
    assert list(check_words.violations(make({"src/repo/a.cpp": '// the input placeholder="name" of a page\n'}))) == []


@pytest.mark.parametrize("text", ["/wo" + "rk/main/x", "see /ro" + "ot/x", "/ho" + "me/ada/x"])
def test_a_path_of_one_machine_is_found_in_any_text(make, text):
    one(check_words.violations(make({"docs/a.md": f"{text}\n"})), "one machine")


@pytest.mark.parametrize("name", ["src/repo/utils.h", "tools/helper.py", "src/common/a.h", "src/net/misc_test.cpp"])
def test_a_name_that_says_nothing_is_refused(make, name):
    one(check_words.violations(make({name: "\n"})), "says nothing")


def test_a_long_file_fails_unless_exempt(make):
    files = {"src/base/a.cpp": "\n" * 801}
    one(check_sizes.size_violations(make(files)), "801 lines")
    assert list(check_sizes.size_violations(make({**files, "tools/size_exempt.txt": "src/base/a.cpp a table\n"}))) == []


def test_a_large_file_fails(make):
    one(check_sizes.size_violations(make({"tests/blob.bin": b"\0" * ((1 << 20) + 1)})), "1 MiB")


def test_a_header_nobody_includes_is_dead(make):
    files = {"src/base/a.h": "\n", "src/base/a.cpp": "\n"}
    one(check_sizes.dead_violations(make(files)), "src/base/a.h")
    assert list(check_sizes.dead_violations(make({"src/base/a.cpp": '#include "base/a.h"\n'}))) == []


def test_corpora_and_fuzz_targets_belong_together(make):
    one(check_sizes.dead_violations(make({"tests/golden/fuzz/shard/empty": ""})), "no shard_fuzz.cpp")
    corpus = {f"tests/golden/fuzz/shard/{number}": "x" for number in range(3)}
    one(check_sizes.dead_violations(make({"src/base/shard_fuzz.cpp": "\n", **corpus})), "4 inputs")
    corpus["tests/golden/fuzz/shard/5"] = "x"
    assert list(check_sizes.dead_violations(make(corpus))) == []


def test_functions_are_measured_by_their_layout():
    text = "namespace a {\n\nint f(int x) {\n  if (x) {\n    return 1;\n  }\n  return 2;\n}\n\nstruct S {\n  int g() const {\n    return 1;\n  }\n};\n}\n"
    assert [(first, lines) for first, lines, _ in check_sizes.functions(text)] == [(3, 6), (11, 3)]


MAP_PAGE = f"# A\n{make_map.BEGIN}\n{make_map.END}\nrest\n"


def test_links_and_named_files_must_exist(make, tmp_path):
    tree = make({"ARCHITECTURE.md": MAP_PAGE, "src/net/a.h": "\n", "README.md":
                 "[good](ARCHITECTURE.md) [bad](docs/gone.md) [web](https://example.org/x)\n`src/net/a.h` `net/a.h` `src/net/b.h`\n`net/c.h`\n"
                 "```sh\ncat docs/never.md `src/x.h`\n```\n"})
    (tmp_path / "ARCHITECTURE.md").write_text(make_map.with_map(tree, MAP_PAGE))
    found = [violation.split(": ", 1)[0] for violation in check_links.violations(tree)]
    assert found == ["README.md:1", "README.md:2", "README.md:3"]


def test_an_old_map_is_noticed_and_made_again(make, tmp_path):
    tree = make({"ARCHITECTURE.md": MAP_PAGE})
    one(make_map.violations(tree), "older than src/ROOMS")
    text = make_map.with_map(tree, MAP_PAGE)
    (tmp_path / "ARCHITECTURE.md").write_text(text)
    assert list(make_map.violations(tree)) == []
    assert "| io/ | files | base |" in text and text.endswith("rest\n")


def test_translation_units_are_read_from_ninjas_log(tmp_path):
    log = tmp_path / ".ninja_log"
    log.write_text("# ninja log v5\n0\t9000\t1\tCMakeFiles/room_net.dir/src/net/a.cpp.o\taa\n"
                   "9000\t9500\t2\tCMakeFiles/room_net.dir/src/net/a.cpp.o\tbb\n0\t100\t1\tbin/holdfast\tcc\n")
    assert tu_times.read_log(log) == {"CMakeFiles/room_net.dir/src/net/a.cpp.o": (0.5, "2")}
    assert tu_times.source_of("CMakeFiles/room_net.dir/src/net/a.cpp.o") == "src/net/a.cpp"


def test_a_slow_unit_is_judged_by_compiling_it_alone(tmp_path, monkeypatch):
    obj, source = "CMakeFiles/r.dir/src/a.cpp.o", tmp_path / "src/a.cpp"
    for path in (tmp_path / obj, source):
        path.parent.mkdir(parents=True)
        path.write_text("")
    monkeypatch.setattr(tu_times, "ROOT", tmp_path)
    monkeypatch.setattr(tu_times, "compile_alone", lambda folder, source: 2.0)
    assert tu_times.too_slow(tmp_path, {obj: (9.0, "1")}) == []
    monkeypatch.setattr(tu_times, "compile_alone", lambda folder, source: 5.0)
    assert tu_times.too_slow(tmp_path, {obj: (9.0, "1")}) == []  # The same text: the first measurement stands.
    source.write_text("int changed;\n")
    assert tu_times.too_slow(tmp_path, {obj: (1.0, "2")}) == []  # Quick, and nobody asks.
    assert tu_times.too_slow(tmp_path, {}, ["src/a.cpp", "src/gone.cpp"]) == [("src/a.cpp", 5.0)]  # As a member of a batch.
    monkeypatch.setattr(tu_times, "exempt_units", lambda: {"src/a.cpp": "Beast"})
    assert tu_times.too_slow(tmp_path, {obj: (9.0, "3")}) == []


def test_a_file_is_compiled_alone_by_the_options_of_its_room(tmp_path, monkeypatch):
    monkeypatch.setattr(tu_times, "ROOT", tmp_path)
    (tmp_path / "src/net").mkdir(parents=True)
    for name, text in (("a", "int answer() { return 42; }"), ("b", "#ifndef IN_NET\n#error\n#endif"), ("c", "std::string missing;")):
        (tmp_path / f"src/net/{name}.cpp").write_text(text + "\n")
    command = "cmake -E env X=1 ccache g++ -DIN_NET -o {name}.o -c {file}"
    entries = [("other", "/elsewhere/missing.cpp"), ("a", f"{tmp_path}/src/net/a.cpp"), ("batch", f"{tmp_path}/build/batches/net/b.cpp")]
    (tmp_path / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(tmp_path), "command": command.format(name=name, file=file), "file": file} for name, file in entries]))
    assert 0 < tu_times.compile_alone(tmp_path, "src/net/a.cpp") < 60
    assert 0 < tu_times.compile_alone(tmp_path, "src/net/b.cpp") < 60
    assert tu_times.compile_alone(tmp_path, "src/net/c.cpp") == float("inf")  # What its batch included for it.
    assert not (tmp_path / "a.o").exists()
    assert tu_times.compile_alone(tmp_path, "src/io/unknown.cpp") is None


@pytest.fixture
def batched(tmp_path, monkeypatch):
    """Batches of files given by name and text, as sets of names."""
    monkeypatch.setattr(write_batches, "SRC", tmp_path)

    def batched(**texts):
        sources = []
        for name, text in texts.items():
            (tmp_path / f"{name}.cpp").write_text(text)
            sources.append(write_batches.Source(tmp_path / f"{name}.cpp"))
        return [{source.path.stem for source in batch} for batch in write_batches.batches(sources)]
    return batched


LOCAL = "namespace hold {{ namespace {{ {} }} int {}() {{ return {}; }} }}"


@pytest.mark.parametrize("first, second, why", [
    (LOCAL.format("constexpr size_t width_max = 4;", "f", 1), LOCAL.format("constexpr int width_max{5};", "g", 1), "a constant of both"),
    (LOCAL.format("constexpr int a_max = 4, b_max = 5;", "f", 1), LOCAL.format("int b_max[2];", "g", 1), "the second of a line"),
    (LOCAL.format("Result<int> list(Call& call) { return 1; }", "f", 1), LOCAL.format("", "g", "list(3)"), "a call that would find another function"),
    (LOCAL.format("struct Row : Base { int a; };", "f", 1), LOCAL.format("enum class Row { a };", "g", 1), "a type"),
    (LOCAL.format("template <typename T> T mapped(T t) { return t; }", "f", 1), LOCAL.format("", "g", "[](int mapped) { return mapped; }(1)"), "a shadowed name"),
    ("namespace json = a::json;", "namespace json = b::json; int f() { return json::one; }", "an alias of two things"),
    ("namespace hold { using Kind = A::Kind; }", "namespace hold { Kind kind; }", "an alias of one"),
])
def test_files_that_keep_the_same_name_share_no_batch(batched, first, second, why):
    assert batched(first=first, second=second) == [{"first"}, {"second"}], why
    assert batched(second=second, first=first) == [{"second"}, {"first"}], why


@pytest.mark.parametrize("first, second", [
    (LOCAL.format("constexpr int width_max = 4;", "f", 1), LOCAL.format("", "g", "shape.width_max + other::width_max")),
    (LOCAL.format("int inside() { int rows = 4; return rows; }", "f", 1), LOCAL.format("", "g", "[](int rows) { return rows; }(1)")),
    ("namespace json = boost::json;", "namespace json = boost::json; json::value v;"),
    ("namespace hold { using net::Response; Response a(); }", "namespace hold { using net::Response; Response b(); }"),
    (LOCAL.format("constexpr int named = 4;  // rows", "f", 1), LOCAL.format("int rows;  // named", "g", '"named"')),
])
def test_files_that_bear_each_other_share_a_batch(batched, first, second):
    assert batched(first=first, second=second) == [{"first", "second"}]


def test_macros_and_imported_names_keep_a_file_alone(tmp_path):
    for text, joinable in (("#include <map>\n#if A\n#endif\n", True), ("# define A 1\n", False), ("#pragma GCC optimize\n", False),
                           ("namespace a { using namespace b; }", False), ("namespace a { using enum B; }", False),
                           ("namespace a { int f() { using enum B; return 1; } }", True)):
        (tmp_path / "a.cpp").write_text(text)
        assert write_batches.Source(tmp_path / "a.cpp").joinable == joinable, text


def test_a_new_file_disturbs_its_window_only(batched):
    names = [f"file_{number:03}" for number in range(400)]
    before = batched(**dict.fromkeys(names, ""))
    after = batched(**dict.fromkeys(sorted([*names, "file_200_and_more"]), ""))
    assert max(map(len, before)) == write_batches.BATCH_MAX
    assert len([batch for batch in after if batch not in before]) <= 2 * write_batches.WINDOW_MAX / write_batches.BATCH_MAX


def requirements(*shown, ledger=("| A | HUB-01 | x |",), counts="1 | 0 | 0 | **1**"):
    rows = "\n".join(f"| {name} | b | c | t | core |" for name in ledger)
    return {"docs/requirements.md": f"## Counts\n| **all** | {counts} |\n## Ledger\n{rows}\n## What is shown\n" + "\n".join(shown),
            "tests/test_a.py": "def test_it():\n    pass\n", "src/io/x_test.cpp": "TEST(Disk, Reads) {}\n"}


@pytest.mark.parametrize("shown,ledger,fault", [
    (["| HUB-01 | `tests/test_a.py::test_it`, `src/io/x_test.cpp::Disk.Reads` | nothing |"], ["HUB-01"], None),
    (["| HUB-01 | `tests/test_a.py::test_other` | nothing |"], ["HUB-01"], "no test test_other"),
    (["| HUB-01 | `src/io/x_test.cpp::Disk.Writes` | nothing |"], ["HUB-01"], "no test Disk.Writes"),
    (["| HUB-01 | `tests/test_b.py` | nothing |"], ["HUB-01"], "there is no tests/test_b.py"),
    (["| HUB-02 | `tests/test_a.py` | nothing |"], ["HUB-01"], "no row of the ledger"),
    (["| HUB-01 | `tests/test_a.py` | nothing |"] * 2, ["HUB-01"], "is shown twice"),
    (["| HUB-01 | `tests/test_a.py` |"], ["HUB-01"], "what is still open"),
    (["| HUB-01 | by hand | nothing |"], ["HUB-01"], "names no test"),
    ([], ["HUB-01", "HUB-01"], "stands 2 times"),
])
def test_requirements_name_tests_that_are_there(make, shown, ledger, fault):
    found = list(check_requirements.violations(make(requirements(*shown, ledger=ledger))))
    assert [] == found if fault is None else any(fault in one for one in found)
