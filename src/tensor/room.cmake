# One file per instruction set: only these may use it, everything else runs on any x86-64. Optimised in every
# preset, as the sanitizer builds would be too slow to test real models otherwise.
set(kernel_options -O3 -ffp-contract=off)
set_source_files_properties(${folder}/kernels_plain.cpp PROPERTIES COMPILE_OPTIONS "${kernel_options}")
set_source_files_properties(${folder}/kernels_avx2.cpp PROPERTIES COMPILE_OPTIONS "${kernel_options};-mavx2;-mfma")
# g++ 12 warns inside its own AVX-512 header of the undefined register its intrinsics start from.
set_source_files_properties(${folder}/kernels_avx512.cpp PROPERTIES COMPILE_OPTIONS
  "${kernel_options};-mavx2;-mfma;-mavx512f;-mavx512dq;-mavx512bw;-mavx512vl;-Wno-maybe-uninitialized")
