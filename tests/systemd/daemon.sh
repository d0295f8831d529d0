# The life of one instance of secretdir@.service, for tests/systemd/run: each function is a part, and they build on each other.
# shellcheck shell=bash disable=SC2154

begins() {
    inside mv /srv/store /srv/gone
    systemctl start --no-block secretdir@shop.service
    until_true "it has begun" is ActiveState activating
    inside mv /srv/gone /srv/store
    systemctl kill --signal=USR1 secretdir@shop.service || :
    until_true "ready once a set is there" is ActiveState active
    holds /run/secretdir/shop/token one || fail "the set is not there"
    # It is told just after the readiness.
    until_true "its status tells of the set" tells_generation
}

reloads() {
    systemctl reload secretdir@shop.service
    inside cp /etc/secretdir/shop.toml /etc/secretdir/good
    echo 'unheard-of = 1' | inside tee -a /etc/secretdir/shop.toml >/dev/null
    if systemctl reload secretdir@shop.service 2>/dev/null; then fail "a bad configuration is taken"; fi
    is ActiveState active || fail "a bad configuration has ended it"
    secret two
    until_true "the old configuration goes on" holds /run/secretdir/shop/token two
    inside cp /etc/secretdir/good /etc/secretdir/shop.toml
    systemctl reload secretdir@shop.service
}

# More changes than systemd starts a unit by itself, and one while the unit of the stamp still runs.
stamps() {
    systemctl start shop.service
    systemctl start shop-reload.path
    until_true "a change from before counts" reloaded 1
    local number
    for number in 2 3 4 5 6 7 8; do
        secret "stamp $number"
        systemctl kill --signal=USR1 secretdir@shop.service
        until_true "published" holds /run/secretdir/shop/token "stamp $number"
        until_true "the shop is reloaded" reloaded "$number"
    done
    for _ in 1 2 3; do systemctl kill --signal=USR1 secretdir@shop.service; done
    inside secretdir sync --config /etc/secretdir/shop.toml 2>/dev/null || :
    reloaded 8 || fail "an unchanged turn has reloaded the shop"

    inside mkdir -p /run/systemd/system/shop-reload.service.d
    printf '[Service]\nExecStartPost=/bin/sh -c "until [ -e /var/tmp/go-on ]; do sleep 0.1; done"\n' | inside tee /run/systemd/system/shop-reload.service.d/slow.conf >/dev/null
    systemctl daemon-reload
    secret "stamp first"
    until_true "the shop is reloaded" reloaded 9
    secret "stamp second"
    until_true "published" holds /run/secretdir/shop/token "stamp second"
    until_true "there is a stamp again" inside test -e /run/secretdir/shop.changed
    inside touch /var/tmp/go-on
    until_true "the second change reloads the shop too" reloaded 10
    inside rm /run/systemd/system/shop-reload.service.d/slow.conf
    systemctl daemon-reload
}

# The command that the page about AWS lets Run Command run. It must leave alone what a turn has started.
pushes() {
    local push counted=/run/secretdir/verified
    push=$(python3 -c 'import json, re, sys
print(json.loads(json.loads(re.search(r"\"Input\": (\".*\")", sys.stdin.read())[1]))["commands"][0])' <providers/aws/README.md)
    inside cp /etc/secretdir/shop.toml /etc/secretdir/good
    printf 'wake = false\n[verify]\ncommand = ["sh", "-c", "echo begun >>%s; sleep 3; echo ended >>%s"]\n' "$counted" "$counted" |
        inside tee -a /etc/secretdir/shop.toml >/dev/null
    systemctl reload secretdir@shop.service
    secret "stamp pushed"
    inside sh -c "$push"
    until_true "a push causes a turn" holds "$counted" begun
    inside sh -c "$push"
    until_true "published" holds /run/secretdir/shop/token "stamp pushed"
    [ "$(inside cat "$counted" | tr '\n' ' ')" = "begun ended " ] || fail "a push has ended a program of a turn"
    inside rm "$counted"
    inside cp /etc/secretdir/good /etc/secretdir/shop.toml
    systemctl reload secretdir@shop.service
}
reloaded() { inside sh -c "test \$(wc -l </var/tmp/reloads) -eq $1"; }

watchdog() {
    drop_in watchdog 'WatchdogSec=15'
    systemctl restart secretdir@shop.service
    local before
    before=$(state MainPID)
    systemctl kill --signal=STOP secretdir@shop.service
    until_true "started again by the watchdog" inside sh -c "p=\$(systemctl show -P MainPID secretdir@shop.service); test \$p != 0 && test \$p != $before"
    until_true "active again" is ActiveState active
    no_drop_in watchdog
}

# Ended at fifty points, from just before a turn to just after it. One that takes longer than TimeoutStopSec= has not ended well.
stops() {
    inside mv /srv/store /srv/gone
    systemctl stop secretdir@shop.service
    [ "$(state Result)" = success ] || fail "it did not end well: $(state Result)"
    holds /run/secretdir/shop/token stamp || fail "the last good set is gone"
    systemctl start secretdir@shop.service || fail "an old set is not enough to be ready"
    inside mv /srv/gone /srv/store
    drop_in stop 'TimeoutStopSec=5s'
    systemctl restart secretdir@shop.service
    local told
    told=$(inside timeout 600 bash -c "$fifty_stops" 2>&1) || fail "$told"
    echo "  $told"
    no_drop_in stop
}
# systemd takes a moment until it sends its signal. So the turn begins that much later than the stop for the first points, and earlier
# for the last ones.
fifty_stops='
service=secretdir@shop.service
now() { echo $(($(date +%s%N) / 1000)); }
pause() { sleep "$(($1 / 1000000)).$(printf %06d $(($1 % 1000000)))"; }
published() { test "$(cat /run/secretdir/shop/token)" = "$1"; }
# Tells how long a turn takes, in millionths of a second.
measure() {
    local before
    printf "measure $1" >/srv/store/token
    before=$(now)
    kill -USR1 "$(systemctl show -P MainPID $service)"
    for _ in $(seq 6000); do published "measure $1" && break; sleep 0.005; done
    echo $(($(now) - before))
}
# stop_at MICROSECONDS VALUE: stops so long after the signal for a turn, and starts again. Returns 1 if the value was not published.
stop_at() {
    local pid result
    pid=$(systemctl show -P MainPID $service)
    printf %s "$2" >/srv/store/token
    if [ "$1" -lt 0 ]; then (pause $((-$1)); kill -USR1 "$pid" 2>/dev/null) & else kill -USR1 "$pid"; pause "$1"; fi
    systemctl stop $service
    wait
    result=$(systemctl show -P Result $service)
    [ "$result" = success ] || { echo "it did not end well: $result, $1 microseconds after the signal"; exit 1; }
    result=0
    published "$2" || result=1
    systemctl start $service
    return $result
}
# On a busy machine all of them may come on one side of the flip. Then once more.
for round in 1 2 3; do
    turn=$(measure $round) early=0
    for point in $(seq 0 49); do
        stop_at $((turn * (point - 25) / 25)) "stop $round $point" || early=$((early + 1))
    done
    if [ $early -ge 5 ] && [ $early -le 45 ]; then break; fi
done
echo "50 stops, $early of them before the flip, from $((turn / 1000)) ms before the signal for a turn to $((turn / 1000)) ms after it"
'

# The date is set, to what it is: the kernel tells of that as of any other step. No turn comes of it, and the next step is heard as well.
dates() {
    local turn step
    turn=$(state StatusText)
    for step in 1 2; do
        inside date --set="@$(date +%s.%N)" >/dev/null 2>&1 || { echo "  NOT RUN: dates: the date may not be set here"; return; }
        until_true "step $step of the date is told" date_was_set "$step"
    done
    [ "$(state StatusText)" = "$turn" ] || fail "a step of the date changed $turn"
}
date_was_set() { [ "$(inside journalctl --no-pager --unit secretdir@shop.service | grep -c 'the date of this machine was set')" -ge "$1" ]; }

# A unit that an operator is stopping gets no reload, which would cancel the stop. after.service stops after slow.service, so its own stop
# is queued for a while.
a_stop_is_not_canceled() {
    inside sh -c 'printf "[Unit]\nAfter=after.service\n[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c \"until test -e /run/released; do sleep 0.1; done\"\n" >/run/systemd/system/slow.service'
    systemctl start slow.service
    systemctl stop --no-block slow.service after.service
    secret "while it stops"
    until_true "published" holds /run/secretdir/shop/token "while it stops"
    until_true "the reload is refused" inside sh -c "journalctl --no-pager --unit secretdir@shop.service | grep -q 'the on-change command .systemctl. failed'"
    inside touch /run/released
    until_true "the unit that was to stop has stopped" stopped after.service
    systemctl stop after.service
}
stopped() { [ "$(systemctl show -P ActiveState "$1")" = inactive ]; }

# A service that is ordered after ours, and that ours reloads: with `units` nobody waits for the other.
orders() {
    inside sh -c 'printf "[Unit]\nAfter=secretdir@shop.service\nWants=secretdir@shop.service\n[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\n" >/run/systemd/system/after.service'
    drop_in root 'User=root' 'PrivateUsers=no' 'CapabilityBoundingSet=~' 'SystemCallFilter='
    systemctl stop secretdir@shop.service
    inside sh -c 'rm -rf /run/secretdir/shop /run/secretdir/.shop.* /run/secretdir/shop.changed; chown root: /run/secretdir'
    inside sed -i 's/^stamp = .*/units = ["after.service"]/' /etc/secretdir/shop.toml
    timeout 30 nsenter -t "$pid" -a systemctl start after.service || fail "the two wait for each other"
    until_true "the other one runs" inside systemctl is-active after.service
    secret last
    until_true "published" holds /run/secretdir/shop/token last
    a_stop_is_not_canceled
    # As it was, for the parts that follow.
    systemctl stop secretdir@shop.service
    no_drop_in root
    inside sh -c 'rm -rf /run/secretdir/shop /run/secretdir/.shop.* /run/secretdir/shop.changed'
    configure shop
    systemctl start secretdir@shop.service
}
