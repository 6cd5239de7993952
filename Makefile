# make            the programs, static, in build/
# make demo       a network with guests, in private namespaces: what a brouter is
# make test       everything that is checked; needs the original programs, and installs them when run as root
# make test-xen   our programs on a real Xen, in an emulator: a quarter of an hour at most
# make test-packages  archives twice, the same bytes; Debian packages in a clean Debian, which is booted: ten minutes
# make image      an initramfs of busybox and brouter in build/image, booted in an emulator with a guest that pings
# make lint       formatting, clippy, manual pages
# make bench      times in ratios to the original programs
# make install    DESTDIR, PREFIX, SBINDIR, MANDIR; LINKS=hard|soft|none, SPLIT=1, NAMES="brctl ip …": see below
# make install-xen  network-virtual and vif-bridge into XEN_SCRIPT_DIR
# make install-service  networks at boot, by INIT=systemd|sysv|openrc
# make dist, deb  archives of a release in build/dist, Debian packages in build/deb
# make TARGET=…   for another of rustup's targets, such as aarch64-unknown-linux-musl

CARGO ?= cargo
# The crates may lie in vendor/, from a release's archive of them: then nothing is fetched.
ifneq ($(wildcard vendor),)
override CARGO += --offline --config 'source.crates-io.replace-with="vendor"' --config 'source.vendor.directory="vendor"'
endif
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man

PROGRAMS := brouter brctl ip network-virtual vif-bridge
MANUALS := $(wildcard man/*.[78])
SOURCES := Cargo.toml Cargo.lock $(shell find src compat/musl -type f)

# Static programs come from rustup's musl target. Where that is not installed, the host's own target is linked with musl-gcc.
MUSL := x86_64-unknown-linux-musl
HAS_MUSL := $(wildcard $(shell rustc --print target-libdir --target $(MUSL) 2>/dev/null))
ifneq ($(TARGET),)
LINK := target
else ifneq ($(HAS_MUSL),)
LINK := target
TARGET := $(MUSL)
else ifeq ($(shell uname -m),x86_64)
LINK := musl-gcc
TARGET := x86_64-unknown-linux-gnu
else
LINK := none
endif

.PHONY: all demo test test-xen test-packages image bench lint man dist deb clean
.PHONY: install uninstall install-xen uninstall-xen install-service uninstall-service
all: $(PROGRAMS:%=build/%)

# one run of cargo for all of them
$(PROGRAMS:%=build/%): build/.built ;

build/.built: $(SOURCES) Makefile
	@$(MAKE) --no-print-directory build-with-$(LINK)
	@mkdir -p build
	@for program in $(PROGRAMS); do cp target/$(TARGET)/release/$$program build/$$program.new && mv build/$$program.new build/$$program || exit 1; done
	@touch $@

# Sequences of instructions that occur often become functions: a fiftieth of a program.
SMALL := -C llvm-args=-enable-machine-outliner=always

# The same bytes wherever the sources and the crates lie.
CARGO_HOME ?= $(HOME)/.cargo
ANYWHERE := --remap-path-prefix=$(CURDIR)/vendor=crates --remap-path-prefix=$(CARGO_HOME)/registry/src=crates

# At a fixed place in memory: rustup's musl targets would have a program move itself at its start.
TARGET_FLAGS = CARGO_TARGET_$(shell echo $(TARGET) | tr a-z- A-Z_)_RUSTFLAGS
.PHONY: build-with-target build-with-musl-gcc build-with-none
build-with-target:
	$(TARGET_FLAGS)="-C relocation-model=static $(SMALL) $(ANYWHERE)" $(CARGO) build --release --locked --bins --target $(TARGET)

# The library's folder is searched before musl's own, and libutil comes first of all libraries: see compat/musl/gnu-std.c.
# The target is named, though it is the host's: only then do the flags leave build scripts and macros alone.
# The constants are behind the code, in the same pages, and nothing is kept apart for a loader to protect: there is none.
build-with-musl-gcc: build/musl/libutil.a
	CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static $(SMALL) $(ANYWHERE) \
		-C linker=musl-gcc -C link-arg=-Lbuild/musl --cfg musl_link \
		-C link-arg=-Wl,--no-eh-frame-hdr,-T,compat/musl/no-unwind-tables.ld,-z,noseparate-code,-z,norelro" \
		$(CARGO) build --release --locked --bins --target $(TARGET)

build-with-none:
	@echo "No static target for this machine. Install one and name it, for example:" >&2
	@echo "  rustup target add $(shell uname -m)-unknown-linux-musl && make TARGET=$(shell uname -m)-unknown-linux-musl" >&2
	@exit 1

build/musl/libutil.a: compat/musl/gnu-std.c
	@compat/apt/need-packages musl-tools || { echo "or:  rustup target add $(MUSL)" >&2; exit 1; }
	@mkdir -p build/musl
	musl-gcc -O2 -Wall -Wextra -c -o build/musl/gnu-std.o $<
	ar rcs $@ build/musl/gnu-std.o

demo: all
	@$(CARGO) build --quiet --locked --example demo
	@target/debug/examples/demo build

# A missing program or privilege is a failure here; under a plain `cargo test` it is a loud skip.
test: all
	@compat/apt/need-packages bridge-utils iproute2 iptables nftables strace util-linux mandoc musl-tools zsh dnsmasq-base busybox-static jq graphviz
	@compat/apt/fetch-xen build/xen
	@compat/apt/fetch-scripts build/scripts
	tests/packages/install.sh build/install
	BROUTER_TEST_STRICT=1 BROUTER_PROGRAMS=$(CURDIR)/build $(CARGO) test --locked --no-fail-fast

# Not part of `make test`: minutes of an emulator, and 200 MB of packages.
test-xen: all
	@compat/apt/need-packages qemu-system-x86 cpio kmod xz-utils
	@tests/xen/run.sh build build/xen-vm

# The smallest host of guests, for qemu, and its boot with a guest.
image: all
	@compat/apt/need-packages qemu-system-x86 cpio kmod xz-utils
	@tests/image/run.sh build build/image

# Nor is this: a Debian is installed, and all is built three times.
test-packages:
	@compat/apt/need-packages git debhelper dpkg-dev musl-tools lintian debootstrap qemu-system-x86 e2fsprogs
	@tests/packages/run.sh build/packages

lint:
	@compat/apt/need-packages mandoc
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	mandoc -Tlint -Wwarning $(MANUALS)

bench: all
	@compat/apt/need-packages bridge-utils iproute2 iptables strace busybox-static musl-tools
	@compat/apt/fetch-xen build/xen
	@$(CARGO) build --quiet --locked --release --example bench
	@target/release/examples/bench build

# brouter-compat(7) is made of the list of deviations.
man: man/brouter-compat.7
man/brouter-compat.7: compat/original/DEVIATIONS.md compat/original/deviations-to-mdoc
	compat/original/deviations-to-mdoc compat/original/DEVIATIONS.md >$@.new
	mv $@.new $@

dist:
	@compat/release/archives build/dist

deb:
	@compat/apt/need-packages debhelper dpkg-dev musl-tools
	@compat/release/deb build/deb

# The names that brouter gets beside its own. brctl and ip are left to bridge-utils and iproute2.
NAMES ?= network-virtual vif-bridge
# how it gets them: hard or soft (symbolic) links, or none at all
LINKS ?= soft
# 1: small programs of their own under these names, instead of links
SPLIT ?=
# 1: programs of others that have such a name are replaced
FORCE ?=
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
# where Xen's toolstacks look for their scripts
XEN_SCRIPT_DIR ?= /etc/xen/scripts
# what starts networks at boot (systemd, sysv or openrc), and where its files are
INIT ?= systemd
UNITDIR ?= $(PREFIX)/lib/systemd/system
INITDIR ?= /etc/init.d
PUT = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SBINDIR='$(SBINDIR)' MANDIR='$(MANDIR)' NAMES='$(NAMES)' LINKS='$(LINKS)' \
	SPLIT='$(SPLIT)' FORCE='$(FORCE)' ZSHDIR='$(ZSHDIR)' XEN_SCRIPT_DIR='$(XEN_SCRIPT_DIR)' \
	INIT='$(INIT)' UNITDIR='$(UNITDIR)' INITDIR='$(INITDIR)'

install: all
	@$(PUT) compat/install/programs install

uninstall:
	@$(PUT) compat/install/programs uninstall

install-xen: all
	@$(PUT) compat/install/xen install

uninstall-xen:
	@$(PUT) compat/install/xen uninstall

install-service:
	@$(PUT) compat/install/service install

uninstall-service:
	@$(PUT) compat/install/service uninstall

clean:
	rm -rf build target
