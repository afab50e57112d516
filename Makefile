# SPDX-License-Identifier: GPL-2.0-only
#
# One make file for the whole tree (GNU make). Sources are found by wildcard: a
# new .c file needs no change here. Everything made goes to build/, or to
# build-asan/ with SANITIZE=1, build-tsan/ with SANITIZE=thread and build-cov/
# with COVERAGE=1, except the tool itself, which lies beside its sources. `make
# help` lists the targets.

VERSION := 0.1.0

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:

all:

# --- configuration ---------------------------------------------------------------

# These need no config.mk, and so nothing of what ./configure looks for.
no_config := clean deb dist distclean help html lint table
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(no_config),$(MAKECMDGOALS)),all),)
-include config.mk

# The arguments of last time come from the config.mk that is out of date.
config.mk: configure
	./configure $(CONFIGURE_ARGS)
endif

PREFIX ?= /usr/local
DESTDIR ?=
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
LIBEXECDIR ?= $(PREFIX)/libexec
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
# systemd and udev read /usr/lib and /usr/local/lib alike.
UNITDIR ?= $(PREFIX)/lib/systemd/system
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d

CFLAGS ?= -O2 -g
WERROR ?= -Werror

ifeq ($(SANITIZE),1)
B := build-asan
BIN := $(B)/xdp-portblock
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SANITIZE),thread)
B := build-tsan
BIN := $(B)/xdp-portblock
# It does not follow the fence of pb_counters_read(), whose other side is the kernel.
sanitize := -fsanitize=thread -Wno-tsan
else ifeq ($(COVERAGE),1)
B := build-cov
BIN := $(B)/xdp-portblock
sanitize := --coverage -fprofile-update=atomic
CFLAGS := -O0 -g
else
B := build
BIN := xdp-portblock/xdp-portblock
sanitize :=
endif

warnings := -Wall -Wextra $(WERROR)
includes := -Iheaders -Ilib -I$(B)
# Empty _GNU_SOURCE: a source may say `#define _GNU_SOURCE` itself. On machines of 32 bits, too, files may be large.
user_cflags = -std=gnu11 -pthread $(warnings) $(includes) -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64 \
	-DPB_VERSION='"$(VERSION)"' -DPCAP_SONAME='"$(PCAP_SONAME)"' $(fleet_cflags) $(seccomp_cflags) $(DEP_CFLAGS) \
	$(sanitize) $(CPPFLAGS) $(CFLAGS)
# v3 (32-bit registers, jumps on them) is known to every kernel since 5.1. BTF names the folder of the
# compilation: wherever that is, the bytes are the same.
bpf_cflags = -target $(BPF_TARGET) -D__TARGET_ARCH_$(BPF_ARCH) -mcpu=v3 -O2 -g \
	-ffile-prefix-map=$(CURDIR)=. $(warnings) $(includes) $(BPF_INCLUDES)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n' $(1) $(2)
endif

# --- what is made of what --------------------------------------------------------

# Objects have a folder of their own: build-asan/xdp-portblock is the tool.
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
not_bpf = $(filter-out %.bpf.c,$(1))

# The XDP program, and once more for kernels that have kfuncs: see frame_length() in lib/bpf/frame.h.
# The native engine's has the same maps.
SKEL := $(addprefix $(B)/,$(foreach p,portblock portblock_native,$(p).skel.h $(p)_kern_ctx.skel.h))
LIB := $(B)/libportblock.a
# A change of what the header promises raises the number: tests/unit/test_library.sh looks at that.
SONAME := libportblock.so.0
SHARED := $(B)/$(SONAME)
lib_objs := $(call objects,$(filter-out lib/fleet/%,$(call not_bpf,$(wildcard lib/*/*.c))))
# A room that uses the library as any program does: it is the tool's alone. Where it cannot be built,
# what is named after it is left out, too.
FLEET := $(B)/fleet.a
fleet_objs := $(call objects,$(wildcard lib/fleet/*.c))
ifeq ($(HAVE_FLEET),yes)
fleet_cflags = -DHAVE_FLEET -DCURL_SONAME='"$(CURL_SONAME)"' -DCRYPTO_SONAME='"$(CRYPTO_SONAME)"' $(FLEET_CFLAGS)
fleet := $(FLEET)
buildable = $(1)
else
buildable = $(filter-out xdp-portblock/cmd-fleet-%.c xdp-portblock/fleet-%.c tests/unit/test_fleet_%.c tests/net/fleet_%.c,$(1))
endif
ifeq ($(HAVE_SECCOMP),yes)
seccomp_cflags = -DHAVE_SECCOMP $(SECCOMP_CFLAGS)
endif
tool_objs := $(call objects,$(call buildable,$(wildcard xdp-portblock/*.c)))
# What the tool is linked with: `static`, so that it runs from the tree and by itself, or `shared`, as packages want it.
TOOL_LIBRARY ?= static
tool_library = $(if $(filter shared,$(TOOL_LIBRARY)),$(SHARED),$(LIB))

# Unit tests: each test_*.c is a program; all else there is shared by them.
unit_main := $(call buildable,$(wildcard tests/unit/test_*.c))
unit_help := $(call objects,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
unit_bins := $(unit_main:%.c=$(B)/%)
# Helpers of the other layers: each .c a program, each .bpf.c an object.
prog_main := $(call buildable,$(call not_bpf,$(wildcard tests/prog/*.c tests/net/*.c tests/vm/*.c)))
prog_bins := $(prog_main:%.c=$(B)/%)
# One of them is too large for one file.
delivered_objs := $(call objects,$(wildcard tests/net/delivered/*.c))
# For LD_PRELOAD: each .c a library.
preloads := $(patsubst %.c,$(B)/%.so,$(wildcard tests/preload/*.c))
test_bpf := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard tests/prog/*.bpf.c tests/net/*.bpf.c \
	tests/vm/*.bpf.c))

# Benchmarks: each bench_*.c is a program; all else there is shared by them.
bench_main := $(wildcard tests/bench/bench_*.c)
bench_help := $(call objects,$(filter-out $(bench_main),$(call not_bpf,$(wildcard tests/bench/*.c))))
bench_bins := $(bench_main:%.c=$(B)/%)
bench_bpf := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(filter-out %/less.bpf.c,$(wildcard tests/bench/*.bpf.c)))
# The XDP program less a part of it, each twice as the program itself is: tests/bench/less.bpf.c.
less_whole := WHOLE
less_rule := RULE
less_outcome := OUTCOME
less_counters := COUNTERS
less_helper := HELPER
less_length := LENGTH
less_table := TABLE
less_state := STATE
less_all := COUNTERS LENGTH TABLE STATE
bench_parts := $(foreach p,whole rule outcome counters helper length table state all,\
	$(B)/tests/bench/less-$(p).bpf.o $(B)/tests/bench/less-$(p)_kern_ctx.bpf.o)

all_objs := $(lib_objs) $(fleet_objs) $(tool_objs) $(unit_help) $(bench_help) \
	$(call objects,$(unit_main) $(prog_main) $(bench_main)) $(delivered_objs)

.PHONY: all unit-tests prog-tests bench-tools bench-parts bench bench-insns bench-sets install uninstall clean distclean test check lint help
.PHONY: fuzz table abi
.SECONDARY: $(all_objs)

# A library that asks for a sanitizer is of no use to a program that has none.
all: $(BIN) $(if $(SANITIZE),,$(LIB) $(SHARED))

unit-tests: $(unit_bins)

prog-tests: $(prog_bins) $(test_bpf) $(preloads) bench-tools

# tests/vm/test_insns needs them, too.
bench-tools: $(bench_bins) $(bench_bpf)
bench-parts: bench-tools $(bench_parts)

# -g leaves the BTF: what is stripped is DWARF, which no kernel reads.
$(B)/%.bpf.o: %.bpf.c Makefile config.mk
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_cflags) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(B)/lib/bpf/%_kern_ctx.bpf.o: lib/bpf/%.bpf.c Makefile config.mk
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_cflags) -DPB_KERN_CTX -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

# One line of it, which no macro can be in the place of, becomes a call of one.
portblock_less := $(B)/tests/bench/portblock.less.h
$(portblock_less): lib/bpf/portblock.bpf.c Makefile
	@mkdir -p $(@D)
	$(Q)sed 's/entry = table\[plain\.dport\];/entry = entry_at(table, plain.dport);/' $< >$@.new
	$(Q)[ $$(grep -c entry_at $@.new) = 1 ] || { echo '$<: not one line loads the entry' >&2; exit 1; }
	$(Q)mv $@.new $@

less_cflags = $(bpf_cflags) -Ilib/bpf -I$(@D) $(addprefix -DLESS_,$(less_$(patsubst %_kern_ctx,%,$*))) \
	$(if $(findstring _kern_ctx,$*),-DPB_KERN_CTX)
$(bench_parts): $(B)/tests/bench/less-%.bpf.o: tests/bench/less.bpf.c $(portblock_less) Makefile config.mk
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(less_cflags) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

# bpftool wonders aloud about libxdp's section .xdp_run_config: heard only if it fails.
$(SKEL): $(B)/%.skel.h: $(B)/lib/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@ 2>$@.log || { cat $@.log >&2; exit 1; }

# The skeleton must be there before the first compilation; from then on the .d
# files know who includes it.
$(B)/obj/%.o: %.c Makefile config.mk | $(SKEL)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(user_cflags) $(extra_cflags) -MMD -MP -c -o $@ $<

$(LIB): $(lib_objs)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $^

# They go into both; who links the archive sees all of them, who loads the library what the map names.
$(lib_objs): extra_cflags = -fPIC -fvisibility=hidden

$(SHARED): $(lib_objs) lib/libportblock.map
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(user_cflags) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=lib/libportblock.map \
		-Wl,-z,defs -Wl,--as-needed $(LDFLAGS) -o $@ $(lib_objs) $(LIB_LIBS) $(LDLIBS)

$(FLEET): $(fleet_objs)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $^

link = $(CC) $(user_cflags) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter $(FLEET),$^) \
	$(filter-out $(FLEET),$(filter %.a $(SHARED),$^)) $(extra_libs) \
	$(SECCOMP_LIBS) $(DEP_LIBS) $(LDLIBS)
$(BIN) $(filter $(B)/tests/unit/test_fleet_% $(B)/tests/net/fleet_%,$(unit_bins) $(prog_bins)): $(fleet)

$(BIN): $(tool_objs) $(tool_library)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link)

# The tests of the fleet make keys, too.
$(unit_bins): extra_libs = $(CMOCKA_LIBS) $(if $(filter $(FLEET),$^),$(CRYPTO_LIBS))
$(call objects,$(unit_main)) $(unit_help): extra_cflags = $(CMOCKA_CFLAGS)
$(unit_bins): $(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(unit_help) $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link)

$(B)/tests/net/delivered: $(delivered_objs)
$(prog_bins): $(B)/%: $(B)/obj/%.o $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link)

$(preloads): $(B)/%.so: %.c Makefile config.mk
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(user_cflags) -fPIC -shared $(LDFLAGS) -MMD -MP -o $@ $< $(LDLIBS)

$(bench_bins): $(B)/%: $(B)/obj/%.o $(bench_help) $(LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link)

-include $(all_objs:.o=.d) $(SKEL:$(B)/%.skel.h=$(B)/lib/bpf/%.bpf.d) $(preloads:.so=.d) $(test_bpf:.o=.d) $(bench_bpf:.o=.d) $(bench_parts:.o=.d)

# --- the native engine -----------------------------------------------------------

# In safe Rust: native/README.md. `core` is built of the source that the distribution has of it.
NATIVE := build/native
rust_target = x86_64-unknown-none
rust_flags = --target $(rust_target) -C opt-level=2 -C panic=abort -C code-model=kernel \
	-C relocation-model=static -C codegen-units=1 -C embed-bitcode=yes -C force-unwind-tables=no \
	$(RUST_JUMP_TABLES) -Z function-return=thunk-extern -Z cf-protection=branch \
	--remap-path-prefix=$(CURDIR)=.
rustc = RUSTC_BOOTSTRAP=1 $(RUSTC) $(rust_flags) --crate-name $(notdir $(1)) -L $(NATIVE)
rust_lints = $(addprefix -D ,warnings missing-docs unsafe-op-in-unsafe-fn unused-qualifications \
	unused-results unused-lifetimes unused-import-braces unused-macro-rules single-use-lifetimes \
	trivial-casts trivial-numeric-casts unreachable-pub explicit-outlives-requirements \
	let-underscore-drop meta-variable-misuse non-ascii-idents elided-lifetimes-in-paths)
crate = $(call rustc,$(1)) --edition 2021 $(rust_lints) --extern core --extern portblock_rt --extern portblock
rlib = $(NATIVE)/lib$(1).rlib
# What the kernel gives it, and what it gives the kernel.
native_undefined := __x86_return_thunk
native_defined := pb_native_entry pb_native_find
native_module := $(addprefix $(NATIVE)/module/,judge.bin VERSION Kbuild dkms.conf module.c \
	headers/portblock/native.h headers/portblock/abi.h)

.PHONY: native
native: $(native_module)

ifneq ($(filter native native-install $(NATIVE)/% fuzz-native build/%_native,$(MAKECMDGOALS)),)
ifeq ($(RUSTC),)
$(error the native engine needs rustc and the source of its core library (Debian 13: rustc and \
	rust-src, Debian 12: rustc-web and rust-web-src): install them and run ./configure again)
endif
endif

$(call rlib,core): $(RUST_CORE)/src/lib.rs Makefile config.mk
	$(call say,RUSTC,core)
	@mkdir -p $(@D)
	$(Q)$(call rustc,core) --edition $(RUST_CORE_EDITION) --cfg no_fp_fmt_parse --crate-type rlib \
		--cap-lints allow --remap-path-prefix=$(RUST_CORE)=core -o $@ $<

# Of a compiler's own functions nothing is used; it asks for the crate all the same.
$(call rlib,compiler_builtins): native/glue/compiler_builtins.rs $(call rlib,core)
$(call rlib,portblock_rt): native/portblock_rt/lib.rs $(wildcard native/portblock_rt/*.rs) $(call rlib,compiler_builtins)
$(call rlib,portblock): native/portblock/lib.rs $(wildcard native/portblock/*.rs) $(call rlib,portblock_rt)
$(foreach c,compiler_builtins portblock_rt portblock,$(call rlib,$(c))):
	$(call say,RUSTC,$<)
	$(Q)$(call crate,$(@:$(NATIVE)/lib%.rlib=%)) --crate-type rlib -o $@ $<

# All three as one object: the member of the archive that has the name of the glue.
$(NATIVE)/%.o: native/glue/%.rs $(call rlib,portblock)
	$(call say,RUSTC,$<)
	$(Q)$(call crate,$*) --crate-type staticlib -C lto=fat -o $(NATIVE)/lib$*.a $<
	$(Q)$(AR) p $(NATIVE)/lib$*.a "$$($(AR) t $(NATIVE)/lib$*.a | grep -F -m 1 $*.)" >$@

$(NATIVE)/module/judge.bin: $(NATIVE)/kernel.o native/check
	$(call say,CHECK,$@)
	@mkdir -p $(@D)
	$(Q)native/check $< "$(native_defined)" "$(native_undefined)"
	$(Q)cp $< $@

$(NATIVE)/module/VERSION: Makefile
	@mkdir -p $(@D)
	@echo $(VERSION) >$@

$(NATIVE)/module/%: native/module/%
	@mkdir -p $(@D)
	@cp $< $@

$(NATIVE)/module/headers/%: headers/%
	@mkdir -p $(@D)
	@cp $< $@

# For the running kernel; dkms builds it again for those that come later. It is loaded at boot, since
# interfaces are (systemd/). DESTDIR gets what is installed, and nothing is built.
NATIVE_SOURCE := /usr/src/portblock_native-$(VERSION)
NATIVE_BOOT := /usr/lib/modules-load.d/portblock_native.conf
KERNEL = $(shell uname -r)
NATIVE_KO = /lib/modules/$(KERNEL)/updates/portblock_native.ko
# dkms builds nothing that it has built of a version: what is there is removed first, if there is any.
forget_native = if command -v dkms >/dev/null && dkms status portblock_native/$(VERSION) | grep -q .; then \
		dkms remove portblock_native/$(VERSION) --all; fi; rm -f $(NATIVE_KO)
.PHONY: native-install native-uninstall
native-install: $(native_module)
	$(if $(DESTDIR),,$(forget_native))
	rm -rf "$(DESTDIR)$(NATIVE_SOURCE)"
	for file in $(native_module:$(NATIVE)/module/%=%); do \
		install -D -m 644 "$(NATIVE)/module/$$file" "$(DESTDIR)$(NATIVE_SOURCE)/$$file" || exit 1; done
	install -d "$(DESTDIR)$(dir $(NATIVE_BOOT))"
	echo portblock_native >"$(DESTDIR)$(NATIVE_BOOT)"
	$(if $(DESTDIR),,$(NATIVE_INSTALL))

native-uninstall:
	$(if $(DESTDIR),,$(forget_native))
	rm -rf "$(DESTDIR)$(NATIVE_SOURCE)" "$(DESTDIR)$(NATIVE_BOOT)"
	$(if $(DESTDIR),,depmod $(KERNEL))

define NATIVE_INSTALL
if command -v dkms >/dev/null; then \
	dkms install --force portblock_native/$(VERSION) -k $(KERNEL); \
else \
	$(MAKE) -C /lib/modules/$(KERNEL)/build M=$(NATIVE_SOURCE) modules && \
	install -D -m 644 $(NATIVE_SOURCE)/portblock_native.ko $(NATIVE_KO) && \
	depmod $(KERNEL); \
fi
endef

# --- install ---------------------------------------------------------------------

# One list for both directions, MODE:SOURCE:TARGET.
man_files = $(foreach s,3 5 7 8,$(foreach f,$(wildcard man/*.$(s)),644:$(f):$(MANDIR)/man$(s)/$(notdir $(f))))
header_files = $(foreach f,headers/portblock/portblock.h headers/portblock/abi.h,\
	644:$(f):$(INCLUDEDIR)/portblock/$(notdir $(f)))
completion_files = \
	$(foreach f,$(wildcard completion/*.bash),\
		644:$(f):$(DATADIR)/bash-completion/completions/$(basename $(notdir $(f)))) \
	$(foreach f,$(wildcard completion/*.zsh),\
		644:$(f):$(DATADIR)/zsh/site-functions/_$(basename $(notdir $(f)))) \
	$(foreach f,$(wildcard completion/*.fish),\
		644:$(f):$(DATADIR)/fish/vendor_completions.d/$(notdir $(f)))
unit_files = $(if $(filter yes,$(HAVE_SYSTEMD)),$(foreach f,\
	$(wildcard systemd/*.service systemd/*.timer systemd/*.path),644:$(f):$(UNITDIR)/$(notdir $(f))) \
	644:systemd/79-xdp-portblock.rules:$(UDEVDIR)/79-xdp-portblock.rules \
	$(foreach f,unit plugged,755:systemd/$(f):$(LIBEXECDIR)/xdp-portblock/$(f)))
installed = 755:$(BIN):$(SBINDIR)/xdp-portblock 644:$(LIB):$(LIBDIR)/libportblock.a \
	644:$(SHARED):$(LIBDIR)/$(SONAME) 644:lib/libportblock.pc:$(LIBDIR)/pkgconfig/libportblock.pc \
	$(man_files) $(header_files) $(completion_files) $(unit_files)

# Words that are replaced on the way: systemd and pkg-config want absolute paths.
replace = -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' \
	-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' -e 's|@VERSION@|$(VERSION)|g'

install: all
	@for entry in $(installed); do \
		rest=$${entry#*:}; mode=$${entry%%:*}; src=$${rest%%:*}; dst="$(DESTDIR)$${rest#*:}"; \
		echo "  INSTALL $$dst"; \
		install -D -m "$$mode" "$$src" "$$dst" || exit 1; \
		case $$src in systemd/* | *.pc) sed -i $(replace) "$$dst" || exit 1;; esac; \
	done
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libportblock.so"

uninstall:
	@for entry in $(installed); do \
		dst="$(DESTDIR)$${entry##*:}"; echo "  REMOVE $$dst"; rm -f "$$dst" || exit 1; \
	done
	rm -f "$(DESTDIR)$(LIBDIR)/libportblock.so"
	@rmdir "$(DESTDIR)$(INCLUDEDIR)/portblock" "$(DESTDIR)$(LIBEXECDIR)/xdp-portblock" 2>/dev/null || :

# What is committed, and the same bytes each time: git sorts, and gives all of it the time of the
# commit; gzip -n writes none.
DIST ?= build/xdp-portblock-$(VERSION).tar.gz
.PHONY: dist
dist:
	$(call say,DIST,$(DIST))
	@mkdir -p $(dir $(DIST))
	$(Q)git -c safe.directory='$(CURDIR)' -c tar.umask=0022 archive --format=tar \
		--prefix=xdp-portblock-$(VERSION)/ -o $(DIST).tar HEAD
	$(Q)gzip -n -9 <$(DIST).tar >$(DIST)
	@rm -f $(DIST).tar

# Debian packages of what is committed, for one release, built in a root of that (as root): to build/deb/SUITE.
SUITE ?= trixie
.PHONY: deb
deb:
	packaging/deb --suite $(SUITE) --out build/deb/$(SUITE)

clean:
	rm -rf build build-asan build-tsan build-cov xdp-portblock/xdp-portblock

distclean: clean
	rm -f config.mk config.mk.new

# --- tests -----------------------------------------------------------------------

# tests/run calls make itself, with its own ideas about targets and SANITIZE.
unexport MAKEFLAGS MFLAGS MAKELEVEL

test:
	@tests/run

check:
	@tests/run unit

# What part of lib/ and xdp-portblock/ the tests run; TESTS='unit net:load' for some of them.
.PHONY: coverage
coverage:
	@tests/coverage $(TESTS)

# What a fuzzer finds out stays in build/fuzz-*/ for the next run; the corpora that are
# committed are small, and the parser's is the conformance table's. What breaks a reader is
# left in build/fuzz-NAME.
FUZZ_SECONDS ?= 60
fuzzers := parse rule_text file json $(if $(fleet),fleet) $(if $(RUSTC),native)
.PHONY: $(fuzzers:%=fuzz-%)
.SECONDARY: $(fuzzers:%=build/fuzz_%)
fuzz_flags := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iheaders -Ilib -O1 -g \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
# The library's readers; no system call but to read files.
fuzz_lib := $(filter-out lib/util/log.c lib/util/netlink.c,$(wildcard lib/util/*.c)) \
	$(wildcard lib/rule/*.c lib/rules/*.c)

fuzz_readers := $(patsubst %,build/fuzz_%,$(filter-out parse native,$(fuzzers)))
# The native engine's object is made for the kernel: it is where its addresses fit into 32 bits.
with_native := -no-pie -Wl,-z,noexecstack

build/fuzz_parse: tests/fuzz/fuzz_parse.c
build/fuzz_native: tests/fuzz/fuzz_native.c $(NATIVE)/kernel.o
build/fuzz_native: fuzz_flags += -fno-pie $(with_native)
$(fuzz_readers): tests/fuzz/fuzz_readers.c $(fuzz_lib)
# And the readers of what comes from etcd; what those lead to is not looked at, and comes from the library.
build/fuzz_fleet: $(wildcard lib/fleet/*.c) $(LIB)
build/fuzz_fleet: fuzz_libs = $(LIB) $(LIB_LIBS)
build/fuzz_fleet: fuzz_flags += -DPB_VERSION='"$(VERSION)"' -DWITH_FLEET $(fleet_cflags)
build/fuzz_%: $(wildcard tests/fuzz/*.h headers/portblock/*.h lib/*/*.h) Makefile
	$(call say,CLANG,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(fuzz_flags) -DCHECK=check_$* $(DEP_CFLAGS) -o $@ $(filter %.c %.o,$^) -ljson-c $(fuzz_libs) || \
		{ echo 'make fuzz: clang needs its runtime: tests/deps fuzz' >&2; exit 1; }

# One after the other; `make fuzz-json` runs one of them.
fuzz: $(fuzzers:%=fuzz-%)

$(fuzzers:%=fuzz-%): fuzz-%: build/fuzz_%
	@mkdir -p build/fuzz-$*/corpus build/fuzz-$*/folder
	cd build/fuzz-$*/folder && $(CURDIR)/build/fuzz_$* -max_total_time=$(FUZZ_SECONDS) \
		-max_len=4200 -print_final_stats=1 -timeout=120 -artifact_prefix=$(CURDIR)/build/fuzz-$*/ \
		$(CURDIR)/build/fuzz-$*/corpus $(CURDIR)/tests/fuzz/corpus$(patsubst %,-%,$(filter-out parse native,$*))

# The corpus of both readers of frames, and what comes of it, without a fuzzer: unit:native runs it.
build/replay_native: tests/fuzz/replay_native.c $(NATIVE)/kernel.o \
		$(wildcard tests/fuzz/*.h headers/portblock/*.h) Makefile
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(warnings) -Iheaders $(CFLAGS) -fno-pie $(with_native) -o $@ \
		$(filter %.c %.o,$^)

# The tables of doc/conformance.md are what tests/prog/table prints.
table:
	@mkdir -p build
	@tests/prog/table >build/table.md
	@awk '/^<!-- conformance table: end/ { inside = 0 } \
		!inside { print } \
		/^<!-- conformance table: begin/ { inside = 1; while ((getline line <"build/table.md") > 0) print line }' \
		doc/conformance.md >build/conformance.md
	@cat build/conformance.md >doc/conformance.md

# --- the manual in HTML ----------------------------------------------------------

HTML ?= build/html
.PHONY: html
html:
	$(call say,HTML,$(HTML))
	$(Q)man/make-html $(HTML)

# What the shared library promises to programs that are built; with another soname it may change.
abi: $(SHARED)
	abidw --exported-interfaces-only --no-elf-needed --no-write-default-sizes --no-show-locs \
		--no-corpus-path --no-comp-dir-path --drop-private-types --drop-undefined-syms \
		--headers-dir headers $< >lib/libportblock.abi
	echo '<!-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause -->' >>lib/libportblock.abi

# --- benchmarks ------------------------------------------------------------------

# All of them, in an hour, or some: make bench BENCH="insns rates". Results and plots in build/bench, and all figures
# in a table at the end. doc/benchmarks.md, which shows them, is written by `tests/bench/report --doc`, and
# `tests/bench/history add` and `plot` keep and draw the figures of each version.
BENCH ?=
bench: all bench-parts
	@tests/deps bench
	tests/bench/all $(BENCH)

bench-insns: bench-parts
	@tests/deps vm
	@tests/bench/insns

# Sets of sources, in about 25 minutes; `tests/bench/report --doc sets` writes its section.
bench-sets: all bench-tools
	@tests/deps bench
	tests/bench/sets

# --- lint ------------------------------------------------------------------------

# Files by name, and scripts by their first line; no folder that make wrote.
find_files = find . \( -name .git -o -name 'build*' -type d -o -name __pycache__ \) -prune -o -type f
find_scripts = $(find_files) -exec awk 'FNR == 1 && (/^\#!.*[\/ ]$(1)$$/ || FILENAME ~ /\.$(2)$$/) \
	{ print FILENAME } FNR == 1 { nextfile }' {} +

# clang-format and shellcheck change their minds between versions: the one of
# Debian 12 is the judge. cppcheck leaves lib/bpf to clang and the verifier (its
# map macros are no C to it); cmocka's and json-c's are not followed either.
# cppcheck does not read system headers. And an output that a callee fills is no
# uninitialized argument (ctuuninitvar). A kernel module is made of macros that it does not know.
cppcheck_macros := '-DLIBBPF_OPTS(TYPE,NAME,...)=struct TYPE NAME = { __VA_ARGS__ }'

lint:
	$(call say,LINT,clang-format)
	$(Q)$(find_files) \( -name '*.c' -o -name '*.h' \) -print0 | \
		xargs -0r clang-format --dry-run -Werror
	$(call say,LINT,shellcheck)
	$(Q)$(call find_scripts,(ba)?sh,(sh|bash)) | xargs -r shellcheck -x -P SCRIPTDIR
	$(call say,LINT,cppcheck)
	$(Q)$(find_files) -name '*.c' ! -name '*.bpf.c' ! -path '*/native/module/*' -print | \
		xargs -r cppcheck --quiet --std=c11 --language=c --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability --suppress=missingIncludeSystem \
		--suppress=ctuuninitvar $(cppcheck_macros) \
		-DPB_VERSION='""' -Iheaders -Ilib
	$(call say,LINT,mandoc)
	$(Q)for page in $(wildcard man/*.[0-9]); do mandoc -Tlint -Wwarning "$$page" || exit 1; done
	$(call say,LINT,python)
	$(Q)$(call find_scripts,python3,py) | xargs -r python3 -c \
		'import sys; [compile(open(f).read(), f, "exec") for f in sys.argv[1:]]'

help:
	@echo 'make                 build ./xdp-portblock/xdp-portblock (all)'
	@echo 'make unit-tests      build the unit tests; prog-tests: helpers of the other layers'
	@echo 'make test            tests/run: all test layers (needs root)'
	@echo 'make check           tests/run unit: the tests that need no root'
	@echo 'make bench           measure all, to build/bench; BENCH="insns rates": some; bench-insns: instructions a packet'
	@echo 'make bench-sets      measure sets of sources: look-ups, live frames, commands, memory'
	@echo 'make native          the native engine, for its kernel module; native-install, native-uninstall'
	@echo 'make lint            clang-format, shellcheck, cppcheck, mandoc, python'
	@echo 'make coverage        lines of lib/ and xdp-portblock/ that TESTS run (unit prog net; needs root)'
	@echo 'make fuzz            all fuzzers, FUZZ_SECONDS=60 each; fuzz-parse, -native, -json...: one'
	@echo 'make dist            what is committed, as build/xdp-portblock-$(VERSION).tar.gz'
	@echo 'make deb             Debian packages for SUITE=trixie, to build/deb/trixie (needs root and mmdebstrap)'
	@echo 'make html            the manual in HTML, to build/html (mandoc)'
	@echo 'make abi             write lib/libportblock.abi anew, of the library that was built'
	@echo 'make table           write the tables of doc/conformance.md anew'
	@echo 'make install         to $$(DESTDIR)$$(PREFIX); uninstall takes it back'
	@echo 'make clean           remove what make made; distclean: and config.mk'
	@echo
	@echo 'V=1                  show the commands'
	@echo 'SANITIZE=1           build with ASan and UBSan, to build-asan/'
	@echo 'TOOL_LIBRARY=shared  link the tool with the shared library, which has to be installed then'
	@echo 'SANITIZE=thread      build with TSan, to build-tsan/'
	@echo 'COVERAGE=1           build with counters of lines, to build-cov/'
	@echo 'CFLAGS=, LDFLAGS=    as usual; WERROR= lets warnings pass'
	@echo 'PREFIX=, DESTDIR=    where to install (./configure --prefix=DIR sets PREFIX)'
