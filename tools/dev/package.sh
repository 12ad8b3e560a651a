# shellcheck shell=bash
# The Debian package, and a clean Debian to try it in.
. tools/dev/build.sh

package_file() { echo "build/release/package/carrel_$(carrel_version)_$(dpkg --print-architecture).deb"; }

make_package() {
  rm -f build/release/package/*.deb
  ninja -C build/release -j "$(jobs_count)" carrel package_files && (cd build/release && cpack)
}

# A folder with a Debian of the least size that can be booted, and the archives of what the package needs, so that
# it can be installed there without a network. Its name carries the digest of what it was made from.
debian_dir() { echo "$CARREL_CACHE/debian/$({ debian_needs && cat tools/dev/package.sh; } | digest)"; }
debian_needs() { dpkg-deb -f "$(package_file)" Depends | tr -d '\n'; }

fill_debian() {
  local new needs
  new=$(debian_dir).new
  needs=$(debian_needs | sed -E 's/ *\([^)]*\)//g; s/,/ /g')
  rm -rf --one-file-system "$new"
  mkdir -p "$(dirname "$new")"
  mmdebstrap --variant=minbase --include=systemd,systemd-sysv,dbus --skip=cleanup/apt \
    --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends --download-only $needs" \
    bookworm "$new" && mv "$new" "$(debian_dir)"
}

# Sets CARREL_DEB and, where it can be had, CARREL_DEBIAN for tests.
package_env() {
  if ! have dpkg-deb || ! have dpkg-shlibdeps; then
    notice "not Debian: the package is not made and not tested"
    return
  fi
  step "package" make_package
  CARREL_DEB=$PWD/$(package_file)
  export CARREL_DEB
  if [ "$(id -u)" != 0 ] || ! have mmdebstrap; then
    notice "the package is not tried: that needs root and mmdebstrap"
    return
  fi
  (make_dir "package: a clean Debian (a minute, once)" "$(debian_dir)" fill_debian) || {
    notice "the package is not tried: no clean Debian could be made"
    return
  }
  CARREL_DEBIAN=$(debian_dir)
  export CARREL_DEBIAN
}

dev_package() {
  dev_setup
  compile release carrel
  step "package" make_package
  package_file
}
