# SPDX-License-Identifier: BSD-2-Clause
# CMake toolchain: programs for ebb, AArch32.   cmake -DCMAKE_TOOLCHAIN_FILE=.../cmake/ebb32.cmake
set(EBB_PREFIX ebb32)
set(EBB_PROCESSOR arm)
set(EBB_BINUTILS arm-none-eabi)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
