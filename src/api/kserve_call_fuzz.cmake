set(fuzz_sources ${folder}/kserve_call.cpp)
set(fuzz_rooms room_codec)
