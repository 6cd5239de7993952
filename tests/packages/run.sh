#!/bin/bash
# run.sh FOLDER [STEP...]: builds the archives of a release and the Debian packages, and tests them. FOLDER keeps a clean Debian
# and the logs.
#
#   dist        builds the archives from two clones in different folders: the same bytes
#   crate       `cargo publish --dry-run`
#   apkbuild    the functions of Alpine's APKBUILD, in busybox's shell
#   deb         builds the packages, for three architectures
#   lintian     checks them
#   base        installs a clean Debian
#   chroot      installs, uses and purges the packages there: chroot.sh
#   boot        boots a Debian with them in qemu: the unit in its sandbox, the network of the initramfs; boot.sh
set -u
here=$(dirname "$(readlink -f "$0")")
top=$here/../..
mkdir -p "$1"
cd "$1" || exit
folder=$(pwd)
shift
steps=$*
failed=0
[ "$(id -u)" = 0 ] || { echo "run it as root: it needs chroot and mounts" >&2; exit 1; }

# step NAME WHAT COMMAND...: writes the output to a log, and shows it after a failure
step() {
	local name=$1 what=$2 log=$folder/$1.log began=$SECONDS
	shift 2
	[ -z "$steps" ] || case " $steps " in *" $name "*) ;; *) return ;; esac
	if "$@" >"$log" 2>&1; then
		echo "ok: $what ($((SECONDS - began)) s)"
	else
		failed=1
		echo "FAILED: $what; the end of $log:"
		tail -n 40 "$log"
	fi
}

same_bytes() {
	local clone
	rm -rf one another && mkdir -p one another/place/with-a-longer-name
	for clone in one another/place/with-a-longer-name; do
		git clone -q "$top" "$clone/source" || return
		# must not matter: the folder, the time, the time zone, the home, the umask
		(
			umask 077
			export CARGO_HOME="${CARGO_HOME-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME-$HOME/.rustup}" TZ=Asia/Tokyo
			export CROSS="$top/build/cross"
			HOME=$folder/$clone make -C "$clone/source" dist
		) || return
		(cd "$clone/source/build/dist" && sha256sum ./*.tar.gz) >"$clone/sums" || return
		[ "$(wc -l <"$clone/sums")" = 5 ] || return
		sleep 1
	done
	cat one/sums
	diff one/sums another/place/with-a-longer-name/sums
}

crate() {
	(cd "$top" && cargo publish --dry-run --locked)
}

# abuild itself is not in Debian.
apkbuild() {
	local version release
	version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml")
	release=one/source/build/dist/brouter-$version
	rm -rf apk && mkdir -p apk/src apk/package || return
	tar -xzf "$release.tar.gz" -C apk/src && tar -xzf "$release-vendor.tar.gz" -C apk/src || return
	# shellcheck disable=SC2016 # for the shell that is called
	busybox sh -euc '
		. "$1/compat/alpine/APKBUILD"
		srcdir=$2/src pkgdir=$2/package
		default_prepare() { :; }
		cd "$srcdir/$pkgname-$pkgver"
		prepare
		build
		package' sh "$top" "$folder/apk" || return
	(cd apk/package && find . ! -type d | sort)
	apk/package/usr/sbin/brouter --version && [ -x apk/package/etc/init.d/brouter ] && [ -e apk/package/etc/brouter ]
}

lint() {
	lintian --allow-root --fail-on error,warning "$top"/build/deb/brouter_*.changes
}

# Installs a minimal Debian with what the tests need besides: manual pages, a firewall, a kernel.
clean_debian() {
	[ ! -e base/complete ] || return 0
	rm -rf base
	local packages=man-db,iptables,systemd,systemd-sysv,udev,kmod,initramfs-tools,busybox-static,iputils-ping
	# a kernel; the libraries of iproute2, but not iproute2 itself
	packages=$packages,linux-image-cloud-amd64,libbpf1,libelf1,libmnl0,libatm1,libtirpc3,libbsd0,libcap2-bin
	debootstrap --variant=minbase "--include=$packages" bookworm base http://deb.debian.org/debian || return
	touch base/complete
}

in_chroot() {
	rm -rf chroot && cp -a base chroot && rm chroot/complete || return
	mkdir -p chroot/packages/originals
	cp "$top"/build/deb/*_amd64.deb "$top"/build/deb/*_all.deb chroot/packages/
	cp "$here/chroot.sh" "$here/checks.sh" chroot/packages/
	cp "$top/compat/init/brouter.openrc" chroot/packages/
	(cd chroot/packages/originals && apt-get download -q iproute2 bridge-utils) || return
	mkdir chroot/packages/openrc
	(cd chroot/packages/openrc && apt-get download -q openrc librc1 libeinfo1 insserv) || return
	unshare -n -m -p -f --kill-child sh -ec '
		mount --make-rprivate /
		mount -t proc proc chroot/proc
		mount -t sysfs sysfs chroot/sys
		mount -t tmpfs tmpfs chroot/run
		mount -t tmpfs tmpfs chroot/tmp
		mount --bind /dev chroot/dev
		mount -t devpts devpts chroot/dev/pts
		exec chroot chroot /packages/chroot.sh'
}

step dist 'the archives of a release are reproducible' same_bytes
step crate 'cargo publish --dry-run' crate
step apkbuild "Alpine's APKBUILD" apkbuild
step deb 'Debian packages' make -C "$top" --no-print-directory deb
step lintian 'lintian finds no errors and no warnings' lint
step base 'a clean Debian' clean_debian
step chroot 'installed, used, removed and purged' in_chroot
step boot 'booted: the unit in its sandbox, the network of the initramfs' "$here/boot.sh" .
exit $failed
