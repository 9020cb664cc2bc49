set(fuzz_sources ${folder}/worker_protocol.cpp)
set(fuzz_rooms room_base)
