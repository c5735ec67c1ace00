# SPDX-License-Identifier: BSD-2-Clause
#
# ebb: builds, runs and tests everything.  `make help` lists the targets.
#
# One file, no recursion.  Sources are found by wildcard: a new file in a
# folder below is compiled without a change here.  All products lie in build/:
#
#   build/newlib-kernel, build/newlib   C library for the kernel and for programs
#   build/include-queue                 sys/queue.h and sys/tree.h for host builds
#   build/libfdt                        device tree library
#   build/kernel/                       kernel objects, the same for both boards
#   build/BOARD/kernel8.img             the kernel image (.elf, .map beside it)
#   build/BOARD/kernel8-test.img        the same with the self tests of test/target
#   build/BOARD/card.img                the SD card
#   build/apps/NAME.elf                 programs
#   build/host/NAME                     host tests
#   build/coverage/                     the same for `make coverage`, and its reports
#   build/fuzz/                         test/fuzz for libFuzzer, and what it found
#
# build/kernel-noswap, build/BOARD-noswap and build/host-noswap hold the same of
# `make SWAPPING=no`: no code that swaps out whole programs (pages still go to swap).

BOARD ?= raspi3
BOARDS := raspi3 virt
ifeq ($(filter $(BOARD),$(BOARDS)),)
$(error BOARD=$(BOARD): expected one of: $(BOARDS))
endif

SWAPPING ?= yes
ifeq ($(filter $(SWAPPING),yes no),)
$(error SWAPPING=$(SWAPPING): expected yes or no)
endif
V := $(if $(filter no,$(SWAPPING)),-noswap)
NO_SWAPPING := -DNO_SWAPPING

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all run watch sdk thirdparty test quick bench check docs sdcard flash install uninstall debug debug-symbols help clean setup setup-test \
	kernel apps host-tests host-test check-objects coverage soak fuzz FORCE
.DEFAULT_GOAL := help

CROSS := aarch64-linux-gnu-
CC := $(CROSS)gcc
AR := $(CROSS)ar
OBJCOPY := $(CROSS)objcopy
STRIP := $(CROSS)strip
HOSTCC := gcc

help:
	@echo 'SWAPPING=no with any of these: without the code that swaps out whole programs'
	@echo 'make run                 build all, boot QEMU, run the job of cmdline.txt, then the monitor'
	@echo '    ADD="FILE ..."       with your programs (.elf) in /apps and other files in /data'
	@echo '                         (leave QEMU with Ctrl-A X)'
	@echo '    BOARD=raspi3|virt    the board; raspi3 if not given'
	@echo '    CMDLINE="mem=16M"    boot arguments instead of board/BOARD/cmdline.txt'
	@echo '    EXIT=1               power off after the job; fails if the job failed'
	@echo '    KEEP=1               let the guest change build/BOARD/card.img'
	@echo '    FLASH=1              NOR flash build/virt/flash.img (boot arguments flash=1 swap=fl0)'
	@echo 'make test                host tests, checks, and target tests on both boards'
	@echo '    T="boot sort"        only the tests whose name contains one of these words'
	@echo 'make quick               host tests, checks, and one boot a board (under 4 minutes)'
	@echo 'make host-test T=NAME    build and run one host test (the stem of its .c file)'
	@echo '    LENIENT=1            leave out library files that do not compile'
	@echo 'make soak SECONDS=n       long forms: models with new seeds, long images on both boards'
	@echo 'make fuzz SECONDS=n       search for inputs that break a parser (test/fuzz), by libFuzzer'
	@echo '    T="fuzz_fat32"       only these targets'
	@echo 'make coverage            branches of mm/ that the host tests take'
	@echo 'make bench               measured figures'
	@echo 'make check               layers, style, floating point in the kernel, stale docs, cppcheck'
	@echo 'make docs                write docs/PARAMS.md'
	@echo 'make sdcard              build/sdcard.img; FIRMWARE=FOLDER adds what a board starts with'
	@echo 'make flash DEV=/dev/sdX  write it to an SD card and verify (asks first)'
	@echo 'make install BOOT=DIR    put ebb beside Raspberry Pi OS on its boot partition; make uninstall'
	@echo 'make watch               as make run, with plots in the terminal; WATCH="--html report.html"'
	@echo 'make sdk                 build/sdk: compilers, headers, libraries to build your own programs with'
	@echo 'make thirdparty          Lua and bzip2 from Debian, unpatched, in too little memory'
	@echo 'make debug               boot QEMU stopped, with gdb and its ebb commands (docs/DEBUGGING.md)'
	@echo '    OPENOCD=host:port    instead: attach to a board through the gdb port of OpenOCD'
	@echo 'make debug-symbols       build/BOARD/ebb-symbols.tcl, for the ebb commands of OpenOCD'
	@echo 'make all                 build everything, run nothing'
	@echo 'make clean               remove build/ (the C libraries too)'

# --- tools and libraries that Debian does not ship built ---------------------

setup:
	@tools/setup

setup-test: setup
	@tools/setup test

build/include-queue.stamp: tools/build_newlib | setup
	@echo 'NEWLIB  queue.h tree.h'
	@tools/build_newlib queue build/include-queue && touch $@

build/newlib-kernel.stamp: tools/build_newlib | setup
	@echo 'NEWLIB  kernel (half a minute, once)'
	@tools/build_newlib kernel build/newlib-kernel && touch $@

build/newlib.stamp: tools/build_newlib | setup
	@echo 'NEWLIB  programs (a minute, once)'
	@tools/build_newlib program build/newlib && touch $@

build/libfdt.stamp: tools/fetch_libfdt tools/fetch_source | setup
	@echo 'FETCH   libfdt'
	@tools/fetch_libfdt build/libfdt && touch $@

LIBFDT_FILES := fdt fdt_ro fdt_addresses fdt_strerror fdt_sw fdt_wip fdt_rw

# --- kernel -------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes
FREESTANDING = -nostdinc -isystem $(1)/include -isystem $$($(CC) -print-file-name=include)

KERNEL_FLAGS := -std=gnu11 -O2 -g -ffreestanding -mcpu=cortex-a53 \
	-mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-ffile-prefix-map=$(CURDIR)=. -fno-delete-null-pointer-checks -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-common
KERNEL_INCLUDES = -I. -Iarch/arm64 $(call FREESTANDING,build/newlib-kernel) -isystem build/libfdt
KERNEL_LINK := -nostdlib -static -no-pie -mfix-cortex-a53-835769 -mfix-cortex-a53-843419 \
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

# Text on a screen: glyphs of a console font of Debian's.
FONT := /usr/share/consolefonts/Lat15-Terminus16.psf.gz
build/font.c: tools/make_font | setup
	@echo 'FONT    $@'
	@tools/make_font $(FONT) >$@.new && mv $@.new $@

KERNEL_SOURCES := build/font.c $(wildcard lib/*.c kern/*.c mm/*.c fs/*.c proc/*.c arch/arm64/*.c \
	arch/arm64/*.S app/monitor/*.c drivers/*.c board/*.c)
BOARD_SOURCES = $(wildcard board/$(1)/*.c board/$(1)/*.S)
TEST_SOURCES := $(wildcard test/target/*.c)
objects = $(patsubst %,build/kernel$(2)/%.o,$(basename $(1)))

# What the banner calls this build, and the lists of sources, so that a removed
# file counts as a change too.  These files change only when their text does.
BUILD_ID := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
build/build_id: TEXT = $(BUILD_ID)
build/kernel.list: TEXT = $(KERNEL_SOURCES) $(foreach b,$(BOARDS),$(call BOARD_SOURCES,$(b))) $(TEST_SOURCES)
build/host.list: TEXT = $(HOST_SOURCES)
build/apps.list: TEXT = $(wildcard app/libebb/* app/programs/*/*)
build/build_id build/kernel.list build/host.list build/apps.list: FORCE
	@mkdir -p build
	@echo '$(TEXT)' | cmp -s - $@ || echo '$(TEXT)' >$@
FORCE:

# board/main.c alone learns the build id, as the string BUILD_ID.
build/kernel/board/main.o build/kernel-noswap/board/main.o: build/build_id
build/kernel/board/main.o build/kernel-noswap/board/main.o: KERNEL_FLAGS += -DBUILD_ID='"$(BUILD_ID)"'

# $(1) suffix of the folders, $(2) flags
define kernel_object_rules
build/kernel$(1)/%.o: %.c build/newlib-kernel.stamp build/libfdt.stamp Makefile
	@mkdir -p $$(@D)
	@echo 'CC      $$<'
	@$$(CC) $$(KERNEL_FLAGS) $(2) $$(WARNINGS) $$(KERNEL_INCLUDES) -MMD -MP -c -o $$@ $$<

build/kernel$(1)/%.o: %.S build/newlib-kernel.stamp Makefile
	@mkdir -p $$(@D)
	@echo 'AS      $$<'
	@$$(CC) $$(KERNEL_FLAGS) $(2) $$(KERNEL_INCLUDES) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call kernel_object_rules,,))
$(eval $(call kernel_object_rules,-noswap,$(NO_SWAPPING)))

build/libfdt/kernel/%.o: build/libfdt.stamp build/newlib-kernel.stamp Makefile
	@mkdir -p $(@D)
	@$(CC) $(KERNEL_FLAGS) -ffunction-sections $(KERNEL_INCLUDES) -c -o $@ build/libfdt/$*.c

build/libfdt/kernel/libfdt.a: $(LIBFDT_FILES:%=build/libfdt/kernel/%.o)
	@rm -f $@; $(AR) rcD $@ $^

KERNEL_LIBRARIES := build/libfdt/kernel/libfdt.a build/newlib-kernel/lib/libc.a -lgcc

# $(1) board, $(2) name of the image, $(3) sources on top of the kernel's, $(4) suffix
define kernel_rules
build/$(1)$(4)/$(2).elf: $$(call objects,$$(KERNEL_SOURCES) $$(call BOARD_SOURCES,$(1)) $(3),$(4)) \
		build/kernel.list board/$(1)/kernel.ld $$(wildcard arch/arm64/*.ld) build/libfdt/kernel/libfdt.a tools/link_kernel tools/mksymtab
	@mkdir -p $$(@D)
	@echo 'LD      $$@'
	@CC="$$(CC) $$(KERNEL_FLAGS) $$(KERNEL_INCLUDES)" NM=$(CROSS)nm tools/link_kernel $$@ \
		$$(KERNEL_LINK) -Wl,-T,board/$(1)/kernel.ld -Wl,-Map,build/$(1)$(4)/$(2).map \
		$$(filter %.o,$$^) -Wl,--start-group $$(KERNEL_LIBRARIES) -Wl,--end-group

build/$(1)$(4)/$(2).img: build/$(1)$(4)/$(2).elf
	@$$(OBJCOPY) -O binary $$< $$@
endef
$(foreach b,$(BOARDS),$(eval $(call kernel_rules,$(b),kernel8,,)))
$(foreach b,$(BOARDS),$(eval $(call kernel_rules,$(b),kernel8,,-noswap)))
$(foreach b,$(BOARDS),$(eval $(call kernel_rules,$(b),kernel8-test,$(TEST_SOURCES),)))
$(foreach b,$(BOARDS),$(eval $(call kernel_rules,$(b),kernel8-test,$(TEST_SOURCES),-noswap)))

kernel: build/$(BOARD)$(V)/kernel8.img

# --- programs -----------------------------------------------------------------

# Every program is built for both ABIs from the same sources: NAME.elf for AArch64 and
# NAME32.elf for AArch32.  Files whose names end in _aarch64 or _aarch32 are of that ABI.
PROGRAMS := $(patsubst app/programs/%/,%,$(filter %/,$(wildcard app/programs/*/)))
PROGRAM_FILES := $(PROGRAMS) $(PROGRAMS:%=%32)
PROGRAM_ELFS := $(PROGRAM_FILES:%=build/apps/%.elf)
PROGRAM_FLAGS := -std=gnu11 -O2 -g -ffile-prefix-map=$(CURDIR)=. -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=1 -D_POSIX_CPUTIME=1 -isystem app/libebb/include
PROGRAM_LINK := -static -Wl,--build-id=none -Wl,--gc-sections \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,-T,app/libebb/program.ld

CC_program := $(CC)
FLAGS_program := -mcpu=cortex-a53 -mno-outline-atomics
INCLUDES_program = -I. $(call FREESTANDING,build/newlib)
LINK_program := -nostdlib -no-pie -mfix-cortex-a53-835769 -mfix-cortex-a53-843419
LIBRARIES_program := -Lbuild/newlib/lib
OTHER_ABI_program := %_aarch32

# The stock compiler with its packaged newlib; T32, but A32 for the programs in ARM_STATE.
CC_program32 := arm-none-eabi-gcc
FLAGS_program32 := -mcpu=cortex-a53 -mfpu=neon-fp-armv8 -mfloat-abi=hard -mthumb
INCLUDES_program32 := -I.
LINK_program32 := $(FLAGS_program32) -nostartfiles
OTHER_ABI_program32 := %_aarch64
ARM_STATE := hello sort fptest
$(ARM_STATE:%=build/user32/app/programs/%/%.o): FLAGS_program32 += -marm

# $(1) suffix of folders and programs, or nothing
define program_abi_rules
build/user$(1)/%.o: %.c build/newlib.stamp Makefile | setup
	@mkdir -p $$(@D)
	@echo 'CC$(1)    $$<'
	@$$(CC_program$(1)) $$(PROGRAM_FLAGS) $$(FLAGS_program$(1)) $$(WARNINGS) $$(INCLUDES_program$(1)) -MMD -MP -c -o $$@ $$<

build/user$(1)/%.o: %.S build/newlib.stamp Makefile | setup
	@mkdir -p $$(@D)
	@echo 'CC$(1)    $$<'
	@$$(CC_program$(1)) $$(PROGRAM_FLAGS) $$(FLAGS_program$(1)) $$(INCLUDES_program$(1)) -MMD -MP -c -o $$@ $$<
endef
$(foreach a,_ 32,$(eval $(call program_abi_rules,$(a:_=))))

# Objects of ABI $(1) (program or program32), below folder $(2), of what is in folder $(3).
abi_objects = $(patsubst %,$(2)/%.o,$(filter-out $(OTHER_ABI_$(1)),$(basename $(wildcard $(3)/*.c $(3)/*.S))))

# $(1) program, $(2) suffix
define program_rules
build/apps/$(1)$(2).elf: $(call abi_objects,program$(2),build/user$(2),app/programs/$(1)) \
		$(call abi_objects,program$(2),build/user$(2),app/libebb) \
		app/libebb/program.ld build/apps.list build/newlib.stamp
	@mkdir -p $$(@D)
	@echo 'LD$(2)    $$@'
	@$$(CC_program$(2)) $$(LINK_program$(2)) $$(PROGRAM_LINK) -o $$@ $$(filter %.o,$$^) $$(LIBRARIES_program$(2)) \
		-Wl,--start-group -lc -lm -lgcc -Wl,--end-group
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p),))$(eval $(call program_rules,$(p),32)))

build/apps/stripped/%.elf: build/apps/%.elf
	@mkdir -p $(@D)
	@$(if $(filter %32,$*),arm-none-eabi-strip,$(STRIP)) -o $@ $<

apps: $(PROGRAM_ELFS)

# The kit to build other programs with: it stands alone, wherever it is copied to.
SDK := build/sdk
SDK_FILES := $(wildcard app/sdk/* app/sdk/example/* app/libebb/include/*/*) app/libebb/ebb.h app/libebb/counter.h \
	app/libebb/program.ld lib/ebb_abi.h tools/make_sdk
sdk: $(SDK)/done
$(SDK)/done: $(SDK_FILES) build/newlib.stamp build/apps.list Makefile $(call abi_objects,program,build/user,app/libebb) \
		$(call abi_objects,program32,build/user32,app/libebb)
	@echo 'SDK     $(SDK)'
	@tools/make_sdk $(SDK) && touch $@

# --- card ---------------------------------------------------------------------

WORDS := /usr/share/dict/american-english-insane

build/tools/mkswap: tools/mkswap.c lib/swap_header.h lib/crc32c.c lib/crc32c.h | setup
	@mkdir -p $(@D)
	@echo 'HOSTCC  $<'
	@$(HOSTCC) -std=gnu11 -O2 -g $(WARNINGS) -I. -DHOST_TEST -Itest/host -o $@ tools/mkswap.c lib/crc32c.c

build/words.txt: tools/mkcard | setup
	@mkdir -p $(@D)
	@tools/mkcard --shuffle $(WORDS) $@

CARD_INPUTS := build/words.txt build/tools/mkswap tools/mkcard \
	$(PROGRAM_FILES:%=build/apps/stripped/%.elf)

# The folder whose content the FAT partition gets. $(1) board, $(2) suffix
define card_rules
build/$(1)$(2)/boot.stamp: build/$(1)$(2)/kernel8.img $$(wildcard board/$(1)/*.txt) $$(CARD_INPUTS)
	@rm -rf build/$(1)$(2)/boot && mkdir -p build/$(1)$(2)/boot/apps build/$(1)$(2)/boot/data
	@cp build/$(1)$(2)/kernel8.img $$(wildcard board/$(1)/*.txt) build/$(1)$(2)/boot/
	@cp build/words.txt build/$(1)$(2)/boot/data/
	@for program in $$(PROGRAM_FILES); do \
		cp build/apps/stripped/$$$$program.elf build/$(1)$(2)/boot/apps/ || exit 1; done
	@touch $$@

build/$(1)$(2)/card.img: build/$(1)$(2)/boot.stamp
	@echo 'CARD    $$@'
	@tools/mkcard build/$(1)$(2)/boot $$@
endef
$(foreach b,$(BOARDS),$(eval $(call card_rules,$(b),)))
$(foreach b,$(BOARDS),$(eval $(call card_rules,$(b),-noswap)))

OUT := build/$(BOARD)$(V)

# For a real board: the same files, and those of the firmware from FIRMWARE=FOLDER.
SDCARD := build/sdcard.img
ifneq ($(filter flash,$(MAKECMDGOALS)),)
ifeq ($(FIRMWARE),)
$(error flash: a board does not start without its firmware: FIRMWARE=FOLDER, or FIRMWARE=none to add it by hand)
endif
endif
override FIRMWARE := $(filter-out none,$(FIRMWARE))
sdcard: build/raspi3/boot.stamp
	@files=; [ -z '$(FIRMWARE)' ] || files=$$(tools/firmware_files '$(FIRMWARE)') && \
	tools/mkcard $(if $(SIZE_MIB),--size-mib $(SIZE_MIB)) $$files build/raspi3/boot $(SDCARD)
	@echo 'card image: $(SDCARD)'
	@$(if $(FIRMWARE),true,echo 'It boots in QEMU only: for a board name a folder with bootcode.bin,'; \
		echo 'start_cd.elf and fixup_cd.dat (the boot partition of Raspberry Pi OS): FIRMWARE=FOLDER')

flash: sdcard
	@tools/flash_card $(if $(YES),--yes '$(YES)') $(SDCARD) '$(DEV)'

install: build/raspi3/boot.stamp build/tools/mkswap
	@tools/install_boot $(if $(SWAP_MIB),--swap-mib $(SWAP_MIB)) build/raspi3/boot '$(BOOT)'

uninstall:
	@tools/install_boot --remove '$(BOOT)'

# --- run ----------------------------------------------------------------------

CMDLINE ?= $(shell cat board/$(BOARD)/cmdline.txt 2>/dev/null)
RUN_OPTIONS := $(if $(KEEP),--keep) $(if $(GDB),--gdb) $(if $(FLASH),--flash build/$(BOARD)/flash.img)

# ADD: files of the user's, programs into /apps and others into /data of a card of its own.
RUN_CARD := $(OUT)/card$(if $(ADD),-add).img
run: $(OUT)/card.img
	@$(if $(ADD),tools/mkcard $(foreach f,$(ADD),--add /$(if $(filter %.elf,$(f)),apps,data)/$(notdir $(f))=$(f)) \
		$(OUT)/boot $(RUN_CARD))
	@tools/run_qemu --interactive $(RUN_OPTIONS) $(BOARD) $(OUT)/kernel8.img \
		$(RUN_CARD) '$(CMDLINE)$(if $(EXIT), exit=1)'

# The same seen through tools/watch, which ends QEMU when it ends.
SERIAL := build/serial.sock
watch: $(OUT)/card.img
	@tools/setup watch
	@rm -f $(SERIAL); \
	tools/run_qemu --serial unix:$(SERIAL),server=on,wait=on $(RUN_OPTIONS) $(BOARD) $(OUT)/kernel8.img \
		$(OUT)/card.img 'stream=100 $(CMDLINE)' </dev/null >/dev/null & qemu=$$!; \
	trap 'kill $$qemu 2>/dev/null; rm -f $(SERIAL)' EXIT INT TERM; \
	for try in 1 2 3 4 5 6 7 8 9 10; do [ -S $(SERIAL) ] && break; sleep 0.2; done; \
	tools/watch --connect unix:$(SERIAL) $(WATCH)

ifdef OPENOCD
debug: $(OUT)/kernel8.elf
	@tools/setup debug
	@gdb-multiarch -q -ex 'set architecture aarch64' -ex 'target extended-remote $(OPENOCD)' \
		-x openocd/ebb-gdb.py $(OUT)/kernel8.elf
else
debug: $(OUT)/card.img
	@tools/setup debug
	@tools/run_qemu --debugger $(OUT)/kernel8.elf $(BOARD) $(OUT)/kernel8.img \
		$(OUT)/card.img '$(CMDLINE)'
endif

# What openocd/ebb.tcl must know of the kernel.
debug-symbols: $(BOARDS:%=build/%/ebb-symbols.tcl)
build/%/ebb-symbols.tcl: build/%/kernel8.elf tools/mkdebugsyms tools/mkdebugsyms.py
	@echo 'SYMBOLS $@'
	@tools/mkdebugsyms $< $@

# --- host tests ---------------------------------------------------------------

# Portable code is compiled natively with checkers, from the same source files.
# HOST_EXCLUDE (test/host/host.mk) names those that only the board can compile.
# A test that needs a file outside the folders below says so in a line
#     /* Links: arch/arm64/pmap.c */
# A folder test/NAME with its own machine/ is one test of that name: its files and
# those on its Links lines see these <machine/...> headers before test/host's.
-include test/host/host.mk
HOST_FOLDERS := lib kern mm fs drivers proc app/monitor
HOST_SOURCES := build/font.c $(filter-out $(HOST_EXCLUDE),$(wildcard $(HOST_FOLDERS:%=%/*.c) test/host/*.c))
HOST_TESTS := $(wildcard test/unit/*.c test/model/*.c test/policy/*.c test/fuzz/*.c)
FUZZ_TESTS := $(wildcard test/fuzz/*.c)
FUZZ_NAMES := $(basename $(notdir $(FUZZ_TESTS)))
HOST_MODELS := $(filter-out host,$(patsubst test/%/machine,%,$(wildcard test/*/machine)))
HOST_NAMES := $(basename $(notdir $(HOST_TESTS))) $(HOST_MODELS)
# All those lines at once, as words FILE:LINKED; then those of the files $(1).
LINKS := $(shell sed -n 's|^/\* Links: \(.*\) \*/.*|\1|; t found; b; :found; F; p' \
	$(HOST_TESTS) $(HOST_MODELS:%=test/%/*.c) | awk '/^test\// && NF == 1 { file = $$1; next } \
	{ for (i = 1; i <= NF; i++) print file ":" $$i }')
linked_files = $(foreach f,$(1),$(patsubst $(f):%,%,$(filter $(f):%,$(LINKS))))
HOST_FLAGS := -std=gnu11 -g -fno-omit-frame-pointer -fno-common -DHOST_TEST -D__unused= \
	-Itest/host -I. -isystem build/include-queue -isystem build/libfdt
# Four ways to compile: with checkers, the same without swapping, for coverage, where an
# assertion is a call with its value and so no branch (lib/assert.h), and for libFuzzer.
CHECKERS := -fsanitize=address,undefined
HOST_FLAGS_host := -O1 $(CHECKERS) -fno-sanitize-recover=all
HOST_FLAGS_host-noswap := $(HOST_FLAGS_host) $(NO_SWAPPING)
HOST_FLAGS_coverage := -O0 -DKASSERT_IS_CALL
HOST_FLAGS_fuzz := -O1 -fPIE $(CHECKERS),fuzzer-no-link -fno-sanitize-recover=all \
	-D__SANITIZE_ADDRESS__ -w
HOST_LINK_host := $(CHECKERS)
HOST_LINK_host-noswap := $(CHECKERS)
HOST_LINK_coverage := --coverage
HOST_LINK_fuzz := -pie $(CHECKERS),fuzzer
HOST_WAYS := host host-noswap coverage

build/coverage/obj/mm/%.o: HOST_FLAGS_coverage += --coverage
build/fuzz/% build/libfdt/fuzz/%: HOSTCC = clang

# $(1) way
define host_object_rules
build/$(1)/obj/%.o: %.c build/include-queue.stamp build/libfdt.stamp Makefile
	@mkdir -p $$(@D)
	@echo 'HOSTCC  $$<$(if $(filter-out host,$(1)), ($(1)))'
	@$$(HOSTCC) $$(HOST_FLAGS) $$(HOST_FLAGS_$(1)) $$(WARNINGS) -MMD -MP -c -o $$@ $$< $$(if $$(LENIENT),|| rm -f $$@)

build/libfdt/$(1)/%.o: build/libfdt.stamp Makefile
	@mkdir -p $$(@D)
	@$$(HOSTCC) $$(HOST_FLAGS) $$(HOST_FLAGS_$(1)) -c -o $$@ build/libfdt/$$*.c

build/$(1)/libebb.a: $$(HOST_SOURCES:%.c=build/$(1)/obj/%.o) $$(LIBFDT_FILES:%=build/libfdt/$(1)/%.o) \
		build/host.list
	@rm -f $$@; ar rcD $$@ $$(if $$(LENIENT),$$$$(ls $$(filter %.o,$$^) 2>/dev/null),$$(filter %.o,$$^))
endef
$(foreach w,$(HOST_WAYS) fuzz,$(eval $(call host_object_rules,$(w))))

# $(1) name, $(2) source, $(3) way
define host_test_rules
build/$(3)/$(1): build/$(3)/obj/$(2:.c=.o) build/$(3)/libebb.a \
		$(patsubst %.c,build/$(3)/obj/%.o,$(call linked_files,$(2)))
	@echo 'HOSTLD  $$@'
	@$$(HOSTCC) $$(HOST_LINK_$(3)) -o $$@ $$(filter %.o,$$^) build/$(3)/libebb.a -lcmocka -lm
endef
$(foreach w,$(HOST_WAYS),$(foreach t,$(HOST_TESTS),$(eval \
	$(call host_test_rules,$(basename $(notdir $(t))),$(t),$(w)))))
$(foreach t,$(FUZZ_TESTS),$(eval $(call host_test_rules,$(basename $(notdir $(t))),$(t),fuzz)))

# $(1) name, $(2) way
define host_model_rules
build/$(2)/obj-$(1)/%.o: %.c build/include-queue.stamp build/libfdt.stamp Makefile
	@mkdir -p $$(@D)
	@echo 'HOSTCC  $$< ($(1))'
	@$$(HOSTCC) -Itest/$(1) $$(HOST_FLAGS) $$(HOST_FLAGS_$(2)) $$(WARNINGS) -MMD -MP -c -o $$@ $$<

build/$(2)/$(1): $(patsubst %.c,build/$(2)/obj-$(1)/%.o,$(wildcard test/$(1)/*.c) \
		$(call linked_files,$(wildcard test/$(1)/*.c))) build/$(2)/libebb.a
	@echo 'HOSTLD  $$@'
	@$$(HOSTCC) $$(HOST_LINK_$(2)) -o $$@ $$(filter %.o,$$^) build/$(2)/libebb.a -lcmocka -lm
endef
$(foreach w,$(HOST_WAYS),$(foreach m,$(HOST_MODELS),$(eval $(call host_model_rules,$(m),$(w)))))

host-tests: $(HOST_NAMES:%=build/host/%) $(NOSWAP_NAMES:%=build/host-noswap/%)

ifneq ($(filter host-test,$(MAKECMDGOALS)),)
ifeq ($(filter $(T),$(HOST_NAMES)),)
$(error host-test: T=$(T): expected one of: $(HOST_NAMES))
endif
endif
host-test: build/host$(V)/$(T)
	@build/host$(V)/$(T)

coverage: $(HOST_NAMES:%=build/coverage/%)
	@tools/coverage $(HOST_NAMES)

# --- test, check, bench, docs ---------------------------------------------------

IMAGES := $(foreach b,$(BOARDS),build/$(b)/kernel8.img build/$(b)/kernel8-test.img build/$(b)/card.img) \
	build/virt-noswap/card.img
CHECK_INPUTS := $(BOARDS:%=build/%/kernel8.elf) build/host/libebb.a apps sdk setup debug-symbols $(BOARDS:%=build/%/card.img)

all: $(IMAGES) host-tests apps

test: $(IMAGES) host-tests $(CHECK_INPUTS) setup-test
	@tools/run_tests $(T)

quick: $(IMAGES) host-tests $(CHECK_INPUTS) setup-test
	@tools/run_tests --quick $(T)

soak: $(IMAGES) host-tests
	@tools/soak '$(SECONDS)'

# Public programs from Debian's sources, built with the kit, and their own inputs.
thirdparty: $(IMAGES) sdk
	@tools/thirdparty
	@tools/run_tests --thirdparty $(T)

# With libFuzzer where there is a clang, else by the targets' own changes of known inputs.
ifneq ($(filter fuzz,$(MAKECMDGOALS)),)
CLANG := $(shell tools/setup fuzz >&2; command -v clang)
endif
fuzz: $(FUZZ_NAMES:%=build/host/%) $(if $(CLANG),$(FUZZ_NAMES:%=build/fuzz/%))
	@tools/fuzz '$(SECONDS)' $(T)

# The last figure is of a model (test/host/sim_ftl.h): a card's own copying.
bench: $(IMAGES) build/host/slot_layout
	@tools/run_tests --bench $(T)
	@build/host/slot_layout 2>/dev/null | grep '^card with units\|^  .* full:\|^dead units'

check: $(CHECK_INPUTS) setup-test
	@tools/run_tests --checks

docs: setup
	@tools/gen_params_doc >docs/PARAMS.md

clean:
	rm -rf build

-include $(shell find build/kernel* build/user* build/host* build/coverage build/fuzz -name '*.d' 2>/dev/null)
