# One file per instruction set: only these may use it, everything else runs on any x86-64. Optimised in every
# preset, as the sanitizer builds would be too slow to test real models otherwise.
# Without the undefined-behaviour sanitizer: loops of unrolled tiles take it minutes to compile.
set(kernel_options -O3 -ffp-contract=off -fno-sanitize=undefined)
set_source_files_properties(${folder}/kernels_plain.cpp ${folder}/kernels_plain_taps.cpp ${folder}/kernels_plain_whole.cpp PROPERTIES COMPILE_OPTIONS "${kernel_options}")
set(avx2_options "${kernel_options};-mavx2;-mfma;-mf16c")
set_source_files_properties(${folder}/kernels_avx2.cpp ${folder}/kernels_avx2_blocks.cpp ${folder}/kernels_avx2_wide.cpp PROPERTIES COMPILE_OPTIONS "${avx2_options}")
set_source_files_properties(${folder}/kernels_avx2_vnni.cpp PROPERTIES COMPILE_OPTIONS "${avx2_options};-mavxvnni")
# g++ 12 warns inside its own AVX-512 header of the undefined register its intrinsics start from.
set(avx512_options "${avx2_options};-mavx512f;-mavx512dq;-mavx512bw;-mavx512vl;-Wno-maybe-uninitialized")
set_source_files_properties(${folder}/kernels_avx512.cpp ${folder}/kernels_avx512_wide.cpp PROPERTIES COMPILE_OPTIONS "${avx512_options}")
set_source_files_properties(${folder}/kernels_avx512_vnni.cpp ${folder}/kernels_avx512_vnni_whole.cpp PROPERTIES COMPILE_OPTIONS "${avx512_options};-mavx512vnni")
set_source_files_properties(${folder}/kernels_avx512_bf16.cpp PROPERTIES COMPILE_OPTIONS "${avx512_options};-mavx512bf16")
set_source_files_properties(${folder}/kernels_amx.cpp PROPERTIES COMPILE_OPTIONS
  "${avx512_options};-mavx512vnni;-mavx512bf16;-mavx512vbmi;-mamx-tile;-mamx-int8;-mamx-bf16")
# What others compiled for any x86-64 cannot be read into a file compiled for one instruction set.
file(GLOB kernel_files ${folder}/kernels_*.cpp)
set_source_files_properties(${kernel_files} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
# What inlines into what decides the speed here, and was measured file by file.
set(batch_alone .*)
