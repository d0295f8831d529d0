# Debian roots for tests, to be sourced at the top of the project. The roots are made once, below target/systemd, and every test works
# on a copy. DEBIAN_MIRROR may name another mirror. Needs root, and debootstrap.
# shellcheck shell=bash disable=SC2034

roots=$PWD/target/systemd
always='systemd,dbus,procps,ca-certificates'

command -v debootstrap >/dev/null || { echo "error: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "error: a root of Debian is made and entered as root" >&2; exit 1; }

# In a container that may do less, and without a mirror, this says so.
not_run() { echo "NOT RUN: ${0#"$PWD"/}: $*" >&2; exit 0; }

# make_root SUITE NAME PACKAGE,...: makes a root, unless it is there with the same packages.
make_root() {
    local suite=$1 root=$roots/$2 packages=$3
    [ "$(cat "$root/.complete" 2>/dev/null)" = "$packages" ] && return
    rm -rf "$root"
    mkdir -p "$roots"
    debootstrap --variant=minbase --include="$packages" "$suite" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
        { tail -n 5 "$root.log" >&2; not_run "the root of $suite cannot be made"; }
    echo "$packages" >"$root/.complete"
}

# copy_root SUITE COPY [PACKAGE,...]: makes a fresh copy of a root, with these packages in it too. Its path is in $root.
copy_root() {
    local name=$1${3:+-${3//,/-}}
    make_root "$1" "$name" "$always${3:+,$3}"
    root=$roots/$2
    rm -rf "${root:?}"
    cp -a --reflink=auto "$roots/$name" "$root"
}
