/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's own header, where other host tests take the simulated pmap's. */
#include "arch/arm64/machine/pmap_md.h"
