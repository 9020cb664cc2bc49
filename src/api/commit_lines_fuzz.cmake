set(fuzz_sources ${folder}/commit_lines.cpp)
set(fuzz_rooms room_content)
