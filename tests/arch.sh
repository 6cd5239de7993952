#!/bin/bash
# arch.sh ARCH [FILTER]: runs the tables with the programs for another architecture, which `make arch` has built:
#
#   i686      on this kernel, beside Debian's brctl and ip for i386: an `unsigned long` of 32 bits cuts other numbers than one of 64
#   aarch64   rows that list bridges, addresses and routes, in qemu's emulation of a process, which knows no ioctl of bridges; what is
#             printed must be what the originals of this machine print
set -eu
cd "$(dirname "$0")/.."
arch=$1
[ "$(id -u)" = 0 ] || { echo "tests/arch.sh needs root" >&2; exit 1; }
compat/apt/need-packages build-essential bridge-utils iproute2 iptables nftables strace util-linux net-tools musl-tools
export BROUTER_TEST_STRICT=1 BROUTER_PROGRAMS=$PWD/build/$arch

# tests PROGRAM... -- ARGUMENT...
tests() {
	local programs=()
	while [ "$1" != -- ]; do
		! grep -q "^name = \"$1\"" Cargo.toml || programs+=(--test "$1")
		shift
	done
	tests/run.sh cargo test --locked --no-fail-fast "${programs[@]}" "$@"
}

# ip and the libraries that it is linked with
ip_for_i386() {
	local folder=$PWD/build/cross/i686-ip libraries
	compat/apt/unpack-packages -r bookworm -a i386 build/cross/i686-ip iproute2 libelf1 libmnl0 libbpf1 libcap2 zlib1g libtirpc3 libbsd0 \
		libmd0 libselinux1 libpcre2-8-0 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libcom-err2 libkrb5support0 libkeyutils1 libssl3 \
		libdb5.3 libxtables12
	libraries=$(find "$folder" -name '*.so*' -printf '%h\n' | sort -u | tr '\n' :)
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$folder/bin/ip" >"$BROUTER_TEST_ORIGINALS/ip"
	chmod 755 "$BROUTER_TEST_ORIGINALS/ip"
}

case $arch in
i686)
	compat/apt/need-packages libc6-i386 gcc-i686-linux-gnu libc6-dev-i386-cross
	compat/apt/unpack-packages -r bookworm -a i386 build/cross/i686-originals bridge-utils
	export BROUTER_TEST_ORIGINALS=$PWD/build/cross/originals
	mkdir -p "$BROUTER_TEST_ORIGINALS"
	cp build/cross/i686-originals/usr/sbin/brctl "$BROUTER_TEST_ORIGINALS/"
	ip_for_i386
	# Left out: 0.3 s, of which the 32-bit brctl makes 0.29 s, because its floating-point unit counts in 80 bits.
	left_out=(--skip 'brctl setfd b0 0.3')
	if [ $# -gt 1 ]; then
		status=0
		tests static_programs -- || status=$?
		tests network_virtual tables -- || status=$?
		tests old_kernels -- 2.6.16 --skip 'setfd b0 -' || status=$?
		tests brctl -- "${left_out[@]}" "${@:2}" || status=$?
		exit $status
	else
		compat/apt/fetch-xen build/xen
		status=0
		# compared with cargo's own build, which cuts a negative time to 64 bits
		tests old_kernels -- --skip 'setfd b0 -' || status=$?
		tests brctl ip network_virtual network_route network_nat vif_bridge vif_route vif_nat tables restricted era static_programs -- "${left_out[@]}" ||
			status=$?
		exit $status
	fi
	;;
aarch64)
	compat/apt/need-packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	compat/apt/unpack-packages -r bookworm build/qemu-user qemu-user-static
	tests static_programs -- --skip 'at startup'
	# The kernel runs no program of another architecture, so a script calls the emulator.
	mkdir -p build/aarch64/emulated
	for program in build/aarch64/*; do
		[ -f "$program" ] || continue
		printf '#!/bin/sh\nexec %s -0 "${0##*/}" %s "$@"\n' "$PWD/build/qemu-user/usr/bin/qemu-aarch64-static" "$PWD/$program" \
			>"build/aarch64/emulated/${program##*/}"
		chmod 755 "build/aarch64/emulated/${program##*/}"
	done
	BROUTER_PROGRAMS=$PWD/build/aarch64/emulated
	# a name that no bridge has is asked for by an ioctl too
	tests brctl -- "${2-: brctl show}" --skip 'nosys ' --skip foreign --skip 'user ' --skip zz --skip "''" --skip ' .' --skip '/' \
		--skip 'bridge: brctl show' --skip long-names --skip odd-names --skip altname --skip ' -- ' --skip 'showmacs v' --skip 'showmacs lo'
	# nor ethtool's, which tells types of links apart
	for rows in ': ip addr show' ': ip route show'; do
		tests ip -- "$rows" --skip foreign --skip 'user ' --skip ' type '
	done
	;;
*) echo "arch.sh i686|aarch64 [FILTER]" >&2; exit 2 ;;
esac
