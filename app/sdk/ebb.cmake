# SPDX-License-Identifier: BSD-2-Clause
# CMake toolchain: programs for ebb, AArch64.   cmake -DCMAKE_TOOLCHAIN_FILE=.../cmake/ebb.cmake
set(EBB_PREFIX ebb)
set(EBB_PROCESSOR aarch64)
set(EBB_BINUTILS aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
