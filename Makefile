# make                 the static programs, in build/
# make demo            a network with guests in private namespaces: what a brouter is
# make test            every test; needs the original programs, and installs them when run as root
# make lint            formatting, clippy, manual pages
# make bench           run times as ratios to the original programs
# make test-xen        the programs on a real Xen, in an emulator: up to 15 minutes
# make test-packages   reproducible archives; Debian packages in a clean Debian, which is then booted: 10 minutes
# make image           an initramfs of busybox and brouter in build/image, booted in an emulator with a guest that pings
# make install         the programs, manual pages and completions; the variables are explained below
# make install-xen     network-virtual and vif-bridge into XEN_SCRIPT_DIR
# make install-service networks at boot, for INIT=systemd|sysv|openrc
# make dist deb        archives of a release in build/dist, Debian packages in build/deb
# make TARGET=…        for another of rustup's targets, such as aarch64-unknown-linux-musl

PROGRAMS := brouter brctl ip network-virtual vif-bridge
INSTALLS := install uninstall install-xen uninstall-xen install-service uninstall-service
.PHONY: all demo test lint bench test-xen test-packages image man dist deb clean $(INSTALLS)
all: $(PROGRAMS:%=build/%)

CARGO ?= cargo
# A release's archive of the crates, unpacked into vendor/, replaces every download.
ifneq ($(wildcard vendor),)
override CARGO += --offline --config 'source.crates-io.replace-with="vendor"' --config 'source.vendor.directory="vendor"'
endif


# The build. The programs are static: built for rustup's musl target where it is installed. Without it, on x86_64, the host's own
# target is linked with musl-gcc.

MUSL := $(shell uname -m)-unknown-linux-musl
ifeq ($(TARGET),)
ifneq ($(wildcard $(shell rustc --print target-libdir --target $(MUSL) 2>/dev/null)),)
TARGET := $(MUSL)
else ifeq ($(MUSL),x86_64-unknown-linux-musl)
TARGET := x86_64-unknown-linux-gnu
MUSL_GCC := yes
endif
endif

# Loaded at a fixed address: rustup's musl targets default to static PIE, which relocates itself at every start.
RUSTFLAGS_OF_TARGET := -C relocation-model=static
# Turns repeated instruction sequences into functions. Saves 16 KiB of brouter's 653.
RUSTFLAGS_OF_TARGET += -C llvm-args=-enable-machine-outliner=always
# Reproducible: the same bytes wherever the sources and the crates are.
CARGO_HOME ?= $(HOME)/.cargo
RUSTFLAGS_OF_TARGET += --remap-path-prefix=$(CURDIR)/vendor=crates --remap-path-prefix=$(CARGO_HOME)/registry/src=crates

# The linker searches build/musl before musl's own libraries, and libutil before every other: see compat/musl/gnu-std.c.
# Constants follow the code in the same pages: there is no loader for which anything would have to be kept apart.
ifdef MUSL_GCC
RUSTFLAGS_OF_TARGET += --cfg musl_link -C target-feature=+crt-static -C linker=musl-gcc -C link-arg=-Lbuild/musl \
	-C link-arg=-Wl,--no-eh-frame-hdr,-T,compat/musl/no-unwind-tables.ld,-z,noseparate-code,-z,norelro
build/.built: build/musl/libutil.a
endif

# One run of cargo builds all programs.
$(PROGRAMS:%=build/%): build/.built ;

# The flags are those of a named target, even if it is the host's: build scripts and macros are compiled without them.
build/.built: Cargo.toml Cargo.lock Makefile $(shell find src compat/musl -type f)
ifeq ($(TARGET),)
	@echo "No static target for this machine. Install one:  rustup target add $(MUSL)" >&2
	@exit 1
endif
	CARGO_TARGET_$(shell echo $(TARGET) | tr a-z- A-Z_)_RUSTFLAGS="$(RUSTFLAGS_OF_TARGET)" \
		$(CARGO) build --release --locked --bins --target $(TARGET)
	@mkdir -p build
	@for program in $(PROGRAMS); do install target/$(TARGET)/release/$$program build/ || exit; done
	@touch $@

build/musl/libutil.a: compat/musl/gnu-std.c
	@compat/apt/need-packages musl-tools || { echo "or:  rustup target add $(MUSL)" >&2; exit 1; }
	@mkdir -p build/musl
	musl-gcc -O2 -Wall -Wextra -c -o build/musl/gnu-std.o $<
	ar rcs $@ build/musl/gnu-std.o

# brouter-compat(7) is generated from the list of deviations.
man: man/brouter-compat.7
man/brouter-compat.7: compat/original/DEVIATIONS.md compat/original/deviations-to-mdoc
	compat/original/deviations-to-mdoc compat/original/DEVIATIONS.md >$@.new
	mv $@.new $@

clean:
	rm -rf build target


# Checks. Each installs the Debian packages that it needs.

demo: all
	@$(CARGO) build --quiet --locked --example demo
	@target/debug/examples/demo build

# Fails where a program or a privilege is missing; a plain `cargo test` skips such tests with a notice.
test: all
	@compat/apt/need-packages bridge-utils iproute2 iptables nftables strace util-linux mandoc musl-tools zsh dnsmasq-base \
		busybox-static jq graphviz
	@compat/apt/fetch-xen build/xen
	@compat/apt/fetch-scripts build/scripts
	tests/packages/install.sh build/install
	BROUTER_TEST_STRICT=1 BROUTER_PROGRAMS=$(CURDIR)/build $(CARGO) test --locked --no-fail-fast

lint:
	@compat/apt/need-packages mandoc
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	mandoc -Tlint -Wwarning $(wildcard man/*.[78])

bench: all
	@compat/apt/need-packages bridge-utils iproute2 iptables strace busybox-static musl-tools
	@compat/apt/fetch-xen build/xen
	@$(CARGO) build --quiet --locked --release --example bench
	@target/release/examples/bench build

# Not part of `make test`: minutes in an emulator, and 200 MB of packages.
test-xen: all
	@compat/apt/need-packages qemu-system-x86 cpio kmod xz-utils
	@tests/xen/run.sh build build/xen-vm

image: all
	@compat/apt/need-packages qemu-system-x86 cpio kmod xz-utils
	@tests/image/run.sh build build/image

# Not part of `make test`: installs a Debian, and builds everything three times.
test-packages:
	@compat/apt/need-packages git debhelper dpkg-dev musl-tools lintian debootstrap qemu-system-x86 e2fsprogs
	@tests/packages/run.sh build/packages


# Releases.

dist:
	@compat/release/archives build/dist

deb:
	@compat/apt/need-packages debhelper dpkg-dev musl-tools
	@compat/release/deb build/deb


# Installation. See compat/install/README.md.

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
# names that brouter gets besides its own; brctl and ip are left to bridge-utils and iproute2
NAMES ?= network-virtual vif-bridge
# how it gets them: hard or soft (symbolic) links, or none
LINKS ?= soft
# 1: small programs under these names, in place of links
SPLIT ?=
# 1: replaces programs of other packages that have such a name
FORCE ?=
# where Xen's toolstacks look for their scripts
XEN_SCRIPT_DIR ?= /etc/xen/scripts
# what starts networks at boot (systemd, sysv or openrc), and where its files are
INIT ?= systemd
UNITDIR ?= $(PREFIX)/lib/systemd/system
INITDIR ?= /etc/init.d
SETTINGS := DESTDIR PREFIX SBINDIR MANDIR ZSHDIR NAMES LINKS SPLIT FORCE XEN_SCRIPT_DIR INIT UNITDIR INITDIR
WITH_SETTINGS = $(foreach name,$(SETTINGS),$(name)='$($(name))')

install install-xen: all
install uninstall:
	@$(WITH_SETTINGS) compat/install/programs $@
install-xen uninstall-xen:
	@$(WITH_SETTINGS) compat/install/xen $(@:-xen=)
install-service uninstall-service:
	@$(WITH_SETTINGS) compat/install/service $(@:-service=)
