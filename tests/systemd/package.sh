# Upgrade and removal while instances run, for tests/systemd/run: each function is a part.
# shellcheck shell=bash disable=SC2154

dpkg() { inside env DEBIAN_FRONTEND=noninteractive dpkg "$@" >"$root.dpkg.log" 2>&1 || { cat "$root.dpkg.log" >&2; fail "dpkg $1"; }; }
show() { systemctl show -P "$2" "$1"; }
# replaced UNIT PID: it is another process, which runs the program that is installed now.
replaced() {
    local now
    now=$(show "$1" MainPID)
    [ "$now" != 0 ] && [ "$now" != "$2" ] && [ "$(inside readlink "/proc/$now/exe")" = /usr/bin/secretdir ]
}

# Three instances: one whose set is read all the time, one that has yet to find its store, and one that is stopped.
upgrade() {
    configure stopped
    configure waiting
    inside sed -i 's,/srv/store,/srv/nowhere,' /etc/secretdir/waiting.toml
    inside rm -rf /run/secretdir/waiting
    inside sh -c 'printf "[Unit]\nAfter=secretdir@shop.service\nWants=secretdir@shop.service\n[Service]\nExecStart=/bin/sleep infinity\n" >/run/systemd/system/reader.service'
    systemctl daemon-reload
    systemctl restart secretdir@shop.service
    systemctl enable --quiet --now secretdir@stopped.service
    systemctl stop secretdir@stopped.service
    systemctl start --no-block secretdir@waiting.service
    systemctl start reader.service
    until_true "one waits for its store" inside sh -c 'systemctl show -P ActiveState secretdir@waiting.service | grep -qx activating'
    local old_shop old_waiting old_reader reads
    old_shop=$(show secretdir@shop.service MainPID) old_waiting=$(show secretdir@waiting.service MainPID) old_reader=$(show reader.service MainPID)

    inside sh -c 'rm -f /var/tmp/stop; n=0; while [ ! -e /var/tmp/stop ]; do
        cat /run/secretdir/shop/token /run/secretdir/shop/pair/one >/dev/null || { echo lost; exit; }; n=$((n + 1)); done; echo $n' >"$root.reads" 2>&1 &
    local reader=$!
    dpkg --install "/root/${newer##*/}"
    until_true "the instance runs the new program" replaced secretdir@shop.service "$old_shop"
    until_true "active again" is ActiveState active
    until_true "the one that waits runs the new program" replaced secretdir@waiting.service "$old_waiting"
    inside touch /var/tmp/stop
    wait "$reader"
    reads=$(cat "$root.reads")
    [[ $reads =~ ^[0-9]+$ ]] || fail "the set could not be read all the time: $reads"
    [ "$reads" -ge 20 ] || fail "the set was read $reads times only"
    [ "$(show secretdir@stopped.service ActiveState)" = inactive ] || fail "an instance that was stopped runs"
    [ "$(show reader.service MainPID)" = "$old_reader" ] || fail "a service that reads the set was restarted"
    secret "after the upgrade"
    until_true "published" holds /run/secretdir/shop/token "after the upgrade"
    echo "  the set was read $reads times during the upgrade"
}

purge() {
    systemctl enable --quiet secretdir@shop.service
    systemctl start secretdir-sync@slow.timer
    systemctl stop reader.service
    dpkg --purge secretdir
    local unit
    for unit in secretdir@shop.service secretdir@waiting.service secretdir-sync@slow.timer; do
        [ "$(show "$unit" ActiveState)" = inactive ] || fail "$unit is $(show "$unit" ActiveState)"
    done
    [ -z "$(inside pgrep -x secretdir)" ] || fail "an instance runs on"
    [ -z "$(inside find /etc/systemd/system -name 'secretdir*@*.wants' -o -name 'secretdir*@*' -type l)" ] || fail "an instance is still enabled"
    holds /run/secretdir/shop/token "after the upgrade" || fail "the set is gone"
    inside test -s /etc/secretdir/shop.toml || fail "the operator's configuration is gone"
    [ "$(inside stat -c %U:%G:%a /etc/secretdir)" = root:secretdir:750 ] || fail "/etc/secretdir has changed"
    inside test ! -e /usr/bin/secretdir || fail "the command is left"
}
