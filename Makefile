# make                 the static programs, in build/
# make demo            a network with guests in private namespaces: what a brouter is
# make test            every test; needs the original programs, and installs them when run as root
# make check           as packagers call it: what runs without root and without the original programs; the rest is skipped
# make test-arch       the tables with the programs for i686, and a part of them with those for aarch64 in an emulator
# make fuzz            mutated inputs to everything that parses, for two minutes
# make stress          networks, guests and an administrator's iptables at once, for ten minutes
# make lint            formatting, clippy, manual pages
# make bench           run times as ratios to the original programs
# make test-xen        the programs on a real Xen, in an emulator: up to 15 minutes
# make test-hosts      one network over several hosts, by tinc and others; a fleet by Ansible; metrics by promtool: 10 minutes
# make test-emulated   what the machine's kernel may lack, on Debian's in an emulator: bonds, VLANs, gretap: 5 minutes
# make test-packages   reproducible archives; Debian packages in a clean Debian, which is then booted: 10 minutes
# make image           an initramfs of busybox and brouter in build/image, booted in an emulator with a guest that pings; then ip
#                      against iproute2 on Debian's kernel with real tunnels, bonds and VLANs
# make install         the programs, manual pages and completions; the variables are explained below
# make install-xen     the network and vif scripts into XEN_SCRIPT_DIR
# make install-service networks at boot, for INIT=systemd|sysv|openrc
# make dist deb        archives of a release in build/dist, Debian packages in build/deb
# make arch            the programs for i686 and aarch64, in build/i686 and build/aarch64, with Debian's packages alone
# make TARGET=…        for another of rustup's targets, such as aarch64-unknown-linux-musl

PROGRAMS := brouter brctl ip network-virtual network-bridge network-route network-nat vif-bridge vif-route vif-nat
INSTALLS := install uninstall install-xen uninstall-xen install-service uninstall-service
.PHONY: all arch demo test check test-arch test-i686 fuzz stress lint bench test-xen test-packages test-hosts test-emulated image man dist deb clean $(INSTALLS)
# ARCH=i686 or aarch64: for that machine
ARCH ?=
BUILD := build$(ARCH:%=/%)
all: $(PROGRAMS:%=$(BUILD)/%)

CARGO ?= cargo
# A release's archive of the crates, unpacked into vendor/, replaces every download.
ifneq ($(wildcard vendor),)
override CARGO += --offline --config 'source.crates-io.replace-with="vendor"' --config 'source.vendor.directory="vendor"'
endif


# The build: see compat/cargo/programs. Rust is asked for there, not here: it may have to be installed first.

export CARGO ARCH
ifneq ($(TARGET),)
export TARGET
endif
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR

# One run of cargo builds all programs.
$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/.built ;

$(BUILD)/.built: Cargo.toml Cargo.lock Makefile $(shell find src compat/musl compat/cargo -type f)
	@mkdir -p $(BUILD)
	compat/cargo/programs $(BUILD) $(PROGRAMS)
	@touch $@

arch:
	+@for arch in i686 aarch64; do $(MAKE) --no-print-directory ARCH=$$arch all || exit; done

# brouter-compat(7) is generated from the list of deviations.
man: man/brouter-compat.7
man/brouter-compat.7: compat/original/DEVIATIONS.md compat/original/deviations-to-mdoc
	compat/original/deviations-to-mdoc compat/original/DEVIATIONS.md >$@.new
	mv $@.new $@

clean:
	rm -rf build target


# Checks. Each installs the Debian packages that it needs.

# What it needs is checked before the build, which takes a minute.
demo:
	@tests/demo/check.sh
	+@$(MAKE) --no-print-directory all
	@unset CARGO_BUILD_TARGET; $(CARGO) build --locked --example demo
	@$(CARGO_TARGET_DIR)/debug/examples/demo build

# Fails where a program or a privilege is missing; a plain `cargo test` skips such tests with a notice.
test:
	@[ "$$(id -u)" = 0 ] || { echo "make test needs root:  sudo env PATH=\"\$$PATH\" make test" >&2; \
		echo "As this user, cargo test runs what it can, and skips the rest with a notice." >&2; exit 1; }
	@echo "Every test: 10 minutes on two idle cores, and a minute for each build before them"
	+@$(MAKE) --no-print-directory all
	@compat/apt/need-packages build-essential bridge-utils iproute2 iptables nftables strace util-linux net-tools mandoc musl-tools zsh dnsmasq-base \
		busybox-static jq graphviz tinc
	@compat/apt/fetch-xen build/xen
	@compat/apt/fetch-scripts build/scripts
	tests/packages/install.sh build/install
	@status=0; tests/hosts/run.sh build build/hosts tunnel || status=$$?; \
		BROUTER_TEST_STRICT=1 BROUTER_PROGRAMS=$(CURDIR)/build tests/run.sh $(CARGO) test --locked --no-fail-fast --lib --test '*' || status=$$?; \
		exit $$status

check: all
	@BROUTER_PROGRAMS=$(CURDIR)/build tests/run.sh $(CARGO) test --locked --no-fail-fast --lib --test '*'

# The kernel's entry for 32-bit programs is another one, and so are the structures.
test-arch: arch
	@tests/arch.sh i686
	@tests/arch.sh aarch64

# A part of it: without /sys everything goes by ioctls.
test-i686:
	+@$(MAKE) --no-print-directory ARCH=i686 all
	@tests/arch.sh i686 nosys

# FUZZ_SEED repeats a run. A failing input is saved, and its path printed.
FUZZ_SECONDS ?= 120
FUZZ_SEED ?= $(shell date +%s)
fuzz:
	@compat/cargo/rust
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) $(CARGO) test --locked --test fuzz -- --test-threads 7 --nocapture

STRESS_SECONDS ?= 600
stress: all
	@compat/apt/need-packages bridge-utils iproute2 iptables
	@compat/apt/fetch-xen build/xen
	STRESS_SECONDS=$(STRESS_SECONDS) BROUTER_TEST_STRICT=1 BROUTER_PROGRAMS=$(CURDIR)/build \
		$(CARGO) test --locked --test stress -- --test-threads 1

lint:
	@compat/cargo/rust
	@compat/apt/need-packages mandoc
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	mandoc -Tlint -Wwarning $(wildcard man/*.[78])

bench: all
	@compat/apt/need-packages bridge-utils iproute2 iptables net-tools strace busybox-static musl-tools
	@compat/apt/fetch-xen build/xen
	@unset CARGO_BUILD_TARGET; $(CARGO) build --locked --release --example bench
	@$(CARGO_TARGET_DIR)/release/examples/bench build

# qemu is used where it is installed, and is otherwise only unpacked: apt may be unable to install it beside what the machine has.
WITH_QEMU = qemu=$$(compat/apt/qemu qemu-system-x86_64 qemu-system-x86 build/qemu) && PATH=$$qemu:$$PATH

# Not part of `make test`: minutes in an emulator, and 200 MB of packages.
test-xen: all
	@compat/apt/need-packages cpio kmod xz-utils
	@$(WITH_QEMU) tests/xen/run.sh build build/xen-vm

image: all
	@compat/apt/need-packages cpio kmod xz-utils
	@$(WITH_QEMU) sh -c 'tests/image/run.sh build build/image && tests/image/tunnels.sh build build/image'

# Several hosts, joined by tinc, VXLAN and OpenVPN, and by gretap on Debian's kernel in an emulator; metrics by promtool; the role by
# Ansible, against three hosts and a Debian of its own. The tunnel is part of `make test`.
test-hosts: all
	@compat/apt/need-packages tinc openvpn iptables iproute2 busybox-static iputils-ping python3-venv debootstrap cpio kmod e2fsprogs
	@compat/apt/unpack-packages build/prometheus prometheus
	@[ -x build/ansible/bin/ansible-playbook ] || { python3 -m venv build/ansible && build/ansible/bin/pip install -q ansible-core; }
	@compat/apt/debian build/debian
	@status=0; tests/hosts/run.sh build build/hosts tunnel others crowd metrics fleet debian || status=$$?; \
		$(GRETAP) || status=$$?; exit $$status

# What the machine's kernel may lack, on Debian's in an emulator: network-bridge with a bond and with VLANs; gretap.
GRETAP = $(WITH_QEMU) tests/emulated/run.sh build/emulated env CABLES=gretap tests/hosts/run.sh build /tmp/hosts others
test-emulated: all
	@compat/apt/need-packages debootstrap cpio kmod e2fsprogs busybox-static
	@status=0; $(WITH_QEMU) tests/emulated/run.sh build/emulated tests/emulated/network-bridge.sh build || status=$$?; \
		$(GRETAP) || status=$$?; exit $$status

# Not part of `make test`: installs a Debian, and builds everything three times.
test-packages:
	@compat/apt/need-packages git build-essential debhelper musl-tools lintian debootstrap e2fsprogs busybox-static
	@compat/cargo/rust
	@$(WITH_QEMU) tests/packages/run.sh build/packages


# Releases.

dist:
	@compat/cargo/rust
	@compat/release/archives build/dist

deb:
	@compat/apt/need-packages git build-essential debhelper musl-tools
	@compat/cargo/rust
	@compat/release/deb build/deb


# Installation. See compat/install/README.md.

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
# names that brouter gets besides its own; brctl and ip are left to bridge-utils and iproute2
NAMES ?= network-virtual network-bridge network-route network-nat vif-bridge vif-route vif-nat
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
SETTINGS := BUILD DESTDIR PREFIX SBINDIR MANDIR ZSHDIR NAMES LINKS SPLIT FORCE XEN_SCRIPT_DIR INIT UNITDIR INITDIR
WITH_SETTINGS = $(foreach name,$(SETTINGS),$(name)='$($(name))')

install install-xen: all
install uninstall:
	@$(WITH_SETTINGS) compat/install/programs $@
install-xen uninstall-xen:
	@$(WITH_SETTINGS) compat/install/xen $(@:-xen=)
install-service uninstall-service:
	@$(WITH_SETTINGS) compat/install/service $(@:-service=)
